"""What was read of a home for one answer: the checks of diagnostics, documents, and the ends of logs. Pure.

Records are those of a log's end, `whole` from its beginning; each answer says what it could not see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vanta.alpha.core.affairs import Affairs, Said
from vanta.alpha.core.outlook import More
from vanta.alpha.core.sights import Doc, Facts, Row
from vanta.alpha.core.tracker import Tracker
from vanta.alpha.core.trail import place
from vanta.common.events import Kind
from vanta.common.paths import (
    COLLECTION_LOG,
    EXECUTOR_STATE,
    MARKET_QUOTES,
    OVERLAY,
    PERMIT,
    PORTFOLIO,
    QUEUE,
    TRADE_LOG,
    TRADE_SIGNALS,
    signals_file,
)
from vanta.common.store.ports import Record

DIAGNOSTICS = "vanta-diagnostics"
"""Cited where a check looked at the host, which no file of the home tells."""

_FILES = {
    "dispatch": OVERLAY,
    "permission": PERMIT,
    "executor": EXECUTOR_STATE,
    "alarm": EXECUTOR_STATE,
    "controls": EXECUTOR_STATE,
    "latches": EXECUTOR_STATE,
    "brokers": EXECUTOR_STATE,
    "reflection": TRADE_SIGNALS,
    "queue": QUEUE,
    "confirmation": QUEUE,
    "flip": OVERLAY,
    "settings": "vanta.toml",
    "feed prices": MARKET_QUOTES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposal that lies there: its file, the command, and whether what it asks for is so by now."""

    file: str
    command: str
    at: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """See the module's contract. `docs` are by file name, `logs` by log; `tracker_problem` says why there is none."""

    facts: Facts
    more: More
    rows: Sequence[Row]
    docs: Mapping[str, Doc]
    logs: Mapping[str, Sequence[Record]]
    affairs: Affairs
    tracker: Tracker = field(default_factory=Tracker)
    tracker_problem: str = ""
    proposals: Sequence[Proposal] = ()
    warnings: Sequence[str] = ()

    def log(self, name: str) -> Sequence[Record]:
        """What was read of a log, oldest first."""
        return self.logs.get(name, ())

    def doc(self, name: str) -> Doc:
        """A document, as far as it was read."""
        return self.docs.get(name, Doc(None))

    def row(self, name: str) -> Row | None:
        """One check."""
        return next((row for row in self.rows if row.name == name), None)

    def last(self, what: str) -> Said | None:
        """The newest record that tells of a control (`overlay`, `permit`, `vaults`)."""
        found = [said for said in (*self.affairs.seen, *self.affairs.changed) if said.what == what]
        return max(found, key=lambda said: said.record.at, default=None)

    def place_of(self, what: str) -> str:
        """Where the newest record about a control stands; its file where no record was read."""
        said = self.last(what)
        return said.place if said is not None else {"overlay": OVERLAY, "permit": PERMIT}.get(what, what)

    def source(self, row: Row) -> tuple[str, ...]:
        """Where a person finds what a check rests on."""
        log = row.name.removeprefix("log ")
        if log != row.name:
            head = next((one for one in self.facts.heads if one.name == f"{log}.jsonl"), None)
            return (f"{log}:{head.seq}" if head is not None and head.seq else f"{log}.jsonl",)
        feed = row.name.removeprefix("feed ")
        if feed != row.name and row.name not in _FILES:
            passes = [
                one
                for one in self.log(COLLECTION_LOG)
                if one.kind == Kind.COLLECTED and one.payload.get("feed") == feed
            ]
            return (signals_file(feed), *(place(COLLECTION_LOG, one) for one in passes[-1:]))
        return (_FILES.get(row.name, DIAGNOSTICS),)

    @property
    def cut(self) -> tuple[str, ...]:
        """What the executor's documents are the fold of."""
        seq = self.doc(PORTFOLIO).number("as_of_seq")
        return (PORTFOLIO,) if not seq else (PORTFOLIO, f"{TRADE_LOG.removesuffix('.jsonl')}:{seq}")
