"""What the markets side did over time: which convictions it held, and how its passes over the feeds ended. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vanta.alpha.core.inputs import BROKEN
from vanta.alpha.core.report.stretches import Stretches, thinned
from vanta.alpha.core.watchers import outputs
from vanta.common.events import Kind
from vanta.common.paths import TRADE_SIGNALS
from vanta.common.store.ports import Record
from vanta.common.times import millis_of

COLUMNS, ROWS = 72, 24
"""A map of convictions has at most so many moments and entities."""

STRETCHES = 400
NONE = ""
"""Stands for the version of a cycle that made no conviction."""


class Ends(NamedTuple):
    """How passes over one feed ended: fine, in part, or not at all."""

    ok: int = 0
    partial: int = 0
    failed: int = 0

    def plus(self, other: "Ends") -> "Ends":
        """Both together."""
        return Ends(self.ok + other.ok, self.partial + other.partial, self.failed + other.failed)


@dataclass
class Passes:
    """One feed's passes."""

    over_time: Stretches[Ends] = field(default_factory=lambda: Stretches(STRETCHES, Ends.plus))
    all: Ends = field(default_factory=Ends)
    last_at: str = ""
    last: str = ""


@dataclass
class Sightings:
    """The fold of the collection log and the reflection log. `problems` are what could not be taken in."""

    feeds: dict[str, Passes] = field(default_factory=dict)
    cycles: list[tuple[int, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, record: Record) -> None:
        """Fold one record of either log."""
        try:
            if record.kind == Kind.COLLECTED:
                self._collected(record)
            elif record.kind == Kind.REFLECTED:
                none = record.payload["counts"]["convictions"] == 0
                self.cycles += [(millis_of(record.at), NONE if none else digest) for name, digest in outputs(record)
                                if name == TRADE_SIGNALS]
        except BROKEN as error:
            self.problems.append(f"record {record.seq} is not what a {record.kind} record says ({error!r})")

    def _collected(self, record: Record) -> None:
        body = record.payload
        passes = self.feeds.setdefault(str(body["feed"]), Passes())
        status = str(body["status"])
        ends = Ends(ok=status == "ok", partial=status == "partial", failed=status not in ("ok", "partial"))
        passes.over_time.put(millis_of(record.at), ends)
        passes.all = passes.all.plus(ends)
        passes.last_at, passes.last = record.at, f"{status}: {body['status_reason']}"

    def chosen(self, kept: Callable[[str], bool]) -> list[tuple[int, str]]:
        """The cycles that are shown: evenly among those whose version is kept; of what made none all is known."""
        return thinned([cycle for cycle in self.cycles if cycle[1] == NONE or kept(cycle[1])], COLUMNS)


@dataclass(frozen=True, slots=True)
class Map:
    """Convictions by entity and moment, in basis points, signed by direction; `most` is the strongest of them.

    A moment's column is `None` where its version is not kept; an entity that is not in it has no cell. `hidden` counts
    the entities beyond the strongest, `cycles` all reflections.
    """

    moments: Sequence[int]
    columns: Sequence[Mapping[str, int] | None]
    entities: Sequence[str]
    hidden: int
    cycles: int
    most: int


def conviction_map(chosen: Sequence[tuple[int, str]], kept: Mapping[str, Any], cycles: int) -> Map:
    """`kept` are versions of trade_signals.json by hash, as read."""
    columns = [{} if digest == NONE else _column(kept.get(digest)) for _, digest in chosen]
    most: dict[str, int] = {}
    for column in columns:
        for entity, bp in (column or {}).items():
            most[entity] = max(most.get(entity, 0), abs(bp))
    ranked = sorted(most, key=lambda entity: (-most[entity], entity))
    return Map([at_ms for at_ms, _ in chosen], columns, ranked[:ROWS], len(ranked[ROWS:]), cycles,
               max(most.values(), default=0))


_SIGN = {"long": 1, "short": -1}


def _column(value: Any) -> Mapping[str, int] | None:
    """Every entity's conviction; `None` where the version is not there, or is none."""
    try:
        return {str(row["entity"]): int(row["conviction_bp"]) * _SIGN.get(row["direction"], 0)
                for row in value["convictions"]}
    except BROKEN:
        return None
