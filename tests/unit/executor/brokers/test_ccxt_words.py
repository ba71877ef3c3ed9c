"""What exchanges behind ccxt mean: options that are refused, codes, fees, ends, holdings."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from vanta.common.errors import OperatorError, OutsideError
from vanta.executor.brokers import ccxt_words as words
from vanta.executor.brokers.port import Busted, Ended, Fill
from vanta.executor.core.reconcile import VenueOrder

TOLD: dict[str, Any] = {"exchange": "another", "quote": "EUR", "client_id_param": "clOrdId", "lookup_param": "clOrdId",
                        "deduplicates": True, "market_buys_by_quantity": True}
ORDER_ID = "vabcdef-aaaaaaaaaaaaaaaaaaaa-1"


def trade(**fields: Any) -> dict[str, Any]:
    """One execution as ccxt hands it on."""
    return {"id": "t1", "info": {}, "symbol": "BTC/USD", "side": "buy", "price": "200.5", "amount": "2",
            "timestamp": 1_700_000_000_123, "fee": {"cost": "0.01", "currency": "USD"}, **fields}


def order(**fields: Any) -> dict[str, Any]:
    """One order as ccxt hands it on."""
    return {"id": "x1", "clientOrderId": ORDER_ID, "symbol": "BTC/USD", "side": "buy", "amount": "5", "filled": "2",
            "remaining": "3", "status": "open", "info": {}, **fields}


def test_an_exchange_without_a_row_is_what_its_options_tell() -> None:
    """All of it, and its questions name a market."""
    row = words.dialect(TOLD)
    assert (row.name, row.quote, row.client_id_param, row.lookup_param, row.by_symbol) == (
        "another", "EUR", "clOrdId", "clOrdId", True)
    assert row.capabilities.deduplicates


@pytest.mark.parametrize("said", ["true", 1, None])
def test_deduplication_has_to_be_said_plainly(said: object) -> None:
    """Anything but `true` means that a repeated id may be a second order."""
    assert not words.dialect({**TOLD, "deduplicates": said}).capabilities.deduplicates


@pytest.mark.parametrize(("said", "terms"), [(True, {"limit", "gtc"}), ("true", set()), (None, set())])
def test_limit_orders_have_to_be_said_plainly(said: object, terms: set[str]) -> None:
    """An exchange of which nobody says it is asked for market orders alone."""
    assert words.dialect({**TOLD, "limit_orders": said}).capabilities.terms == terms


@pytest.mark.parametrize(("options", "why"), [
    ({}, "does not say which exchange"),
    ({"exchange": ""}, "does not say which exchange"),
    ({"exchange": "coinbase", "sandbox": True}, "sandbox mean nothing"),
    ({"exchange": "coinbase", "client_id_param": "clientOrderId"}, "cannot be changed"),
    ({"exchange": "bybit", "deduplicates": True}, "cannot be changed"),
    ({"exchange": "bybit", "limit_orders": True}, "cannot be changed"),
    ({"exchange": "another"}, "client_id_param, deduplicates, lookup_param, market_buys_by_quantity, quote"),
    ({**TOLD, "market_buys_by_quantity": False}, "amount of money"),
], ids=["none", "empty", "strange", "fixed", "fixed promise", "fixed terms", "not told", "by money"])
def test_what_is_not_known_or_cannot_be_is_refused(options: dict[str, Any], why: str) -> None:
    """At the start, with what is missing."""
    with pytest.raises(OperatorError, match=why):
        words.dialect(options)


@pytest.mark.parametrize(("body", "code"), [
    (None, None), ("text", None), ({}, None), ({"retCode": 10006}, "10006"), ({"error": "odd"}, "odd"),
    ({"error_response": {"new_order_failure_reason": "A", "error": "B"}}, "A"),
    ({"error_response": {"error": "B"}}, "B"),
    ({"results": [{"failure_reason": "C"}]}, "C"), ({"results": []}, None), ({"results": ["odd"]}, None)])
def test_codes_are_found_where_exchanges_put_them(body: object, code: str | None) -> None:
    """And nowhere else."""
    assert words.code_of(body) == code


@pytest.mark.parametrize(("status", "body", "definite"), [
    (400, None, True), (404, {}, True), (408, {}, False), (409, {}, False), (200, {"success": False}, True),
    (200, {"success": True}, False), (200, {"retCode": 170131}, True), (200, {"retCode": 110007}, True),
    (200, {"retCode": 12345}, False), (200, None, False)])
def test_only_what_is_known_to_be_a_refusal_is_one(status: int, body: object, definite: bool) -> None:
    """Timeouts and conflicts are none."""
    assert words.refused(status, body) is definite


def test_an_execution_is_exact() -> None:
    """Text in, Decimal out, the exchange's time."""
    assert words.execution(trade(), ORDER_ID) == Fill(
        ORDER_ID, "t1", Decimal(2), Decimal("200.5"), Decimal("0.01"),
        datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC))


