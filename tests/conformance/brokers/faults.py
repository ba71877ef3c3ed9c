"""What every stand-in for a venue has in common: its books, what it saw, and the ways in which it can misbehave.

A `VenueServer` listens on this machine and speaks a venue's real wire format, so that the real client library talks to
it. Tests decide what happens at the venue (`fill`, `end`, `bust`, `foreign`) and what goes wrong on the way (`faults`),
and assert on what the server saw: `seen`, `live()`, `requests`.
"""

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
"""When a server's clock begins unless a test gives it another one; the executor's test world begins then too."""


class Seen(NamedTuple):
    """One submit as it arrived on the wire, whatever became of it. Numbers as the venue reads them."""

    client_id: str
    symbol: str
    side: str
    quantity: Decimal


@dataclass(slots=True)
class Faults:
    """What goes wrong. Counters are for the next so many requests of their kind; the rest holds until it is changed.

    `latency_s`: every answer waits. `silent`: requests are read and never answered, and nothing is taken.
    `status`: the next requests are answered with these codes and seconds of Retry-After before anything is taken;
    0 over HTTP is one that goes well. `order_status`: the next orders, while questions are answered.
    `refuse`: orders are refused for good, in the venue's words. `unauthorized`: the credentials are not accepted.
    Orders that are taken all the same: `fail_after_commit` answers 5xx, `lose_answer` closes the connection,
    `late_accept` closes it and takes the order only when the test calls `accept_late`.
    Every answer: `truncate` sends half of it, `garbage` sends an HTML page, `redirect` points elsewhere on this server.
    Events: `duplicate_events` tells each twice, `shuffle_events` tells the newest first. `skew_s`: the venue's clock.
    """

    latency_s: float = 0.0
    silent: bool = False
    status: list[tuple[int, float | None]] = field(default_factory=list)
    order_status: list[tuple[int, float | None]] = field(default_factory=list)
    refuse: bool = False
    unauthorized: bool = False
    fail_after_commit: int = 0
    lose_answer: int = 0
    late_accept: int = 0
    truncate: int = 0
    garbage: int = 0
    redirect: int = 0
    duplicate_events: bool = False
    shuffle_events: bool = False
    skew_s: float = 0.0

    def use(self, name: str) -> bool:
        """Whether a counted fault is due; counts it down."""
        left = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return bool(left)


@dataclass(slots=True)
class Execution:
    """One execution of an order. `busted`: taken back."""

    fill_id: str
    quantity: Decimal
    price: Decimal
    at: datetime
    busted: bool = False


@dataclass(slots=True)
class Placed:
    """One order in the venue's books. `status`: open, filled, cancelled, expired, rejected. `body`: as it was sent."""

    venue_id: str
    client_id: str
    symbol: str
    side: str
    quantity: Decimal
    at: datetime
    body: dict[str, Any]
    status: str = "open"
    detail: str = ""
    changed: datetime = START
    fills: list[Execution] = field(default_factory=list)

    @property
    def filled(self) -> Decimal:
        """What was executed and stands."""
        return sum((fill.quantity for fill in self.fills if not fill.busted), Decimal(0))

    @property
    def average(self) -> Decimal:
        """Average price of what was executed, zero before the first execution."""
        worth = sum((fill.quantity * fill.price for fill in self.fills if not fill.busted), Decimal(0))
        return worth / self.filled if self.filled else Decimal(0)


