"""For venues that take limit orders: what the server saw of the terms, and what the executor makes of orders that rest.

An adapter whose `Capabilities` say `limit` and `gtc` has its tests subclass both suites and say in which words its
venue puts terms (`words`, `terms_sent`).
"""

from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.brokers.executor_suite import ExecutorSuite, VenueWorld
from tests.conformance.brokers.faults import START, VenueServer
from tests.conformance.brokers.setting import Order, Polls, Setting, make_order, make_stop, worth
from tests.unit.executor.world import vault
from vanta.common.canonical import document
from vanta.common.paths import VAULTS
from vanta.executor.brokers.port import Accepted, Ended, RealBroker

OFFSET = "0.00125"
"""A quarter more than the price of 200: a price on every venue's tick, and one that says that it is a limit's."""

LIMIT, NOTIONAL = "200.25", "801"


class OnTerms(Setting):
    """What a subclass says about its venue."""

    day, gtc = "day", "gtc"
    """The venue's words for an order that works for the day, and one that works until it is cancelled."""

    market_day = "day"
    """The word that goes with a market order."""

    def terms_sent(self, server: VenueServer) -> list[tuple[str, str | None, str]]:
        """Type in lower case, limit price as it was spelled, and time in force of every order, as they arrived."""
        raise NotImplementedError

    def limit_order(self, time_in_force: str) -> Order:
        """A buy with a limit of `LIMIT`."""
        return make_order(self.instrument_id, NOTIONAL, price=self.price, type="limit", limit_offset_pct=OFFSET,
                          time_in_force=time_in_force)


class TermsSuite(OnTerms):
    """The adapter, asked directly."""

    @pytest.mark.parametrize("time_in_force", ["day", "gtc"])
    def test_a_limit_order_is_one_at_exactly_that_price(self, time_in_force: str, server: VenueServer,
                                                        broker: RealBroker) -> None:
        """Type, price and time in force are what was approved, in the venue's own words."""
        order = self.limit_order(time_in_force)
        assert order.approved.terms == (Decimal(LIMIT), time_in_force, None)
        assert isinstance(broker.submit(order.approved, now=START), Accepted)
        assert self.terms_sent(server) == [("limit", LIMIT, self.day if time_in_force == "day" else self.gtc)]
        assert [seen.quantity for seen in server.seen] == [4]

    def test_a_market_order_has_no_price(self, server: VenueServer, broker: RealBroker) -> None:
        """Nothing that the venue could take for a limit goes with it."""
        assert isinstance(broker.submit(self.order().approved, now=START), Accepted)
        assert self.terms_sent(server) == [("market", None, self.market_day)]

    def test_it_says_what_it_can_do(self, broker: RealBroker) -> None:
        """The fences believe it."""
        assert broker.capabilities.terms == {"limit", "gtc", *(["stop"] if isinstance(self, StopSuite) else [])}

    def test_an_order_that_rested_for_days_is_found_after_a_restart(self, server: VenueServer) -> None:
        """By the venue's name for it, which the log holds: what was executed meanwhile, and its end by a cancel."""
        order, untouched = self.limit_order("gtc"), self.limit_order("gtc")
        with closing(self.make_broker(server, 20.0)) as before:
            for one in (order, untouched):
                answer = before.submit(one.approved, now=START)
                assert isinstance(answer, Accepted)
                one.entry.venue_id = answer.venue_id
        self.days_pass(server)
        server.fill(order.order_id, "2", "200.1", fill_id="e1")
        with closing(self.make_broker(server, 20.0)) as after:
            after.restore([order.entry, untouched.entry])
            after.cancel(untouched.order_id, now=START + timedelta(days=3))
            assert [one.status for one in server.orders] == ["open", "cancelled"]
            polls = Polls(after, START + timedelta(days=3))
            assert worth(polls.units(2)) == Decimal("400.2")
            after.cancel(order.order_id, now=polls.now)
            polls.until(lambda events: {event.order_id for event in events if isinstance(event, Ended)}
                        == {order.order_id, untouched.order_id}, "both ends")
        assert server.orders[0].status == "cancelled"

    def days_pass(self, server: VenueServer) -> None:
        """What the venue forgets in days, if anything."""


