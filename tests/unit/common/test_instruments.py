"""Instruments: what a symbol means, and what a registry file may say."""

from datetime import date
from decimal import Decimal

import pytest

from vanta.common import strictjson
from vanta.common.errors import BadInput
from vanta.common.instruments import Instrument, crypto, equity, from_symbol, pair_of
from vanta.common.models.base import validate

PAIRS: dict[str, tuple[str, str] | None] = {
    "BTC-USD": ("BTC", "USD"), "btc/usdt": ("BTC", "USDT"), "ETH_EUR": ("ETH", "EUR"), "BTCUSD": ("BTC", "USD"),
    "BTCUSDT": ("BTC", "USDT"), "SOLUSDC": ("SOL", "USDC"), "AAPL": None, "BRK-B": None, "BRK.B": None, "USD": None,
    "USDT": None, "USD-USD": None, "BTC-": None, "BTC-XYZ": None, "XYZ-USD": None, "": None, "LINK": None,
    "NEARUSD": ("NEAR", "USD"), "OPUSD": ("OP", "USD"), "FUSD": None,
}


@pytest.mark.parametrize(("symbol", "pair"), PAIRS.items(), ids=[symbol or "empty" for symbol in PAIRS])
def test_pair_of(symbol: str, pair: tuple[str, str] | None) -> None:
    """A symbol is a crypto pair only if both its sides are known."""
    assert pair_of(symbol) == pair


SYMBOLS = {"AAPL": ("equity:AAPL", "XNYS", "USD"), "BRK-B": ("equity:BRK.B", "XNYS", "USD"),
           "brk/b": ("equity:BRK.B", "XNYS", "USD"), "BTC-USD": ("crypto:BTC-USD", "24/7", "USD"),
           "ETHUSDT": ("crypto:ETH-USDT", "24/7", "USDT")}


@pytest.mark.parametrize(("symbol", "facts"), SYMBOLS.items(), ids=SYMBOLS)
def test_from_symbol(symbol: str, facts: tuple[str, str, str]) -> None:
    """A price file's name gives the instrument with its calendar and currency."""
    made = from_symbol(symbol)
    assert (made.instrument_id, made.calendar, made.currency) == facts
    assert made.instrument_id.startswith(f"{made.asset_class}:")


def test_entity_links_signal_and_instrument() -> None:
    """A signal about bitcoin concerns every bitcoin pair."""
    assert crypto("BTC").entity == crypto("BTC", "USDT").entity == "crypto:BTC"
    assert equity("AAPL", sector="tech").entity == "equity:AAPL"


def test_option_in_a_registry_file() -> None:
    """Days and strikes are read from their text."""
    raw = (b'{"instrument_id": "option:AAPL261218C00200000", "entity": "equity:AAPL", "asset_class": "option", '
           b'"symbol": "AAPL261218C00200000", "currency": "USD", "calendar": "XNYS", "lot": 1, "tick": "0.01", '
           b'"multiplier": 100, "underlying": "equity:AAPL", "expiry": "2026-12-18", "strike": 200.5, "right": "call"}')
    made = validate(Instrument, strictjson.loads(raw, file="instruments.json"), file="instruments.json")
    assert (made.expiry, made.strike, made.multiplier) == (date(2026, 12, 18), Decimal("200.5"), Decimal(100))


@pytest.mark.parametrize(("field", "value"), [("expiry", 20261218), ("expiry", "18.12.2026"), ("lot", "0"),
                                              ("tick", "-0.01"), ("lot", True), ("calendar", None)])
def test_wrong_registry_fields_are_named(field: str, value: object) -> None:
    """A registry with a wrong field is refused by that field's name."""
    raw = {**equity("AAPL").model_dump(mode="json"), field: value}
    with pytest.raises(BadInput) as caught:
        validate(Instrument, raw, file="instruments.json")
    assert caught.value.field == field