class VenueServer(ABC):
    """Books and controls. Subclasses listen on `url`, turn requests into `take`, `find` and `cancel`, and render.

    Everything that touches the books holds `lock`. `deduplicates` says whether `take` knows a client id again, as the
    real venue would. `clock` is the venue's; `seen` counts every submit that arrived, taken or not.
    """

    deduplicates = True

    def __init__(self) -> None:
        self.faults = Faults()
        self.seen: list[Seen] = []
        self.requests = 0
        self.lock = threading.RLock()
        self.orders: list[Placed] = []
        self.late: list[tuple[Seen, dict[str, Any]]] = []
        self.positions: dict[str, Decimal] = {}
        self.balances: dict[str, Decimal] = {}
        self.stopping = threading.Event()
        self._ticks = 0
        self.clock: Callable[[], datetime] = self._tick

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it listens: what `AccountSettings.url` is set to."""

    @abstractmethod
    def stop(self) -> None:
        """Stop listening and end every thread. Sets `stopping` first, which ends all waits."""

    def disconnect(self) -> None:  # noqa: B027 - a venue without lasting connections has none to drop
        """Drop every lasting connection (sockets, streams); it may be opened again at once."""

    def told(self, order: Placed, what: str, fill: Execution | None = None) -> None:  # noqa: B027 - not all push
        """Something happened to an order (`new`, `fill`, `end`, `bust`): push it, where the venue has a stream."""

    def now(self) -> datetime:
        """The venue's clock with its skew."""
        return self.clock() + timedelta(seconds=self.faults.skew_s)

    def _tick(self) -> datetime:
        """A millisecond for each look, so that times differ and repeat from run to run."""
        self._ticks += 1
        return START + timedelta(milliseconds=self._ticks)

    def live(self) -> dict[str, int]:
        """How many orders were ever taken under each client id."""
        with self.lock:
            return dict(Counter(order.client_id for order in self.orders if order.client_id))

    def take(self, seen: Seen, body: dict[str, Any]) -> Placed | None:
        """Take an order into the books. `None`: its client id is known already (only where that is looked at)."""
        with self.lock:
            if self.deduplicates and seen.client_id and self.find(seen.client_id) is not None:
                return None
            order = Placed(self.venue_id(len(self.orders) + 1), *seen, self.now(), body)
            order.changed = order.at
            self.orders.append(order)
        self.told(order, "new")
        return order

    def venue_id(self, number: int) -> str:
        """The venue's own name for its n-th order. Venues whose names look different override this."""
        return str(700_000 + number)

    def accept_late(self) -> None:
        """Take the orders that `late_accept` has kept back."""
        late, self.late = self.late, []
        for seen, body in late:
            self.take(seen, body)

    def find(self, client_id: str) -> Placed | None:
        """The first order under a client id."""
        return next((order for order in self.orders if order.client_id == client_id), None)

    def by_venue_id(self, venue_id: str) -> Placed | None:
        """The order with the venue's own name."""
        return next((order for order in self.orders if order.venue_id == venue_id), None)

    def fill(self, client_id: str, quantity: str, price: str, *, fill_id: str) -> None:
        """Execute a part of an order, or more than all of it; the position moves with it."""
        with self.lock:
            order = self._known(client_id)
            done = Execution(fill_id, Decimal(quantity), Decimal(price), self.now())
            order.fills.append(done)
            order.changed = done.at
            if order.filled >= order.quantity and order.status == "open":
                order.status = "filled"
            self._move(order, done.quantity)
        self.told(order, "fill", done)

    def end(self, client_id: str, how: str, detail: str = "") -> None:
        """End the rest of an order: `cancelled`, `expired` or `rejected`."""
        with self.lock:
            order = self._known(client_id)
            order.status, order.detail, order.changed = how, detail, self.now()
        self.told(order, "end")

    def cancel(self, order: Placed) -> bool:
        """What a request to cancel does: ends the order if it works. Whether it did."""
        with self.lock:
            if order.status != "open":
                return False
            order.status, order.changed = "cancelled", self.now()
        self.told(order, "end")
        return True

    def bust(self, fill_id: str) -> None:
        """Take an execution back; the position moves back with it."""
        with self.lock:
            order, fill = next((order, fill) for order in self.orders for fill in order.fills
                               if fill.fill_id == fill_id)
            fill.busted, order.changed = True, self.now()
            self._move(order, -fill.quantity)
        self.told(order, "bust", fill)

    def foreign(self, symbol: str, side: str, quantity: str) -> str:
        """Somebody else places an order in this account, without a name of ours. Returns the venue's name for it."""
        with self.lock:
            order = Placed(self.venue_id(len(self.orders) + 1), "", symbol, side, Decimal(quantity), self.now(), {})
            order.changed = order.at
            self.orders.append(order)
        self.told(order, "new")
        return order.venue_id

    def position(self, symbol: str, quantity: str) -> None:
        """Say what the account holds, signed; nothing if zero. `symbol` as `Instrument.symbol` spells it."""
        with self.lock:
            self.positions[symbol] = Decimal(quantity)

    def cash(self, currency: str, amount: str) -> None:
        """Say what cash the account holds."""
        with self.lock:
            self.balances[currency] = Decimal(amount)

    def _known(self, client_id: str) -> Placed:
        order = self.find(client_id)
        assert order is not None, f"no order {client_id} at the venue"
        return order

    def _move(self, order: Placed, quantity: Decimal) -> None:
        signed = quantity if order.side == "buy" else -quantity
        self.positions[order.symbol] = self.positions.get(order.symbol, Decimal(0)) + signed