class StopSuite(OnTerms):
    """For venues where stops can rest: the adapter, asked directly."""

    def stops_sent(self, server: VenueServer) -> list[tuple[str, str | None, str | None, str]]:
        """Type, stop price and limit price as they were spelled, and time in force of every order, as they arrived."""
        raise NotImplementedError

    stop_words = "stop"

    @pytest.mark.parametrize(("side", "price"), [("buy", "190"), ("sell", "210")])
    def test_a_stop_rests_at_exactly_that_price(self, side: str, price: str, server: VenueServer,
                                                broker: RealBroker) -> None:
        """On the other side, for all that is held, good until cancelled, and with no other price."""
        order = make_stop(self.instrument_id, side, price="200", quantity="4")
        assert order.approved.terms == (None, "gtc", Decimal(price))
        assert isinstance(broker.submit(order.approved, now=START), Accepted)
        assert self.stops_sent(server) == [(self.stop_words, price, None, self.gtc)]
        closing = {"buy": "sell", "sell": "buy"}[side]
        assert [(seen.side, seen.quantity) for seen in server.seen] == [(closing, Decimal(4))]

    def test_a_stop_that_was_executed_while_nobody_was_there_is_told(self, server: VenueServer) -> None:
        """The host was down when the market came to it: the new process is told what it was executed at."""
        order = make_stop(self.instrument_id, "buy", price="200", quantity="4")
        with closing(self.make_broker(server, 20.0)) as before:
            answer = before.submit(order.approved, now=START)
            assert isinstance(answer, Accepted)
            order.entry.venue_id = answer.venue_id
        server.fill(order.order_id, "4", "189.5", fill_id="e1")
        with closing(self.make_broker(server, 20.0)) as after:
            after.restore([order.entry])
            assert worth(Polls(after, START + timedelta(hours=1)).units(4)) == Decimal(758)


class TermsUnderTheExecutor(OnTerms, ExecutorSuite):
    """The adapter in use. Includes the common suite, whose orders go to the market."""

    def asks(self, world: VenueWorld, **orders: Any) -> str:
        """An intent of a vault that asks for such orders, working at the venue."""
        world.files.replace(VAULTS, document({"vaults": [
            vault(orders={"type": "limit", "limit_offset_pct": OFFSET, **orders})]}))
        name = world.want(self.instrument_id, NOTIONAL)
        world.until_state(name, "working")
        return name

    def test_an_order_that_may_rest_outlives_the_day(self, world: VenueWorld, server: VenueServer) -> None:
        """Good until cancelled: still there on Monday, filled then at its limit, and the account agrees."""
        name = self.asks(world, time_in_force="gtc")
        order_id = world.order_id(name)
        assert world.book.orders[order_id].good_until is None
        world.clock.sleep(3 * 86_400)
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync on Monday")
        assert world.state(name) == "working"
        quantity = world.book.orders[order_id].quantity
        server.fill(order_id, str(quantity), LIMIT, fill_id="e1")
        world.until_state(name, "filled")
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync again")
        assert world.held(self.instrument_id) == quantity

    def test_an_order_for_the_day_does_not(self, world: VenueWorld, server: VenueServer) -> None:
        """Cancelled at the venue when its day is over."""
        name = self.asks(world)
        assert world.book.orders[world.order_id(name)].good_until is not None
        world.clock.sleep(86_400)
        world.until_state(name, "cancelled")
        assert server.orders[0].status == "cancelled"

    def test_an_order_that_rested_for_too_long_is_cancelled_and_asked_for_anew(self, world: VenueWorld,
                                                                               server: VenueServer) -> None:
        """A part was filled; the rest is asked for by another intent on the new basis, at the venue's next price."""
        name = self.asks(world, replace_after_s=30)
        order_id = world.order_id(name)
        server.fill(order_id, "2", LIMIT, fill_id="e1")
        world.until_state(name, "cancelled")
        (wish,) = [record.payload["detail"] for record in world.journal.read() if record.kind == "order.cancelling"]
        assert wish == "rested for 30 s; the price is asked for anew"
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync after the cancel")
        again = world.want(self.instrument_id, "400.5")
        world.until_state(again, "working")
        server.fill(world.order_id(again), str(world.book.orders[world.order_id(again)].quantity), LIMIT, fill_id="e2")
        world.until_state(again, "filled")
        assert server.live() == {order_id: 1, world.order_id(again): 1}
        assert world.held(self.instrument_id) == sum(order.filled for order in server.orders)
