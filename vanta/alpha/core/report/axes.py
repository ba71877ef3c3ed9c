"""Where things stand in a drawing: scales, round numbers for their ticks, times for those of time. Pure.

Places are floats: nothing here is money.

    Scale(0, 100, 20, 220).at(50)    ->  120.0
    ticks(101_230, 104_870, 4)       ->  [102_000, 103_000, 104_000], round and within
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from vanta.common.times import from_millis, iso, millis

_STEPS_MS = tuple(1_000 * seconds for seconds in (
    1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_592_000))
_DAY_MS = 86_400_000
_UNITS = ((1e9, 1.0, "G"), (1e6, 1.0, "M"), (1e4, 10.0, "k"))
_MOST_PLACES = 7
_LETTER = 6.6
_SMALL = Decimal("0.005")
_LONG_MS = 70 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` onto places from `start` to `end`. A scale of one value puts it in the middle."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The place of a value; what lies outside goes to the edge."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers within, about so many; only `low` where there is no distance between the two."""
    if high <= low:
        return [low]
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * part for part in (1, 2, 5, 10) if size * part >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def clock_ticks(low_ms: int, high_ms: int, most: int) -> list[int]:
    """Round times within, at most so many."""
    if high_ms - low_ms > _LONG_MS:
        return _months(low_ms, high_ms, most)
    step = next((one for one in _STEPS_MS if (high_ms - low_ms) // one < most), _STEPS_MS[-1])
    first = -(-low_ms // step)
    return [number * step for number in range(first, high_ms // step + 1)]


def _months(low_ms: int, high_ms: int, most: int) -> list[int]:
    """Beginnings of months, or of every second, third, … of them."""
    first, last = (12 * moment.year + moment.month - 1 for moment in map(from_millis, (low_ms, high_ms)))
    step = next((one for one in (1, 2, 3, 6, 12, 24, 60) if (last - first) // one <= most), 120)
    starts = (millis(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)) for month in range(first, last + 1)
              if month % step == 0)
    return [at_ms for at_ms in starts if at_ms >= low_ms]


def clock_label(at_ms: int, span_ms: int) -> str:
    """A time as a tick says it: to the second, the minute, the day or the month, by how long the whole is."""
    text = iso(from_millis(at_ms))
    if span_ms <= 10 * 60_000:
        return text[11:19]
    if span_ms <= 2 * _DAY_MS:
        return text[11:16] if at_ms % _DAY_MS else text[5:10]
    return text[:10] if span_ms <= 400 * _DAY_MS else text[:7]


def told_times(x: Scale, span: tuple[int, int], most: int) -> list[tuple[float, str, str]]:
    """Place, words and side of the words of each round time; of two that would lie on each other the later is left out.

    The side is empty where they begin at the place, `m` where it is their middle, `e` where they end there.
    """
    found: list[tuple[float, str, str]] = []
    free = -math.inf
    for at_ms in clock_ticks(span[0], span[1], most):
        place, said = x.at(at_ms), clock_label(at_ms, span[1] - span[0])
        long = _LETTER * len(said)
        side = "e" if place > x.end - long / 2 else "" if place < x.start + long / 2 else "m"
        begins = place - {"e": long, "m": long / 2, "": 0.0}[side]
        if begins >= free:
            found.append((place, said, side))
            free = begins + long + _LETTER
    return found


def moment(at_ms: int) -> str:
    """`2026-11-18 15:00:22 UTC`."""
    text = iso(from_millis(at_ms))
    return f"{text[:10]} {text[11:19]} UTC"


def labels(values: Sequence[float]) -> list[str]:
    """Numbers for ticks, all in one unit, with as few decimals as tell them right: `99.9k`, `100k`."""
    size = max(map(abs, values), default=0.0)
    unit, name = next(((limit / over, name) for limit, over, name in _UNITS if size >= limit), (1.0, ""))
    near = min((abs(one - other) for one, other in pairwise(sorted(values))), default=size) / unit / 100
    places = next((places for places in range(_MOST_PLACES) if all(
        abs(round(value / unit, places) - value / unit) <= near for value in values)), _MOST_PLACES)
    return [f"{text}{name}".replace("-", "−") for text in _fixed(values, unit, places)]


def _fixed(values: Sequence[float], unit: float, places: int) -> list[str]:
    """Rounded to so many decimals; none of them ends in a zero that says nothing."""
    rounded = [f"{value / unit:,.{places}f}" for value in values]
    return [text.rstrip("0").rstrip(".") if "." in text else text for text in rounded]


def share(part: Decimal) -> str:
    """A fraction in per cent: two decimals, and of what is smaller its first two figures."""
    value = part * 100
    shown = f"{value:.2f}" if not value or abs(value) >= _SMALL else f"{Decimal(f'{value:.1e}'):f}"
    return f"{shown} %".replace("-", "−")
