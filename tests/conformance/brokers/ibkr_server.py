"""IB Gateway on this machine: its socket protocol, several clients, orders, executions with corrections, positions.

What `Faults` mean on a socket: a `status` of 429 is TWS's own error 100 (too many messages), any other one hangs up
before anything is taken; `truncate` sends half of the first message of an answer and hangs up, `garbage` sends a web
page and hangs up. They concern requests that matter: not the opening, not the details of a contract, not what calls
something off. `unauthorized`: the login's account is a live one.
"""

import contextlib
import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from tests.conformance.brokers import ibkr_wire as wire
from tests.conformance.brokers.faults import Execution, Placed, Seen, VenueServer
from tests.conformance.brokers.ibkr_wire import Share, Shown

ACCOUNT, LIVE_ACCOUNT = "DU1234567", "U7654321"
PATIENCE_S = 30.0
"""A silent server hangs up after so long, so that no test can wait for ever."""

LATE_S = 0.05
"""How long after everything else a late commission comes."""

SHARES = {share.symbol: share for share in (
    Share(265598, "AAPL"), Share(272093, "MSFT"), Share(72063691, "BRK B", "USD", "NYSE"))}
_STATUS = {"open": "Submitted", "filled": "Filled", "cancelled": "Cancelled", "expired": "Cancelled",
           "rejected": "Inactive"}
_HOW = {"filled": "Filled Size: {}", "cancelled": "Cancelled by Trader", "expired": "Expired",
        "rejected": "Rejected by System: {}"}
START_API, ORDER, CANCEL, EXECUTIONS, CONTRACT, OPEN, POSITIONS, CASH, COMPLETED = 71, 3, 4, 7, 9, 16, 61, 76, 99
_ASIDE = frozenset({START_API, CONTRACT, 64, 77})


class Correction(NamedTuple):
    """What an execution was corrected to."""

    quantity: Decimal
    price: Decimal


class _HungUp(Exception):
    """The other side has gone, or is sent away."""


