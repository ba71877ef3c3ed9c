"""Amounts: exact, with a currency, rounded only where it is said."""

from decimal import Decimal, DivisionByZero, InvalidOperation

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common import money
from vanta.common.money import CONTEXT, Money

EXACT = settings(deadline=None, derandomize=True, max_examples=300)
AMOUNTS = st.decimals(min_value=-10**12, max_value=10**12, places=8)
STEPS = st.sampled_from([Decimal(text) for text in ("1", "0.01", "0.05", "0.00000001", "100", "0.3", "7")])


def test_money_adds_and_subtracts_in_one_currency() -> None:
    """Sums are exact and keep the currency."""
    a, b = Money(amount=Decimal("0.10"), currency="USD"), Money(amount=Decimal("0.20"), currency="USD")
    assert a + b == Money(amount=Decimal("0.30"), currency="USD")
    assert a - b == -a == Money(amount=Decimal("-0.10"), currency="USD")
    assert str(a) == "0.10 USD"


@pytest.mark.parametrize("operator", ["+", "-"])
def test_currencies_do_not_mix(operator: str) -> None:
    """Dollars and euros have no sum and no difference."""
    usd, eur = Money(amount=Decimal(1), currency="USD"), Money(amount=Decimal(1), currency="EUR")
    with pytest.raises(ValueError, match="cannot mix USD with EUR"):
        _ = usd + eur if operator == "+" else usd - eur


GOOD = {"integer": ("12", "12"), "fraction": ("-0.50", "-0.50"), "exponent": ("1.5E3", "1.5E+3"), "number": (7, "7"),
        "decimal": (Decimal("0.1"), "0.1"), "no leading digit": (".5", "0.5"), "no trailing digit": ("5.", "5"),
        "zero": ("0.000", "0.000")}
BAD = ["", " 1", "1 ", "1_000", "1,000", "+1", "0x10", "1e", "ten", "NaN", "sNaN", "Infinity", "-inf", "١٢", "１",
       "1e400", "1e-400", "1e99999999999999999999", "--1", "1.2.3", "$1", "9" * 400]


@pytest.mark.parametrize(("text", "value"), GOOD.values(), ids=GOOD.keys())
def test_decimal_reads_plain_numbers(text: str | int | Decimal, value: str) -> None:
    """Digits, a point, a minus and an exponent are a number, kept as written."""
    assert str(money.decimal(text)) == value


@pytest.mark.parametrize("text", [*BAD, Decimal("NaN"), Decimal("Infinity"), 10**400])
def test_decimal_refuses_everything_else(text: str | int | Decimal) -> None:
    """What other parsers would silently accept is refused."""
    with pytest.raises(ValueError, match=r"not a decimal number|is not finite|out of range"):
        money.decimal(text)


PLAIN = {"0": "0", "-0.00": "0", "1E+3": "1000", "1.500": "1.5", "100": "100", "1E-8": "0.00000001", "-2.50": "-2.5"}


@pytest.mark.parametrize(("text", "shown"), PLAIN.items(), ids=PLAIN.keys())
def test_plain_notation(text: str, shown: str) -> None:
    """Files hold numbers without exponents and without trailing zeros."""
    assert money.plain(Decimal(text)) == shown


@EXACT
@given(value=AMOUNTS)
def test_plain_loses_nothing(value: Decimal) -> None:
    """Reading back what was written gives the same number."""
    assert money.decimal(money.plain(value)) == value


ROUNDED = {"cents half to even down": ("0.125", "USD", "0.12"), "cents half to even up": ("0.135", "USD", "0.14"),
           "yen": ("1.5", "JPY", "2"), "crypto": ("0.123456789", "BTC", "0.12345679"),
           "negative": ("-0.125", "EUR", "-0.12")}


