"""ib_async against a local gateway that speaks the socket protocol: the common suites, and what only TWS does."""

import pytest

from tests.conformance.brokers.executor_suite import VenueWorld
from tests.conformance.brokers.faults import START, VenueServer
from tests.conformance.brokers.ibkr_server import IbkrServer
from tests.conformance.brokers.ibkr_setting import ibkr
from tests.conformance.brokers.setting import Setting
from tests.conformance.brokers.suite import BrokerSuite, BustSuite
from tests.conformance.brokers.terms_suite import OnTerms, StopSuite, TermsSuite, TermsUnderTheExecutor
from tests.unit.executor.world import without_permission
from vanta.common.errors import OutcomeUnknown, OutsideError
from vanta.executor.brokers.port import Accepted, Postponed, RealBroker

OTHERWISE = {
    "test_a_busy_venue_says_for_how_long": "TWS does not say for how long; error 100 stands for status 429",
    "test_a_redirect_is_not_followed_with_an_order": "a socket knows no redirect; error 1300 names another port",
    "test_silence_ends_by_the_adapters_own_timeout": "a gateway that is silent at the opening is sent nothing at all",
}
"""Tests of the common suite that say here what their point is on a socket, and why."""


class Ibkr(OnTerms):
    """Shares at Interactive Brokers."""

    day, gtc, market_day = "DAY", "GTC", "DAY"
    answers_lost = ("lose_answer", "truncate", "garbage", "late_accept")
    """There is no status 502 for an order that was taken: a line that is lost comes nearest, and has its own test."""

    client_id = 17

    def make_server(self) -> VenueServer:
        """See `Setting`."""
        return IbkrServer()

    def make_broker(self, server: VenueServer, timeout_s: float) -> RealBroker:
        """See `Setting`."""
        return ibkr(server, timeout_s, client_id=self.client_id)

    def terms_sent(self, server: VenueServer) -> list[tuple[str, str | None, str]]:
        """See `OnTerms`."""
        kinds = {"MKT": "market", "LMT": "limit"}
        return [(kinds[order.body["kind"]], order.body["limit"] or None, order.body["tif"]) for order in server.orders]


class TestIbkr(Ibkr, BrokerSuite, BustSuite, TermsSuite, StopSuite):
    """The adapter, asked directly."""

    stop_words = "STP"

    def stops_sent(self, server: VenueServer) -> list[tuple[str, str | None, str | None, str]]:
        """See `StopSuite`."""
        return [(one.body["kind"], one.body["stop"] or None, one.body["limit"] or None, one.body["tif"])
                for one in server.orders]

    def days_pass(self, server: VenueServer) -> None:
        """See `TermsSuite`: a gateway lists what was over and executed today."""
        assert isinstance(server, IbkrServer)
        server.disconnect()
        server.forgotten.update(fill.fill_id for order in server.orders for fill in order.fills)

    def test_a_busy_venue_says_for_how_long(self, server: VenueServer, broker: RealBroker) -> None:
        """Too many messages: the order was not taken, and may be sent in a second."""
        server.faults.order_status = [(429, None)]
        answer = broker.submit(self.order().approved, now=START)
        assert answer == Postponed("ibkr 100: Max rate of messages per second has been exceeded:max=50 rec=51", 1.0)
        assert (len(server.seen), server.live()) == (1, {})

    def test_a_redirect_is_not_followed_with_an_order(self, server: VenueServer, broker: RealBroker) -> None:
        """The gateway names another port while the order is out: the order's outcome is open, nobody goes there."""
        assert isinstance(server, IbkrServer)
        other = IbkrServer()
        server.says = [(1300, f"TWS socket port has been reset. Please reconnect on the new port - {other.port}")]
        with pytest.raises(OutcomeUnknown, match="listens on another port"):
            broker.submit(self.order().approved, now=START)
        other.stop()
        assert (len(server.seen), other.opened) == (1, 0)

    def test_silence_ends_by_the_adapters_own_timeout(self, server: VenueServer, hasty: RealBroker) -> None:
        """At the opening nothing was sent; after it the outcome is open. Questions have no answer either way."""
        assert isinstance(hasty.submit(self.order().approved, now=START), Accepted)
        server.faults.silent = True
        with pytest.raises(OutcomeUnknown, match=r"no answer within 0\.4 s"):
            hasty.submit(self.order().approved, now=START)
        assert len(server.seen) == 2
        assert isinstance(hasty.submit(self.order().approved, now=START), Postponed)
        assert len(server.seen) == 2
        with pytest.raises(OutsideError):
            hasty.lookup("vaaaaaa-aaaaaaaaaaaaaaaaaaaa-1")
        with pytest.raises(OutsideError):
            hasty.poll(START)
        with pytest.raises(OutsideError):
            hasty.holdings(START)


