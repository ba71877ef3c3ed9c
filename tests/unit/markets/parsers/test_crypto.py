"""Whose body it is, what it holds and which pair it is about."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.markets.parsers.crypto import Market, Piece, pieces, split_id

TICKER: dict[str, object] = {"symbol": "BTCUSDT", "lastPrice": "1", "bid1Price": "1", "ask1Price": "2"}


def bybit(items: list[dict[str, object]], category: str | None = "linear") -> dict[str, object]:
    named = {"category": category} if category else {}
    return {"retCode": 0, "retMsg": "OK", "result": named | {"list": items}, "time": 1763650000000}


def read(body: object, where: str = "file:x.json") -> list[Piece]:
    found, problems = pieces(json.dumps(body).encode(), where)
    assert problems == []
    return found


def said(body: object, where: str = "file:x.json") -> list[tuple[str, str, str]]:
    return [(piece.exchange, piece.what, piece.market.symbol) for piece in read(body, where)]


@pytest.mark.parametrize(("market_id", "expected"), [
    ("BTCUSDT", ("BTC", "USDT")), ("BTC-USD", ("BTC", "USD")), ("ETH/USDC", ("ETH", "USDC")), ("BTC_USDT", ("BTC",
    "USDT")),
    ("XXBTZUSD", ("BTC", "USD")), ("XETHXXBT", ("ETH", "BTC")), ("XBT/USD", ("BTC", "USD")), ("XBTUSDT", ("BTC",
    "USDT")),
    ("1000PEPEUSDT", ("1000PEPE", "USDT")), ("BRENTUSD", ("BRENT", "USD")), ("XLMXUSDT", ("XLMX", "USDT")),
    ("BTC-26DEC25", None), ("BTCUSDT_240628", None), ("USDT", None), ("HELLO", None), ("", None), ("É/USD", None),
])
def test_pairs_have_many_spellings(market_id: str, expected: tuple[str, str] | None) -> None:
    """Base and quote, Kraken's own names included; dated contracts are no pair."""
    assert split_id(market_id) == expected


