"""What the broker suites share: orders that passed the fences, a venue and an adapter that talk, polls, patience."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from tests.conformance.brokers.faults import START, VenueServer
from tests.unit.executor.venues import Venue
from tests.unit.executor.world import INSTRUMENTS, World, vault
from vanta.common.errors import OutsideError
from vanta.common.instruments import Instrument
from vanta.executor.brokers.port import Answer, Broker, Event, Fill, RealBroker
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry

PLANTED = "PLANTED7k3yPLANTED7k3y"
"""The secret that no output may show. Every secret handed to an adapter under test contains it."""

TAIL = PLANTED[-5:]
"""The end of it, which no id can contain: libraries that shorten what they log show the ends."""

SILENCE_S = 0.4
"""The timeout of an adapter whose venue is silent."""

NO_ANSWER = ("fail_after_commit", "lose_answer", "truncate", "garbage", "late_accept")
"""Ways to lose the answer to an order that was taken, or will be."""


class Order(NamedTuple):
    """An order that passed the fences, and what the journal would hold of it."""

    approved: Approved
    entry: OrderEntry

    @property
    def order_id(self) -> str:
        """The client order id."""
        return self.approved.order_id


class _Taker(Venue):
    """Takes everything and keeps what it was handed."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Approved] = []

    def _submit(self, order: Approved, now: datetime) -> Answer:
        self.taken.append(order)
        return super()._submit(order, now)


class _TakerWorld(World):
    def make_brokers(self) -> dict[str, Broker]:
        self.taker = _Taker()
        return {"paper": self.taker}


def make_order(instrument_id: str, notional: str, *, price: str, **orders: Any) -> Order:
    """A buy order as the executor hands it to a broker. `orders` are the terms that its vault asks for."""
    world = _TakerWorld(vaults=[vault(orders=orders)])
    world.quote(instrument_id, price)
    name = world.want(instrument_id, notional)
    world.step()
    order_id = world.book.intents[name].order_id
    assert order_id is not None, world.codes(name)
    entry = world.book.orders[order_id]
    entry.venue_id = ""  # the venue under test has not named it
    return Order(world.taker.taken[-1], entry)


def make_stop(instrument_id: str, side: str, *, price: str, quantity: str) -> Order:
    """A stop of 5 % for what was traded on `side` at that price, as the executor hands it to a broker to rest there."""
    world = _TakerWorld(vaults=[vault(orders={"stops": "venue"}, allocation={"allow_short": True})])
    world.quote(instrument_id, price)
    name = world.want(instrument_id, str(Decimal(price) * Decimal(quantity)), side=side, exit_plan={
        "stop_pct": "0.05", "trail_pct": None, "take_profit_pct": None, "max_holding_s": None})
    world.step()
    order_id = str(world.book.intents[name].order_id)
    world.taker.events.append(Fill(order_id, "f1", Decimal(quantity), Decimal(price), Decimal(0), world.clock.now()))
    world.step()
    (entry,) = [order for order in world.book.orders.values() if order.stop_price is not None]
    entry.venue_id = ""  # the venue under test has not named it
    return Order(world.taker.taken[-1], entry)


def wait_for(condition: Callable[[], bool], what: str, *, bound_s: float = 120.0) -> None:
    """Wait until something is so. The bound is only for a machine on which it never becomes so.

    It is long: a busy machine gives a process a hundredth of its time, and an adapter's first question loads a library.
    """
    end = time.monotonic() + bound_s
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.01)


class Setting:
    """What a subclass says about its venue."""

    instrument_id = "equity:AAPL"
    price = "200.00"
    notional = "1000"
    quantity = "5"
    """`notional / price`, as the server has to see it."""
    cash_currency = "USD"
    itemises = True
    """Whether the venue tells each execution; if not, only how much was executed and at which average."""
    answers_lost: tuple[str, ...] = NO_ANSWER
    """Ways to lose an answer that exist on this venue's wire."""

    def make_server(self) -> VenueServer:
        """A server that listens."""
        raise NotImplementedError

    def make_broker(self, server: VenueServer, timeout_s: float) -> RealBroker:
        """The adapter, with `PLANTED` in its secrets, on INSTRUMENTS."""
        raise NotImplementedError

    def hung_up(self, broker: RealBroker) -> None:
        """A new adapter talks over a connection that outlives its server's end: take it away."""

    @property
    def instrument(self) -> Instrument:
        """What is traded."""
        return INSTRUMENTS[self.instrument_id]

    @pytest.fixture
    def server(self) -> Iterator[VenueServer]:
        """The venue, which knows the account and its cash."""
        server = self.make_server()
        server.cash(self.cash_currency, "100000")
        yield server
        server.stop()

    @pytest.fixture
    def broker(self, server: VenueServer) -> Iterator[RealBroker]:
        """The adapter with time to wait."""
        with closing(self.make_broker(server, 20.0)) as broker:
            yield broker

    @pytest.fixture
    def hasty(self, server: VenueServer) -> Iterator[RealBroker]:
        """The adapter with little patience, for venues that are silent."""
        with closing(self.make_broker(server, SILENCE_S)) as broker:
            yield broker

    def order(self) -> Order:
        """One order to buy `quantity`. Every call gives another order, or another home's."""
        return make_order(self.instrument_id, self.notional, price=self.price)


class Polls:
    """Polls as the executor does, by a clock that is moved by hand: `step_s` for each look."""

    def __init__(self, broker: Broker, start: datetime = START, *, step_s: float = 2.0) -> None:
        self.broker, self.step_s = broker, step_s
        self.now = start
        self.events: list[Event] = []

    def once(self) -> Sequence[Event]:
        """One poll, a step later. Raises what the broker raises."""
        self.now += timedelta(seconds=self.step_s)
        found = self.broker.poll(self.now)
        self.events += found
        return found

    def until(self, condition: Callable[[list[Event]], bool], what: str) -> list[Event]:
        """Poll until the events so far satisfy; answers that do not come are waited for."""
        failures: list[str] = []

        def satisfied() -> bool:
            try:
                self.once()
            except OutsideError as error:
                failures.append(error.what)
                return False
            return condition(self.events)

        try:
            wait_for(satisfied, what)
        except AssertionError as error:
            error.add_note(f"{len(failures)} polls failed, at last: {failures[-3:]}")
            raise
        return self.events

    def fills(self, count: int) -> dict[str, Fill]:
        """Poll until there are so many executions; by id, as the executor books them."""
        self.until(lambda events: len(by_id(events)) >= count, f"{count} executions, but {self.events}")
        return by_id(self.events)

    def units(self, quantity: int) -> dict[str, Fill]:
        """Poll until so much was executed; by id, as the executor books it."""
        self.until(lambda events: units(by_id(events)) >= quantity, f"{quantity} executed, but {self.events}")
        assert units(by_id(self.events)) == quantity
        return by_id(self.events)


def units(fills: Mapping[str, Fill]) -> Decimal:
    """How much was executed."""
    return sum((fill.quantity for fill in fills.values()), Decimal(0))


def worth(fills: Mapping[str, Fill]) -> Decimal:
    """What it came to before fees, to a hundredth of a cent: an average cannot be told more exactly."""
    return sum((fill.quantity * fill.price for fill in fills.values()), Decimal(0)).quantize(Decimal("0.0001"))


def by_id(events: Sequence[Event]) -> dict[str, Fill]:
    """Executions by id; one that is told twice must be told alike."""
    found: dict[str, Fill] = {}
    for event in events:
        if isinstance(event, Fill):
            assert found.setdefault(event.fill_id, event) == event
    return found
