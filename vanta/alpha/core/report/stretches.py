"""Much that happened over time as few values: one for each stretch of time, longer ones when they get many. Pure.

What comes of it is bounded whatever the length of the log:

    kept = Stretches(600, lambda older, newer: newer)
    kept.put(at_ms, value)  ->  at most 1,200 values, each with the time of the last thing in its stretch
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

SHORTEST_MS = 1_000


class Moment(NamedTuple, Generic[T]):
    """A value, and when it was so, in milliseconds."""

    at_ms: int
    value: T


class Stretches(Generic[T]):
    """See the module's contract. Times have to come in order; one that goes back counts as the one before it."""

    def __init__(self, most: int, merge: Callable[[T, T], T]) -> None:
        self._most = most
        self._merge = merge
        self.width_ms = SHORTEST_MS
        self.moments: list[Moment[T]] = []

    def apart(self, one: int, other: int) -> bool:
        """Whether two times lie in different stretches."""
        return one // self.width_ms != other // self.width_ms

    def put(self, at_ms: int, value: T) -> None:
        """Something happened."""
        self._join(self.moments, Moment(max(at_ms, self.moments[-1].at_ms if self.moments else at_ms), value))
        while len(self.moments) > 2 * self._most:
            self.width_ms *= 2
            before, self.moments = self.moments, []
            for moment in before:
                self._join(self.moments, moment)

    def _join(self, moments: list[Moment[T]], moment: Moment[T]) -> None:
        if moments and not self.apart(moments[-1].at_ms, moment.at_ms):
            moments[-1] = Moment(moment.at_ms, self._merge(moments[-1].value, moment.value))
        else:
            moments.append(moment)


@dataclass(frozen=True, slots=True)
class Cell(Generic[T]):
    """One of several equal parts of a time; `value` is `None` where nothing happened in it."""

    from_ms: int
    to_ms: int
    value: T | None


def cells(moments: Sequence[Moment[T]], span: tuple[int, int], number: int,
          merge: Callable[[T, T], T]) -> list[Cell[T]]:
    """A time cut into so many equal parts, each with all that happened in it."""
    start, end = span
    length = max(end - start, 1)
    found: list[T | None] = [None] * number
    for moment in moments:
        place = min(max((moment.at_ms - start) * number // length, 0), number - 1)
        before = found[place]
        found[place] = moment.value if before is None else merge(before, moment.value)
    return [Cell(start + length * place // number, start + length * (place + 1) // number, value)
            for place, value in enumerate(found)]


def thinned(items: Sequence[T], most: int) -> list[T]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[place * (len(items) - 1) // (most - 1)] for place in range(most)]