@pytest.mark.parametrize(("amount", "currency", "booked"), ROUNDED.values(), ids=ROUNDED.keys())
def test_amounts_are_booked_in_the_smallest_unit(amount: str, currency: str, booked: str) -> None:
    """Cash moves in whole cents, yen or hundred-millionths."""
    assert str(money.round_amount(Decimal(amount), currency)) == booked


@EXACT
@given(value=AMOUNTS, step=STEPS)
def test_floor_never_grows_and_ceil_never_shrinks(value: Decimal, step: Decimal) -> None:
    """Both give multiples of the step on the right side of the value, less than one step away."""
    floor, ceil = money.floor_to(value, step), money.ceil_to(value, step)
    assert floor % step == ceil % step == 0
    assert abs(floor) <= abs(value) <= abs(ceil)
    assert abs(value - floor) < step
    assert abs(ceil - value) < step


def test_steps_are_counted_on_the_side_that_was_asked_for() -> None:
    """Also where a quotient has more digits than there are, so that no order grows by rounding."""
    assert money.floor_to(Decimal("0." + "9" * 40), Decimal(1)) == 0
    assert money.ceil_to(Decimal("1." + "0" * 39 + "1"), Decimal(1)) == 2
    assert money.units_for(Decimal(2), Decimal(3), Decimal("1E-34")) == Decimal("0." + "6" * 34)
    assert money.units_for(Decimal(1000), Decimal("190.10"), Decimal(1)) == 5


@pytest.mark.parametrize("text", ["12.50", "125E-1", "-0.125E+2", "12.5" + "0" * 50])
def test_digits_count_whatever_the_spelling(text: str) -> None:
    """Three significant digits and one decimal are enough."""
    value = Decimal(text)
    assert money.exact(value, digits=3, places=1) is value
    with pytest.raises(ValueError, match="3 significant digits; at most 2"):
        money.exact(value, digits=2, places=1)
    with pytest.raises(ValueError, match="1 decimals; at most 0"):
        money.exact(value, digits=3, places=0)


@EXACT
@given(amount=AMOUNTS, bp=st.integers(-10_000, 10_000))
def test_shares_in_basis_points(amount: Decimal, bp: int) -> None:
    """A share is exact, and its size in basis points is what it was made of."""
    share = money.share_bp(amount, bp)
    assert share * 10_000 == amount * bp
    if amount:
        assert money.bp_of(share, amount) == bp


def test_basis_points_are_truncated_towards_zero() -> None:
    """A ratio is never overstated, in either direction."""
    assert money.bp_of(Decimal(2), Decimal(3)) == 6_666
    assert money.bp_of(Decimal(-2), Decimal(3)) == -6_666
    with pytest.raises(DivisionByZero):
        money.bp_of(Decimal(1), Decimal(0))


def test_the_context_traps_nonsense() -> None:
    """No operation in this context gives NaN in silence."""
    with pytest.raises(InvalidOperation):
        CONTEXT.divide(Decimal(0), Decimal(0))


@EXACT
@given(total=st.integers(-10**9, 10**9), weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
def test_split_sums_exactly(total: int, weights: list[int]) -> None:
    """The parts sum to the whole, each is within one unit of its exact share, and nobody without weight gets any."""
    parts = money.split_by_largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))


SPLITS = {"even": (10, [1, 1], [5, 5]), "remainder to the largest": (10, [1, 2], [3, 7]),
          "tie to the earlier": (1, [1, 1], [1, 0]), "no weights": (7, [0, 0], [7, 0]), "one": (7, [3], [7])}


@pytest.mark.parametrize(("total", "weights", "parts"), SPLITS.values(), ids=SPLITS.keys())
def test_split_examples(total: int, weights: list[int], parts: list[int]) -> None:
    """Left-over units go to the largest remainders, ties to the earlier position."""
    assert money.split_by_largest_remainder(total, weights) == parts


def test_nothing_cannot_be_split_into() -> None:
    """There is no way to split an amount over no parts without losing it."""
    with pytest.raises(ValueError, match="no weights"):
        money.split_by_largest_remainder(1, [])