@pytest.mark.parametrize(("fields", "fee", "kept"), [
    ({"fee": {"cost": "0.002", "currency": "BTC"}}, "0", "0.002"),
    ({"fee": {"cost": "-0.002", "currency": "BTC"}}, "0", "-0.002"),
    ({"fee": {"cost": "0.002", "currency": "BTC"}, "side": "sell"}, "0", "0.002"),
    ({"fee": {"cost": "9", "currency": "BNB"}}, "0", "0"),
    ({"fee": {"cost": None, "currency": None}}, "0", "0"),
    ({"fee": None}, "0", "0"),
    ({"fees": [{"cost": "0.002", "currency": "BTC"}, {"cost": "1", "currency": "USD"}]}, "1", "0.002"),
], ids=["coins", "rebate in coins", "coins on a sale", "a third coin", "none said", "none", "two"])
def test_fees(fields: dict[str, Any], fee: str, kept: str) -> None:
    """Money is a fee, coins are units that were kept: position and cash come out as at the exchange."""
    fill = words.execution(trade(**fields), ORDER_ID)
    assert isinstance(fill, Fill)
    assert (fill.quantity, fill.fee, fill.fee_units) == (Decimal(2), Decimal(fee), Decimal(kept))


def test_a_reversal_takes_an_execution_back() -> None:
    """Under the id of the execution."""
    assert words.execution(trade(info={"trade_type": "REVERSAL"}), ORDER_ID) == Busted("t1", "reversed by the exchange")


@pytest.mark.parametrize("fields", [
    {"fee": {"cost": "2", "currency": "BTC"}}, {"price": "nan"}, {"amount": None}, {"timestamp": None}, {"price": [1]}])
def test_an_execution_that_cannot_be_read_is_no_answer(fields: dict[str, Any]) -> None:
    """It is asked for again, not guessed."""
    with pytest.raises(OutsideError):
        words.execution(trade(**fields), ORDER_ID)


@pytest.mark.parametrize(("fields", "how", "detail"), [
    ({"status": "canceled"}, "cancelled", "the exchange says canceled"),
    ({"status": "canceled", "info": {"status": "EXPIRED"}}, "expired", "the exchange says canceled"),
    ({"status": "canceled", "info": {"status": "FAILED", "reject_message": "no"}}, "rejected", "no"),
    ({"status": "rejected", "info": {"rejectReason": "EC_NoError"}}, "rejected", "the exchange says rejected"),
    ({"status": "rejected", "info": {"rejectReason": "EC_Price"}}, "rejected", "EC_Price"),
    ({"status": "expired"}, "expired", "the exchange says expired")])
def test_ends(fields: dict[str, Any], how: str, detail: str) -> None:
    """Each as what it is."""
    assert words.ending(order(**fields), ORDER_ID) == Ended(order_id=ORDER_ID, how=how, detail=detail)


@pytest.mark.parametrize("fields", [{"status": "open"}, {"status": "closed", "filled": "5"}])
def test_what_works_or_is_complete_has_no_end(fields: dict[str, Any]) -> None:
    """The last execution says the second."""
    assert words.ending(order(**fields), ORDER_ID) is None


def test_holdings_tell_coins_from_money() -> None:
    """Coins are positions in the account's pair, every currency is cash, nothing held is nothing."""
    said = words.holdings({"total": {"BTC": "1.5", "ETH": "0", "USD": "10.01", "USDC": "3", "CHF": "7", "X": None}},
                          [order(), order(clientOrderId=None, id="x2", remaining=None)], "CHF")
    assert said.positions == {"BTC/CHF": Decimal("1.5")}
    assert said.cash == {"USD": Decimal("10.01"), "USDC": Decimal(3), "CHF": Decimal(7)}
    assert said.orders == (VenueOrder(ORDER_ID, "x1", "BTC/USD", "buy", Decimal(3)),
                           VenueOrder("", "x2", "BTC/USD", "buy", Decimal(0)))


def test_an_open_order_is_not_over() -> None:
    """Nor is one in a state that nobody knows."""
    assert [words.is_over(order(status=status)) for status in ("open", None, "closed")] == [False, False, True]
