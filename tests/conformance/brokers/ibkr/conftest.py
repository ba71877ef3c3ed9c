"""A gateway, and adapters that talk with it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.conformance.brokers.faults import START
from tests.conformance.brokers.ibkr_server import IbkrServer
from tests.conformance.brokers.ibkr_setting import ibkr, share
from tests.conformance.brokers.setting import wait_for
from vanta.executor.brokers.ibkr import IbkrBroker
from vanta.executor.brokers.port import Rejected


@pytest.fixture
def venue() -> Iterator[IbkrServer]:
    """The gateway, with cash."""
    server = IbkrServer()
    server.cash("USD", "100000")
    yield server
    server.stop()


@pytest.fixture
def broker(venue: IbkrServer) -> Iterator[IbkrBroker]:
    """The adapter with time to wait."""
    with closing(ibkr(venue)) as broker:
        yield broker


@pytest.fixture
def hasty(venue: IbkrServer) -> Iterator[IbkrBroker]:
    """The adapter with little patience, already connected, which knows the number of Apple's share."""
    with closing(ibkr(venue, 0.25)) as broker:
        venue.faults.refuse = True
        wait_for(lambda: isinstance(broker.submit(share().approved, now=START), Rejected), "the warm-up")
        venue.faults.refuse = False
        venue.seen.clear()
        yield broker
