"""The chapters about what all of it stands on: convictions, feeds, disk. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from vanta.alpha.core.report import columns, strips
from vanta.alpha.core.report.axes import moment
from vanta.alpha.core.report.sightings import Ends, Map, Passes
from vanta.alpha.core.report.stretches import Cell, cells, thinned
from vanta.alpha.core.report.svg import NONE, Drawing, Table, figure, table
from vanta.alpha.core.sights import Row
from vanta.alpha.core.words import count, when

MOST_DAYS = 60


class Takes(NamedTuple):
    """What one kind of history takes on disk: bytes now, and by day where that is known."""

    what: str
    size: int
    days: Mapping[str, int]
    per_day: int


def convictions(found: Map) -> Iterator[str]:
    """The map, and the newest column in numbers."""
    if not found.entities:
        yield "<p>No conviction is kept: nothing was reflected on yet, or its versions were put away.</p>"
        return
    kept = sum(column is not None for column in found.columns)
    thin = (f"{len(found.moments)} of {count(found.cycles, 'reflection')}, evenly among those whose version is kept; "
            f"what moved between two of them is not seen." if len(found.moments) < found.cycles
            else f"All {count(found.cycles, 'reflection')}.")
    hidden = f" {count(found.hidden, 'weaker entity', 'weaker entities')} are left out." if found.hidden else ""
    lost = f" {len(found.columns) - kept} versions are not kept (hazy)." if kept < len(found.columns) else ""
    chosen = thinned(list(zip(found.moments, found.columns, strict=True)), 8)
    yield figure(Drawing(
        name="convictions", title="Convictions over time",
        told=f"{count(len(found.entities), 'entity', 'entities')}, the strongest first. {thin}",
        draw=partial(strips.heat, found),
        caption=f"Evidence in basis points, not a probability: the fuller the colour the stronger, up to "
                f"{found.most:,}; plain blue speaks for it, striped orange against it, a thin line is none either way, "
                f"an empty place that nothing was known of it. A dashed line stands where much more time lies between "
                f"two columns. {thin}{hidden}{lost}",
        numbers=Table(head=("entity", *(moment(at_ms)[:19] for at_ms, _ in chosen)),
                      right=frozenset(range(1, len(chosen) + 1)), rows=[
                          [entity, *(_bp(column, entity) for _, column in chosen)] for entity in found.entities])))


def _bp(column: Mapping[str, int] | None, entity: str) -> str:
    if column is None:
        return "not kept"
    return f"{column[entity]:+,}".replace("-", "−") if entity in column else NONE


def feeds(checks: Sequence[Row], found: Mapping[str, Passes], span: tuple[int, int]) -> Iterator[str]:
    """How fresh each feed is now, and how its passes ended over time."""
    names = list(dict.fromkeys([*(row.name.removeprefix("feed ") for row in checks), *sorted(found)]))
    if not names:
        yield "<p>No feed is switched on, and none was collected.</p>"
        return
    by_name = {row.name.removeprefix("feed "): row for row in checks}
    rows = [[name, f"{by_name[name].level.name}: {by_name[name].text}" if name in by_name else "not switched on",
             *_passes(found.get(name, Passes()))] for name in names]
    yield table(Table(head=("feed", "now", "fine", "in part", "failed", "last pass (UTC)"), stack=True,
                      right=frozenset({2, 3, 4}), bare=frozenset({1}),
                      rows=rows))
    drawn = {name: partial(_cut, found[name], span) for name in names if name in found}
    if drawn:
        yield figure(Drawing(
            name="feeds", title="How the passes over each feed ended", told="A row a feed, from left to right in time.",
            draw=partial(strips.passes, drawn, span),
            caption="A high blue mark: every pass of that time was fine. Striped orange: half high where not all of it "
                    "was fine, low where nothing was. Nothing: no pass was made.",
            numbers=Table(head=("feed", "from", "fine", "in part", "failed"), right=frozenset({2, 3, 4}), rows=[
                [name, moment(cell.from_ms), *(f"{value:,}" for value in cell.value)]
                for name, cut in drawn.items() for cell in cut(24) if cell.value is not None])))


def _passes(passes: Passes) -> list[str]:
    last = f"{when(passes.last_at)[:19]}, {passes.last}" if passes.last_at else "none is in the log"
    return [*(f"{value:,}" for value in passes.all), last]


def _cut(passes: Passes, span: tuple[int, int], number: int) -> list[Cell[Ends]]:
    return cells(passes.over_time.moments, span, number, Ends.plus)


def disk(found: Sequence[Takes]) -> Iterator[str]:
    """What it takes now, and what was added each day."""
    total = sum(one.size for one in found)
    yield table(Table(head=("what", "on disk now", "a day"), right=frozenset({1, 2}),
                      rows=[[one.what, size(one.size), size(one.per_day) if one.days else "unknown"] for one in found],
                      foot=("sum", size(total), "")))
    known = sorted({day for one in found for day in one.days})
    if not known:
        yield '<p class="quiet">What a day adds is known once one is over.</p>'
        return
    days = _every(known[-1])
    shown = [day for day in days if day >= known[0]]
    added = {day: [(one.what, one.days[day]) for one in found if day in one.days] for day in shown}
    older = f" Days before {shown[0]} are left out." if known[0] < shown[0] else ""
    yield figure(Drawing(
        name="disk", title="What each day added on disk", told=f"{count(len(shown), 'day')} up to {known[-1]}.",
        draw=partial(columns.columns, [columns.Column(
            day[5:], sum(value for _, value in parts) / 1e6 if parts else None,
            f"{day}: " + (", ".join(f"{what} {size(value)}" for what, value in parts) or "not known"))
            for day, parts in added.items()], "MB"),
        caption=f"Sealed pieces of logs, as they lie there, and snapshots by the day of their last use. Hazy: of that "
                f"day nothing is known.{older}",
        numbers=Table(head=("day", "added", "of which"), right=frozenset({1}), rows=[
            [day, size(sum(value for _, value in parts)) if parts else "unknown",
             ", ".join(f"{what} {size(value)}" for what, value in parts)] for day, parts in reversed(added.items())])))


def _every(last: str) -> list[str]:
    """The days up to one, as many as are shown."""
    end = date.fromisoformat(last)
    return [(end - timedelta(days=ago)).isoformat() for ago in range(MOST_DAYS - 1, -1, -1)]


def size(number: int) -> str:
    """`1.4 MB`."""
    if number < 1_000:
        return f"{number} B"
    power = min((len(str(number)) - 1) // 3, 4)
    return f"{number / 1_000 ** power:.1f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"
