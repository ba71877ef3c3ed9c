"""Replaying a home: every decision that its logs record, made again from the inputs that they name.

Documents are read first, then the logs, so that a running executor is never ahead. The trade log is walked twice: once
for the inputs it promises, once to decide again; promotions are made again at the record of it that they rested on.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from vanta.alpha.core.cuts import DOCUMENTS, CutFinding, Cuts
from vanta.alpha.core.cycles import Kit, Rulebook, Stand, promotion, reflection, wanted_by
from vanta.alpha.core.differ import Difference
from vanta.alpha.core.inputs import BROKEN, Absent, wanted
from vanta.alpha.core.replay import Replay
from vanta.alpha.reading import blobs, journal_bytes, records
from vanta.alpha.wire import snapshots
from vanta.common.errors import BadInput, Missing, StateError
from vanta.common.events import Kind
from vanta.common.paths import PROMOTION_LOG, REFLECTION_LOG, STATE, TRADE_LOG, Home
from vanta.common.resources import load
from vanta.common.store.atomic import read
from vanta.common.store.chain import START, chain
from vanta.common.store.ports import Head, Record
from vanta.markets.core import persona, rules
from vanta.markets.core.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class Different:
    """One difference: which step of which log or which document, about what, which field, both values."""

    step: str
    about: str
    found: Difference

    def __str__(self) -> str:
        return (f"{self.step} about {self.about}: {self.found.field or 'the whole'} was recorded as "
                f"{self.found.recorded} and is recomputed as {self.found.recomputed}")


@dataclass(slots=True)
class Replayed:
    """What became of it. `checked` counts by kind; `missing` says where and why something could not be made again."""

    checked: Counter[str] = field(default_factory=Counter)
    differences: list[Different] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def rulebook() -> Rulebook:
    """The rules that ship with this version."""
    parsed = rules.parse(sources=load("sources.json"), decay_table=load("decay_q30.json"),
                         logistic_table=load("logistic.json"))
    return Rulebook(rules=parsed, cards=persona.parse(load("personas.json"), parsed))


class Replayer:
    """One walk over one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._store = snapshots(home)
        self._documents = dict(self._read_documents())
        self._book = rulebook()
        self._before: Record | None = None
        self.result = Replayed()

    def run(self) -> Replayed:
        """Everything. A log that contradicts itself is a difference at that record."""
        for record in self._log(REFLECTION_LOG):
            if record.kind == Kind.REFLECTED:
                self._cycle(REFLECTION_LOG, record, partial(reflection, record))
        self._executor()
        return self.result

    def _read_documents(self) -> Iterator[tuple[str, bytes]]:
        for row in STATE:
            if row.model is not None:
                try:
                    yield row.name, read(self._home.file(row.name))
                except StateError:
                    continue

    def _log(self, name: str) -> Iterator[Record]:
        """The records of a log; where it breaks, that is a difference and the walk ends."""
        try:
            yield from records(self._home.file(name))
        except StateError as error:
            self._differs(name, "the log", Difference("", "a broken log", error.what))

    def _trade_log(self) -> bytes:
        try:
            return journal_bytes(self._home.file(TRADE_LOG))
        except Missing:
            return b""
        except StateError as error:
            self.result.missing.append(error.what)
            return b""

    def _differs(self, step: str, about: str, found: Difference) -> None:
        self.result.differences.append(Different(step, about, found))

    def _cycle(self, name: str, record: Record, again: Callable[[Kit], Difference | None]) -> None:
        """Make one cycle again; its inputs are loaded for it alone, because they may be large."""
        try:
            found = again(Kit(blobs=blobs(self._store, wanted_by(record)), book=self._book, current=self._documents))
        except (Absent, BadInput) as error:
            self.result.missing.append(f"{name}:{record.seq}: {error.what}")
            return
        except BROKEN as error:
            found = Difference("", f"a {record.kind} record", f"not readable as one: {error!r}")
        self.result.checked[record.kind] += 1
        if found is not None:
            self._differs(f"{name}:{record.seq} ({record.kind})", record.dag_id or "no cycle", found)

    def _executor(self) -> None:
        """The trade log with the executor's documents, and the promotions at their places in it.

        Promotions are read before the log that they rest on, and the log is read once, so that neither can be behind.
        """
        waiting = deque(record for record in self._log(PROMOTION_LOG) if record.kind == Kind.PROMOTED)
        raw = self._trade_log()
        promises = {digest for record in _until_break(raw) for _, digest in wanted(record)}
        replay, outcomes = Replay(blobs(self._store, sorted(promises))), Outcomes()
        cuts = Cuts({name: raw for name, raw in self._documents.items() if name in DOCUMENTS})
        self._promote(waiting, outcomes, START)
        try:
            for record in chain(raw, name=TRADE_LOG):
                replay.take(record)
                cuts.look(replay.book)
                outcomes.apply(record)
                self._promote(waiting, outcomes, Head(record.seq, record.hash, 0))
        except StateError as error:
            self._differs(TRADE_LOG, "the log", Difference("", "a record that cannot follow", error.what))
        cuts.end(replay.book)
        self._gather(replay, cuts)
        self.result.missing += [f"{PROMOTION_LOG}:{record.seq}: the trade log ends before record "
                                f"{_rests_on(record)}" for record in waiting]

    def _promote(self, waiting: deque[Record], outcomes: Outcomes, head: Head) -> None:
        """Make every promotion again that rested on the trade log up to `head`; the others go on waiting."""
        while waiting and _rests_on(waiting[0]) <= head.seq:
            record = waiting.popleft()
            stand = Stand(outcomes=outcomes, log=(head.seq, head.hash), before=self._before)
            self._cycle(PROMOTION_LOG, record, partial(promotion, record, stand=stand))
            self._before = record

    def _gather(self, replay: Replay, cuts: Cuts) -> None:
        self.result.checked += replay.checked
        self.result.checked += Counter({"document": len(cuts.compared) + len(cuts.findings)})
        for step in replay.differences:
            self._differs(f"{TRADE_LOG}:{step.seq} ({step.kind})", step.subject, step.found)
        for finding in cuts.findings:
            self._differs(finding.file, "the document", _as_difference(finding))
        self.result.missing += [f"{TRADE_LOG}:{seq}: {what}" for what, seq in replay.missing.items()]


def _rests_on(record: Record) -> int:
    """The record of the trade log that a promotion names; 0 if it names none, which is then found out."""
    try:
        return int(record.payload["trade_log"]["seq"])
    except BROKEN:
        return 0


def _as_difference(finding: CutFinding) -> Difference:
    return finding.found or Difference("", "the document as it is", finding.text)


def _until_break(raw: bytes) -> Iterator[Record]:
    """The records up to where the chain breaks; the walk that decides again reports the break."""
    try:
        yield from chain(raw, name=TRADE_LOG)
    except StateError:
        return