class TestIbkrUnderTheExecutor(Ibkr, TermsUnderTheExecutor):
    """The adapter in use."""

    def test_a_correction_reaches_the_books(self, world: VenueWorld, server: VenueServer) -> None:
        """What it replaces is taken back, and somebody has to look; position and cash follow the venue."""
        assert isinstance(server, IbkrServer)
        cash = world.cash()
        name, order_id = self.sent(world)
        server.fill(order_id, self.quantity, "200", fill_id="e1")
        world.until_state(name, "filled")
        server.correct("e1", self.quantity, "199")
        world.until(lambda: "broker.fill_busted" in world.latched(), "the latch")
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync after it")
        assert world.held(self.instrument_id) == 5
        assert cash - world.cash() == 5 * 199

    def test_a_correction_while_nobody_was_there_reaches_the_books(self, world: VenueWorld,
                                                                   server: VenueServer) -> None:
        """The new process was told neither the first telling nor that it was replaced."""
        assert isinstance(server, IbkrServer)
        name, order_id = self.sent(world)
        server.fill(order_id, "2", "200", fill_id="e1")
        world.until_state(name, "partially_filled")
        server.correct("e1", "1", "200")
        world.start()
        world.until(lambda: "broker.fill_busted" in world.latched(), "the latch")
        assert world.held(self.instrument_id) == 1

    def test_another_client_id_says_that_it_cannot_cancel(self, world: VenueWorld, server: VenueServer) -> None:
        """The setting was changed while an order worked: it is not tried over and over, the account says why."""
        assert isinstance(server, IbkrServer)
        name, _ = self.sent(world)
        self.client_id = 18
        world.start()
        world.gate.raw = without_permission({"full_halt": True})
        world.until(lambda: "was sent as client 17, which alone can cancel it" in world.book.sync["paper"].detail,
                    "the sentence")
        assert server.orders[0].status == "open"
        server.cancel(server.orders[0])  # by hand, in TWS
        world.until_state(name, "cancelled")

    def test_the_nightly_reset_sends_nothing_and_loses_nothing(self, world: VenueWorld, server: VenueServer) -> None:
        """The line to IB is lost, the gateway restarts: intents are held meanwhile, an execution is told after it."""
        assert isinstance(server, IbkrServer)
        name, order_id = self.sent(world)
        server.say(-1, 1100, "Connectivity between IB and TWS has been lost.")
        world.until(lambda: world.book.sync["paper"].detail == "ibkr: the gateway has lost its line to IB (1100)",
                    "the loss")
        another = world.want("equity:MSFT", self.notional)
        world.step(seconds=2)
        assert world.state(another) in ("seen", "held")
        server.disconnect()
        server.fill(order_id, self.quantity, "200", fill_id="e1")
        world.until_state(name, "filled")
        assert len(server.seen) == 1 or world.state(another) == "working"


def test_what_is_said_otherwise_is_listed() -> None:
    """No test of the suites is replaced without a reason, and no reason is left over."""
    suites = {name for suite in (BrokerSuite, BustSuite, TermsSuite) for name in vars(suite)}
    replaced = {name for name in vars(TestIbkr) if name in suites and name.startswith("test_")}
    assert replaced == set(OTHERWISE)
    assert not {name for name in vars(TestIbkrUnderTheExecutor) if hasattr(TermsUnderTheExecutor, name)
                and name.startswith("test_")}
    assert set(Setting.answers_lost) - set(Ibkr.answers_lost) == {"fail_after_commit"}
