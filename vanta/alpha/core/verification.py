"""Do the logs and documents of a home hold together? Pure: bytes in, findings out.

Decides for every journal whether its raw bytes are one unbroken chain whose records can have happened, and for every
document whether it parses strictly and adds up. What a single record cannot show is left to `watchers.py`. Refuses to
know files, and whose home it is: a copy verifies as well as the original.

| finding | means |
|---|---|
| OK | what was looked at holds together |
| CRITICAL | something was changed, lost or torn; the first bad line is named |
| UNKNOWN | it cannot be told: a file that could not be read, a log without records |

A chain alone does not show that its tail was cut off cleanly, or that it was chained anew: see `coverage.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vanta.common import strictjson
from vanta.common.errors import BadInput, StateError
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.models.base import Model, validate
from vanta.common.models.signal import FeedDocument
from vanta.common.paths import (
    ALLOCATION,
    ASSISTANT_LOG,
    CALLS,
    COLLECTION_LOG,
    PROMOTION_LOG,
    REFLECTION_LOG,
    TRACKER_LOG,
    TRADE_LOG,
    TRADE_SIGNALS,
)
from vanta.common.store.chain import START, chain
from vanta.common.store.ports import Head, Record
from vanta.markets.core.wire_signal import decode

OPENED_BY_RECORD = frozenset({TRADE_LOG, COLLECTION_LOG, REFLECTION_LOG, PROMOTION_LOG, TRACKER_LOG, ASSISTANT_LOG,
                              *CALLS})
"""Journals whose first record names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`line` is a line of a journal or document, 1-based, `None` where the file as a whole is meant."""

    level: Check
    file: str
    line: int | None = None
    text: str

    @property
    def word(self) -> str:
        """`verified`, `FAILED` or `UNKNOWN`."""
        return {Check.OK: "verified", Check.CRITICAL: "FAILED"}.get(self.level, "UNKNOWN")

    def __str__(self) -> str:
        return f"{self.word:<8}  {self.file}{f':{self.line}' if self.line else ''}  {self.text}"


class Watcher(Protocol):
    """Sees every record of a journal. `take` says what is wrong with one; `end` what is wrong with the whole."""

    def take(self, record: Record) -> str | None:
        """A sentence if this record cannot be."""
        ...

    def end(self, *, whole: bool) -> Sequence[Finding]:
        """After the last good record; `whole` says that nothing was wrong with the journal."""
        ...


def journal(name: str, raw: bytes, watchers: Sequence[Watcher] = (), *, begin: Head = START) -> list[Finding]:
    """Check one journal from its bytes. The walk ends at the first bad line; watchers are ended there.

    `begin` is where the bytes begin, if older ones were put away.
    """
    findings, head = [], begin.hash
    last = begin.seq
    takes = [watcher.take for watcher in watchers]
    try:
        for record in chain(raw, name=name, previous=begin):
            wrong = _out_of_place(name, record) or next(filter(None, (take(record) for take in takes)), None)
            if wrong is not None:
                findings.append(Finding(level=Check.CRITICAL, file=name, line=record.seq, text=wrong))
                break
            last, head = record.seq, record.hash
    except StateError as error:
        text = error.what.removeprefix(f"{name}:{last + 1}: ")
        findings.append(Finding(level=Check.CRITICAL, file=name, line=last + 1, text=text))
    rest = len(raw) - (raw.rfind(b"\n") + 1)
    if rest:
        findings.append(Finding(level=Check.CRITICAL, file=name, line=begin.seq + raw.count(b"\n") + 1,
                                text=f"the last line is torn: {rest} bytes without an end"))
    whole = not findings
    if whole:
        findings.append(_sound(name, last - begin.seq, head))
    for watcher in watchers:
        findings += watcher.end(whole=whole)
    return findings


def _sound(name: str, last: int, head: str) -> Finding:
    if last == 0:
        return Finding(level=Check.UNKNOWN, file=name, text="holds no record")
    return Finding(level=Check.OK, file=name, text=f"{last:,} records, head {head[:12]}")


def _out_of_place(name: str, record: Record) -> str | None:
    opened = record.kind == Kind.JOURNAL_OPENED
    if not opened and record.seq != 1:
        return None
    if name in OPENED_BY_RECORD and record.seq == 1 and not opened:
        return f"the first record is {record.kind}, not {Kind.JOURNAL_OPENED}"
    if opened and record.seq != 1:
        return "opens the journal a second time"
    return None


def parsed(name: str, raw: bytes, model: type[Model]) -> Finding:
    """Check one document: strict JSON, its model, and what must add up."""
    try:
        wrong = _signals(raw, name) if model is FeedDocument else _sums(raw, name, model)
    except BadInput as error:
        where = f"({error.field}) " if error.field else ""
        return Finding(level=Check.CRITICAL, file=name, line=error.line, text=where + error.reason)
    if wrong:
        return Finding(level=Check.CRITICAL, file=name, text=wrong)
    return Finding(level=Check.OK, file=name, text=f"{len(raw):,} bytes parse strictly")


def _signals(raw: bytes, name: str) -> str:
    ids = [signal.id for signal in decode(raw, file=name).signals]
    doubled = len(ids) - len(set(ids))
    return f"{doubled} signals stand in it twice" if doubled else ""


def _sums(raw: bytes, name: str, model: type[Model]) -> str:
    value = strictjson.loads(raw, file=name)
    validate(model, value, file=name)
    if name == TRADE_SIGNALS:
        return next(filter(None, (_sum(row, row["reason_vector"]) for row in value["convictions"])), "")
    if name == ALLOCATION:
        rows = (row for vault in value["vaults"] for row in vault["targets"])
        return next(filter(None, (_sum(row, row["reasons"]) for row in rows)), "")
    return ""


def _sum(row: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]) -> str:
    total = sum(reason["bp"] for reason in reasons)
    if total == row["conviction_bp"]:
        return ""
    return f"the reasons of {row['signal_id']} sum to {total}, not to its conviction_bp of {row['conviction_bp']}"


def outcome(findings: Sequence[Finding]) -> Check:
    """CRITICAL if anything failed, else UNKNOWN if anything could not be told or there was nothing, else OK."""
    levels = {finding.level for finding in findings}
    if Check.CRITICAL in levels:
        return Check.CRITICAL
    return Check.UNKNOWN if Check.UNKNOWN in levels or not levels else Check.OK
