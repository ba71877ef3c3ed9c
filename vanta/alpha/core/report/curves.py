"""The curve of what the vaults are worth, the drawdown under it, and small curves for a table. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from vanta.alpha.core.report.axes import Scale, labels, moment, share, ticks, told_times
from vanta.alpha.core.report.equity import Point, deepest, gaps, runs
from vanta.alpha.core.report.svg import box, stroke, word
from vanta.common.money import ZERO

_LONG = 10**9
_DOTTED = 60
"""Up to so many points each is shown as one."""


class _Frame(NamedTuple):
    """Where a curve is drawn, and its scales: time across, values up."""

    x: Scale
    y: Scale
    left: float
    right: float
    top: float
    bottom: float


def equity(points: Sequence[Point], currency: str, width: int, key: str) -> tuple[int, list[str]]:
    """NAV against what was paid in, and the drawdown, over the same time. `points` has one whose NAV is known."""
    high, low = (300, 110) if width > 600 else (210, 84)
    left, right = (64, width - 132) if width > 600 else (46, width - 10)
    span = (points[0].at_ms, points[-1].at_ms)
    x = Scale(span[0], span[1], left, right)
    worth = [float(value) for point in points for value in (point.nav, point.flows) if value is not None]
    pad = (max(worth) - min(worth)) * 0.06 or abs(worth[0]) * 0.001 or 1.0
    upper = _Frame(x, Scale(min(worth) - pad, max(worth) + pad, high - 14, 18), left, right, 18, high - 14)
    deep = deepest(points)
    floor = min(float(deep.fall) if deep is not None and deep.fall is not None else 0.0, -0.001)
    lower = _Frame(x, Scale(floor * 1.1, 0, high + low - 4, high + 24), left, right, high + 24, high + low - 4)
    marks = [word(left, 11, f"worth, {currency}", "q"), word(left, high + 16, "below the best so far", "q"),
             *_void(points, upper, key), *_void(points, lower, key),
             *_rules(upper, 5), *_rules(lower, 3, per_cent=True),
             *_times(span, x, high + low + 12, width),
             *_falls(points, lower), stroke("paid", _steps(points, upper)), *_lines(points, upper),
             *_ends(points, upper, width), *_deepest(deep, lower)]
    return high + low + 20, marks


def _void(points: Sequence[Point], frame: _Frame, key: str) -> Iterator[str]:
    for start, end in gaps(points):
        place = (frame.x.at(start), frame.top, frame.x.at(end) - frame.x.at(start), frame.bottom - frame.top)
        hint = f"nothing is known from {moment(start)} to {moment(end)}"
        yield box(place, "void")
        yield box(place, fill=f"{key}-h", hint=hint)


def _rules(frame: _Frame, most: int, *, per_cent: bool = False) -> Iterator[str]:
    values = ticks(frame.y.low, frame.y.high, most)
    told = [f"{said} %" for said in labels([value * 100 for value in values])] if per_cent else labels(values)
    for value, said in zip(values, told, strict=True):
        y = frame.y.at(value)
        yield stroke("zero" if value == 0 else "rule", f"M{frame.left:.1f} {y:.1f}H{frame.right:.1f}")
        yield word(frame.left - 6, y + 4, said, "q e")


def _times(span: tuple[int, int], x: Scale, y: float, width: int) -> Iterator[str]:
    for place, said, side in told_times(x, span, 9 if width > 600 else 4):
        yield word(place, y, said, f"q {side}".rstrip())


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _lines(points: Sequence[Point], frame: _Frame) -> Iterator[str]:
    for run in runs(points):
        places = [(frame.x.at(point.at_ms), frame.y.at(float(point.nav or 0))) for point in run]
        if len(places) > 1:
            yield stroke("line", _path(places))
        for (x, y), point in zip(places, run, strict=True) if len(points) <= _DOTTED else ():
            yield (f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.2"><title>{moment(point.at_ms)}: '
                   f"{point.nav:,}</title></circle>")


def _steps(points: Sequence[Point], frame: _Frame) -> str:
    """What was paid in holds until more is."""
    path = f"M{frame.x.at(points[0].at_ms):.1f} {frame.y.at(float(points[0].flows)):.1f}"
    for point in points[1:]:
        path += f"H{frame.x.at(point.at_ms):.1f}V{frame.y.at(float(point.flows)):.1f}"
    return path


def _falls(points: Sequence[Point], frame: _Frame) -> Iterator[str]:
    for run in runs(points):
        places = [(frame.x.at(point.at_ms), frame.y.at(float(point.fall or 0))) for point in run]
        yield stroke("fall", f"{_path(places)}V{frame.y.at(0):.1f}H{places[0][0]:.1f}Z")


def _ends(points: Sequence[Point], frame: _Frame, width: int) -> Iterator[str]:
    """The last worth and what was paid in, beside their lines: apart from each other, where there is room."""
    if width <= 600:
        return
    last = next(point for point in reversed(points) if point.nav is not None)
    paid_y, nav_y = frame.y.at(float(last.flows)) + 4, frame.y.at(float(last.nav or 0)) + 4
    if abs(paid_y - nav_y) < 15:
        middle = (paid_y + nav_y) / 2
        nav_y, paid_y = (middle - 8, middle + 8) if nav_y <= paid_y else (middle + 8, middle - 8)
    yield word(frame.right + 8, nav_y, f"worth {_whole(last.nav or ZERO)}", "b")
    yield word(frame.right + 8, paid_y, f"paid in {_whole(last.flows)}", "q")


def _whole(amount: Decimal) -> str:
    """Without cents, and in thousands of millions where it is long."""
    return f"{amount:,.0f}" if abs(amount) < _LONG else f"{amount / _LONG:,.4f}G"


def _deepest(deep: Point | None, frame: _Frame) -> Iterator[str]:
    if deep is None or not deep.fall:
        return
    x, y = frame.x.at(deep.at_ms), frame.y.at(float(deep.fall))
    yield f'<circle class="down" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    kind = "e" if x > (frame.left + frame.right) / 2 else ""
    yield word(x + (-7 if kind else 7), y + 1, share(deep.fall), kind)


def spark(points: Sequence[Point], name: str) -> str:
    """A small curve; nothing where nothing is known. It says no more than the row that it stands in."""
    known = [float(point.nav) for point in points if point.nav is not None]
    if not known:
        return ""
    x, y = Scale(points[0].at_ms, points[-1].at_ms, 2, 158), Scale(min(known), max(known), 26, 4)
    lines = "".join(stroke("line", _path([(x.at(point.at_ms), y.at(float(point.nav or 0))) for point in run] * (
        2 if len(run) == 1 else 1))) for run in runs(points))
    return (f'<svg class="spark" viewBox="0 0 160 30" xmlns="http://www.w3.org/2000/svg" aria-hidden="true" '
            f'id="{name}">{lines}</svg>')
