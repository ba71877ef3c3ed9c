"""What the tests of TWS and IB Gateway share: adapters at the local gateway, orders, patience."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tests.conformance.brokers.faults import START, VenueServer
from tests.conformance.brokers.ibkr_server import IbkrServer
from tests.conformance.brokers.setting import PLANTED, Order, make_order, wait_for
from tests.unit.executor.world import INSTRUMENTS
from vanta.common.errors import OutsideError
from vanta.common.models.configuration import AccountSettings
from vanta.executor.brokers.ibkr import IbkrBroker
from vanta.executor.brokers.port import Accepted, Ended, Event

T = TypeVar("T")


def ibkr(server: VenueServer, timeout_s: float = 20.0, **options: object) -> IbkrBroker:
    """The adapter at this server."""
    return IbkrBroker(AccountSettings(adapter="ibkr", url=server.url, timeout_s=timeout_s,
                                      options={"reconnect_s": 0, **options}),
                      {"unused": PLANTED}, lambda: INSTRUMENTS, live=False)


def share() -> Order:
    """Five shares of Apple."""
    return make_order("equity:AAPL", "1000", price="200.00")


def ended(events: list[Event]) -> list[str]:
    """How orders ended."""
    return [event.how for event in events if isinstance(event, Ended)]


def taken(venue: IbkrServer, broker: IbkrBroker) -> Order:
    """An order that works."""
    order = share()
    assert isinstance(broker.submit(order.approved, now=START), Accepted)
    return order


@contextmanager
def said_when_asked(venue: IbkrServer, kind: int, says: list[tuple[int, int, str]],
                    late: list[list[object]] | None = None) -> Iterator[None]:
    """The gateway says something as soon as another message of a kind has come: errors, and what was asked long ago.

    The latter comes over the connections that were there before.
    """
    before, lines = venue.kinds[kind], list(venue.lines)

    def tell() -> None:
        wait_for(lambda: venue.kinds[kind] > before, "the question")
        for one in says:
            venue.say(*one)
        for line in lines:
            line.tell(*(late or []))

    telling = threading.Thread(target=tell)
    telling.start()
    yield
    telling.join()


def refused(ask: Callable[[], object]) -> str:
    """Why there is no answer to a question; empty if there is one. That the machine is slow is no reason."""
    said = "no answer within"
    while "no answer within" in said:
        try:
            ask()
        except OutsideError as error:
            said = error.what
        else:
            return ""
    return said


def patiently(ask: Callable[[], T | None]) -> T:
    """The answer of an adapter with little patience, on a machine that may be slow."""
    found: list[T | None] = []
    assert refused(lambda: found.append(ask())) == ""
    (answer,) = found
    assert answer is not None
    return answer


def lost_for(broker: IbkrBroker) -> None:
    """Wait until the adapter has noticed that the gateway lost its line, without asking anything."""
    talk = broker._link._talk
    wait_for(lambda: talk is not None and talk.cut is not None, "the loss")
