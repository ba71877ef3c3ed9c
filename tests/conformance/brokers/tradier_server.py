"""Tradier's brokerage API on this machine: orders by form, positions, balances.

The wire format's habits are all here: numbers are JSON numbers, a list of one is the element, an empty list is "null",
orders are told by totals, errors of the trading systems come with status 200, a bad token is answered in plain text.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.conformance.brokers.faults import Placed, Seen
from tests.conformance.brokers.http_venue import HttpVenue, Reply, Request

ACCOUNT = "VA00000001"
_STATUS = {"cancelled": "canceled"}
_SIDES = {"buy": "buy", "buy_to_cover": "buy", "sell": "sell", "sell_short": "sell"}


def rows(found: list[dict[str, Any]], outer: str, inner: str) -> dict[str, Any]:
    """A list as Tradier writes it."""
    return {outer: "null" if not found else {inner: found[0] if len(found) == 1 else found}}


class TradierServer(HttpVenue):
    """See the module. `secret` is the token that is accepted. The tag makes no order unique."""

    deduplicates = False

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret
        self.forms: list[dict[str, str]] = []
        self.hidden: set[str] = set()
        """Numbers of orders that the list leaves out, as it does with those of earlier days."""
        self.busy: dict[str, str] | None = None
        """Headers of the answer to an order that comes over the limit."""
        self.says: tuple[int, Any] | None = None
        """What it answers to everything, whatever becomes of it."""

    @property
    def url(self) -> str:
        """See `VenueServer.url`."""
        return f"{super().url}/v1"

    def order_in(self, request: Request) -> Seen | None:
        """See `HttpVenue`."""
        if (request.method, request.path) != ("POST", f"/v1/accounts/{ACCOUNT}/orders"):
            return None
        form = request.form()
        self.forms.append(form)
        return Seen(form["tag"], form["symbol"].replace("/", "."), _SIDES[form["side"]], Decimal(form["quantity"]))

    def order_body(self, request: Request) -> dict[str, Any]:
        """See `HttpVenue`."""
        return dict(request.form())

    def refusal(self, seen: Seen) -> Reply:
        """See `HttpVenue`: the trading systems' no has status 200."""
        return Reply(200, {"errors": {"error": ["Backoffice rejected override of the order.", "InitialMargin"]}})

    def unauthorized(self) -> Reply:
        """See `HttpVenue`."""
        return Reply(401, b"Invalid Access Token")

    def placed(self, request: Request, seen: Seen) -> Reply:
        """See `HttpVenue`."""
        if not self._knows(request):
            return self.unauthorized()
        if self.busy is not None:
            return Reply(429, b"Quota Violation", self.busy)
        if self.says is not None:
            return Reply(*self.says)
        order = self.take(seen, self.order_body(request))
        assert order is not None
        return Reply(200, {"order": {"id": int(order.venue_id), "status": "ok", "partner_id": "c4998eb7"}})

    def answer(self, request: Request) -> Reply:
        """See `HttpVenue`."""
        if not self._knows(request):
            return self.unauthorized()
        if self.says is not None:
            return Reply(*self.says)
        path = request.path.removeprefix(f"/v1/accounts/{ACCOUNT}/")
        tags = request.query.get("includeTags") == "true"
        with self.lock:
            if path == "orders":
                found = [self.render(order, tags=tags) for order in self.orders if order.venue_id not in self.hidden]
                found = [*found, *found] if self.faults.duplicate_events else found
                return Reply(200, rows(found[::-1] if self.faults.shuffle_events else found, "orders", "order"))
            if path == "positions":
                held = [{"cost_basis": 1000.0, "date_acquired": "2026-11-20T15:00:00.000Z", "id": 130089,
                         "quantity": float(quantity), "symbol": symbol.replace(".", "/")}
                        for symbol, quantity in self.positions.items() if quantity]
                return Reply(200, rows(held, "positions", "position"))
            if path == "balances":
                return Reply(200, {"balances": {"account_number": ACCOUNT, "account_type": "margin",
                                                "total_cash": float(self.balances["USD"]), "total_equity": 1.0}})
            order = self.by_venue_id(path.removeprefix("orders/"))
            if order is None:
                return Reply(404, b"order not found")
            if request.method == "DELETE":
                if not self.cancel(order):
                    return Reply(200, {"errors": {"error": "order already in finalized state: " + order.status}})
                return Reply(200, {"order": {"id": int(order.venue_id), "status": "ok"}})
            return Reply(200, {"order": self.render(order, tags=tags)})

    def render(self, order: Placed, *, tags: bool) -> dict[str, Any]:
        """An order as Tradier shows it: totals, and the last execution."""
        status = "partially_filled" if order.status == "open" and order.fills else _STATUS.get(order.status,
                                                                                               order.status)
        last = order.fills[-1] if order.fills else None
        shown = {
            "id": int(order.venue_id), "type": order.body.get("type", "market"),
            "symbol": order.symbol.replace(".", "/"), "side": order.body.get("side", order.side),
            "quantity": float(order.quantity), "status": status, "duration": order.body.get("duration", "day"),
            "avg_fill_price": float(order.average), "exec_quantity": float(order.filled),
            "last_fill_price": float(last.price) if last else 0.0,
            "last_fill_quantity": float(last.quantity) if last else 0.0,
            "remaining_quantity": float(order.quantity - order.filled), "create_date": stamp(order.at),
            "transaction_date": stamp(order.changed), "class": "equity"}
        if "price" in order.body:
            shown["price"] = float(order.body["price"])
        if order.detail:
            shown["reason_description"] = order.detail
        if tags and order.client_id:
            shown["tag"] = order.client_id
        return shown

    def _knows(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.secret}"


def stamp(moment: datetime) -> str:
    """A time as Tradier writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
