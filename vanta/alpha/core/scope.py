"""What of a home's logs is made again: everything, a span of time, or one cycle with all that came of it. Pure.

Records are compared if they lie in the span and belong to the cycle. What a compared record rests on is folded, and
the verdicts on the intents that it is about are decided again, but nothing is said about those. Documents are the fold
of a whole log: they are compared only where the end is open and no cycle is asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from vanta.alpha.core.inputs import BROKEN
from vanta.common.events import Kind
from vanta.common.paths import COLLECTION_LOG, PROMOTION_LOG, REFLECTION_LOG, TRADE_LOG, TRADE_SIGNALS
from vanta.common.store.ports import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is asked for. Times as records have them: from `begins` on, before `ends`; `dag` is the id of a cycle."""

    begins: str | None = None
    ends: str | None = None
    dag: str | None = None

    @property
    def documents(self) -> bool:
        """Whether documents are compared."""
        return self.ends is None and self.dag is None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.documents and self.begins is None


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """One cycle: the passes whose files it read, its reflection, its promotions, and the intents that they staged."""

    records: frozenset[tuple[str, int]]
    intents: frozenset[str]


def lineage(dag: str, collected: Iterable[Record], reflected: Iterable[Record],
            promoted: Iterable[Record]) -> Lineage | None:
    """What belongs to the cycle `dag`, which is a reflection's or a promotion's; `None` if nobody made it."""
    reflections, promotions = list(reflected), list(promoted)
    own = [one for one in reflections if one.dag_id == dag]
    if own:
        made = {_wrote(one) for one in own}
        follow = [one for one in promotions if _read(one) in made]
    else:
        follow = [one for one in promotions if one.dag_id == dag]
        read = {_read(one) for one in follow}
        own = [one for one in reflections if _wrote(one) in read]
    if not own and not follow:
        return None
    feeds = {digest for one in own for digest in one.payload["cause"]["inputs"].values()}
    passes = [one for one in collected if _output(one) in feeds]
    records = [*((COLLECTION_LOG, one.seq) for one in passes), *((REFLECTION_LOG, one.seq) for one in own),
               *((PROMOTION_LOG, one.seq) for one in follow)]
    return Lineage(records=frozenset(records),
                   intents=frozenset(name for one in follow for name in one.payload["staged"]))


def _wrote(record: Record) -> str | None:
    return _of(record, "outputs", TRADE_SIGNALS)


def _read(record: Record) -> str | None:
    return _of(record, "inputs", TRADE_SIGNALS)


def _output(record: Record) -> str | None:
    return _of(record, "output", "sha256")


def _of(record: Record, part: str, name: str) -> str | None:
    """A hash that a record names; `None` if it does not, which is found out where the record is made again."""
    try:
        return str(record.payload[part][name])
    except BROKEN:
        return None


@dataclass(slots=True)
class Selection:
    """Which records are compared, and which are decided again because such a record rests on them."""

    scope: Scope
    lineage: Lineage | None = None
    intents: set[str] = field(default_factory=set)
    last: int = 0

    def compares(self, log: str, record: Record) -> bool:
        """Whether something is said about this record."""
        scope = self.scope
        if (scope.begins is not None and record.at < scope.begins) or (scope.ends is not None
                                                                       and record.at >= scope.ends):
            return False
        if self.lineage is None:
            return True
        if log == TRADE_LOG:
            return record.ids.get("intent_id") in self.lineage.intents
        return (log, record.seq) in self.lineage.records

    def scan(self, record: Record) -> None:
        """Take note of a record of the trade log, all of which are shown before `decides` is asked."""
        if self.compares(TRADE_LOG, record):
            self.last = record.seq
            if "intent_id" in record.ids:
                self.intents.add(record.ids["intent_id"])

    def decides(self, record: Record) -> bool:
        """Whether this record of the trade log is decided again."""
        return record.ids.get("intent_id") in self.intents or self.compares(TRADE_LOG, record)


CYCLES = {COLLECTION_LOG: Kind.COLLECTED, REFLECTION_LOG: Kind.REFLECTED, PROMOTION_LOG: Kind.PROMOTED}
"""The markets' logs, and the kind of record that is made again."""
