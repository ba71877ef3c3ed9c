"""What the vaults were worth, moment by moment, as the log has marks for it; and how far that lay below its best. Pure.

A point is the last NAV known in its stretch of time. It is unknown while a held position has no mark, and there is
none where nothing was recorded: both are gaps. What was paid in or taken out is no gain: the curve of which the
drawdown is told grows by what was made alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from vanta.alpha.core.report.stretches import Moment
from vanta.common.money import ZERO
from vanta.executor.core.book import Book

SILENT_MS = 4 * 86_400_000
"""After so long without a record a line is broken: longer than the longest weekend of an exchange."""


class Stand(NamedTuple):
    """One vault at one moment. `nav` is None while a held position has no mark."""

    currency: str
    nav: Decimal | None
    flows: Decimal


Stands = Mapping[str, Stand]


class Point(NamedTuple):
    """All vaults of a currency at one moment. `fall` is the drawdown, a fraction of the best, not above 0."""

    at_ms: int
    nav: Decimal | None
    flows: Decimal
    fall: Decimal | None


def stands(book: Book) -> Stands:
    """What every vault is worth now."""
    return {name: Stand(vault.currency, book.nav(name), vault.flows) for name, vault in sorted(book.vaults.items())}


def currencies(moments: Iterable[Moment[Stands]]) -> list[str]:
    """Each money that any vault is in."""
    return sorted({stand.currency for moment in moments for stand in moment.value.values()})


def curve(moments: Iterable[Moment[Stands]], currency: str, vault: str = "") -> list[Point]:
    """The points of one currency, or of one vault of it, from where there is any."""
    return list(_measured(_summed(moments, currency, vault)))


def _summed(moments: Iterable[Moment[Stands]], currency: str,
            vault: str) -> Iterator[tuple[int, Decimal | None, Decimal]]:
    for at_ms, value in moments:
        found = [stand for name, stand in value.items() if stand.currency == currency and vault in ("", name)]
        if found:
            navs = [stand.nav for stand in found if stand.nav is not None]
            yield (at_ms, sum(navs, ZERO) if len(navs) == len(found) else None,
                   sum((stand.flows for stand in found), ZERO))


def _measured(rows: Iterable[tuple[int, Decimal | None, Decimal]]) -> Iterator[Point]:
    index = best = Decimal(1)
    before: tuple[Decimal, Decimal] | None = None
    for at_ms, nav, flows in rows:
        if nav is None:
            yield Point(at_ms, None, flows, None)
            continue
        if before is not None and (base := before[0] + flows - before[1]) > 0:
            index = index * nav / base
        before, best = (nav, flows), max(best, index)
        yield Point(at_ms, nav, flows, index / best - 1)


def runs(points: Sequence[Point]) -> list[list[Point]]:
    """The points without what lies in gaps: each run is drawn as one line."""
    found: list[list[Point]] = []
    last: Point | None = None
    for point in points:
        if point.nav is not None:
            if last is None or last.nav is None or point.at_ms - last.at_ms > SILENT_MS:
                found.append([])
            found[-1].append(point)
        last = point
    return found


def gaps(points: Sequence[Point]) -> list[tuple[int, int]]:
    """From when to when nothing is known."""
    found = runs(points)
    return [(one[-1].at_ms, other[0].at_ms) for one, other in pairwise(found)]


def deepest(points: Iterable[Point]) -> Point | None:
    """Where the drawdown was deepest; `None` where none is known."""
    known = [point for point in points if point.fall is not None]
    return min(known, key=lambda point: point.fall or ZERO, default=None)
