"""Exchange bodies through ccxt's own parsers to plain records."""

import json
from typing import Any

import ccxt
import pytest

from vanta.markets.parsers.ccxt_read import read

BYBIT_LINEAR = {"symbol": "BTCUSDT", "lastPrice": "87000.10", "prevPrice24h": "90000", "price24hPcnt": "-0.033332",
                "highPrice24h": "91000", "lowPrice24h": "86000", "turnover24h": "1000000", "volume24h": "12.5",
                "bid1Price": "87000", "bid1Size": "1.5", "ask1Price": "87000.2", "ask1Size": "2",
                "fundingRate": "0.00012",
                "nextFundingTime": "1763654400000", "fundingIntervalHour": "4", "markPrice": "87000.3",
                "indexPrice": "87001"}


def records(body: object, where: str = "file:x.json") -> list[dict[str, Any]]:
    reading = read(json.dumps(body).encode(), where)
    assert reading.problems == []
    assert reading.complete
    return reading.records


def bybit(result: dict[str, Any]) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": 1763650000000}


def test_a_bybit_ticker_is_a_price_and_a_funding_rate() -> None:
    """Every field, decimals as text, with the version that read it."""
    ticker, funding = records(bybit({"category": "linear", "list": [BYBIT_LINEAR]}))
    head = {"exchange": "bybit", "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "settle": "USDT",
            "at": "2025-11-20T14:46:40.000Z", "published_at": "2025-11-20T14:46:40.000Z",
            "library": f"ccxt {ccxt.__version__}", "path": "/result/list/0"}
    assert ticker == head | {
        "record": "ticker", "last": "87000.1", "bid": "87000", "ask": "87000.2", "bid_size": "1.5", "ask_size": "2",
        "open": "90000", "high": "91000", "low": "86000", "volume": "12.5", "quote_volume": "1000000",
        "change_pct": "-3.3332"}
    assert funding == head | {
        "record": "funding", "rate": "0.00012", "interval_h": "4", "funding_at": "2025-11-20T16:00:00.000Z",
        "paid": False,
        "mark": "87000.3", "index": "87001"}


def test_a_book_is_sorted_and_cut_to_its_neighbourhood() -> None:
    """Best first; levels more than 100 bp from the middle are left out."""
    (record,) = records(bybit({"s": "BTCUSDT", "b": [["90", "9"], ["99.5", "2"], ["100", "1"]],
                               "a": [["100.2", "3"], ["100.1", "1e-7"], ["120", "9"]], "ts": 1763650000001}))
    assert record["bids"] == [["100", "1"], ["99.5", "2"]]
    assert record["asks"] == [["100.1", "0.0000001"], ["100.2", "3"]]
    assert record["at"] == "2025-11-20T14:46:40.001Z"


def test_kraken_prices_are_sorted_as_numbers() -> None:
    """9 is less than 100 although its text is not."""
    (record,) = records({"error": [], "result": {"XXBTZUSD": {
        "bids": [["99.9", "1", 1], ["100.0", "1", 1]], "asks": [["101.0", "1", 1], ["100.5", "1", 1]]}}})
    assert record["bids"][0] == ["100", "1"]
    assert record["asks"][0] == ["100.5", "1"]


