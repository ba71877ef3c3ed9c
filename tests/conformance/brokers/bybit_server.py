"""Bybit v5 spot as far as trading needs it: HMAC-signed REST that answers refusals with HTTP 200 and a `retCode`.

A client order id (`orderLinkId`) is refused only while an order that has it works, and may be used again afterwards.
Buyers pay the fee in the coin that they buy.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from tests.conformance.brokers.faults import Execution, Placed, Seen
from tests.conformance.brokers.http_venue import HttpVenue, Reply, Request

API_KEY, SECRET = "planted-api-key", "planted-secret"
_STATUS = {"open": "New", "filled": "Filled", "cancelled": "Cancelled", "expired": "Cancelled", "rejected": "Rejected"}
RECEIVED_WITHIN_MS, AHEAD_MS = 5_000, 1_000


def millis(at: datetime) -> str:
    """A time as this venue writes it."""
    return str(int(at.timestamp() * 1000))


def pair(base: str, quote: str) -> dict[str, Any]:
    """One listed spot pair."""
    return {"symbol": base + quote, "baseCoin": base, "quoteCoin": quote, "innovation": "0", "status": "Trading",
            "marginTrading": "both", "lotSizeFilter": {
                "basePrecision": "0.000001", "quotePrecision": "0.00000001", "minOrderQty": "0.000048",
                "maxOrderQty": "71.73956243", "minOrderAmt": "1", "maxOrderAmt": "4000000"},
            "priceFilter": {"tickSize": "0.01"}}


class BybitServer(HttpVenue):
    """See the module. `fee`: the share of an execution that is charged. `unified`: the kind of account.

    `why`: what refusals say, with `refusal_status`. `beaten`: orders are filled just before they would be
    cancelled. `no_cancel`: cancels are refused. `hidden`: executions that are not listed yet. Requests are signed
    with the real time, whatever the clock of the books says; `behind_s` sets that check back.
    """

    page = 50

    def __init__(self, quote: str = "USDT", secrets: tuple[str, str] = (API_KEY, SECRET)) -> None:
        super().__init__()
        self.quote = quote
        self.behind_s = 0.0
        self.why = (170131, "Balance insufficient")
        self.coins: tuple[str, ...] = ("BTC", "ETH")
        self.refusal_status = 200
        self.beaten = self.no_cancel = False
        self.hidden: set[str] = set()
        self.fee = Decimal(0)
        self.unified = True
        self.secrets = dict(zip(("api_key", "secret"), secrets, strict=True))

    def venue_id(self, number: int) -> str:
        """See `VenueServer.venue_id`."""
        return str(1321003749386327552 + number)

    def order_in(self, request: Request) -> Seen | None:
        """See `HttpVenue.order_in`. A quantity in money arrives as 0."""
        if (request.method, request.path) != ("POST", "/v5/order/create"):
            return None
        body = request.json()
        units = body.get("marketUnit") == "baseCoin" or body["side"] == "Sell" or body["orderType"] == "Limit"
        size = body["qty"] if units else "0"
        symbol = f"{body['symbol'].removesuffix(self.quote)}/{self.quote}"
        return Seen(body["orderLinkId"], symbol, body["side"].lower(), Decimal(size))

    def placed(self, request: Request, seen: Seen) -> Reply:
        """See `HttpVenue.placed`."""
        problem = self._problem(request)
        if problem is not None:
            return problem
        with self.lock:
            working = any(order.status == "open" and order.client_id == seen.client_id for order in self.orders)
            if working:
                return self.code(170141, "Duplicate clientOrderId.")
            order = self._taken(seen, request.json())
        return self.ok({"orderId": order.venue_id, "orderLinkId": order.client_id})

    def _taken(self, seen: Seen, body: dict[str, Any]) -> Placed:
        self.deduplicates = False
        order = self.take(seen, body)
        assert order is not None
        return order

    def refusal(self, seen: Seen) -> Reply:
        """See `HttpVenue.refusal`."""
        return self.code(*self.why)._replace(status=self.refusal_status)

    def unauthorized(self) -> Reply:
        """See `HttpVenue.unauthorized`. The venue repeats what was signed, and the key with it."""
        return self.code(10004, f"error sign! origin_string[1659346886000{self.secrets['api_key']}5000]")

    def ok(self, result: dict[str, Any]) -> Reply:
        """An answer with content."""
        return Reply(200, {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {},
                           "time": millis(self.now())})

    def code(self, number: int, message: str) -> Reply:
        """A refusal: the status says that all is well."""
        return Reply(200, {"retCode": number, "retMsg": message, "result": {}, "retExtInfo": {},
                           "time": millis(self.now())})

    def answer(self, request: Request) -> Reply:
        """See `HttpVenue.answer`."""
        if request.path == "/v5/market/instruments-info":
            return self.ok({"category": "spot", "list": [pair(base, self.quote) for base in self.coins]})
        problem = self._problem(request)
        if problem is not None:
            return problem
        with self.lock:
            return self._private(request)

    def _private(self, request: Request) -> Reply:
        path, query = request.path, request.query
        if path == "/v5/user/query-api":
            return self.ok({"id": "1", "readOnly": 0, "uta": int(self.unified), "unified": 0, "permissions": {}})
        if path == "/v5/account/info":
            return self.ok({"unifiedMarginStatus": 6, "marginMode": "REGULAR_MARGIN"})
        if path == "/v5/order/cancel":
            return self._cancelled(self.by_venue_id(request.json()["orderId"]))
        if path == "/v5/account/wallet-balance":
            held = {**{name.partition("/")[0]: amount for name, amount in self.positions.items()}, **self.balances}
            return self.ok({"list": [{"accountType": "UNIFIED", "coin": [
                {"coin": code, "walletBalance": str(amount), "locked": "0", "equity": str(amount)}
                for code, amount in held.items()]}]})
        if path in ("/v5/order/realtime", "/v5/order/history"):
            wanted = [order for order in reversed(self.orders)
                      if query.get("orderLinkId", order.client_id) == order.client_id
                      and (path == "/v5/order/history") == (order.status != "open")]
            return self._page([self._order(order) for order in wanted], query)
        if path == "/v5/execution/list":
            told = [self._execution(order, done) for order in self.orders for done in order.fills
                    if int(millis(done.at)) >= int(query.get("startTime", 0)) and done.fill_id not in self.hidden
                    and query.get("symbol", _id(order.symbol)) == _id(order.symbol)]
            if not self.faults.shuffle_events:
                told.reverse()  # the newest first is this venue's own order
            return self._page(told * 2 if self.faults.duplicate_events else told, query)
        return self.code(10001, f"no such request: {path}")

    def _cancelled(self, order: Placed | None) -> Reply:
        if self.no_cancel:
            return self.code(10001, "params error")
        if order is None:
            return self.code(170213, "Order does not exist.")
        if self.beaten:
            order.status = "filled"
        if not self.cancel(order):
            return self.code(170142 if order.status == "cancelled" else 170139, "Order has been ended.")
        return self.ok({"orderId": order.venue_id, "orderLinkId": order.client_id})

    def _page(self, items: list[dict[str, Any]], query: dict[str, str]) -> Reply:
        """A cursor comes with every page that holds something, also with the last."""
        start = int(query.get("cursor") or 0)
        page = items[start:start + self.page]
        return self.ok({"category": "spot", "list": page, "nextPageCursor": str(start + len(page)) if page else ""})

    def _order(self, order: Placed) -> dict[str, Any]:
        return {"orderId": order.venue_id, "orderLinkId": order.client_id, "symbol": _id(order.symbol),
                "price": order.body.get("price", "0"), "side": order.side.capitalize(),
                "orderType": order.body.get("orderType", "Market"),
                "timeInForce": order.body.get("timeInForce", "IOC"), "qty": str(order.quantity),
                "orderStatus": "PartiallyFilled" if order.status == "open" and order.filled else
                "PartiallyFilledCanceled" if order.status == "cancelled" and order.filled else _STATUS[order.status],
                "avgPrice": str(order.average), "leavesQty": str(max(order.quantity - order.filled, Decimal(0))),
                "cumExecQty": str(order.filled), "cumExecValue": str(order.filled * order.average),
                "cumExecFee": "0", "rejectReason": order.detail or "EC_NoError", "createdTime": millis(order.at),
                "updatedTime": millis(order.changed), "marketUnit": "baseCoin"}

    def _execution(self, order: Placed, done: Execution) -> dict[str, Any]:
        fee, coin = done.quantity * self.fee, order.symbol.partition("/")[0]
        if order.side == "sell":
            fee, coin = fee * done.price, self.quote
        return {"symbol": _id(order.symbol), "orderId": order.venue_id, "orderLinkId": order.client_id,
                "side": order.side.capitalize(), "orderType": "Market", "execId": done.fill_id, "execType": "Trade",
                "execPrice": str(done.price), "execQty": str(done.quantity), "execFee": str(fee), "feeCurrency": coin,
                "execValue": str(done.quantity * done.price), "execTime": millis(done.at), "isMaker": False}

    def _move(self, order: Placed, quantity: Decimal) -> None:
        super()._move(order, quantity - (quantity * self.fee if order.side == "buy" else 0))

    def _problem(self, request: Request) -> Reply | None:
        """Why a request is not answered: signed by another key, or at another time."""
        at, within = request.headers.get("x-bapi-timestamp", "0"), request.headers.get("x-bapi-recv-window", "0")
        rest = request.body.decode() if request.method == "POST" else urlencode(request.query)
        signature = hmac.new(self.secrets["secret"].encode(), f"{at}{self.secrets['api_key']}{within}{rest}".encode(),
                             hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, request.headers.get("x-bapi-sign", "")):
            return self.unauthorized()
        now = int(millis(datetime.now(UTC) - timedelta(seconds=self.behind_s)))
        if not now - RECEIVED_WITHIN_MS <= int(at) < now + AHEAD_MS:
            return self.code(10002, "invalid request, please check your server timestamp or recv_window param.")
        return None


def _id(symbol: str) -> str:
    return symbol.replace("/", "")
