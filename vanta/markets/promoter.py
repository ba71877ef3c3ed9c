"""One promotion over the files of a home: read intent and truth, decide, record, publish.

The order is what makes a crash harmless: inputs are durable snapshots → one `promoted` record, with `now` and the
hashes of every input and output, is synced → `vault_allocation.json`, then `autotrade_queue.json` are replaced.
A pass that decides what the files already say is no new cycle: nothing is written, and the files go on naming the
inputs of the cycle that last changed something. Decides nothing by itself: that is `core/cycle.py`.

| input | if it is missing or unreadable |
|---|---|
| `trade_signals.json`, `vault.json`, `portfolio.json` | nothing is staged, withdrawn or removed; the outcome says why |
| `vault_overlay.json` | no boosts, no flip, and a note; whether orders may leave is not decided here |
| `trade_log.jsonl` | missing: nothing has ended yet, and a note; broken: `StateError`, the program stops |
| our own queue and allocation | missing: there is none yet; unreadable: `StateError`, the program stops |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from vanta import __version__
from vanta.common.canonical import sha256
from vanta.common.errors import Missing, StateError, VantaError
from vanta.common.events import Kind
from vanta.common.instruments import Instrument
from vanta.common.models.account import Portfolio
from vanta.common.models.allocation import VaultAllocation
from vanta.common.models.base import Model
from vanta.common.models.configuration import MarketsSettings
from vanta.common.models.conviction import TradeSignals
from vanta.common.models.intent import MOST_BYTES, MOST_ENTRIES, AutotradeQueue
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import VaultRegistry
from vanta.common.paths import ALLOCATION, OVERLAY, PORTFOLIO, QUEUE, TRADE_LOG, TRADE_SIGNALS, VAULTS
from vanta.common.registry import by_entity
from vanta.common.store.document import Loaded, Stamp, parse, render
from vanta.common.store.ports import Files, Journal, Snapshots
from vanta.common.times import iso
from vanta.markets.core.cycle import CycleInputs, Decision, decide, instrument_rows, unheard_of, unheard_rows
from vanta.markets.core.outcomes import Outcomes
from vanta.markets.follow import Follower
from vanta.markets.rulebook import card_files, load_personas, load_rules, rule_files

BY = f"markets promote {__version__}"

M = TypeVar("M", bound=Model)
InstrumentSource = Callable[[], Mapping[str, Instrument]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteOutcome:
    """What a pass did. `held` is why nothing could be decided, `None` if it could; `written` whether files changed."""

    written: bool
    held: str | None = None
    dag_id: str | None = None
    staged: Sequence[str] = ()
    withdrawn: Sequence[str] = ()
    removed: Mapping[str, str] = field(default_factory=dict)
    waiting: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Documents:
    """The files of one pass. The three that may be absent are None where they are."""

    signals: Loaded[TradeSignals]
    vaults: Loaded[VaultRegistry]
    portfolio: Loaded[Portfolio]
    overlay: Loaded[Overlay] | None
    queue: Loaded[AutotradeQueue] | None
    allocation: Loaded[VaultAllocation] | None

    def raw(self) -> dict[str, bytes]:
        """The bytes of all that were there, by file name."""
        table: dict[str, Loaded[Any] | None] = {
            TRADE_SIGNALS: self.signals, VAULTS: self.vaults, PORTFOLIO: self.portfolio, OVERLAY: self.overlay,
            QUEUE: self.queue, ALLOCATION: self.allocation}
        return {name: one.raw for name, one in table.items() if one is not None}


@dataclass(frozen=True, slots=True)
class _Table:
    """The instruments and what is made of them, once for as long as they are the same object."""

    items: Mapping[str, Instrument]
    entities: Mapping[str, Sequence[Instrument]]
    rows: bytes


class Promoter:
    """Owns allocation, queue and the promotion log. One pass at a time; the caller holds the lock."""

    def __init__(self, files: Files, snapshots: Snapshots, journal: Journal, settings: MarketsSettings,
                 instruments: InstrumentSource) -> None:
        self._files = files
        self._snapshots = snapshots
        self._journal = journal
        self._settings = settings
        self._instruments = instruments
        self._table = _Table({}, {}, b"")
        self._rules = load_rules()
        self._cards = load_personas(self._rules)
        self._rule_files = (*rule_files(), *card_files(self._cards))
        self._log = Follower(files, TRADE_LOG)
        self._outcomes = Outcomes()
        self._known: dict[str, Loaded[Any]] = {}
        self._revision, self._unheard = 0, unheard_of(())
        for record in journal.read():
            if record.kind == Kind.PROMOTED:
                self._revision = int(record.payload["revision"])
                self._unheard = unheard_of(record.payload["unheard"])

    def run(self, now: datetime) -> PromoteOutcome:
        """Make one pass. Raises `StateError` if our own files are broken or cannot be written."""
        notes: list[str] = []
        self._follow(notes)
        documents = self._read(notes)
        if documents is None:
            return PromoteOutcome(written=False, held=notes[-1], notes=notes)
        inputs = self._inputs(documents, now)
        decision = decide(inputs)
        notes.extend(decision.notes)
        if decision.changed:
            too_large = self._commit(documents, inputs, decision, notes)
            if too_large:
                return PromoteOutcome(written=False, held=too_large, notes=[*notes, too_large])
        made = decision.promotion
        return PromoteOutcome(
            written=decision.changed, dag_id=decision.dag_id if decision.changed else None, staged=made.staged,
            withdrawn=made.withdrawn, removed=made.removed, waiting=made.waiting, notes=notes)

    def _follow(self, notes: list[str]) -> None:
        try:
            for record in self._log.news():
                self._outcomes.apply(record)
        except Missing:
            notes.append(f"{TRADE_LOG} does not exist yet: no intent is known to have ended")

    def _read(self, notes: list[str]) -> _Documents | None:
        """All files of a pass, or `None` with the reason as the last note."""
        try:
            signals = self._load(TRADE_SIGNALS, TradeSignals)
            vaults = self._load(VAULTS, VaultRegistry)
            portfolio = self._load(PORTFOLIO, Portfolio)
        except VantaError as error:
            notes.append(f"nothing is staged: {error.what}")
            return None
        overlay = None
        try:
            overlay = self._load(OVERLAY, Overlay)
        except VantaError as error:
            notes.append(f"no boosts and no flip: {error.what}")
        return _Documents(signals, vaults, portfolio, overlay, self._own(QUEUE, AutotradeQueue),
                          self._own(ALLOCATION, VaultAllocation))

    def _load(self, name: str, model: type[M]) -> Loaded[M]:
        """A document; parsed again only if its bytes changed."""
        raw = self._files.read(name)
        known = self._known.get(name)
        if known is None or known.raw != raw:
            known = self._known[name] = Loaded(parse(raw, model, file=name), raw)
        return known

    def _own(self, name: str, model: type[M]) -> Loaded[M] | None:
        try:
            return self._load(name, model)
        except Missing:
            return None
        except VantaError as error:
            raise StateError(f"our own {name} cannot be read: {error.what}",
                             "Look at it and put it aside, then start again: intents are restated.") from error

    def _inputs(self, documents: _Documents, now: datetime) -> CycleInputs:
        table = self._table_now()
        return CycleInputs(
            now=now, signals=documents.signals.value, vaults=documents.vaults.value,
            portfolio=documents.portfolio.value, overlay=documents.overlay.value if documents.overlay else None,
            queue=documents.queue.value if documents.queue else None,
            allocation=documents.allocation.value if documents.allocation else None,
            hashes={name: sha256(raw) for name, raw in documents.raw().items()},
            log=(self._log.head.seq, self._log.head.hash), outcomes=self._outcomes, unheard=self._unheard,
            instruments=table.items, instruments_sha256=sha256(table.rows), entities=table.entities,
            rules=self._rules, cards=self._cards, ttl_s=self._settings.intent_ttl_s,
            grace_s=self._settings.intent_grace_s)

    def _table_now(self) -> _Table:
        items = self._instruments()
        if self._table.items is not items:
            self._table = _Table(items, by_entity(items), instrument_rows(items))
        return self._table

    def _commit(self, documents: _Documents, inputs: CycleInputs, decision: Decision, notes: list[str]) -> str:
        """Record and write. Returns why not, if the queue is larger than an executor would read."""
        revision, at = self._revision + 1, iso(inputs.now)
        stamp = Stamp(revision=revision, at=at, by=BY)
        outputs = {ALLOCATION: render(decision.allocation, stamp), QUEUE: render(decision.queue, stamp)}
        made, entries = decision.promotion, len(decision.queue["intents"]) + len(decision.queue["withdrawals"])
        if entries > MOST_ENTRIES or len(outputs[QUEUE]) > MOST_BYTES:
            return (f"nothing is staged: {QUEUE} would have {entries:,} entries and {len(outputs[QUEUE]):,} bytes, an "
                    f"executor reads at most {MOST_ENTRIES:,} and {MOST_BYTES:,}; fewer vaults or positions have to do")
        for file in self._rule_files:
            self._snapshots.put(file)
        record = {
            "now": at, "by": BY, "revision": revision, "dag_id": decision.dag_id, "rules": inputs.rule_hashes(),
            "inputs": {name: self._snapshots.put(raw) for name, raw in documents.raw().items()},
            "instruments": self._snapshots.put(self._table.rows),
            "trade_log": {"seq": inputs.log[0], "hash": inputs.log[1]}, "ttl_s": inputs.ttl_s,
            "grace_s": inputs.grace_s, "outputs": {name: sha256(raw) for name, raw in outputs.items()},
            "staged": list(made.staged), "withdrawn": list(made.withdrawn), "removed": dict(made.removed),
            "waiting": list(made.waiting), "notes": notes, "unheard": unheard_rows(made.unheard)}
        self._journal.append(Kind.PROMOTED, record, at=at, dag_id=decision.dag_id)
        self._journal.sync()
        self._revision, self._unheard = revision, dict(made.unheard)
        for name, raw in outputs.items():
            self._files.replace(name, raw)
        return ""