@pytest.mark.parametrize(("body", "where", "expected"), [
    pytest.param({"products": [{"product_id": "BTC-USD", "price": "68925.98", "price_percentage_change_24h": "-0.28",
                                "volume_24h": "11005.02", "quote_currency_id": "USD"}]}, "x",
                 {"exchange": "coinbase", "last": "68925.98", "change_pct": "-0.28", "at": None},
                 id="coinbase products"),
    pytest.param({"open": "100", "high": "120", "low": "90", "volume": "7", "last": "110", "volume_30day": "9"},
                 "file:products_ETH-USDT_stats@2022.json",
                 {"exchange": "coinbaseexchange", "last": "110", "change_pct": "10"}, id="coinbase stats"),
    pytest.param({"symbol": "BTCUSDT", "priceChangePercent": "-5.96", "lastPrice": "4.00000200", "bidPrice": "4",
                  "askPrice": "5", "closeTime": 1763650000000}, "x",
                 {"exchange": "binance", "last": "4.000002", "change_pct": "-5.96",
                  "at": "2025-11-20T14:46:40.000Z"}, id="binance ticker"),
    pytest.param({"symbol": "BTCUSDT", "markPrice": "11793.6", "indexPrice": "11781.8", "lastFundingRate": "0.00038",
                  "nextFundingTime": 1763654400000, "time": 1763650000000}, "x",
                 {"record": "funding", "rate": "0.00038", "interval_h": None, "paid": False},
                 id="binance premium index"),
    pytest.param([{"symbol": "BTCUSDT", "fundingRate": "-0.03750000", "fundingTime": 1570608000000}], "x",
                 {"rate": "-0.0375", "paid": True, "at": "2019-10-09T08:00:00.000Z"}, id="binance funding history"),
    pytest.param({"error": [], "result": {"XXBTZUSD": {
        "a": ["30300.1", "1", "1"], "b": ["30300", "1", "1"], "c": ["30303.2", "0.1"], "v": ["1", "2"], "p": ["1", "2"],
        "t": [1, 2], "l": ["1", "2"], "h": ["1", "3"], "o": "30502.8"}}}, "x",
                 {"exchange": "kraken", "last": "30303.2", "bid": "30300"}, id="kraken ticker"),
    pytest.param({"result": "success", "serverTime": "2025-11-17T00:34:37.524Z", "tickers": [
        {"symbol": "PF_XBTUSD", "tag": "perpetual", "pair": "XBT:USD", "last": 91415, "markPrice": 100000,
        "fundingRate": 5,
         "fundingRatePrediction": 1, "indexPrice": 91468}]}, "x",
                 {"record": "funding", "rate": "0.00005", "interval_h": "1"}, id="kraken futures"),
    pytest.param(bybit({"category": "linear", "list": [{
        "symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": "1709884800000"}]}), "x",
                 {"rate": "0.0001", "paid": True, "at": "2024-03-08T08:00:00.000Z"}, id="bybit funding history"),
    pytest.param(bybit({"category": "linear", "list": [{
        "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "priceFilter": {}, "fundingInterval": 240}]}), "x",
                 {"record": "market", "interval_h": "4"}, id="bybit instruments"),
    pytest.param({"timezone": "UTC", "symbols": [{"symbol": "BTCUSDT"}]}, "x",
                 {"record": "market", "interval_h": None}, id="binance exchange info"),
])
def test_each_exchange_is_read_by_its_own_parser(body: object, where: str, expected: dict[str, Any]) -> None:
    """The last record of each body."""
    record = records(body, where)[-1]
    assert {name: record[name] for name in expected} == expected


@pytest.mark.parametrize("body", [
    pytest.param(bybit({"s": "BTCUSDT", "b": [], "a": [["1", "1"]]}), id="an empty side"),
    pytest.param(bybit({"s": "BTCUSDT", "b": [["1", "-1"]], "a": [["2", "1"]]}), id="a negative amount"),
    pytest.param(bybit({"s": "BTCUSDT", "b": [["x", "1"]], "a": [["2", "1"]]}), id="a word for a price"),
    pytest.param(bybit({"s": "BTCUSDT", "b": [["NaN", "1"]], "a": [["2", "1"]]}), id="nan"),
    *(pytest.param(bybit({"category": "linear", "list": [{"symbol": "BTCUSDT", "fundingRate": rate,
                                                          "fundingRateTimestamp": "1763650000000"}]}), id=rate)
      for rate in ("1e31", "-1e31", "1e-31", "1e999999999", "1e-999999999")),
    pytest.param(bybit({"s": "BTCUSDT", "b": 3, "a": [["2", "1"]]}), id="a number for a side"),
    pytest.param(bybit({"category": "spot", "list": [{"symbol": "BTCUSDT", "lastPrice": "NaN"}]}), id="nan ticker"),
    pytest.param(bybit({"category": "spot", "list": [{"symbol": "BTCUSDT", "lastPrice": "Infinity"}]}),
    id="infinite ticker"),
    pytest.param(bybit({"category": "linear", "list": [
        {"symbol": "BTCUSDT", "fundingRate": "0.1", "fundingRateTimestamp": "soon"}]}), id="a word for a time"),
    pytest.param({"pricebook": {"product_id": "BTC-USD", "bids": [{"price": "1"}], "asks": []}}, id="no sizes"),
    pytest.param([{"symbol": "BTCUSDT", "fundingTime": "x", "fundingRate": "0.1"}], id="no time"),
    pytest.param([{"symbol": "BTCUSDT", "fundingTime": 1570608000000}], id="no rate"),
])
def test_odd_numbers_are_problems_with_their_place(body: object) -> None:
    """Never a record with a hole, never an exception."""
    reading = read(json.dumps(body).encode(), "poll.json")
    assert [problem.code for problem in reading.problems] == ["bad_item"]
    assert reading.problems[0].where.startswith("poll.json#")
    assert not reading.complete
    assert reading.records == []


def test_one_bad_item_does_not_hide_the_others() -> None:
    """Of two tickers one is read."""
    good, bad = BYBIT_LINEAR | {"fundingRate": ""}, BYBIT_LINEAR | {"lastPrice": "NaN", "fundingRate": ""}
    reading = read(json.dumps(bybit({"category": "linear", "list": [bad, good]})).encode(), "x")
    assert [record["path"] for record in reading.records] == ["/result/list/1"]
    assert len(reading.problems) == 1
