"""Every request that a venue sees is one line in the log of calls, under the real libraries; off the list: none."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from typing import Any, NamedTuple

import pytest

from tests.conformance.brokers.alpaca_server import KEY, AlpacaServer
from tests.conformance.brokers.bybit_server import BybitServer
from tests.conformance.brokers.coinbase_server import CoinbaseServer
from tests.conformance.brokers.faults import START
from tests.conformance.brokers.http_venue import HttpVenue
from tests.conformance.brokers.ibkr_server import ACCOUNT, IbkrServer
from tests.conformance.brokers.setting import PLANTED, SILENCE_S, Order, make_order, wait_for
from tests.conformance.brokers.tradier_server import ACCOUNT as NUMBER
from tests.conformance.brokers.tradier_server import TradierServer
from tests.unit.executor.world import INSTRUMENTS
from vanta.common.clock import SystemClock
from vanta.common.errors import OutcomeUnknown, OutsideError
from vanta.common.models.configuration import AccountSettings
from vanta.common.outside.allowed import Allowed
from vanta.common.outside.ledger import MemoryLedger
from vanta.common.outside.out import Out
from vanta.executor.brokers.port import Postponed, RealBroker
from vanta.executor.wire import ADAPTERS


class Venue(NamedTuple):
    """A server, and how its adapter is configured."""

    server: Callable[[], HttpVenue]
    adapter: str
    secrets: Mapping[str, str]
    options: Mapping[str, Any] = {}
    instrument_id: str = "equity:AAPL"


VENUES = {
    "alpaca": Venue(lambda: AlpacaServer(PLANTED), "alpaca", {"key_id": KEY, "secret_key": PLANTED},
                    {"stream": False, "recent_s": 0}),
    "tradier": Venue(lambda: TradierServer(PLANTED), "tradier", {"access_token": PLANTED},
                     {"account_id": NUMBER, "poll_s": 1}),
    "coinbase": Venue(lambda: CoinbaseServer(key_name=f"organizations/0000/apiKeys/{PLANTED}"), "ccxt", {},
                      {"exchange": "coinbase"}, "crypto:BTC-USD"),
    "bybit": Venue(lambda: BybitServer("USD", (f"key-{PLANTED}", f"secret-{PLANTED}")), "ccxt", {},
                   {"exchange": "bybit", "quote": "USD"}, "crypto:BTC-USD"),
}


class Setup(NamedTuple):
    """One venue and its adapter, by a way out of its own."""

    venue: Venue
    server: HttpVenue
    broker: RealBroker
    out: Out
    ledger: MemoryLedger


@pytest.fixture(params=VENUES)
def setup(request: pytest.FixtureRequest) -> Iterator[Setup]:
    """Each venue in turn."""
    venue = VENUES[request.param]
    server, ledger = venue.server(), MemoryLedger()
    server.cash("USD", "1000000")
    out = Out(Allowed.of(["127.0.0.1"], here=False), ledger, SystemClock())
    secrets = venue.secrets or server.secrets  # type: ignore[attr-defined]
    broker = ADAPTERS[venue.adapter](
        AccountSettings(adapter=venue.adapter, url=server.url, timeout_s=20.0, options=dict(venue.options)),  # type: ignore[arg-type]
        secrets, lambda: INSTRUMENTS, live=False, out=out)
    with closing(broker):
        yield Setup(venue, server, broker, out, ledger)
    server.stop()


def some(venue: Venue) -> Order:
    """An order for what is traded there."""
    return make_order(venue.instrument_id, "1000", price="200.00" if "equity" in venue.instrument_id else "50000")


def worked(setup: Setup) -> str:
    """An order is sent, asked about and cancelled, and the account looked at. Returns the order's id."""
    order = some(setup.venue)
    setup.broker.holdings(START)
    setup.broker.submit(order.approved, now=START)
    setup.broker.lookup(order.order_id)
    setup.broker.poll(START)
    setup.broker.cancel(order.order_id, now=START)
    return order.order_id


def test_each_request_is_one_line_with_the_servers_own_figures(setup: Setup) -> None:
    """Status and bytes as the venue answered them, in its order; what each was for; and that is all."""
    order_id = worked(setup)
    with suppress(OutsideError):
        setup.server.faults.status = [(503, None)]
        setup.broker.holdings(START)
    calls = setup.ledger.calls
    assert [(one.status, one.size) for one in calls] == [(str(status), size) for status, size in setup.server.answered]
    assert len(calls) == setup.server.requests
    assert {one.purpose for one in calls} == {"venue:holdings", "venue:submit", "venue:lookup", "venue:poll",
                                              "venue:cancel"}
    assert {(str(one.kind), one.host) for one in calls} == {("call.made", "127.0.0.1")}
    assert {"GET", "POST"} <= {one.method for one in calls}
    written = json.dumps([one.body() for one in calls])
    port = setup.server.url.rpartition(":")[2]
    assert not [word for word in (PLANTED, KEY, NUMBER, order_id, f":{port}", "/v", "?") if word in written]


