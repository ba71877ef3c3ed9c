"""From evidence per channel to one conviction whose reasons add up exactly. Pure.

    x  →  saturation cap·x/(cap+|x|)  →  times weight  →  sum with the baseline = L  →  strength(|L|) in basis points

Decides direction (the sign of L), strength and each line's share of it. A line's share is its part of L times the
strength (the closed form of integrated gradients for a function of a sum), rounded by largest remainder: the lines,
the baseline included, sum to the conviction to the basis point, and a line against the direction is negative.
Refuses to know claims, time and personas. A channel that is not there has no line; it never votes 0.

Example: form 4 says +547, reddit −100: L = 447, conviction 2,198, made of 2,690 and −492.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vanta.common.errors import Bug
from vanta.common.models.conviction import Direction
from vanta.markets.core.logistic import Strength
from vanta.markets.core.rules import Card

BASELINE = "baseline"
SOURCE = "source:"
_WHOLE_WEIGHT = 10_000


@dataclass(frozen=True, slots=True)
class View:
    """A judgement: its direction, the log-odds in milli-nats, the strength and what each line adds to it."""

    direction: Direction
    log_odds: int
    conviction_bp: int
    shares: Mapping[str, int]


def pooled(evidence: int, card: Card) -> int:
    """Saturated and weighted milli-nats: the same sign as `evidence`, always less than `cap`, never falling."""
    size = card.cap * abs(evidence) * card.weight_bp // ((card.cap + abs(evidence)) * _WHOLE_WEIGHT)
    return size if evidence > 0 else -size


def judge(parts: Mapping[str, int], strength: Strength) -> View:
    """The view that these lines of milli-nats make together."""
    log_odds = sum(parts.values())
    bp = strength.bp(log_odds)
    return View(_direction(log_odds), log_odds, bp, spread(parts, log_odds, bp))


def _direction(log_odds: int) -> Direction:
    if log_odds == 0:
        return "flat"
    return "long" if log_odds > 0 else "short"


def spread(parts: Mapping[str, int], log_odds: int, bp: int) -> dict[str, int]:
    """Split `bp` over lines in proportion to their signed evidence, exactly; left-over points by largest remainder.

    Ties go by name. Where the lines cancel out (`log_odds` 0) there is nothing to split and every share is 0.
    """
    if log_odds == 0:
        return dict.fromkeys(parts, 0)
    whole, sign = abs(log_odds), 1 if log_odds > 0 else -1
    split = {name: divmod(evidence * sign * bp, whole) for name, evidence in parts.items()}
    shares = {name: share for name, (share, _) in split.items()}
    rest = bp - sum(shares.values())
    for name in sorted(split, key=lambda one: (-split[one][1], one))[:rest]:
        shares[name] += 1
    if sum(shares.values()) != bp:
        raise Bug(f"reasons sum to {sum(shares.values())}, not to {bp}")
    return shares
