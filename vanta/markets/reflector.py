"""One reflection over the files of a home: read the feeds, decide, record, publish.

The order is what makes a crash harmless: inputs are durable snapshots → one `reflected` record, with `now` and the
hashes of every input and output, is synced → the documents are replaced, `trade_signals.json` last. Whoever finds
that the last record and `trade_signals.json` differ knows that a pass was cut off, and makes a new one.

A pass with the same inputs in the same five minutes is no new cycle: nothing is written. A feed's file that is not
there or cannot be read is named, with the reason, and the pass goes on without it; it is never taken for empty.
Decides nothing by itself: that is `core/reflect.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from vanta import __version__
from vanta.common.canonical import canonical, sha256
from vanta.common.errors import BadInput, Missing, OperatorError, UsageError, VantaError
from vanta.common.events import Kind
from vanta.common.instruments import Instrument
from vanta.common.models.configuration import MarketsSettings
from vanta.common.models.conviction import Conviction, TradeSignals
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import PersonaName, Vault, VaultRegistry, persona_name
from vanta.common.paths import (
    FEEDS,
    LEADERBOARD,
    OVERLAY,
    SYSTEM_BELIEF,
    SYSTEM_RISK,
    TRADE_SIGNALS,
    VAULTS,
    signals_file,
)
from vanta.common.store.document import Stamp, load, parse, render
from vanta.common.store.ports import Files, Journal, Snapshots
from vanta.common.times import iso
from vanta.common.uncollected import uncollected
from vanta.markets.core.flipped import Asked, FlipPreview, flipped
from vanta.markets.core.persona import PersonaView, view
from vanta.markets.core.reflect import FeedRead, ReflectInputs, Reflection, bucket_of, missing_feeds, reflect
from vanta.markets.core.tilt import ActiveFlip, active_flip
from vanta.markets.core.wire_signal import Feed, decode
from vanta.markets.rulebook import load_personas, load_rules, rule_files

BY = f"markets reflect {__version__}"
FLIP = "flip"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReflectOutcome:
    """What a pass did. `written` is False where nothing had changed; `missing` are feeds without weight, with why."""

    written: bool
    dag_id: str
    revision: int
    missing: Mapping[str, str]
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """One conviction as it is and as a persona would see it."""

    conviction: Conviction
    persona: str
    view: PersonaView


class _Ranked(msgspec.Struct):
    entity: str
    rank_bp: int


class _Ranking(msgspec.Struct):
    """The part of our own `trade_signals.json` that the next pass needs."""

    convictions: list[_Ranked]


@dataclass(frozen=True, slots=True)
class _Raw:
    """Feed files as bytes, and the reason for those that could not be had at all."""

    found: Mapping[str, bytes]
    hashes: Mapping[str, str]
    absent: Mapping[str, str]


class Reflector:
    """Owns the reflector's documents and its log. One pass at a time; the caller holds the lock."""

    def __init__(self, files: Files, snapshots: Snapshots, journal: Journal, settings: MarketsSettings) -> None:
        self._files = files
        self._snapshots = snapshots
        self._journal = journal
        self._settings = settings
        self._rules = load_rules()
        self._rule_files = rule_files()
        self._feeds = tuple(name for name in FEEDS if settings.feed(name).enabled)
        self._decoded: dict[str, FeedRead] = {}
        self._last = _last_record(journal)

    def run(self, now: datetime) -> ReflectOutcome:
        """Make one pass. Raises `StateError` if it cannot be recorded or written."""
        with uncollected():
            return self._run(now)

    def _run(self, now: datetime) -> ReflectOutcome:
        raw = self._read(self._snapshots.put)
        inputs = self._inputs(raw, now)
        cause = self._cause(inputs)
        if cause == self._last.get("cause") and self._published():
            return ReflectOutcome(written=False, dag_id=self._last["dag_id"], revision=self._last["revision"],
                                  missing=missing_feeds(inputs), counts=self._last["counts"])
        inputs = replace(inputs, ranks=self._ranks())
        return self._commit(raw, inputs, reflect(inputs, self._rules), cause)

    def preview(self, what: str, now: datetime) -> list[PreviewRow]:
        """What `what` (a persona's name, or `flip`) would make of the evidence there is. Writes nothing.

        Raises `UsageError` for an unknown persona, `OperatorError` where no flip is in force.
        """
        name = self._flip(now)[0].persona if what == FLIP else _known_persona(what)
        card = load_personas(self._rules)[name]
        seen = [PreviewRow(conviction=row, persona=name,
                           view=view(row.reason_vector, name, card, self._rules.strength)) for row in self._rows(now)]
        return sorted(seen, key=lambda one: (-one.view.conviction_bp, one.conviction.entity))

    def preview_flip(self, now: datetime, instruments: Mapping[str, Sequence[Instrument]]) -> FlipPreview:
        """What the flip in force changes in its vault, by entity's `instruments`. Writes nothing.

        Raises `OperatorError` where no flip is in force.
        """
        flip, vault, overlay = self._flip(now)
        who = Asked(vault=vault, overlay=overlay, instruments=instruments, cards=load_personas(self._rules),
                    strength=self._rules.strength)
        return flipped(self._rows(now), flip, who, now=now)

    def _rows(self, now: datetime) -> list[Conviction]:
        """The convictions that a reflection would make now."""
        made = reflect(replace(self._inputs(self._read(sha256), now), ranks=self._ranks()), self._rules)
        stamp = Stamp(revision=1, at=iso(now), by=BY)
        return parse(render(made.trade_signals, stamp), TradeSignals, file="preview").convictions

    def _flip(self, now: datetime) -> tuple[ActiveFlip, Vault, Overlay]:
        overlay = load(self._files, OVERLAY, Overlay).value
        vaults = load(self._files, VAULTS, VaultRegistry).value
        asked = overlay.flip
        vault = vaults.get(asked.vault) if asked else None
        if asked is None or vault is None:
            raise OperatorError("no flip of a known vault is set in vault_overlay.json", "Set one, or name a persona.")
        flip, why = active_flip(overlay, vault, now)
        if flip is None:
            raise OperatorError(str(why), "Correct the flip in vault_overlay.json, or name a persona.")
        return flip, vault, overlay

    def _read(self, named: Callable[[bytes], str]) -> _Raw:
        """All feed files; `named` gives the content hash of each, and keeps a snapshot of it or not."""
        found, absent = {}, {}
        for name in self._feeds:
            try:
                found[name] = self._files.read(signals_file(name))
            except Missing:
                absent[name] = f"{signals_file(name)} does not exist: the feed has not been collected yet"
            except VantaError as error:
                absent[name] = f"unreadable: {error.what}"
        return _Raw(found, {name: named(data) for name, data in found.items()}, absent)

    def _inputs(self, raw: _Raw, now: datetime) -> ReflectInputs:
        feeds, unread = {}, dict(raw.absent)
        for name, data in raw.found.items():
            known = self._decoded.get(name)
            if known is None or known.sha256 != raw.hashes[name]:
                try:
                    known = FeedRead(sha256=raw.hashes[name], feed=_feed(name, data))
                except VantaError as error:
                    unread[name] = f"unreadable: {error.what}"
                    continue
                self._decoded[name] = known
            feeds[name] = known
        return ReflectInputs(now=now, feeds=feeds, unread=unread, ranks={}, margin_bp=self._settings.rank_margin_bp,
                             stale_after_s={name: self._settings.feed(name).stale_after_s for name in feeds})

    def _ranks(self) -> dict[str, int]:
        """The steadied ranks of the pass before. Our own file, unless somebody changed it: then it is read strictly.

        Where it cannot be read, ranks begin anew: they only steady the order.
        """
        try:
            data = self._files.read(TRADE_SIGNALS)
            if sha256(data) != self._last.get("outputs", {}).get(TRADE_SIGNALS):
                return {row.entity: row.rank_bp for row in parse(data, TradeSignals, file=TRADE_SIGNALS).convictions}
            return {row.entity: row.rank_bp for row in msgspec.json.decode(data, type=_Ranking).convictions}
        except VantaError:
            return {}

    def _cause(self, inputs: ReflectInputs) -> dict[str, Any]:
        """What makes a new cycle when it differs. The ranks do not: they are the last cycle's own result."""
        return {"bucket": bucket_of(inputs.now), "inputs": {name: read.sha256 for name, read in inputs.feeds.items()},
                "unread": dict(inputs.unread), "without_weight": list(missing_feeds(inputs)),
                "margin_bp": inputs.margin_bp, "stale_after_s": dict(inputs.stale_after_s),
                "rules": dict(self._rules.hashes)}

    def _published(self) -> bool:
        """Whether the last recorded pass got as far as its last document."""
        try:
            return bool(sha256(self._files.read(TRADE_SIGNALS)) == self._last["outputs"][TRADE_SIGNALS])
        except VantaError:
            return False

    def _commit(self, raw: _Raw, inputs: ReflectInputs, made: Reflection, cause: dict[str, Any]) -> ReflectOutcome:
        revision, at = self._last.get("revision", 0) + 1, iso(inputs.now)
        stamp = Stamp(revision=revision, at=at, by=BY)
        outputs = {name: render(body, stamp) for name, body in (
            (SYSTEM_BELIEF, made.belief), (LEADERBOARD, made.leaderboard), (SYSTEM_RISK, made.risk),
            (TRADE_SIGNALS, made.trade_signals))}
        for file in self._rule_files:
            self._snapshots.put(file)
        record = {
            "now": at, "by": BY, "revision": revision, "dag_id": made.dag_id, "cause": cause,
            "ranks": self._snapshots.put(canonical(dict(inputs.ranks))),
            "unreadable": {name: digest for name, digest in raw.hashes.items() if name not in inputs.feeds},
            "outputs": {name: sha256(data) for name, data in outputs.items()}, "counts": made.counts}
        self._journal.append(Kind.REFLECTED, record, at=at, dag_id=made.dag_id)
        self._journal.sync()
        self._last = record
        for name, data in outputs.items():
            self._files.replace(name, data)
        return ReflectOutcome(written=True, dag_id=made.dag_id, revision=revision,
                              missing=made.trade_signals["missing"], counts=made.counts)


def _feed(name: str, data: bytes) -> Feed:
    """A feed's document, which has to be that feed's own."""
    feed = decode(data, file=signals_file(name))
    if feed.head.feed != name:
        raise BadInput(f"this is the document of feed {feed.head.feed!r}", file=signals_file(name), field="feed")
    return feed


def _last_record(journal: Journal) -> dict[str, Any]:
    """What the last recorded pass said, `{}` before the first."""
    last: dict[str, Any] = {}
    for record in journal.read():
        if record.kind == Kind.REFLECTED:
            last = dict(record.payload)
    return last


def _known_persona(name: str) -> PersonaName:
    try:
        return persona_name(name)
    except ValueError as error:
        raise UsageError(str(error), f"Name one of them, or `{FLIP}`.") from error
