"""Amounts, prices and quantities: Decimal in one explicit context, never float. Pure.

An amount has a currency and mixing two is an error. Rounding is always said: to a step, with a named
direction. Importing this module puts the one context in force for the whole process, so that operators
(`a * b`) and explicit calls agree; it traps everything that would lose money silently.
"""

import decimal as _decimal
import re
from dataclasses import dataclass
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

CONTEXT = Context(prec=34, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
_decimal.DefaultContext.prec = CONTEXT.prec
_decimal.DefaultContext.rounding = CONTEXT.rounding
_decimal.DefaultContext.traps = CONTEXT.traps
_decimal.setcontext(CONTEXT.copy())

def settle_context() -> None:
    """Put this thread's arithmetic back into the one context: a library may have changed its rounding for good."""
    _decimal.setcontext(CONTEXT.copy())


# A quotient of more digits than the context holds has to be cut on the side that its caller asked for.
_TOWARDS_ZERO, _AWAY_FROM_ZERO = CONTEXT.copy(), CONTEXT.copy()
_TOWARDS_ZERO.rounding, _AWAY_FROM_ZERO.rounding = ROUND_DOWN, ROUND_UP

ZERO = Decimal(0)
ONE = Decimal(1)
BP = Decimal(10_000)
MAX_EXPONENT = 308
"""Numbers of more than this many digits before or zeros after the point are refused: a float overflows there."""

MOST_CASH, MOST_PRICE, MOST_UNITS, MOST_VOLUME = 10**15, 10**9, 10**12, 10**18
"""The largest amount, price, order and market volume that are believed; `models/base.py` says why."""

_LITERAL = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

_MINOR = {"USD": 2, "EUR": 2, "GBP": 2, "CHF": 2, "CAD": 2, "AUD": 2, "JPY": 0}
_CRYPTO_PLACES = 8
_UNITS = {currency: Decimal(1).scaleb(-places) for currency, places in _MINOR.items()}
_CRYPTO_UNIT = Decimal(1).scaleb(-_CRYPTO_PLACES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """`amount` of `currency` (ISO 4217 code, or the asset's code for crypto such as `USDT`)."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(amount=CONTEXT.add(self.amount, other.amount), currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(amount=CONTEXT.subtract(self.amount, other.amount), currency=self.currency)

    def __neg__(self) -> "Money":
        return Money(amount=-self.amount, currency=self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} with {other.currency}")

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def decimal(text: str | int | Decimal) -> Decimal:
    """Read a finite Decimal of sane size from text or an integer. Raises `ValueError` on anything else.

    Text is ASCII digits with at most a point, a minus and an exponent: no spaces, underscores, thousands
    separators or digits of other scripts.
    """
    if isinstance(text, str) and not _LITERAL.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a decimal number")
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{str(text)[:40]} is out of range") from error
    if not value.is_finite():
        raise ValueError(f"{text!r} is not finite")
    if not -MAX_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
        raise ValueError(f"{str(text)[:40]} is out of range")
    return value


def exact(value: Decimal, *, digits: int, places: int) -> Decimal:
    """The value, if it has at most so many significant digits and decimals. Raises `ValueError` if it has more.

    Zeros at either end do not count, so it matters what a number is, not how it is spelled.
    """
    _, spelled, exponent = value.as_tuple()
    if len(spelled) <= digits and -int(exponent) <= places:
        return value
    kept = "".join(map(str, spelled)).rstrip("0")
    decimals = len(kept) - len(spelled) - int(exponent)
    if len(kept) > digits:
        raise ValueError(f"{str(value)[:40]} has {len(kept)} significant digits; at most {digits} are read")
    if kept and decimals > places:
        raise ValueError(f"{str(value)[:40]} has {decimals} decimals; at most {places} are read")
    return value


def plain(value: Decimal) -> str:
    """The shortest plain notation: no exponent, no trailing zeros, `0` for any zero."""
    if not value:
        return "0"
    text = str(value)
    if "E" in text:
        text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def minor_places(currency: str) -> int:
    """Decimal places of the smallest unit that is booked: 2 for USD, 8 where the code is no known fiat."""
    return _MINOR.get(currency, _CRYPTO_PLACES)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """Round to the booked unit of the currency, half to even."""
    return amount.quantize(_UNITS.get(currency, _CRYPTO_UNIT), context=CONTEXT)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not further from zero than `value`. Never grows an order."""
    return CONTEXT.multiply(_TOWARDS_ZERO.divide(value, step).to_integral_value(ROUND_DOWN), step)


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not nearer to zero than `value`."""
    return CONTEXT.multiply(_AWAY_FROM_ZERO.divide(value, step).to_integral_value(ROUND_UP), step)


def units_for(amount: Decimal, price: Decimal, step: Decimal) -> Decimal:
    """The most units, in whole steps, that cost no more than `amount` at `price` each."""
    return floor_to(_TOWARDS_ZERO.divide(amount, price), step)


def bp_of(amount: Decimal, whole: Decimal) -> int:
    """`amount / whole` in basis points, truncated towards zero. `whole` must not be 0."""
    return int(CONTEXT.divide(CONTEXT.multiply(amount, BP), whole))


def share_bp(amount: Decimal, bp: int) -> Decimal:
    """`bp` basis points of `amount`, exact."""
    return CONTEXT.divide(CONTEXT.multiply(amount, Decimal(bp)), BP)


def split_by_largest_remainder(total: int, weights: list[int]) -> list[int]:
    """Split an integer in proportion to non-negative integer weights so that the parts sum to it exactly.

    The units left over go to the largest remainders, ties to the earlier position. With all weights 0
    everything goes to the first. Raises `ValueError` without any weight: the total would be lost.
    """
    if not weights:
        raise ValueError("no weights to split over")
    whole = sum(weights)
    if whole == 0:
        return [total, *([0] * (len(weights) - 1))]
    parts, remainders = [], []
    for weight in weights:
        part, remainder = divmod(total * weight, whole)
        parts.append(part)
        remainders.append(remainder)
    rest = total - sum(parts)
    if rest == 1:
        parts[remainders.index(max(remainders))] += 1
    elif rest:
        for index in sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)[:rest]:
            parts[index] += 1
    return parts
