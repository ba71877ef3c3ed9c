"""httpx against a local server that speaks Tradier's format: the common suite, and what only Tradier does."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.brokers.executor_suite import VenueWorld
from tests.conformance.brokers.faults import START, VenueServer
from tests.conformance.brokers.setting import PLANTED, Order, Polls, by_id, make_order, units
from tests.conformance.brokers.suite import BrokerSuite
from tests.conformance.brokers.terms_suite import OnTerms, StopSuite, TermsSuite, TermsUnderTheExecutor
from tests.conformance.brokers.tradier_server import ACCOUNT, TradierServer
from tests.unit.executor.world import INSTRUMENTS
from vanta.common.errors import CredentialsRefused, OperatorError, OutcomeUnknown, OutsideError, Throttled
from vanta.common.models.configuration import AccountSettings
from vanta.common.times import millis
from vanta.executor.brokers.hosts import check
from vanta.executor.brokers.port import Accepted, Ended, Postponed, RealBroker, Rejected
from vanta.executor.brokers.tradier import TradierBroker


def tradier(server: VenueServer, timeout_s: float = 20.0) -> TradierBroker:
    """The adapter at this server."""
    return TradierBroker(
        AccountSettings(adapter="tradier", url=server.url, timeout_s=timeout_s,
                        options={"account_id": ACCOUNT, "poll_s": 1}),
        {"access_token": PLANTED}, lambda: INSTRUMENTS, live=False)


class Tradier(OnTerms):
    """Shares at Tradier."""

    itemises = False

    def make_server(self) -> VenueServer:
        """See `Setting`."""
        return TradierServer(PLANTED)

    def make_broker(self, server: VenueServer, timeout_s: float) -> RealBroker:
        """See `Setting`."""
        return tradier(server, timeout_s)

    def terms_sent(self, server: VenueServer) -> list[tuple[str, str | None, str]]:
        """See `OnTerms`."""
        return [(one.body["type"], one.body.get("price"), one.body["duration"]) for one in server.orders]


class TestTradier(Tradier, BrokerSuite, TermsSuite, StopSuite):
    """The adapter, asked directly."""

    def stops_sent(self, server: VenueServer) -> list[tuple[str, str | None, str | None, str]]:
        """See `StopSuite`."""
        return [(one.body["type"], one.body.get("stop"), one.body.get("price"), one.body["duration"])
                for one in server.orders]

    def days_pass(self, server: VenueServer) -> None:
        """Orders of earlier days are not listed with those of the session."""
        assert isinstance(server, TradierServer)
        server.hidden.update(order.venue_id for order in server.orders)


class TestTradierUnderTheExecutor(Tradier, TermsUnderTheExecutor):
    """The adapter in use."""

    def test_closing_is_not_opening_the_other_way(self, world: VenueWorld, server: VenueServer) -> None:
        """Tradier has a word for each: an exit that it took for a short sale would open what it should close."""
        name, order_id = self.sent(world)
        server.fill(order_id, self.quantity, self.price, fill_id="e1")
        world.until_state(name, "filled")
        exit_name = world.want(self.instrument_id, self.notional, side="sell")
        world.until_state(exit_name, "working")
        assert isinstance(server, TradierServer)
        assert [(form["class"], form["side"], form["type"], form["duration"]) for form in server.forms] == [
            ("equity", "buy", "market", "day"), ("equity", "sell", "market", "day")]

    def test_an_order_that_was_over_at_the_first_look_is_booked_when_it_is_asked_about(
            self, world: VenueWorld, server: VenueServer) -> None:
        """The answer got lost, the process ended, the order was filled: the new process finds all of it."""
        server.faults.lose_answer = 1
        name = world.want(self.instrument_id, self.notional)
        world.until(lambda: bool(server.live()), "the order at the venue")
        server.fill(world.order_id(name), self.quantity, "200", fill_id="e1")
        server.faults.status = [(503, None)]  # the question at the start has no answer, the first poll has
        world.start()
        world.until_state(name, "filled")
        assert world.held(self.instrument_id) == Decimal(self.quantity)


@pytest.fixture
def venue() -> Iterator[TradierServer]:
    """The server, with cash."""
    server = TradierServer(PLANTED)
    server.cash("USD", "100000")
    yield server
    server.stop()


@pytest.fixture
def broker(venue: TradierServer) -> Iterator[TradierBroker]:
    """The adapter."""
    with closing(tradier(venue)) as broker:
        yield broker


def share() -> Order:
    """Five shares."""
    return make_order("equity:AAPL", "1000", price="200.00")


def ended(events: list[Any]) -> list[str]:
    """How orders ended."""
    return [event.how for event in events if isinstance(event, Ended)]


def test_lists_of_none_one_and_many(venue: TradierServer, broker: TradierBroker) -> None:
    """Orders and positions are read whether they come as "null", as an element or as a list; classes have a slash."""
    for many in range(3):
        found = broker.holdings(START)
        assert found is not None
        held = found
        assert (len(held.positions), len(held.orders)) == (many, many)
        venue.position(f"BRK.{'AB'[many % 2]}", "-3")
        venue.foreign("MSFT", "buy", "1")
    assert held.positions == {"BRK.A": Decimal(-3), "BRK.B": Decimal(-3)}
    assert [one.order_id for one in held.orders] == ["", ""]


def test_two_orders_under_one_tag(venue: TradierServer, broker: TradierBroker) -> None:
    """Nobody here sends one twice, but the venue would take it: both are told, and a question is not guessed at."""
    order = share()
    for _ in range(2):
        assert isinstance(broker.submit(order.approved, now=START), Accepted)
    assert venue.live() == {order.order_id: 2}
    polls = Polls(broker)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    polls.units(2)
    venue.orders.reverse()
    venue.fill(order.order_id, "3", "201", fill_id="e2")
    assert {fill.order_id for fill in polls.units(5).values()} == {order.order_id}
    venue.orders.reverse()
    venue.fill(order.order_id, "3", "200", fill_id="e3")
    polls.units(8)
    with pytest.raises(OutsideError, match="2 orders with the tag"):
        broker.lookup(order.order_id)


def test_an_order_of_an_earlier_day_is_known_by_its_number(venue: TradierServer, broker: TradierBroker) -> None:
    """It has left the list of the session; what becomes of it is told all the same."""
    order = share()
    broker.submit(order.approved, now=START)
    polls = Polls(broker)
    polls.once()
    venue.hidden.add(venue.orders[0].venue_id)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    venue.end(order.order_id, "expired")
    polls.until(lambda events: bool(ended(events)), "the end")
    assert (units(by_id(polls.events)), ended(polls.events)) == (Decimal(2), ["expired"])


def test_orders_of_earlier_days_leave_room_for_the_others(venue: TradierServer) -> None:
    """A dozen rest since yesterday: all are asked about in turn, and a minute stays below the sixty calls allowed."""
    orders = [make_order("equity:AAPL", "801", price="200.00", type="limit", time_in_force="gtc") for _ in range(12)]
    with closing(tradier(venue)) as before:
        for order in orders:
            answer = before.submit(order.approved, now=START)
            assert isinstance(answer, Accepted)
            order.entry.venue_id = answer.venue_id
    venue.hidden.update(order.venue_id for order in venue.orders)
    for number, order in enumerate(orders):
        venue.fill(order.order_id, "1", "200", fill_id=f"e{number}")
    with closing(TradierBroker(AccountSettings(adapter="tradier", url=venue.url, options={"account_id": ACCOUNT}),
                               {"access_token": PLANTED}, lambda: INSTRUMENTS, live=False)) as broker:
        broker.restore([order.entry for order in orders])
        polls, asked = Polls(broker, START + timedelta(days=1)), venue.requests
        for _ in range(30):
            polls.once()
        assert venue.requests - asked <= 40
        for _ in range(10):
            polls.once()
    told = {fill.order_id for fill in by_id(polls.events).values()}
    assert told == {order.order_id for order in orders}


def test_the_past_is_not_news_and_what_turns_up_late_is(venue: TradierServer) -> None:
    """Orders that were over when the process began are not told; one of ours that nobody follows any more is."""
    old, late = share(), share()
    with closing(tradier(venue)) as before:
        before.submit(old.approved, now=START)
        venue.fill(old.order_id, "5", "200", fill_id="e0")
    with closing(tradier(venue)) as broker:
        polls = Polls(broker)
        polls.once()
        venue.faults.late_accept = 1
        with pytest.raises(OutcomeUnknown):
            broker.submit(late.approved, now=START)
        assert broker.lookup(late.order_id) is None
        venue.accept_late()
        venue.fill(late.order_id, "5", "200", fill_id="e1")
        assert {fill.order_id for fill in polls.units(5).values()} == {late.order_id}


def test_an_order_that_is_called_filled_before_it_says_so(venue: TradierServer, broker: TradierBroker) -> None:
    """The status came before the totals: it is not over until all of it was executed."""
    order = share()
    broker.submit(order.approved, now=START)
    polls = Polls(broker)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    venue.orders[0].status = "filled"
    polls.units(2)
    venue.fill(order.order_id, "3", "201", fill_id="e2")
    polls.units(5)


def test_a_rejection_after_the_yes_has_its_reason(venue: TradierServer, broker: TradierBroker) -> None:
    """Taken with status 200, then turned down by the trading systems."""
    order = share()
    broker.submit(order.approved, now=START)
    venue.end(order.order_id, "rejected", "AccountMarginRuleViolation")
    events = Polls(broker).until(lambda events: bool(ended(events)), "the end")
    assert [event.detail for event in events if isinstance(event, Ended)] == ["tradier: AccountMarginRuleViolation"]


@pytest.mark.parametrize("over", [False, True], ids=["working", "over"])
def test_an_order_of_an_earlier_process_can_be_cancelled(venue: TradierServer, broker: TradierBroker,
                                                         over: bool) -> None:
    """Its number is looked up; being over is fine; one that is not listed is said to be so."""
    order = share()
    with closing(tradier(venue)) as before:
        before.submit(order.approved, now=START)
    if over:
        venue.end(order.order_id, "expired")
    broker.cancel(order.order_id, now=START)
    assert venue.orders[0].status == ("expired" if over else "cancelled")
    with pytest.raises(OutsideError, match="does not list"):
        broker.cancel(share().order_id, now=START)


def test_a_cancel_that_a_busy_venue_did_not_take(venue: TradierServer, broker: TradierBroker) -> None:
    """Neither done nor refused: asked again."""
    order = share()
    broker.submit(order.approved, now=START)
    venue.faults.status = [(429, 3.0)]
    with pytest.raises(Throttled):
        broker.cancel(order.order_id, now=START)
    venue.faults.status = [(500, None)]
    with pytest.raises(OutsideError):
        broker.cancel(order.order_id, now=START)


def test_a_venue_that_is_busy_is_not_polled_until_its_pause_is_over(venue: TradierServer,
                                                                    broker: TradierBroker) -> None:
    """Every look inside the pause says so without a request; without a word it is a minute."""
    venue.faults.status = [(429, None)]
    with pytest.raises(Throttled):
        broker.poll(START)
    asked = venue.requests
    with pytest.raises(Throttled):
        broker.poll(START + timedelta(seconds=59))
    assert venue.requests == asked
    broker.poll(START + timedelta(seconds=60))
    assert venue.requests > asked


@pytest.mark.parametrize(("headers", "seconds"), [
    ({"Retry-After": "4"}, 4.0), ({"X-Ratelimit-Expiry": str(millis(START) + 12_500)}, 12.5),
    ({"X-Ratelimit-Expiry": str(millis(START) - 1)}, 1.0), ({"X-Ratelimit-Expiry": "soon"}, 60.0),
    ({"Retry-After": "Fri, 20 Nov 2026 15:01:00 GMT"}, 60.0), ({}, 60.0)])
def test_how_long_a_busy_venue_is_left_alone(venue: TradierServer, broker: TradierBroker,
                                             headers: Mapping[str, str], seconds: float) -> None:
    """As it says, or until its minute is over, or a minute."""
    venue.busy = dict(headers)
    answer = broker.submit(share().approved, now=START)
    assert isinstance(answer, Postponed)
    assert answer.retry_after_s == pytest.approx(seconds)


@pytest.mark.parametrize(("status", "body", "outcome"), [
    (400, b"Invalid parameter, quantity: is not valid.", Rejected), (401, b"Invalid Access Token", Rejected),
    (401, {"fault": {"faultstring": "Invalid access token", "detail": {}}}, Rejected),
    (200, {"errors": {"error": "TooManyOrders"}}, Rejected),
    (200, {"errors": {"error": "odd"}, "order": {"id": 1}}, None), (200, {"order": {}}, None), (200, [], None),
    (200, b"null", None), (202, {}, None), (408, b"", None), (409, b"", None),
    (504, {"fault": {"faultstring": "Gateway Timeout"}}, None)])
def test_which_answers_are_a_definite_no(venue: TradierServer, broker: TradierBroker, status: int, body: Any,
                                         outcome: type[Rejected] | None) -> None:
    """A client error and an error without an order are; whatever else is not a clear yes leaves it open."""
    venue.says = (status, body)
    if outcome is None:
        with pytest.raises(OutcomeUnknown):
            broker.submit(share().approved, now=START)
    else:
        assert isinstance(broker.submit(share().approved, now=START), outcome)


@pytest.mark.parametrize("body", [[], {"errors": {"error": "odd"}}, {"orders": {"order": ["x"]}}, {}, b"<html>"])
def test_an_answer_that_cannot_be_read_is_none(venue: TradierServer, broker: TradierBroker, body: Any) -> None:
    """It is neither an empty list nor "not found"."""
    venue.says = (200, body)
    with pytest.raises(OutsideError):
        broker.lookup(share().order_id)


def test_coins_are_not_sent_to_tradier(venue: TradierServer, broker: TradierBroker) -> None:
    """It trades none."""
    assert isinstance(broker.submit(make_order("crypto:BTC-USD", "1000", price="50000").approved, now=START), Rejected)
    assert venue.requests == 0


@pytest.mark.parametrize(("live", "url"), [
    (False, "https://sandbox.tradier.com/v1/"), (True, "https://api.tradier.com/v1/")])
def test_the_mode_guard_sees_the_address(live: bool, url: str) -> None:
    """Read back from the client."""
    broker = TradierBroker(AccountSettings(adapter="tradier", options={"account_id": ACCOUNT}),
                           {"access_token": PLANTED}, lambda: INSTRUMENTS, live=live)
    assert broker.urls() == [url]
    check("live" if live else "paper", "main", broker.urls())
    broker.close()


def test_what_is_missing_is_named() -> None:
    """Token and account number, before anything is contacted."""
    with pytest.raises(CredentialsRefused, match="access_token"):
        TradierBroker(AccountSettings(adapter="tradier", options={"account_id": ACCOUNT}), {}, lambda: INSTRUMENTS,
                      live=False)
    for options, said in (({}, "account_id"), ({"account_id": "../x"}, "account_id"),
                          ({"account_id": "VA1", "polls": 3}, "polls")):
        with pytest.raises(OperatorError, match=said):
            TradierBroker(AccountSettings(adapter="tradier", options=options), {"access_token": PLANTED},
                          lambda: INSTRUMENTS, live=False)
