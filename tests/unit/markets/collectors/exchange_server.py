"""A local server that speaks the public half of Bybit v5 and Coinbase Advanced well enough for the real ccxt."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NOW_MS = 1_763_650_000_000
Query = dict[str, str]


@dataclass
class Reply:
    """A prepared answer in place of the usual one."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class ExchangeServer:
    """`requests` are (path, query, headers) in order; `faults` answer by path before anything else does."""

    url: str = ""
    requests: list[tuple[str, Query, dict[str, str]]] = field(default_factory=list)
    faults: dict[str, Reply] = field(default_factory=dict)
    books: int = 0

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [path for path, _, _ in self.requests]


def _bybit(result: dict[str, Any]) -> bytes:
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": NOW_MS}).encode()


def _instruments(query: Query) -> bytes:
    spot = {"symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "innovation": "0", "status": "Trading",
            "marginTrading": "both", "priceFilter": {"tickSize": "0.01"}, "lotSizeFilter": {
                "basePrecision": "0.000001", "quotePrecision": "0.00000001", "minOrderQty": "0.000048",
                "maxOrderQty": "71.7", "minOrderAmt": "1", "maxOrderAmt": "4000000"}}
    linear = {"symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC",
              "quoteCoin": "USDT", "launchTime": "1585526400000", "deliveryTime": "0", "deliveryFeeRate": "",
              "priceScale": "2", "leverageFilter": {"minLeverage": "1", "maxLeverage": "100", "leverageStep": "0.01"},
              "priceFilter": {"minPrice": "0.10", "maxPrice": "199999.80", "tickSize": "0.10"},
              "lotSizeFilter": {"maxOrderQty": "100", "minOrderQty": "0.001", "qtyStep": "0.001"},
              "unifiedMarginTrade": True, "fundingInterval": 480, "settleCoin": "USDT"}
    only_linear = linear | {"symbol": "ETHUSDT", "baseCoin": "ETH"}
    items = {"spot": [spot], "linear": [linear, only_linear]}.get(query["category"], [])
    return _bybit({"category": query["category"], "list": items, "nextPageCursor": ""})


def _tickers(query: Query) -> bytes:
    item = {"symbol": "BTCUSDT", "lastPrice": "87000.1", "prevPrice24h": "90000", "price24hPcnt": "-0.0333",
            "highPrice24h": "91000", "lowPrice24h": "86000", "turnover24h": "1000000", "volume24h": "12",
            "bid1Price": "87000", "bid1Size": "1.5", "ask1Price": "87000.2", "ask1Size": "2"}
    if query["category"] == "linear":
        item |= {"fundingRate": "0.0005", "nextFundingTime": f"{NOW_MS + 3_600_000}", "fundingIntervalHour": "8",
                 "markPrice": "87000.3", "indexPrice": "87000", "openInterest": "10"}
    return _bybit({"category": query["category"], "list": [item]})


_PRODUCT = {
    "product_id": "BTC-USD", "price": "87001", "price_percentage_change_24h": "-3.1", "volume_24h": "11005.0",
    "base_increment": "0.00000001", "quote_increment": "0.01", "quote_min_size": "1", "quote_max_size": "150000000",
    "base_min_size": "0.00000001", "base_max_size": "3400", "base_name": "Bitcoin", "quote_name": "US Dollar",
    "is_disabled": False, "new": False, "status": "online", "cancel_only": False, "limit_only": False,
    "post_only": False, "trading_disabled": False, "auction_mode": False, "product_type": "SPOT",
    "quote_currency_id": "USD", "base_currency_id": "BTC", "fcm_trading_session_details": None, "alias": "",
    "alias_to": [], "base_display_symbol": "BTC", "quote_display_symbol": "USD", "price_increment": "0.01"}
_COINBASE_BOOK = {"pricebook": {
    "product_id": "BTC-USD", "bids": [{"price": "87000", "size": "3"}], "asks": [{"price": "87002", "size": "1"}],
    "time": "2025-11-20T14:46:40.000000Z"}}


def _answer(state: ExchangeServer, path: str, query: Query) -> bytes | None:
    if path == "/v5/market/orderbook":
        state.books += 1
        return _bybit({"s": query["symbol"], "b": [["87000", f"{state.books + 1}"], ["86999", "1"]],
                       "a": [["87000.2", "1"], ["87001.2", "1"]], "ts": NOW_MS + state.books, "u": 1, "seq": 2})
    routes: dict[str, Callable[[Query], bytes]] = {
        "/v5/market/instruments-info": _instruments,
        "/v5/market/tickers": _tickers,
        "/api/v3/brokerage/market/products": lambda _: json.dumps({"products": [_PRODUCT], "num_products": 1}).encode(),
        "/api/v3/brokerage/market/product_book": lambda _: json.dumps(_COINBASE_BOOK).encode(),
        "/v2/currencies": lambda _: b'{"data": []}',
        "/v2/currencies/crypto": lambda _: b'{"data": []}',
        "/v2/exchange-rates": lambda _: b'{"data": {"currency": "USD", "rates": {"BTC": "0.00001", "USD": "1.0"}}}',
    }
    return routes[path](query) if path in routes else None


@contextmanager
def exchange_server() -> Iterator[ExchangeServer]:
    """Serve until the block ends."""
    state = ExchangeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            state.requests.append((parts.path, query, dict(self.headers)))
            reply = state.faults.get(parts.path)
            if reply is None:
                body = _answer(state, parts.path, query)
                reply = Reply(b'{"error": "not found"}', 404) if body is None else Reply(body)
            self.send_response(reply.status)
            for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(reply.body))}
                                | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
