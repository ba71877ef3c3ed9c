"""Coinbase Advanced Trade v3 as far as trading needs it: JWT-signed REST, pages with cursors, client ids known again.

A client order id that is known already makes nothing new; the order that has it is returned, as the venue documents.
A key is made for each server; a request whose token it did not sign, or that names another request, is not answered.
"""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.conformance.brokers.faults import Execution, Placed, Seen
from tests.conformance.brokers.http_venue import HttpVenue, Reply, Request

API = "/api/v3/brokerage"
KEY_NAME = "organizations/0000/apiKeys/1111"
COINS = ("BTC", "ETH")
_STATUS = {"open": "OPEN", "filled": "FILLED", "cancelled": "CANCELLED", "expired": "EXPIRED", "rejected": "FAILED"}


def iso(at: datetime) -> str:
    """A time as this venue writes it."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def product(base: str, quote: str = "USD") -> dict[str, Any]:
    """One listed pair."""
    return {"product_id": f"{base}-{quote}", "price": "100", "base_increment": "0.00000001", "quote_increment": "0.01",
            "quote_min_size": "1", "quote_max_size": "50000000", "base_min_size": "0.00000001", "base_max_size": "3400",
            "base_name": base, "quote_name": quote, "status": "online", "is_disabled": False, "alias": "",
            "trading_disabled": False, "cancel_only": False, "limit_only": False, "post_only": False, "alias_to": [],
            "auction_mode": False, "product_type": "SPOT", "quote_currency_id": quote, "base_currency_id": base,
            "price_increment": "0.01"}


class CoinbaseServer(HttpVenue):
    """See the module. `commission`: the share of an execution's worth that is charged, in the quote currency.

    `why`: what refusals say, with `refusal_status`. `names_another`: answers to orders name another order.
    `beaten`: orders are filled just before they would be cancelled. `no_cancel`: cancels are refused. `hidden`:
    executions that are not listed yet. `endless`: after each page comes the first one. Requests are signed with the
    real time, whatever the clock of the books says; `behind_s` sets that check back.
    """

    page = 100

    def __init__(self, *, key_name: str = KEY_NAME) -> None:
        super().__init__()
        self.key_name = key_name
        self.behind_s = 0.0
        self.coins: tuple[str, ...] = COINS
        self.why = "INSUFFICIENT_FUND"
        self.names_another = False
        self.refusal_status = 200
        self.beaten = self.no_cancel = self.endless = False
        self.hidden: set[str] = set()
        self.commission = Decimal(0)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secrets = {"api_key": key_name, "secret": self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption()).decode()}

    def venue_id(self, number: int) -> str:
        """See `VenueServer.venue_id`."""
        return f"0a1b2c3d-0000-4000-8000-{number:012d}"

    def order_in(self, request: Request) -> Seen | None:
        """See `HttpVenue.order_in`. A market order over an amount of money arrives with a quantity of 0."""
        if (request.method, request.path) != ("POST", f"{API}/orders"):
            return None
        body = request.json()
        (asked,) = body["order_configuration"].values()
        size = asked.get("base_size", "0")
        return Seen(body["client_order_id"], body["product_id"].replace("-", "/"), body["side"].lower(), Decimal(size))

    def placed(self, request: Request, seen: Seen) -> Reply:
        """See `HttpVenue.placed`."""
        if not self._signed(request):
            return self.unauthorized()
        order = self.take(seen, request.json()) or self._known(seen.client_id)
        name = "ccxt-random" if self.names_another else order.client_id
        return Reply(200, {"success": True, "failure_reason": "UNKNOWN_FAILURE_REASON", "order_id": order.venue_id,
                           "success_response": {"order_id": order.venue_id, "product_id": seen.symbol.replace("/", "-"),
                                                "side": seen.side.upper(), "client_order_id": name},
                           "order_configuration": None})

    def refusal(self, seen: Seen) -> Reply:
        """See `HttpVenue.refusal`."""
        return self.failure(self.why, "not placed")._replace(status=self.refusal_status)

    def failure(self, reason: str, message: str) -> Reply:
        """An order that was not placed: the status says that all is well."""
        return Reply(200, {"success": False, "failure_reason": "UNKNOWN_FAILURE_REASON", "order_id": "",
                           "error_response": {"error": reason, "message": message, "error_details": "",
                                              "new_order_failure_reason": reason}, "order_configuration": None})

    def unauthorized(self) -> Reply:
        """See `HttpVenue.unauthorized`."""
        return Reply(401, {"error": "unauthorized", "error_description": "Unauthorized"})

    def answer(self, request: Request) -> Reply:
        """See `HttpVenue.answer`."""
        path = request.path.removeprefix(API)
        if path == "/market/products":
            listed = [] if request.query.get("product_type") == "FUTURE" else [
                *(product(coin) for coin in self.coins), product("BTC", "EUR")]
            return Reply(200, {"products": listed, "num_products": len(listed)})
        if not self._signed(request):
            return self.unauthorized()
        with self.lock:
            return self._private(path, request)

    def _private(self, path: str, request: Request) -> Reply:
        if path == "/transaction_summary":
            return Reply(200, {"total_volume": 0, "total_fees": 0, "fee_tier": {
                "pricing_tier": "", "taker_fee_rate": "0.006", "maker_fee_rate": "0.004"}})
        if path == "/accounts":
            held = {**{name.partition("/")[0]: amount for name, amount in self.positions.items()}, **self.balances}
            return Reply(200, {"accounts": [self._account(code, amount) for code, amount in held.items()],
                               "has_next": False, "cursor": "", "size": len(held)})
        if path == "/orders/batch_cancel":
            return Reply(200, {"results": [self._cancelled(name) for name in request.json()["order_ids"]]})
        if path == "/orders/historical/batch":
            wanted = [order for order in reversed(self.orders)
                      if order.at >= _since(request.query.get("start_date"))
                      and request.query.get("order_status", _STATUS[order.status]) == _STATUS[order.status]]
            return self._page("orders", [self._order(order) for order in wanted], request)
        if path == "/orders/historical/fills":
            since = _since(request.query.get("start_sequence_timestamp"))
            told = [fill for order in self.orders for done in order.fills
                    if done.at >= since and done.fill_id not in self.hidden
                    for fill in self._fills(order, done)]
            if not self.faults.shuffle_events:
                told.reverse()  # the newest first is this venue's own order
            return self._page("fills", told * 2 if self.faults.duplicate_events else told, request)
        order = self.by_venue_id(path.rpartition("/")[2])
        if order is None:
            return Reply(404, {"error": "NOT_FOUND", "error_details": "order with this orderID was not found",
                               "message": "order with this orderID was not found"})
        return Reply(200, {"order": self._order(order)})

    def _page(self, name: str, items: list[dict[str, Any]], request: Request) -> Reply:
        start = int(request.query.get("cursor") or 0)
        end = start + self.page
        more = end < len(items) or self.endless
        cursor = "0" if self.endless else str(end) if more else ""
        return Reply(200, {name: items[start:end], "cursor": cursor, "has_next": more})

    def _order(self, order: Placed) -> dict[str, Any]:
        worth = order.average * order.filled
        asked = order.body.get("order_configuration") or {"market_market_ioc": {"base_size": str(order.quantity)}}
        return {"order_id": order.venue_id, "client_order_id": order.client_id, "side": order.side.upper(),
                "product_id": order.symbol.replace("/", "-"), "user_id": "u", "status": _STATUS[order.status],
                "time_in_force": "GOOD_UNTIL_CANCELLED" if "limit_limit_gtc" in asked else "IMMEDIATE_OR_CANCEL",
                "created_time": iso(order.at), "order_type": "LIMIT" if "limit_limit_gtc" in asked else "MARKET",
                "order_configuration": asked,
                "filled_size": str(order.filled), "average_filled_price": str(order.average),
                "total_fees": str(worth * self.commission), "settled": order.status != "open",
                "reject_message": order.detail, "product_type": "SPOT"}

    def _fills(self, order: Placed, done: Execution) -> list[dict[str, Any]]:
        body = {"entry_id": f"e-{done.fill_id}", "trade_id": done.fill_id, "order_id": order.venue_id,
                "trade_time": iso(done.at), "trade_type": "FILL", "price": str(done.price), "size": str(done.quantity),
                "commission": str(done.price * done.quantity * self.commission), "size_in_quote": False,
                "product_id": order.symbol.replace("/", "-"), "sequence_timestamp": iso(done.at),
                "liquidity_indicator": "TAKER", "user_id": "u", "side": order.side.upper()}
        return [body, {**body, "trade_type": "REVERSAL"}] if done.busted else [body]

    def _account(self, code: str, amount: Decimal) -> dict[str, Any]:
        return {"uuid": code, "name": code, "currency": code, "type": "ACCOUNT_TYPE_CRYPTO", "active": True,
                "available_balance": {"value": str(amount), "currency": code}, "hold": {"value": "0", "currency": code}}

    def _cancelled(self, venue_id: str) -> dict[str, Any]:
        order = self.by_venue_id(venue_id)
        if self.beaten and order is not None:
            order.status = "filled"
        if self.no_cancel:
            why = "INVALID_CANCEL_REQUEST"
        elif order is None:
            why = "UNKNOWN_CANCEL_ORDER"
        elif self.cancel(order):
            why = "UNKNOWN_CANCEL_FAILURE_REASON"
        else:
            why = "ORDER_IS_FULLY_FILLED" if order.status == "filled" else "DUPLICATE_CANCEL_REQUEST"
        return {"success": why == "UNKNOWN_CANCEL_FAILURE_REASON", "failure_reason": why, "order_id": venue_id}

    def _signed(self, request: Request) -> bool:
        """Whether the request carries a token of this key, for this request, at this time."""
        head, claims, signature = request.headers.get("authorization", "Bearer ..").removeprefix("Bearer ").split(".")
        raw = _unbase64(signature)
        if len(raw) != 64:
            return False
        try:
            self.key.public_key().verify(
                encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:])), f"{head}.{claims}".encode(),
                ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        said, now = json.loads(_unbase64(claims)), datetime.now(UTC).timestamp() - self.behind_s
        where = f"{request.method} {self.url}{request.path}"
        return bool(said["sub"] == self.key_name and said["uri"] == where and said["nbf"] - 60 <= now <= said["exp"])


def _since(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