class Line:
    """One client's connection."""

    def __init__(self, connection: socket.socket, version: int) -> None:
        self.connection, self.version = connection, version
        self.client = -1
        self._lock = threading.Lock()

    def read(self, count: int) -> bytes:
        """So many bytes. Raises `_HungUp`."""
        found = b""
        while len(found) < count:
            try:
                part = self.connection.recv(count - len(found))
            except OSError:
                part = b""
            if not part:
                raise _HungUp
            found += part
        return found

    def message(self) -> bytes:
        """One message, without its length."""
        return self.read(struct.unpack(">I", self.read(4))[0])

    def send(self, raw: bytes) -> None:
        """Send bytes, unless nobody is there any more."""
        with self._lock, contextlib.suppress(OSError):
            self.connection.sendall(raw)

    def tell(self, *messages: Iterable[Any]) -> None:
        """Send messages."""
        self.send(b"".join(wire.frame(fields) for fields in messages))

    def hang_up(self) -> None:
        """Close it."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class IbkrServer(VenueServer):
    """See the module. The reference makes no order unique. What a test may change stands in the constructor."""

    deduplicates = False

    def __init__(self) -> None:
        super().__init__()
        self.version = 178
        self.accounts = ACCOUNT
        self.busy_clients: set[int] = set()
        """Client ids that another program uses."""
        self.next_number: dict[int, int] = {}
        self.shares: dict[str, list[Share]] = {symbol: [share] for symbol, share in SHARES.items()}
        self.more_positions: list[tuple[str, str, Share, str]] = []
        """Account, kind, share and quantity of what else is held."""
        self.more_cash: list[tuple[str, str, str, str]] = []
        """Account, tag, value and currency of further figures."""
        self.corrections: dict[str, list[Correction]] = {}
        self.originals: dict[str, Correction] = {}
        self.commission: str | None = "0"
        """What each execution costs; `None`: it is not told."""
        self.commission_currency = "USD"
        self.late_commission = False
        """Whether commissions come a little after the end of the list of executions."""
        self.mute: set[int] = set()
        """Kinds of messages that are read and not answered."""
        self.kinds: Counter[int] = Counter()
        """How often each kind of message came."""
        self.says: list[tuple[int, str]] = []
        """Errors that answer the next order, before anything else happens to it."""
        self.takes = True
        """Whether an order that is answered by `says` is taken all the same."""
        self.cancels_say: tuple[int, str] | None = None
        """The answer to a cancel, which then does nothing."""
        self.pending = False
        """Whether orders stay in transit: listed, and not yet taken by the venue."""
        self.spoil: tuple[int, int, str] | None = None
        """Kind of message, field and what stands there: in the next answer that has such a message."""
        self._choose_lists()
        self.lines: list[Line] = []
        self.opened = 0
        self.called_off: list[int] = []
        venue = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                venue.serve(Line(self.request, venue.version))

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def _choose_lists(self) -> None:
        """Which orders and executions lists show, and how: by the names that a test puts here."""
        self.forgotten: set[str] = set()
        """Fill ids and venue ids of earlier days, which lists of the day leave out."""
        self.unlisted: set[str] = set()
        """Venue ids that no list of orders shows, as if they were on the way."""
        self.inactive: set[str] = set()
        """Venue ids of open orders that are shown as inactive."""
        self.bare: set[str] = set()
        """Venue ids of open orders that are listed without the message that tells their state."""
        self.cancelling: set[str] = set()
        """Venue ids of open orders that are shown as being cancelled."""
        self.unsure: set[str] = set()
        """Venue ids of completed orders without a total."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """See `VenueServer.url`."""
        return f"tws://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """See `VenueServer.stop`."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.disconnect()

    def disconnect(self) -> None:
        """See `VenueServer.disconnect`."""
        for line in list(self.lines):
            line.hang_up()

    def say(self, number: int, code: int, message: str = "") -> None:
        """Tell every client something."""
        for line in list(self.lines):
            line.tell(wire.error(number, code, message, line.version))

    def correct(self, fill_id: str, quantity: str, price: str) -> None:
        """The venue corrects an execution: it is told again under the next name."""
        with self.lock:
            order, fill = self._fill(fill_id)
            self.corrections.setdefault(fill_id, []).append(Correction(Decimal(quantity), Decimal(price)))
            self._move(order, Decimal(quantity) - fill.quantity)
            fill.quantity, fill.price = Decimal(quantity), Decimal(price)
        self.told(order, "bust", fill)

    def bust(self, fill_id: str) -> None:
        """See `VenueServer.bust`: here, a correction to nothing."""
        self.correct(fill_id, "0", "0")

    def told(self, order: Placed, what: str, fill: Execution | None = None) -> None:
        """See `VenueServer.told`: the client that sent the order hears of it by itself."""
        if self.faults.silent or what == "new":
            return
        for line in [line for line in list(self.lines) if line.client == order.body.get("client")]:
            shown = self._shown(order)
            messages: list[list[Any]] = [wire.order_status(shown)]
            if fill is not None:
                messages += self._executions(-1, order, line.version, only=fill)
            line.tell(*messages, *(messages if self.faults.duplicate_events else []))

    def serve(self, line: Line) -> None:
        """One client from its opening to its end."""
        with self.lock:
            self.requests += 1
            self.opened += 1
            self.lines.append(line)
        try:
            if line.read(4) == b"API\0":
                newest = line.message().decode().rpartition("..")[2]
                if self.faults.silent:
                    self.stopping.wait(PATIENCE_S)
                    return
                line.version = min(self.version, int(newest))
                line.send(wire.frame([line.version, "20261120 10:00:00 EST"]))
            while True:
                self._request(line, line.message().decode().split("\0")[:-1])
        except _HungUp:
            pass
        finally:
            line.hang_up()
            with self.lock:
                self.lines.remove(line)

    def _request(self, line: Line, fields: list[str]) -> None:
        """One message of a client, with what goes wrong. Raises `_HungUp` to send it away."""
        faults, kind = self.faults, int(fields[0])
        with self.lock:
            self.requests += 1
            self.kinds[kind] += 1
            if kind == ORDER:
                self.seen.append(_seen(fields))
        if faults.silent or kind in self.mute:
            return
        self.stopping.wait(faults.latency_s)
        if kind in _ASIDE:
            line.tell(*self._aside(line, kind, fields))
            return
        if faults.unauthorized:
            raise _HungUp
        due = faults.status or (faults.order_status if kind == ORDER else [])
        if due:
            code, _ = due.pop(0)
            if code != 429:
                raise _HungUp
            number = {ORDER: 1, CANCEL: 2, EXECUTIONS: 2, CASH: 2}.get(kind)
            line.tell(wire.error(-1 if number is None else int(fields[number]), 100,
                                 "Max rate of messages per second has been exceeded:max=50 rec=51", line.version))
            return
        if kind == ORDER and faults.use("late_accept"):
            self.late.append((_seen(fields), _body(fields, line)))
            raise _HungUp
        answer = self._order(line, fields) if kind == ORDER else self._answer(line, kind, fields)
        if kind == ORDER and faults.use("lose_answer"):
            raise _HungUp
        self._send(line, answer)

    def _send(self, line: Line, answer: list[list[Any]]) -> None:
        """An answer, or what is left of it."""
        raw = b"".join(map(wire.frame, answer))
        if self.faults.use("garbage"):
            line.send(b"<html><body>We will be back soon.</body></html>")
            raise _HungUp
        if self.faults.use("truncate"):
            line.send(raw[:len(wire.frame(answer[0])) // 2])
            raise _HungUp
        spoil = self.spoil
        spoilt = next((message for message in answer if spoil is not None and message[0] == spoil[0]), None)
        if spoil is not None and spoilt is not None:
            spoilt[spoil[1]:spoil[1] + 1] = [spoil[2]]
            self.spoil = None
        late = [message for message in answer if message[0] == 59] if self.late_commission else []
        line.tell(*(message for message in answer if message not in late))
        if late:
            self.stopping.wait(LATE_S)
            line.tell(*late)

    def _aside(self, line: Line, kind: int, fields: list[str]) -> list[list[Any]]:
        """The opening, the details of a contract, and what is called off."""
        if kind == START_API:
            line.client = int(fields[2])
            if line.client in self.busy_clients:
                line.tell(wire.error(-1, 326, "Unable to connect as the client id is already in use.", line.version))
                raise _HungUp
            account = LIVE_ACCOUNT if self.faults.unauthorized else self.accounts
            return [[15, 1, account], [9, 1, self.next_number.get(line.client, 1)],
                    wire.error(-1, 2104, "Market data farm connection is OK:usfarm", line.version)]
        if kind == CONTRACT:
            found = [share for share in self.shares.get(fields[4], []) if share.currency == fields[12]]
            if not found:
                return [wire.error(int(fields[2]), 200, "No security definition has been found", line.version)]
            return [*(wire.contract_details(int(fields[2]), share, line.version) for share in found),
                    [52, 1, fields[2]]]
        self.called_off.append(kind)
        return []

    def _order(self, line: Line, fields: list[str]) -> list[list[Any]]:
        """Take an order, or not."""
        number = int(fields[1])
        if self.faults.refuse:
            return [wire.error(number, 201, "Order rejected - reason:Available funds are in sufficient.", line.version)]
        if number < self.next_number.get(line.client, 1):
            return [wire.error(number, 103, "Duplicate order id", line.version)]
        says = [wire.error(number, *one, line.version) for one in self.says]
        self.says = []
        if says and not self.takes:
            return says
        order = self.take(_seen(fields), _body(fields, line))
        assert order is not None
        self.next_number[line.client] = number + 1
        return [*says, *self._shows(order, line.version)]

    def _shows(self, order: Placed, version: int) -> list[list[Any]]:
        return [wire.open_order(self._shown(order), version), wire.order_status(self._shown(order))]

    def _answer(self, line: Line, kind: int, fields: list[str]) -> list[list[Any]]:
        """Every other question."""
        with self.lock:
            listed = [order for order in self.orders if order.venue_id not in self.unlisted]
            if kind == OPEN:
                return [*(message for order in listed if order.status == "open"
                          for message in self._shows(order, line.version)[:1 if order.venue_id in self.bare else 2]),
                        [53, 1]]
            if kind == COMPLETED:
                return [*(self._completed(order, line.version) for order in listed
                          if order.status != "open" and order.venue_id not in self.forgotten), [102]]
            if kind == EXECUTIONS:
                rows = [row for order in self.orders for row in self._executions(int(fields[2]), order, line.version)]
                rows = [*rows, *rows] if self.faults.duplicate_events else rows
                rows = rows[::-1] if self.faults.shuffle_events else rows
                return [*rows, [55, 1, fields[2]]]
            if kind == POSITIONS:
                held = [(self._account(), "STK", self._share(symbol), str(quantity))
                        for symbol, quantity in self.positions.items() if quantity]
                return [*(wire.position(*one) for one in (*held, *self.more_positions)), [62, 1]]
            if kind == CASH:
                figures = [(self._account(), "TotalCashBalance", value, currency)
                           for currency, value in ((name, str(value)) for name, value in self.balances.items())]
                base = [(self._account(), "TotalCashBalance", "1", "BASE"), (self._account(), "AccountType", "IND", "")]
                return [*(wire.account_value(int(fields[2]), *one) for one in (*figures, *base, *self.more_cash)),
                        [74, 1, fields[2]]]
        assert kind == CANCEL, fields
        return self._cancel(line, int(fields[2]))

    def _cancel(self, line: Line, number: int) -> list[list[Any]]:
        if self.cancels_say is not None:
            return [wire.error(number, *self.cancels_say, line.version)]
        order = next((order for order in self.orders
                      if (order.body.get("client"), order.body.get("number")) == (line.client, number)), None)
        if order is None:
            return [wire.error(number, 10147, f"OrderId {number} that needs to be cancelled is not found.",
                               line.version)]
        if not self.cancel(order):
            return [wire.error(number, 10148, f"OrderId {number} that needs to be cancelled can not be cancelled, "
                               f"state: {_STATUS[order.status]}.", line.version)]
        return [wire.order_status(self._shown(order)),
                wire.error(number, 202, "Order Canceled - reason:", line.version)]

    def _account(self) -> str:
        return self.accounts.split(",")[0]

    def _share(self, symbol: str) -> Share:
        return SHARES[symbol.replace(".", " ")]

    def _shown(self, order: Placed) -> Shown:
        status = "PendingSubmit" if self.pending and order.status == "open" else _STATUS[order.status]
        status = "Inactive" if order.venue_id in self.inactive and order.status == "open" else status
        status = "PendingCancel" if order.venue_id in self.cancelling and order.status == "open" else status
        leaves = max(order.quantity - order.filled, Decimal(0)) if order.status == "open" else Decimal(0)
        body = order.body
        return Shown(self._share(order.symbol), order.side.upper(), str(order.quantity), str(order.filled), str(leaves),
                     status, order.client_id, body.get("number", 0), body.get("client", 0),
                     0 if self.pending else int(order.venue_id), self._account(), body.get("kind", "MKT"),
                     body.get("limit", ""), body.get("tif", "DAY"))

    def _completed(self, order: Placed, version: int) -> list[Any]:
        shown = self._shown(order)
        if order.venue_id in self.unsure:
            shown = shown._replace(filled="")
        how = _HOW[order.status].format(order.detail or order.filled)
        return wire.completed_order(shown, version, how, order.changed)

    def _executions(self, number: int, order: Placed, version: int, *,
                    only: Execution | None = None) -> list[list[Any]]:
        """Executions of an order with their corrections, each with what it cost."""
        found: list[list[Any]] = []
        total = Decimal(0)
        shown = self._shown(order)
        for fill in order.fills:
            total += fill.quantity
            tellings = self._tellings(fill)
            if fill.fill_id in self.forgotten or only not in (None, fill):
                continue
            for revision, (quantity, price) in enumerate(tellings if only is None else tellings[-1:],
                                                         1 if only is None else len(tellings)):
                name = f"0000e0d5.{fill.fill_id}.01.{revision:02d}"
                told = (name, str(quantity), str(price), str(total), fill.at)
                found.append(wire.execution(number, shown, told, version))
                if self.commission is not None:
                    found.append(wire.commission(name, self.commission, self.commission_currency))
        return found

    def _tellings(self, fill: Execution) -> list[Correction]:
        """An execution as it was told at first, and each time after."""
        first = self.originals.setdefault(fill.fill_id, Correction(fill.quantity, fill.price))
        return [first, *self.corrections.get(fill.fill_id, [])]

    def _fill(self, fill_id: str) -> tuple[Placed, Execution]:
        order, fill = next((order, fill) for order in self.orders for fill in order.fills if fill.fill_id == fill_id)
        self._tellings(fill)
        return order, fill


def _seen(fields: list[str]) -> Seen:
    """The order of a message."""
    return Seen(fields[26], fields[3].replace(" ", "."), fields[16].lower(), Decimal(fields[17]))


def _body(fields: list[str], line: Line) -> dict[str, Any]:
    """What else a test may want to know of it."""
    return {"number": int(fields[1]), "client": line.client, "contract": int(fields[2]), "exchange": fields[9],
            "currency": fields[11], "kind": fields[18], "limit": fields[19], "stop": fields[20], "tif": fields[21],
            "account": fields[23]}
