"""Alpaca's trading API on this machine: orders, account, positions, fill activities, and the stream of trade updates.

The wire format is that of recorded answers: numbers are strings, times have nanoseconds, errors are a code and a
message, the stream sends JSON in binary frames and names executions otherwise than the activities do.
"""

import contextlib
import json
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tests.conformance.brokers.faults import Execution, Placed, Seen
from tests.conformance.brokers.http_venue import HttpVenue, Reply, Request

KEY = "AKTEST"
_STATUS = {"open": "new", "cancelled": "canceled"}


def stamp(moment: datetime) -> str:
    """A time as Alpaca writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"


class AlpacaServer(HttpVenue):
    """See the module. `url` answers REST, `stream_url` the stream. `secret` is the one that is accepted."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret
        self.bodies: list[Any] = []
        self.listening: set[ServerConnection] = set()
        self.authenticated: list[bool] = []
        self.silent_stream = False
        self.untold: set[str] = set()
        """Executions that the activities do not show yet."""
        self.for_money: set[str] = set()
        """Orders that were given as an amount of money."""
        self.renamed = ""
        """The client order id that every answer shows instead of the right one."""
        self.paging = True
        self.asked: list[str] = []
        self._stream: Server = serve(self._listen, "127.0.0.1", 0)
        self._streaming = threading.Thread(target=self._stream.serve_forever, daemon=True)
        self._streaming.start()

    @property
    def stream_url(self) -> str:
        """Where the stream is."""
        return f"ws://127.0.0.1:{self._stream.socket.getsockname()[1]}/stream"

    def stop(self) -> None:
        """See `VenueServer.stop`."""
        self.stopping.set()
        self.disconnect()
        self._stream.shutdown()
        self._streaming.join()
        super().stop()

    def venue_id(self, number: int) -> str:
        """Alpaca names orders by UUID."""
        return str(uuid.UUID(int=0x61E69015_8549_4BFD_B9C3_01E700000000 + number))

    def foreign(self, symbol: str, side: str, quantity: str) -> str:
        """Alpaca gives every order a client order id of its own making."""
        venue_id = super().foreign(symbol, side, quantity)
        order = self.by_venue_id(venue_id)
        assert order is not None
        order.client_id = str(uuid.UUID(int=uuid.UUID(venue_id).int + 2**64))
        return venue_id

    def order_in(self, request: Request) -> Seen | None:
        """See `HttpVenue`."""
        if (request.method, request.path) != ("POST", "/v2/orders"):
            return None
        body = request.json()
        self.bodies.append(body)
        return Seen(body["client_order_id"], body["symbol"], body["side"], Decimal(str(body["qty"])))

    def refusal(self, seen: Seen) -> Reply:
        """See `HttpVenue`."""
        return Reply(403, {"code": 40310000, "message": "insufficient buying power"})

    def unauthorized(self) -> Reply:
        """See `HttpVenue`."""
        return Reply(401, {"code": 40110000, "message": "request is not authorized"})

    def placed(self, request: Request, seen: Seen) -> Reply:
        """See `HttpVenue`."""
        if not self._knows(request):
            return self.unauthorized()
        order = self.take(seen, request.json())
        if order is None:
            return Reply(422, {"code": 40010001, "message": "client_order_id must be unique"})
        return Reply(200, self.render(order))

    def answer(self, request: Request) -> Reply:
        """See `HttpVenue`."""
        self.asked.append(f"{request.method} {request.path}")
        if not self._knows(request):
            return self.unauthorized()
        path = request.path.removeprefix("/v2")
        if request.method == "DELETE":
            return self._cancel(path.removeprefix("/orders/"))
        routes: dict[str, Callable[[dict[str, str]], Reply]] = {
            "/orders": self._orders, "/orders:by_client_order_id": self._by_client_id, "/account": self._account,
            "/positions": self._positions, "/account/activities/FILL": self._activities}
        return routes[path](request.query) if path in routes else Reply(404, {"message": "endpoint not found"})

    def render(self, order: Placed) -> dict[str, Any]:
        """An order as Alpaca shows it."""
        over = order.status != "open"
        status = "partially_filled" if order.status == "open" and order.fills else _STATUS.get(order.status,
                                                                                               order.status)
        ends = {how: stamp(order.changed) if status == how else None for how in ("filled", "expired", "canceled")}
        return {
            "id": order.venue_id, "client_order_id": self.renamed or order.client_id, "created_at": stamp(order.at),
            "updated_at": stamp(order.changed), "submitted_at": stamp(order.at), "filled_at": ends["filled"],
            "expired_at": ends["expired"], "canceled_at": ends["canceled"],
            "failed_at": stamp(order.changed) if over and status == "rejected" else None, "replaced_at": None,
            "replaced_by": None, "replaces": None, "asset_id": "904837e3-3b76-47ec-b432-046db621571b",
            "symbol": order.symbol, "asset_class": "crypto" if "/" in order.symbol else "us_equity", "notional": None,
            "qty": None if order.venue_id in self.for_money else str(order.quantity), "filled_qty": str(order.filled),
            "filled_avg_price": str(order.average) if order.fills else None, "order_class": "",
            "order_type": order.body.get("type", "market"), "type": order.body.get("type", "market"),
            "side": order.side, "time_in_force": order.body.get("time_in_force", "day"),
            "limit_price": order.body.get("limit_price"), "stop_price": None, "status": status,
            "extended_hours": False, "legs": None, "trail_percent": None, "trail_price": None, "hwm": None,
            "subtag": None, "source": None}

    def _knows(self, request: Request) -> bool:
        return (request.headers.get("apca-api-key-id"), request.headers.get("apca-api-secret-key")) == (
            KEY, self.secret)

    def _orders(self, query: dict[str, str]) -> Reply:
        with self.lock:
            found = [order for order in self.orders if (order.status == "open") == (query["status"] == "open")
                     and (not self.paging or stamp(order.at) > query.get("after", ""))]
            found.sort(key=lambda order: order.at, reverse=query.get("direction", "desc") == "desc")
            return Reply(200, self._twice([self.render(order) for order in found[:int(query.get("limit", "50"))]]))

    def _by_client_id(self, query: dict[str, str]) -> Reply:
        with self.lock:
            order = self.find(query["client_order_id"])
            if order is None:
                return Reply(404, {"code": 40410000, "message": f"order not found for {query['client_order_id']}"})
            return Reply(200, self.render(order))

    def _cancel(self, venue_id: str) -> Reply:
        order = self.by_venue_id(venue_id)
        if order is None:
            return Reply(404, {"code": 40410000, "message": f"order not found for {venue_id}"})
        if not self.cancel(order):
            return Reply(422, {"code": 42210000, "message": f'order is already in "{order.status}" state'})
        return Reply(204, b"")

    def _account(self, query: dict[str, str]) -> Reply:
        ((currency, amount),) = self.balances.items()
        return Reply(200, {"id": "e6fe16f3-64a4-4921-8928-cadf02f92f98", "account_number": "PA1", "status": "ACTIVE",
                           "currency": currency, "cash": str(amount), "buying_power": str(amount * 4),
                           "trading_blocked": False})

    def _positions(self, query: dict[str, str]) -> Reply:
        held = {symbol: quantity for symbol, quantity in self.positions.items() if quantity}
        return Reply(200, [{
            "symbol": symbol.replace("/", ""), "exchange": "NASDAQ", "qty": str(quantity),
            "asset_class": "crypto" if "/" in symbol else "us_equity", "side": "long" if quantity > 0 else "short",
            "avg_entry_price": "200", "market_value": "0"} for symbol, quantity in held.items()])

    def _activities(self, query: dict[str, str]) -> Reply:
        with self.lock:
            found = []
            for order in self.orders:
                done = Decimal(0)
                for fill in (one for one in order.fills if one.fill_id not in self.untold):
                    done += fill.quantity
                    last = fill is order.fills[-1] and order.status == "filled"
                    found.append({
                        "id": activity_id(fill), "activity_type": "FILL", "transaction_time": stamp(fill.at),
                        "type": "fill" if last else "partial_fill", "price": str(fill.price),
                        "qty": str(fill.quantity), "side": order.side, "symbol": order.symbol.replace("/", ""),
                        "leaves_qty": str(order.quantity - done), "order_id": order.venue_id, "cum_qty": str(done)})
        found = [one for one in found if one["order_id"] == query.get("order_id", one["order_id"])]
        found.sort(key=lambda one: one["id"])
        after = query.get("page_token", "")
        return Reply(200, self._twice([one for one in found if one["id"] > after][:int(query["page_size"])]))

    def _twice(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows = [*rows, *rows] if self.faults.duplicate_events else rows
        return rows[::-1] if self.faults.shuffle_events else rows

    def told(self, order: Placed, what: str, fill: Execution | None = None) -> None:
        """Push a trade update to whoever listens."""
        event = {"new": "new", "end": _STATUS.get(order.status, order.status)}.get(what, "fill")
        data: dict[str, Any] = {"event": event, "event_id": "01JD4Z", "order": self.render(order),
                                "timestamp": stamp(order.changed)}
        if fill is not None:
            data.update(execution_id=str(uuid.uuid5(uuid.NAMESPACE_URL, fill.fill_id)), price=str(fill.price),
                        qty=str(fill.quantity), position_qty="0")
        self.push({"stream": "trade_updates", "data": data})

    def push(self, message: Any) -> None:
        """Send something to every listener: JSON in a binary frame, or bytes as they are."""
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        for listener in list(self.listening):
            with contextlib.suppress(ConnectionClosed):
                listener.send(raw)

    def disconnect(self) -> None:
        """See `VenueServer.disconnect`: hang up on every listener, without a goodbye."""
        for listener in list(self.listening):
            self.listening.discard(listener)
            with contextlib.suppress(OSError):
                listener.socket.close()

    def _listen(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            said = json.loads(connection.recv())
            if self.silent_stream:
                self.stopping.wait(30)
                return
            right = said["data"] == {"key_id": KEY, "secret_key": self.secret}
            self.authenticated.append(right)
            connection.send(json.dumps({"stream": "authorization", "data": {
                "status": "authorized" if right else "unauthorized", "action": "authenticate"}}).encode())
            if not right:
                return
            assert json.loads(connection.recv()) == {"action": "listen", "data": {"streams": ["trade_updates"]}}
            connection.send(json.dumps({"stream": "listening", "data": {"streams": ["trade_updates"]}}).encode())
            self.listening.add(connection)
            for _ in connection:
                pass


def activity_id(fill: Execution) -> str:
    """How the activities name an execution: its time and a UUID, which is not the stream's."""
    name = uuid.uuid5(uuid.NAMESPACE_OID, fill.fill_id)
    return f"{fill.at.astimezone(UTC).strftime('%Y%m%d%H%M%S%f')[:17]}::{name}"
