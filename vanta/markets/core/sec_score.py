"""How much an insider's trade says: direction, strength, confidence, as tables and integers. Pure.

- Direction: a purchase says 1, a sale −0.4, because people sell for many reasons and buy for one.
- Strength: the decimal logarithm of the dollars, 0 at $10,000 and 1 at $100 million, times the weight of the
  role that decided. Unknown dollars are not zero: such a trade has the least strength there is.
- Confidence: 0.9 that the trade is real and the issuer's; × 0.3 under a Rule 10b5-1 plan, which was decided
  long before; × 0.5 for an equity swap; × 0.9 where the filing names several tickers.

It knows no prices and no market capitalisation. Example: a CFO who buys for $1,000,000 outside a plan has
direction 1, strength 0.5, confidence 0.9. Decimal logarithms are exact to the context's digits on every host.
"""

from collections.abc import Iterable
from decimal import Decimal

from vanta.common.canonical import content_hash
from vanta.common.models.signal import Factor
from vanta.common.money import CONTEXT, ONE, ZERO
from vanta.markets.core.sec_filing import ROLES

SOURCE = "sec.form4"
HALF_LIFE_S = 30 * 86_400
LIVES = 5  # after five half-lives a claim weighs 1/32 and leaves the window
LICENCE = "public domain (SEC EDGAR)"

DIRECTION = {"P": Decimal(1), "S": Decimal("-0.4")}
ROLE_WEIGHT = {"chief": Decimal(1), "insider": Decimal("0.8"), "ten_percent": Decimal("0.6"), "other": Decimal("0.6")}
LEAST = Decimal("0.05")
ATTRIBUTION = Decimal("0.9")
DOUBT = {"10b5-1": Decimal("0.3"), "equity_swap": Decimal("0.5"), "several_tickers": Decimal("0.9")}
CLUSTER_STEP = Decimal("0.1")
_LOG_AT_0, _LOG_SPAN = Decimal(4), Decimal(4)
_GRID = Decimal("0.0001")

PARAMS_HASH = content_hash({
    "direction": DIRECTION, "roles": ROLE_WEIGHT, "least": LEAST, "attribution": ATTRIBUTION, "doubt": DOUBT,
    "cluster_step": CLUSTER_STEP, "log": [_LOG_AT_0, _LOG_SPAN], "half_life_s": HALF_LIFE_S,
})


def grid(value: Decimal) -> float:
    """A Decimal on the models' grid of four decimals."""
    return float(value.quantize(_GRID, context=CONTEXT))


def strength(dollars: Decimal, role: str, decisions: int = 1) -> Decimal:
    """0.05 to 1. `dollars` of 0 means unknown; each separate decision after the first adds a tenth."""
    size = LEAST
    if dollars > ZERO:
        log = dollars.log10(CONTEXT)
        size = CONTEXT.divide(CONTEXT.subtract(log, _LOG_AT_0), _LOG_SPAN)
    weighed = CONTEXT.multiply(max(LEAST, min(ONE, size)), ROLE_WEIGHT[role])
    more = CONTEXT.multiply(CLUSTER_STEP, Decimal(decisions - 1))
    return max(LEAST, min(ONE, CONTEXT.add(weighed, more)))


def confidence(flags: Iterable[str]) -> tuple[Decimal, list[Factor]]:
    """The product and its factors, in the order of the table."""
    value, factors = ATTRIBUTION, [Factor(factor="attribution to the issuer", value=str(ATTRIBUTION))]
    present = set(flags)
    for flag, factor in DOUBT.items():
        if flag in present:
            value = CONTEXT.multiply(value, factor)
            factors.append(Factor(factor=flag, value=f"× {factor}"))
    return value, factors


def strongest(roles: Iterable[str]) -> str:
    """The weightiest of some roles."""
    return min(roles, key=ROLES.index)