@pytest.mark.parametrize(("body", "where", "expected"), [
    pytest.param(bybit([TICKER], "spot"), "x", [("bybit", "ticker", "BTC/USDT")], id="bybit spot ticker"),
    pytest.param(bybit([TICKER | {"fundingRate": "0.1"}]), "x", [
        ("bybit", "ticker", "BTC/USDT:USDT"), ("bybit", "funding", "BTC/USDT:USDT")], id="bybit linear ticker"),
    pytest.param(bybit([TICKER | {"fundingRate": ""}]), "x", [("bybit", "ticker", "BTC/USDT:USDT")],
    id="no funding yet"),
    pytest.param(bybit([TICKER | {"symbol": "BTCUSD", "fundingRate": "0.1"}], "inverse"), "x", [
        ("bybit", "ticker", "BTC/USD:BTC"), ("bybit", "funding", "BTC/USD:BTC")], id="bybit inverse ticker"),
    pytest.param(bybit([TICKER | {"symbol": "BTCPERP"}]), "x", [("bybit", "ticker", "BTC/USDC:USDC")],
    id="usdc perpetual"),
    pytest.param(bybit([TICKER | {"symbol": "BTC-26DEC25"}]), "x", [], id="dated future"),
    pytest.param(bybit([TICKER | {"symbol": "BTC-26DEC25-1-P"}], "option"), "x", [], id="option"),
    pytest.param(bybit([TICKER], "prelaunch"), "x", [], id="a category that is not known"),
    pytest.param(bybit([]), "x", [], id="nothing new"),
    pytest.param(bybit([{"symbol": "BTCUSDT", "fundingRate": "0.1", "fundingRateTimestamp": "1"}]), "x",
                 [("bybit", "paid", "BTC/USDT:USDT")], id="bybit funding history"),
    pytest.param(bybit([{"symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "priceFilter": {}}], None), "x",
                 [("bybit", "market", "BTC/USDT")], id="bybit spot instruments, unnamed"),
    pytest.param(bybit([{"symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "priceFilter": {},
                         "contractType": "LinearPerpetual"}], None), "x",
                 [("bybit", "market", "BTC/USDT:USDT")], id="bybit linear instruments, unnamed"),
    pytest.param({"retCode": 0, "result": {"s": "BTCUSDT", "b": [], "a": [], "ts": 1763650000001}}, "x",
                 [("bybit", "book", "BTC/USDT")], id="bybit book, category not said"),
    pytest.param({"retCode": 0, "result": {"s": "BTCUSDT", "b": [], "a": []}}, "https://h/v5?category=linear",
                 [("bybit", "book", "BTC/USDT:USDT")], id="bybit book, category in the address"),
    pytest.param({"retCode": 0, "result": {"s": "BTC-26DEC25", "b": [], "a": []}}, "x", [], id="bybit dated book"),
    pytest.param({"products": [{"product_id": "BTC-USD"}, {"product_id": "BIT-28JUL23-CDE"}]}, "x",
                 [("coinbase", "ticker", "BTC/USD")], id="coinbase products"),
    pytest.param({"pricebook": {"product_id": "BTC-USD", "bids": [], "asks": []}}, "x",
                 [("coinbase", "book", "BTC/USD")], id="coinbase book"),
    pytest.param({"trades": [{"product_id": "BTC-USD", "price": "1"}], "best_bid": "1", "best_ask": "2"}, "x",
                 [("coinbase", "ticker", "BTC/USD")], id="coinbase ticker"),
    pytest.param({"product_id": "BTC-USD", "price": "1", "price_percentage_change_24h": "1"}, "x",
                 [("coinbase", "ticker", "BTC/USD")], id="coinbase product"),
    pytest.param([{"id": "ETH-EUR", "base_currency": "ETH", "quote_currency": "EUR"}], "x",
                 [("coinbaseexchange", "market", "ETH/EUR")], id="pro products"),
    pytest.param({"bids": [], "asks": [], "sequence": 1}, "https://api.pro.coinbase.com/products/ETH-USDT/book?level=2",
                 [("coinbaseexchange", "book", "ETH/USDT")], id="pro book, pair in the address"),
    pytest.param({"bids": [], "asks": [], "sequence": 1},
    "file:api.pro.coinbase.com_products_ETH-USDT_book__level=2.json",
                 [("coinbaseexchange", "book", "ETH/USDT")], id="pro book, pair in the file name"),
    pytest.param({"open": "1", "high": "2", "low": "1", "volume": "3", "last": "2", "volume_30day": "9"},
                 "file:products_ETH-USDT_stats@2022.json", [("coinbaseexchange", "ticker", "ETH/USDT")],
                 id="pro stats"),
    pytest.param({"trade_id": 1, "price": "1", "bid": "1", "ask": "2", "volume": "3", "time": "2020-01-28T02:13:33Z"},
                 "https://h/products/ETH-USD/ticker", [("coinbaseexchange", "ticker", "ETH/USD")], id="pro ticker"),
    pytest.param({"symbol": "BTCUSDT", "priceChangePercent": "1", "closeTime": 1763650000000, "bidPrice": "1"}, "x",
                 [("binance", "ticker", "BTC/USDT")], id="binance spot ticker"),
    pytest.param([{"symbol": "BTCUSDT", "priceChangePercent": "1", "closeTime": 1763650000000}], "x",
                 [("binance", "ticker", "BTC/USDT:USDT")], id="binance futures tickers"),
    pytest.param([{"symbol": "BTCUSDT_240628", "priceChangePercent": "1", "closeTime": 1}], "x", [],
    id="binance dated"),
    pytest.param({"symbol": "BTCUSDT", "bidPrice": "1", "bidQty": "1", "askPrice": "2", "askQty": "1"}, "x",
                 [("binance", "ticker", "BTC/USDT")], id="binance book ticker"),
    pytest.param({"symbol": "BTCUSDT", "lastFundingRate": "0.1", "time": 1763650000000}, "x",
                 [("binance", "funding", "BTC/USDT:USDT")], id="binance premium index"),
    pytest.param([{"symbol": "BTCUSDT", "fundingRate": "0.1", "fundingTime": 1}], "x",
                 [("binance", "paid", "BTC/USDT:USDT")], id="binance funding history"),
    pytest.param({"lastUpdateId": 1, "bids": [], "asks": []}, "https://api.binance.us/api/v3/depth?symbol=CRVUSDT",
                 [("binanceus", "book", "CRV/USDT")], id="binance.us depth"),
    pytest.param({"lastUpdateId": 1, "E": 2, "T": 1763650000000, "bids": [], "asks": []}, "https://h?symbol=CRVUSDT",
                 [("binance", "book", "CRV/USDT:USDT")], id="binance futures depth"),
    pytest.param({"timezone": "UTC", "symbols": [{"symbol": "BTCUSDT"}]}, "x",
                 [("binance", "market", "BTC/USDT")], id="binance exchange info"),
    pytest.param({"error": [], "result": {"XXBTZUSD": {"a": [], "b": [], "c": [], "o": "1"}}}, "x",
                 [("kraken", "ticker", "BTC/USD")], id="kraken ticker"),
    pytest.param({"error": [], "result": {"XXBTZUSD": {"asks": [], "bids": []}}}, "x",
                 [("kraken", "book", "BTC/USD")], id="kraken depth"),
    pytest.param({"error": [], "result": {"AAVEAUD": {"altname": "AAVEAUD", "wsname": "AAVE/AUD"}}}, "x",
                 [("kraken", "market", "AAVE/AUD")], id="kraken pairs"),
    pytest.param({"error": [], "result": {"HELLO": {"altname": "HELLO"}}}, "x", [], id="kraken, no pair"),
    pytest.param({"result": "success", "serverTime": "2025-11-17T00:34:37.524Z", "tickers": [
        {"symbol": "PF_XBTUSD", "tag": "perpetual", "pair": "XBT:USD", "fundingRate": 1},
        {"symbol": "PI_XBTUSD", "tag": "perpetual", "pair": "XBT:USD"}, {"symbol": "FI_X", "tag": "month"}]}, "x",
                 [("krakenfutures", "ticker", "BTC/USD:USD"), ("krakenfutures", "funding", "BTC/USD:USD"),
                  ("krakenfutures", "ticker", "BTC/USD:BTC")], id="kraken futures tickers"),
])
def test_bodies_are_known_by_their_shape(body: object, where: str, expected: list[tuple[str, str, str]]) -> None:
    """One row per body that an exchange serves."""
    assert said(body, where) == expected


@pytest.mark.parametrize(("body", "code"), [
    pytest.param({"retCode": 10001, "retMsg": "params error", "result": {}}, "exchange_error", id="bybit"),
    pytest.param({"code": -1121, "msg": "Invalid symbol."}, "exchange_error", id="binance"),
    pytest.param({"error": ["EGeneral:Unknown"], "result": {}}, "exchange_error", id="kraken"),
    pytest.param({"error": ["EGeneral:Unknown"]}, "exchange_error", id="kraken without a result"),
    pytest.param({"result": "error", "error": "x", "serverTime": "x"}, "exchange_error", id="kraken futures"),
    pytest.param({"message": "NotFound"}, "exchange_error", id="coinbase"),
    pytest.param({"bids": [], "asks": [], "sequence": 1}, "unattributed", id="a book of no pair"),
    pytest.param(bybit([{"symbol": "BTCUSDT", "orderId": "1"}]), "unknown_shape", id="bybit orders"),
    pytest.param({"error": [], "result": {"unixtime": 1}}, "unknown_shape", id="kraken time"),
    pytest.param({"error": [], "result": {"XXBTZUSD": {"strange": 1}}}, "unknown_shape", id="kraken, something else"),
    pytest.param({"result": "success", "serverTime": "x", "orders": []}, "unknown_shape", id="kraken futures orders"),
    pytest.param([{"time": "x", "trade_id": 1}], "unknown_shape", id="trades"),
    pytest.param({"symbol": "XBTUSD", "bidPrice": 1, "askPrice": 2}, "unknown_shape",
    id="another exchange's instrument"),
    pytest.param([{"symbol": "A", "fundingTime": 1}, {}], "unknown_shape", id="a mixed list"),
    pytest.param([], "unknown_shape", id="an empty list"),
    pytest.param({}, "unknown_shape", id="an empty object"),
    pytest.param(3, "unknown_shape", id="a number"),
    pytest.param({"retCode": 0, "result": {"list": [[1]]}}, "bad_shape", id="candles"),
    pytest.param({"retCode": 0, "result": None}, "bad_shape", id="no result"),
])
def test_other_bodies_are_problems(body: object, code: str) -> None:
    """An exchange's error, a pair that is not said, or nothing that is known."""
    found, problems = pieces(json.dumps(body).encode(), "file:x.json")
    assert found == []
    assert [problem.code for problem in problems] == [code]


def test_bytes_that_are_no_json_are_a_problem() -> None:
    """A block page, for one."""
    assert [problem.code for problem in pieces(b"<html>", "x")[1]] == ["unreadable"]
    assert [problem.code for problem in pieces(b'{"a": NaN}', "x")[1]] == ["unreadable"]


def test_times_come_from_the_body_where_it_has_one() -> None:
    """Response time, book time, ISO time, or None."""
    assert [piece.at_ms for piece in read(bybit([TICKER], "spot"))] == [1763650000000]
    book = {"retCode": 0, "time": 1763650000009, "result": {"s": "BTCUSDT", "b": [], "a": [], "ts": 1763650000001}}
    assert [piece.at_ms for piece in read(book)] == [1763650000001]
    coinbase = {"pricebook": {"product_id": "BTC-USD", "bids": [], "asks": [], "time": "2026-04-07T00:28:59.662782Z"}}
    assert [piece.at_ms for piece in read(coinbase)] == [1775521739662]
    coinbase["pricebook"]["time"] = "2026-04-07T00:28:59"
    assert [piece.at_ms for piece in read(coinbase)] == [None]
    coinbase["pricebook"]["time"] = "soon"
    assert [piece.at_ms for piece in read(coinbase)] == [None]


def test_pieces_name_their_place_and_keep_numbers_as_text() -> None:
    """Paths are JSON pointers; a fraction keeps its digits."""
    found, _ = pieces(b'{"products": [{"product_id": "BTC-USD", "price": 0.10}]}', "x")
    assert (found[0].path, found[0].raw["price"]) == ("/products/0", "0.10")
    assert Market("a", "BTC", "USD").symbol == "BTC/USD"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["BTCUSDT", "BTC-USD", "0.1", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "retCode", "result", "list", "symbol", "s", "b", "a", "lastPrice", "fundingRate", "products", "product_id",
        "pricebook",
        "bids", "asks", "sequence", "lastUpdateId", "error", "tickers", "serverTime", "priceChangePercent",
        "fundingTime", "c",
        "o", "trades", "best_bid", "best_ask", "message", "code", "msg", "symbols", "timezone", "tag", "pair"]),
        inner, max_size=5), max_leaves=25)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(JSON)
def test_nothing_makes_it_crash(body: object) -> None:
    """Known keys in any arrangement."""
    found, problems = pieces(json.dumps(body).encode(), "https://h/x?symbol=BTCUSDT")
    assert not (found and problems)
