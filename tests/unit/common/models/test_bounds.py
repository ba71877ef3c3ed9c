"""Numbers from outside are bounded, so that no arithmetic with them leaves the 34 digits that there are."""

import itertools
from decimal import Decimal, Inexact
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from vanta.common.errors import BadInput
from vanta.common.instruments import Instrument
from vanta.common.models.base import Amount, Cash, Model, Multiplier, Price, Share, Units, Volume, validate
from vanta.common.models.configuration import PaperSettings
from vanta.common.models.intent import ExitPlan, Intent
from vanta.common.models.overlay import Overlay
from vanta.common.models.quotes import Quote
from vanta.common.models.vault import Risk, Vault
from vanta.common.money import CONTEXT, ZERO, round_amount, share_bp, units_for

EXACT = settings(deadline=None, derandomize=True, max_examples=300)
CURRENCIES = st.sampled_from(["JPY", "USD", "BTC"])


class Entry(Model):
    """A field of every bounded kind."""

    amount: Amount = ZERO
    cash: Cash = ZERO
    price: Price = Decimal(1)
    units: Units = ZERO
    volume: Volume = ZERO
    multiplier: Multiplier = Decimal(1)
    share: Share = ZERO


REFUSED: dict[str, tuple[str, object, str]] = {
    "an amount of 35 digits": ("amount", "1234567890123456789012345678901234.5", "has 35 significant digits"),
    "money of 35 digits": ("cash", "9" * 35, "has 35 significant digits"),
    "money with an exponent": ("cash", Decimal("1E+30"), "less than or equal to 1000000000000000"),
    "a debt with an exponent": ("cash", "-1E+16", "greater than or equal to -1000000000000000"),
    "money too fine": ("cash", "1E-200", "has 200 decimals; at most 12"),
    "money of a 13th decimal": ("cash", "0.0000000000001", "has 13 decimals; at most 12"),
    "a price above all prices": ("price", 1_000_000_001, "less than or equal to 1000000000"),
    "a price below all prices": ("price", "1E-13", "greater than or equal to 1E-12"),
    "a price of nothing": ("price", 0, "greater than or equal to"),
    "a price of 19 digits": ("price", "1.234567890123456789", "has 19 significant digits; at most 18"),
    "too many units": ("units", "1E+13", "less than or equal to 1000000000000"),
    "negative units": ("units", -1, "greater than or equal to 0"),
    "a volume beyond markets": ("volume", "1E+19", "less than or equal to 1000000000000000000"),
    "a negative volume": ("volume", "-0.1", "greater than or equal to 0"),
    "a multiplier of nothing": ("multiplier", 0, "greater than or equal to 0.0001"),
    "a multiplier too large": ("multiplier", 1001, "less than or equal to 1000"),
    "a fraction too fine": ("share", "0.0000000001", "has 10 decimals; at most 9"),
    "a fraction too large": ("share", "1E+4", "less than or equal to 1000"),
}


@pytest.mark.parametrize(("field", "value", "what"), REFUSED.values(), ids=REFUSED.keys())
def test_what_no_market_has_is_refused_by_field(field: str, value: object, what: str) -> None:
    """Too large, too small or too fine: the error names the field and the bound."""
    with pytest.raises(BadInput) as caught:
        validate(Entry, {field: value}, file="x")
    assert caught.value.field == field
    assert what in caught.value.reason


ACCEPTED: dict[str, tuple[str, str]] = {
    "a share of Berkshire": ("price", "741971.39"), "a coin of many zeros": ("price", "0.00000001"),
    "a double as it prints": ("price", "27.298080444335938"), "a bitcoin in yen": ("price", "15432100.5"),
    "a coin's double": ("price", "0.000008999999636784196"), "coins a day": ("volume", "98765432109876.12345678"),
    "18 decimals": ("volume", "0.123456789012345678"), "many units": ("units", "999999999999.99999999"),
    "a quadrillion": ("cash", "1E+15"), "a satoshi": ("cash", "0.00000001"), "an option": ("multiplier", "100"),
    "zeros behind": ("cash", "5." + "0" * 60), "a zero with an exponent": ("cash", "0E-200"),
    "a mean of 34 digits": ("amount", "3.333333333333333333333333333333333"), "a third": ("share", "0.333333333"),
}


