"""How much a funding rate, an order book or a day's change says, in ten-thousandths. Pure; Decimal and integers only.

- Funding: what holding a perpetual costs a year, against the usual 10.95 % (0.01 % every eight hours). Less than 20
  points away is no claim; 100 points away is full strength. Where three weeks of earlier rates are at hand the
  distance is measured in standard deviations instead: 2 begin a claim, 6 are full strength; but 10 points from the
  usual it must be, because quiet weeks make every move look large.
- Book: (bids - asks) / (bids + asks) within 25 bp of the middle, or within what both sides cover if that is less, so
  that a shallow side cannot tilt it. One snapshot proves nothing: three that agree count whole, others a quarter.
- Momentum: the change of 24 hours; 10 % is a full direction, 20 % full strength, less than 0.5 % no claim.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from vanta.common.canonical import content_hash
from vanta.common.money import CONTEXT, ZERO

HOURS_A_YEAR = Decimal(8760)
USUAL = Decimal("0.1095")
FUNDING_FROM, FUNDING_FULL = Decimal("0.20"), Decimal(1)
Z_FROM, Z_FULL, Z_RATES = Decimal(2), Decimal(6), 63
LEAST_SPREAD = Decimal("0.00001")
BOOK_BP = Decimal(25)
BOOK_FROM = Decimal("0.1")
SNAPSHOTS = 3
MOMENTUM_FROM, MOMENTUM_DIRECTION, MOMENTUM_FULL = Decimal("0.5"), Decimal(10), Decimal(20)
PARAMS_HASH = content_hash([USUAL, FUNDING_FROM, FUNDING_FULL, Z_FROM, Z_FULL, Z_RATES, BOOK_BP, BOOK_FROM, SNAPSHOTS,
                            MOMENTUM_FROM, MOMENTUM_DIRECTION, MOMENTUM_FULL])

_BUNDLE = re.compile(r"10{3,}([A-Z][A-Z0-9]*)|([A-Z]+)10{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Direction -10000..10000 and strength 0..10000 (0: no claim), the scale they were measured on, doubts as flags."""

    direction_bp: int
    strength_bp: int
    scale: str
    flags: tuple[str, ...] = ()


def asset_of(base: str) -> str:
    """The asset of a contract's base: `1000PEPE` and `SHIB1000` are bundles of PEPE and SHIB."""
    bundle = _BUNDLE.fullmatch(base)
    return (bundle[1] or bundle[2]) if bundle else base


def annual(rate: Decimal, interval_h: int) -> Decimal:
    """What a rate that is paid every `interval_h` hours costs a year, as a fraction."""
    return CONTEXT.divide(CONTEXT.multiply(rate, HOURS_A_YEAR), Decimal(interval_h))


def funding(rate: Decimal, interval_h: int, earlier: Sequence[Decimal]) -> Score:
    """Crowding, against the crowd. `earlier` are rates that were paid before."""
    with localcontext(CONTEXT):
        if len(earlier) < Z_RATES:
            distance = annual(rate, interval_h) - USUAL
            return _crowded(distance, FUNDING_FROM, FUNDING_FULL, f"{distance * 100:.1f} points a year from the usual")
        mean = sum(earlier, ZERO) / len(earlier)
        spread = max((sum(((value - mean) ** 2 for value in earlier), ZERO) / len(earlier)).sqrt(), LEAST_SPREAD)
        z = (rate - mean) / spread
        if abs(annual(rate, interval_h) - USUAL) < FUNDING_FROM / 2:
            z = ZERO
        return _crowded(z, Z_FROM, Z_FULL, f"z of {z:.1f} over {len(earlier)} rates")


def _crowded(distance: Decimal, least: Decimal, full: Decimal, scale: str) -> Score:
    if abs(distance) < least:
        return Score(direction_bp=0, strength_bp=0, scale=scale)
    return Score(direction_bp=-10_000 if distance > 0 else 10_000, strength_bp=_share(abs(distance), full), scale=scale)


def imbalance(bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]]) -> tuple[Decimal, Decimal] | None:
    """The tilt of a book (-1..1) and the range in bp that it was measured in; None for a crossed or empty book.

    Levels are [price, amount] as decimal text, best first.
    """
    if not bids or not asks:
        return None
    buy, sell = ([(Decimal(level[0]), Decimal(level[1])) for level in side] for side in (bids, asks))
    if buy[0][0] >= sell[0][0]:
        return None
    with localcontext(CONTEXT):
        middle = (buy[0][0] + sell[0][0]) / 2
        reach = min(middle * BOOK_BP / 10_000, middle - buy[-1][0], sell[-1][0] - middle)
        bid = sum((size for price, size in buy if price >= middle - reach), ZERO)
        ask = sum((size for price, size in sell if price <= middle + reach), ZERO)
        return ((bid - ask) / (bid + ask), reach * 10_000 / middle) if bid + ask else None


def book(tilts: Sequence[Decimal]) -> Score:
    """What different snapshots of one book say together."""
    with localcontext(CONTEXT):
        mean = sum(tilts, ZERO) / len(tilts)
    scale = f"mean tilt {mean:+.4f} of {len(tilts)} snapshots"
    if abs(mean) < BOOK_FROM:
        return Score(direction_bp=0, strength_bp=0, scale=scale)
    flags = ["few_snapshots"] if len(tilts) < SNAPSHOTS else []
    if any((tilt > 0) != (mean > 0) for tilt in tilts):
        flags.append("not_persistent")
    strength = _share(abs(mean), Decimal(1))
    return Score(direction_bp=10_000 if mean > 0 else -10_000, strength_bp=strength // 4 if flags else strength,
                 scale=scale, flags=tuple(flags))


def momentum(change_pct: Decimal) -> Score:
    """A day's change in percent."""
    size = abs(change_pct)
    if size < MOMENTUM_FROM:
        return Score(direction_bp=0, strength_bp=0, scale="change of 24 hours")
    direction = _share(size, MOMENTUM_DIRECTION)
    return Score(direction_bp=direction if change_pct > 0 else -direction, strength_bp=_share(size, MOMENTUM_FULL),
                 scale="change of 24 hours")


def _share(value: Decimal, full: Decimal) -> int:
    return int(CONTEXT.divide(CONTEXT.multiply(min(value, full), Decimal(10_000)), full))