def test_a_host_off_the_list_is_not_asked_anything(setup: Setup) -> None:
    """Each attempt leaves a line, and the order is not thought to be at the venue without asking."""
    setup.out.allowed = Allowed.of(["api.example.org"], here=False)
    with pytest.raises(OutsideError, match="not among the hosts"):
        setup.broker.holdings(START)
    with suppress(OutcomeUnknown):  # an adapter that has to learn something first knows that nothing was sent
        assert isinstance(setup.broker.submit(some(setup.venue).approved, now=START), Postponed)
    assert (setup.server.requests, setup.server.seen) == (0, [])
    assert {(str(one.kind), one.host, one.status) for one in setup.ledger.calls} == {
        ("call.refused", "127.0.0.1", "off_list")}
    assert [one.purpose for one in setup.ledger.calls] == ["venue:holdings", "venue:submit"]


def test_a_venue_that_is_gone_leaves_its_lines(setup: Setup) -> None:
    """Asked, and not answered."""
    setup.server.stop()
    with pytest.raises(OutsideError):
        setup.broker.holdings(START)
    assert [one.status for one in setup.ledger.calls] == ["refused"]


def stream(server: AlpacaServer, out: Out) -> RealBroker:
    """Alpaca's adapter with its stream."""
    return ADAPTERS["alpaca"](
        AccountSettings(adapter="alpaca", url=server.url, timeout_s=20.0, options={"stream_url": server.stream_url}),
        {"key_id": KEY, "secret_key": PLANTED}, lambda: INSTRUMENTS, live=False, out=out)


def test_a_stream_is_two_lines(request: pytest.FixtureRequest) -> None:
    """It was opened, it ended. Its bytes nobody counts."""
    server, ledger = AlpacaServer(PLANTED), MemoryLedger()
    request.addfinalizer(server.stop)
    with closing(stream(server, Out(Allowed.of([]), ledger, SystemClock()))) as broker:
        broker.poll(START)
        wait_for(lambda: any(one.purpose == "venue:stream" for one in ledger.calls), "the stream")
    of_stream = [one for one in ledger.calls if one.purpose == "venue:stream"]
    assert [(str(one.kind), one.host, one.status, one.size) for one in of_stream] == [
        ("call.opened", "127.0.0.1", "opened", None), ("call.closed", "127.0.0.1", "closed", None)]


def test_a_stream_off_the_list_is_a_line(request: pytest.FixtureRequest) -> None:
    """And no connection."""
    server, ledger = AlpacaServer(PLANTED), MemoryLedger()
    request.addfinalizer(server.stop)
    out = Out(Allowed.of(["x.org"], here=False), ledger, SystemClock())
    with closing(stream(server, out)) as broker:
        with pytest.raises(OutsideError):
            broker.poll(START)
        wait_for(lambda: any((one.purpose, one.status) == ("venue:stream", "off_list") for one in ledger.calls), "it")


@pytest.fixture
def gateway() -> Iterator[IbkrServer]:
    server = IbkrServer()
    server.cash("USD", "100000")
    yield server
    server.stop()


def at_gateway(server: IbkrServer, out: Out, timeout_s: float = 20.0) -> RealBroker:
    """The adapter of Interactive Brokers."""
    return ADAPTERS["ibkr"](AccountSettings(adapter="ibkr", url=server.url, timeout_s=timeout_s,
                                            options={"reconnect_s": 0}), {}, lambda: INSTRUMENTS, live=False, out=out)


def test_a_gateway_is_two_lines_a_connection(gateway: IbkrServer) -> None:
    """With the bytes that came over it. Whatever is asked over it goes through the gateway."""
    ledger = MemoryLedger()
    with closing(at_gateway(gateway, Out(Allowed.of([]), ledger, SystemClock()))) as broker:
        broker.holdings(START)
        broker.holdings(START)
    opened, closed = ledger.calls
    assert {(one.host, one.purpose) for one in (opened, closed)} == {("127.0.0.1", "venue:gateway")}
    assert [(str(one.kind), one.status) for one in (opened, closed)] == [
        ("call.opened", "opened"), ("call.closed", "closed")]
    assert closed.size is not None
    assert closed.size > 200
    assert ACCOUNT not in json.dumps([one.body() for one in ledger.calls])


def test_a_gateway_off_the_list_gone_or_silent_is_a_line(gateway: IbkrServer) -> None:
    """The first without a packet, the others with the reason."""
    ledger = MemoryLedger()
    out = Out(Allowed.of(["10.0.0.1"], here=False), ledger, SystemClock())
    with closing(at_gateway(gateway, out, SILENCE_S)) as broker:
        with pytest.raises(OutsideError, match="not among the hosts"):
            broker.holdings(START)
        assert gateway.requests == 0
        gateway.faults.silent = True
        out.allowed = Allowed.of([])
        with pytest.raises(OutsideError, match="no answer within"):
            broker.holdings(START)
        gateway.stop()
        out.allowed = Allowed.of([])
        with pytest.raises(OutsideError, match="nothing answers"):
            broker.holdings(START)
    assert [one.status for one in ledger.calls] == ["off_list", "timeout", "refused"]