@pytest.mark.parametrize(("field", "value"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_markets_have_is_read(field: str, value: str) -> None:
    """The bounds leave room for every price and size that is traded; how a number is spelled does not matter."""
    assert getattr(validate(Entry, {field: value}, file="x"), field) == Decimal(value)


INTENT = {
    "intent_id": "in1_" + "a" * 26, "account": "paper", "vault": "V_CORE", "instrument_id": "equity:AAPL",
    "side": "buy", "notional": "1000", "target_notional": "1000", "basis_seq": 0,
    "created_at": "2026-01-02T03:04:05.000Z", "expires_at": "2026-01-02T03:14:05.000Z", "exit_plan": {}, "provenance": {
        "signal_id": "s", "dag_id": "d", "entity": "equity:AAPL", "conviction_bp": 1, "band": "low", "personas": {},
        "sources": {}, "reasons": [], "inputs": {}}}
QUOTE = {"bid": "1", "ask": "1", "last": "1", "at": "2026-01-02T03:04:05.000Z", "source": "x"}
VAULT = {"vault_id": "V_CORE", "label": "x"}
INSTRUMENT = {"instrument_id": "equity:X", "entity": "equity:X", "asset_class": "equity", "symbol": "X",
              "currency": "USD", "calendar": "XNYS", "lot": 1, "tick": "0.01"}
OVERLAY = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False}

FIELDS: dict[str, tuple[type[Model], dict[str, Any], list[str]]] = {
    "intent": (Intent, INTENT, ["notional", "target_notional"]),
    "exit plan": (ExitPlan, {}, ["stop_pct", "trail_pct", "take_profit_pct"]),
    "quote": (Quote, QUOTE, ["bid", "ask", "last", "size", "average_daily_volume"]),
    "vault": (Vault, VAULT, ["capital"]), "risk": (Risk, {}, ["max_order_value", "max_order_quantity", "max_adv_pct"]),
    "instrument": (Instrument, INSTRUMENT, ["lot", "tick", "min_notional", "multiplier", "strike"]),
    "paper": (PaperSettings, {}, ["commission_min"]),
}


@pytest.mark.parametrize("value", ["1E+30", "1E-200", "1" * 35], ids=["large", "small", "long"])
@pytest.mark.parametrize(("model", "good", "field"), [
    pytest.param(model, good, field, id=f"{name} {field}") for name, (model, good, fields) in FIELDS.items()
    for field in fields])
def test_every_field_that_is_read_from_outside_is_bounded(model: type[Model], good: dict[str, Any], field: str,
                                                          value: str) -> None:
    """An entry with one absurd number is refused by that field's name; without it, it is fine."""
    validate(model, good, file="x")
    with pytest.raises(BadInput) as caught:
        validate(model, {**good, field: value}, file="x")
    assert caught.value.field == field


def test_tables_of_fractions_are_bounded() -> None:
    """A key of a table is named like a field."""
    for value in ("1E-200", "0." + "1" * 35):
        with pytest.raises(BadInput) as caught:
            validate(Overlay, {**OVERLAY, "persona_boosts": {"Ares": value}}, file="x")
        assert caught.value.field == "persona_boosts.Ares"


def _numbers(digits: int, exponents: range, kind: Any) -> st.SearchStrategy[Decimal]:
    """Numbers that `kind` reads, those at the ends of its range among them."""
    one: Any = type("One", (Model,), {"__annotations__": {"value": kind}})
    ends = [limit for info in one.model_fields.values() for item in info.metadata
            for limit in (getattr(item, "ge", None), getattr(item, "le", None)) if limit is not None]

    def fits(value: Decimal) -> bool:
        try:
            one(value=value)
        except ValueError:
            return False
        return True

    drawn = st.builds(lambda figures, exponent: Decimal(figures).scaleb(exponent, CONTEXT),
                      st.integers(-10**digits + 1, 10**digits - 1), st.sampled_from(exponents))
    return (st.sampled_from([Decimal(str(end)) for end in ends]) | drawn).filter(fits)


PRICES = _numbers(18, range(-28, -8), Price)
LOTS = _numbers(12, range(-12, 1), Units).filter(bool)
UNITS = _numbers(24, range(-13, -11), Units)
VOLUMES = _numbers(30, range(-18, -11), Volume)
MULTIPLIERS = _numbers(7, range(-4, 0), Multiplier)
CASH = _numbers(27, range(-12, -9), Cash)


@EXACT
@given(amounts=st.lists(CASH, min_size=1, max_size=20), bp=st.integers(-10_000, 10_000))
def test_money_loses_nothing(amounts: list[Decimal], bp: int) -> None:
    """Sums, differences and shares in basis points are exact, whatever was let in."""
    CONTEXT.clear_flags()
    total = ZERO
    for amount in amounts:
        total = CONTEXT.add(total, amount)
        share_bp(amount, bp)
    for amount in amounts:
        total = CONTEXT.subtract(total, amount)
    assert not CONTEXT.flags[Inexact]
    assert total == 0


@EXACT
@given(units=UNITS, price=PRICES, multiplier=MULTIPLIERS, currency=CURRENCIES)
def test_an_order_can_always_be_booked(units: Decimal, price: Decimal, multiplier: Decimal, currency: str) -> None:
    """No price makes so much of an order that its value has no cents any more; ten such positions can be added."""
    value = round_amount(units * price * multiplier, currency)
    assert abs(value - units * price * multiplier) <= 1
    assert round_amount(value * 10, currency) == sum(itertools.repeat(value, 10), ZERO)


@EXACT
@given(amount=CASH.map(abs), price=PRICES, multiplier=MULTIPLIERS, lot=LOTS)
def test_an_order_never_costs_more_than_was_asked_for(amount: Decimal, price: Decimal, multiplier: Decimal,
                                                      lot: Decimal) -> None:
    """Whatever the wish, the price and the lot: nothing is signalled, and what is made of it fits into the wish."""
    each = price * multiplier
    units = units_for(amount, each, lot)
    assert units * each <= amount


@EXACT
@given(volume=VOLUMES, lot=LOTS, bp=st.integers(0, 10_000))
def test_a_share_of_a_volume_is_exact(volume: Decimal, lot: Decimal, bp: int) -> None:
    """What the paper venue takes of a day's volume never exceeds it."""
    CONTEXT.clear_flags()
    part = share_bp(volume, bp)
    assert not CONTEXT.flags[Inexact]
    assert units_for(part, Decimal(1), lot) <= part <= volume


def test_a_field_narrows_its_type() -> None:
    """The type's bounds hold beside those of the field."""
    class Positive(Model):
        value: Cash = Field(gt=0)

    for bad in ("0", "1E+16"):
        with pytest.raises(BadInput):
            validate(Positive, {"value": bad}, file="x")
