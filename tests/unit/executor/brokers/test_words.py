"""What the answers of Alpaca and Tradier mean, case by case, and how often and whom their adapters ask."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vanta.common.errors import Throttled
from vanta.common.instruments import crypto, equity
from vanta.executor.brokers import alpaca_words, tradier_words
from vanta.executor.brokers.following import Followed, Following, Pace, bounded
from vanta.executor.brokers.port import Ended

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(("value", "number"), [("0.10", "0.10"), ("-5", "-5"), (1, "1"), (0.1, "0.1"),
                                               ("123456789.123456789", "123456789.123456789")])
def test_alpacas_numbers_are_exact(value: Any, number: str) -> None:
    """Strings as they are; a JSON number by its shortest form."""
    assert str(alpaca_words.number(value)) == number


@pytest.mark.parametrize("value", ["", "ten", "NaN", "Infinity", True, None, [], float("inf")])
def test_what_is_no_number_is_no_answer(value: Any) -> None:
    """Nothing is taken for zero."""
    with pytest.raises(ValueError, match="no number"):
        alpaca_words.number(value)


@pytest.mark.parametrize("value", ["1", True, None, 0.5])
def test_tradiers_numbers_come_from_the_strict_parser(value: Any) -> None:
    """A float would have lost decimals before it got here."""
    with pytest.raises(ValueError, match="no number"):
        tradier_words.number(value)


@pytest.mark.parametrize(("status", "how"), [
    ("canceled", "cancelled"), ("expired", "expired"), ("rejected", "rejected"), ("replaced", "cancelled"),
    ("filled", None), ("done_for_day", None), ("pending_cancel", None), ("a_new_word", None)])
def test_only_known_words_end_an_order_at_alpaca(status: str, how: str | None) -> None:
    """Done for the day is not done, and a word that nobody knows here ends nothing."""
    found = alpaca_words.ended({"status": status, "replaced_by": "x" if status == "replaced" else None}, "v1")
    assert (found.how if found else None) == how
    assert (status in alpaca_words.OVER) == (how is not None or status == "filled")


@pytest.mark.parametrize(("status", "how"), [
    ("canceled", "cancelled"), ("expired", "expired"), ("rejected", "rejected"), ("error", "rejected"),
    ("filled", None), ("pending", None), ("partially_filled", None), ("a_new_word", None)])
def test_only_known_words_end_an_order_at_tradier(status: str, how: str | None) -> None:
    """As above."""
    found = tradier_words.ended({"status": status}, "v1")
    assert (found.how if found else None) == how


@pytest.mark.parametrize(("side", "reduces", "word"), [
    ("buy", False, "buy"), ("buy", True, "buy_to_cover"), ("sell", True, "sell"), ("sell", False, "sell_short")])
def test_tradier_tells_opening_from_closing(side: str, reduces: bool, word: str) -> None:
    """And what it lists is read back as one of our two sides."""
    assert tradier_words.side(side, reduces=reduces) == word
    assert tradier_words.SIDES[word] == side


def test_only_pairs_are_spelled_otherwise_at_alpaca() -> None:
    """A share keeps its dot."""
    spelled = alpaca_words.spelling({item.instrument_id: item for item in (equity("BRK.B"), crypto("ETH"))})
    assert [alpaca_words.symbol(name, spelled) for name in ("ETHUSD", "BRK.B", "DOGEUSD")] == [
        "ETH/USD", "BRK.B", "DOGEUSD"]


def test_a_total_is_told_as_differences() -> None:
    """The last execution's own price where it is all that is new, else what makes the total right."""
    order = {"id": 7, "exec_quantity": Decimal(2), "avg_fill_price": Decimal("200.5"), "last_fill_price": Decimal(201),
             "last_fill_quantity": Decimal(1), "transaction_date": "2026-11-20T15:00:00.000Z"}
    told = Followed(told=Decimal(1), worth=Decimal(200))
    first = tradier_words.fill(order, "v1", told)
    assert first is not None
    assert (first.fill_id, first.quantity, first.price) == ("7-2", Decimal(1), Decimal(201))
    whole = tradier_words.fill(order, "v1", Followed())
    assert whole is not None
    assert (whole.fill_id, whole.quantity, whole.price) == ("7-2", Decimal(2), Decimal("200.5"))
    assert tradier_words.fill(order, "v1", Followed(told=Decimal(2), worth=Decimal(401))) is None


def test_a_pace_is_kept_in_spite_of_hints_and_of_clocks_that_are_set_back() -> None:
    """Something heard brings the next look forward, not arbitrarily often."""
    pace = Pace(10.0)
    assert pace.due(NOW)
    assert not pace.due(NOW + timedelta(seconds=9.9))
    assert not pace.due(NOW + timedelta(seconds=0.2), heard=True)
    assert pace.due(NOW + timedelta(seconds=0.3), heard=True)
    assert pace.due(NOW - timedelta(hours=1))


def test_a_pause_ends_by_itself() -> None:
    """And at once where the clock was set back, which may have been by hours."""
    pace = Pace(1.0)
    pace.pause(NOW, 60)
    with pytest.raises(Throttled):
        pace.due(NOW + timedelta(seconds=59))
    assert pace.due(NOW + timedelta(seconds=60))
    pace.pause(NOW, 60)
    assert pace.due(NOW - timedelta(hours=1))


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("-1", 0.0), ("inf", 3600.0), ("1e99", 3600.0)])
def test_no_answer_stops_trading_for_good(header: str, seconds: float) -> None:
    """A venue may ask for an hour at the most."""
    assert bounded(header) == seconds
    for nonsense in ("nan", "soon", ""):
        with pytest.raises(ValueError, match=r"seconds|float"):
            bounded(nonsense)


def test_what_is_over_is_forgotten_in_the_end() -> None:
    """The newest are remembered; memory does not grow with the days."""
    following = Following()
    for number in range(6_000):
        following.follow(f"v{number}", str(number))
        following.end(f"v{number}", Ended(order_id=f"v{number}", how="expired", detail="") if number == 0 else None)
    assert len(following.news()) == 1
    assert following.news() == []
    assert not following.is_over("0")
    assert following.is_over("5999")
    following.reopen("5999")
    assert not following.is_over("5999")


@pytest.mark.realdata
def test_recorded_orders_of_alpaca_can_be_read(realdata: Path) -> None:
    """Numbers as JSON numbers, prices that are zero, a status before anything happened: nothing of it ends an order."""
    with zipfile.ZipFile(realdata / "broker" / "alpaca_payloads.zip") as archive:
        names = [name for name in archive.namelist() if "test_order_routes" in name and "cancel" not in name]
        bodies = [json.loads(archive.read(name)) for name in names]
    orders = [order for body in bodies for order in (body if isinstance(body, list) else [body])]
    assert len(orders) == 4
    for order in orders:
        working = alpaca_words.venue_order(order, {})
        assert (working.leaves, alpaca_words.filled(order)) == (Decimal(1), Decimal(0))
        assert working.order_id == order["client_order_id"]
        assert alpaca_words.ended(order, "v1") is None
