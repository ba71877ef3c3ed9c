"""alpaca-py against a local server that speaks Alpaca's format: the common suite, and what only Alpaca does."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.brokers.alpaca_server import KEY, AlpacaServer, activity_id
from tests.conformance.brokers.faults import START, Seen, VenueServer
from tests.conformance.brokers.setting import PLANTED, TAIL, Order, Polls, by_id, make_order, make_stop, units, wait_for
from tests.conformance.brokers.suite import BrokerSuite
from tests.conformance.brokers.terms_suite import OnTerms, StopSuite, TermsSuite, TermsUnderTheExecutor
from tests.unit.executor.world import INSTRUMENTS
from vanta.common.clock import ManualClock
from vanta.common.errors import CredentialsRefused, OperatorError, OutcomeUnknown, OutsideError, Throttled
from vanta.common.log import configure
from vanta.common.models.configuration import AccountSettings
from vanta.common.paths import Home
from vanta.executor.brokers.alpaca import AlpacaBroker
from vanta.executor.brokers.hosts import check
from vanta.executor.brokers.port import Accepted, Ended, RealBroker, Rejected

SECRETS = {"key_id": KEY, "secret_key": PLANTED}


def alpaca(server: AlpacaServer, timeout_s: float = 20.0, secrets: Mapping[str, str] = SECRETS,
           **options: Any) -> AlpacaBroker:
    """The adapter at this server."""
    return AlpacaBroker(
        AccountSettings(adapter="alpaca", url=server.url, timeout_s=timeout_s,
                        options={"stream_url": server.stream_url, "recent_s": 0, **options}),
        secrets, lambda: INSTRUMENTS, live=False)


class Alpaca(OnTerms):
    """Shares at Alpaca."""

    def make_server(self) -> VenueServer:
        """See `Setting`."""
        return AlpacaServer(PLANTED)

    def make_broker(self, server: VenueServer, timeout_s: float) -> RealBroker:
        """See `Setting`."""
        assert isinstance(server, AlpacaServer)
        return alpaca(server, timeout_s)

    def terms_sent(self, server: VenueServer) -> list[tuple[str, str | None, str]]:
        """See `OnTerms`."""
        return [(one.body["type"], one.body.get("limit_price"), one.body["time_in_force"]) for one in server.orders]


class TestAlpaca(Alpaca, BrokerSuite, TermsSuite, StopSuite):
    """The adapter, asked directly."""

    def stops_sent(self, server: VenueServer) -> list[tuple[str, str | None, str | None, str]]:
        """See `StopSuite`."""
        return [(one.body["type"], one.body.get("stop_price"), one.body.get("limit_price"), one.body["time_in_force"])
                for one in server.orders]


class TestAlpacaUnderTheExecutor(Alpaca, TermsUnderTheExecutor):
    """The adapter in use."""


@pytest.fixture
def venue() -> Iterator[AlpacaServer]:
    """The server, with cash."""
    server = AlpacaServer(PLANTED)
    server.cash("USD", "100000")
    yield server
    server.stop()


@pytest.fixture
def broker(venue: AlpacaServer) -> Iterator[AlpacaBroker]:
    """The adapter without its stream, so that only polls count."""
    with closing(alpaca(venue, stream=False)) as broker:
        yield broker


def share() -> Order:
    """Five shares."""
    return make_order("equity:AAPL", "1000", price="200.00")


def ended(events: list[Any]) -> list[str]:
    """How orders ended."""
    return [event.how for event in events if isinstance(event, Ended)]


def test_a_share_is_ordered_for_the_day_and_a_coin_until_cancelled(venue: AlpacaServer, broker: AlpacaBroker) -> None:
    """Quantities are strings, exact where a float would not be; coins are traded as BTC/USD and held as BTCUSD."""
    coin = make_order("crypto:BTC-USD", "1000", price="48611.07")
    broker.submit(share().approved, now=START)
    broker.submit(coin.approved, now=START)
    assert [(body["time_in_force"], body["type"], body["qty"]) for body in venue.bodies] == [
        ("day", "market", "5"), ("gtc", "market", str(coin.approved.quantity))]
    venue.fill(coin.order_id, str(coin.approved.quantity), "48611.07", fill_id="e1")
    held = broker.holdings(START)
    assert held is not None
    assert held.positions == {"BTC/USD": coin.approved.quantity}
    assert venue.seen[1] == Seen(coin.order_id, "BTC/USD", "buy", coin.approved.quantity)


def test_a_stop_for_coins_is_not_sent(venue: AlpacaServer, broker: AlpacaBroker) -> None:
    """Alpaca has none there: no request is made, the executor goes on watching itself."""
    coins = make_stop("crypto:BTC-USD", "buy", price="50000", quantity="0.2")
    assert isinstance(broker.submit(coins.approved, now=START), Rejected)
    assert venue.bodies == []


def test_a_short_position_is_negative_and_an_order_for_money_has_no_quantity(venue: AlpacaServer,
                                                                             broker: AlpacaBroker) -> None:
    """What a stranger may have in the account is read as well."""
    venue.position("MSFT", "-4")
    venue_id = venue.foreign("MSFT", "buy", "1")
    venue.for_money.add(venue_id)
    held = broker.holdings(START)
    assert held is not None
    assert held.positions == {"MSFT": Decimal(-4)}
    assert [one.leaves for one in held.orders] == [Decimal(0)]


class TestStream:
    """The stream of trade updates: a hint, never the truth."""

    @pytest.fixture
    def listening(self, venue: AlpacaServer) -> Iterator[AlpacaBroker]:
        """An adapter whose stream is connected, and which else looks once an hour."""
        with closing(alpaca(venue, poll_s=3600)) as broker:
            broker.poll(START)
            wait_for(lambda: bool(venue.listening), "the stream")
            yield broker

    def test_a_trade_update_brings_the_next_look(self, venue: AlpacaServer, listening: AlpacaBroker) -> None:
        """Heard, looked, booked from REST: long before the next look was due."""
        order = share()
        listening.submit(order.approved, now=START)
        venue.fill(order.order_id, "2", "200", fill_id="e1")
        assert set(Polls(listening, step_s=0.3).units(2)) == {activity_id(venue.orders[0].fills[0])}

    @pytest.mark.parametrize("message", [
        b"\xff\x00 no json", {"stream": "trade_updates", "data": None}, {"stream": "listening", "data": {}},
        {"stream": "trade_updates", "data": {"event": "done_for_day"}}], ids=["garbage", "empty", "other", "new word"])
    def test_no_message_can_harm(self, venue: AlpacaServer, listening: AlpacaBroker, message: Any) -> None:
        """Whatever it says: nothing is booked, and what follows is heard."""
        venue.push(message)
        order = share()
        listening.submit(order.approved, now=START)
        polls = Polls(listening, step_s=0.3)
        venue.push({"stream": "trade_updates", "data": {"event": "fill", "qty": "5", "price": "1", "execution_id": "x",
                                                        "order": venue.render(venue.orders[0])}})
        polls.once()
        venue.fill(order.order_id, "1", "200", fill_id="e1")
        assert set(polls.units(1)) == {activity_id(venue.orders[0].fills[0])}

    def test_a_stream_that_was_cut_comes_back(self, venue: AlpacaServer, listening: AlpacaBroker) -> None:
        """The library reconnects after a second; what was missed meanwhile is in the next look."""
        order = share()
        listening.submit(order.approved, now=START)
        venue.disconnect()
        venue.fill(order.order_id, "1", "200", fill_id="e1")
        wait_for(lambda: len(venue.authenticated) == 2 and bool(venue.listening), "the stream again")
        venue.fill(order.order_id, "1", "200", fill_id="e2")
        Polls(listening, step_s=0.3).units(2)

    def test_a_stream_that_refuses_the_key_does_not_stop_the_look(self, venue: AlpacaServer) -> None:
        """It is tried again with pauses; REST answers for itself, and closing ends the thread."""
        with closing(alpaca(venue, secrets={**SECRETS, "key_id": "AKWRONG"})) as broker:
            with pytest.raises(CredentialsRefused):
                broker.poll(START)
            wait_for(lambda: venue.authenticated == [False], "the refusal")
            with pytest.raises(CredentialsRefused):
                broker.poll(START + timedelta(seconds=2))
        assert broker._hints is not None
        assert broker._hints._thread is not None
        assert not broker._hints._thread.is_alive()
        assert venue.authenticated == [False], "a second pause is a second or longer"

    def test_a_silent_stream_is_given_up_after_the_timeout(self, venue: AlpacaServer) -> None:
        """It connects and says nothing: looking goes on at its pace, and the stream is tried anew."""
        venue.silent_stream = True
        with closing(alpaca(venue, timeout_s=0.4)) as broker:
            order = share()
            broker.submit(order.approved, now=START)
            venue.fill(order.order_id, "1", "200", fill_id="e1")
            Polls(broker).units(1)
            venue.silent_stream = False
            wait_for(lambda: bool(venue.listening), "another try")


    def test_the_frame_that_holds_the_key_is_not_logged(self, venue: AlpacaServer, tmp_path: Path) -> None:
        """The library of the stream logs frames at debug, shortened in the middle."""
        home = Home(tmp_path)
        home.logs.mkdir()
        with configure(home, "executor", ManualClock(START), level="debug"), closing(alpaca(venue)) as broker:
            broker.poll(START)
            wait_for(lambda: bool(venue.listening), "the stream")
        logged = (home.logs / "executor.log").read_text()
        assert "connected to" in logged
        assert TAIL not in logged

    def test_a_stream_that_nobody_asks_ends_and_begins_again(self, venue: AlpacaServer) -> None:
        """Where calls are forbidden nobody polls: then nothing may be connected either, until somebody does."""
        with closing(alpaca(venue, stream_idle_s=0.05)) as broker:
            broker.poll(START)
            hints = broker._hints
            assert hints is not None
            thread = hints._thread
            assert thread is not None
            wait_for(lambda: not thread.is_alive(), "the end of the stream")
            broker.poll(START + timedelta(seconds=2))
            assert hints._thread is not thread


def test_an_order_ends_only_when_its_executions_add_up(venue: AlpacaServer, broker: AlpacaBroker) -> None:
    """The order is filled, an execution is not shown yet: it is waited for, and a look-up gives no half answer."""
    order = share()
    broker.submit(order.approved, now=START)
    venue.untold.add("e2")
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    venue.fill(order.order_id, "1", "201", fill_id="e2")
    venue.end(order.order_id, "expired")
    polls = Polls(broker)
    polls.units(2)
    polls.once()
    assert not ended(polls.events)
    with pytest.raises(OutsideError, match="add up"):
        broker.lookup(order.order_id)
    venue.untold.clear()
    polls.units(3)
    assert ended(polls.events) == ["expired"]


def test_executions_of_one_millisecond_come_page_by_page(venue: AlpacaServer, broker: AlpacaBroker) -> None:
    """More than a page of them with one time: every one, once."""
    order = make_order("equity:AAPL", "4000", price="16.00")
    broker.submit(order.approved, now=START)
    venue.clock = lambda: START
    for number in range(230):
        venue.fill(order.order_id, "1", "16", fill_id=f"e{number}")
    assert len(Polls(broker).units(230)) == 230


def test_open_orders_come_page_by_page(venue: AlpacaServer, broker: AlpacaBroker) -> None:
    """A stranger's thousand orders hide none of ours; pages that do not advance are no answer."""
    for _ in range(1100):
        venue.foreign("MSFT", "buy", "1")
    order = share()
    broker.submit(order.approved, now=START)
    held = broker.holdings(START)
    assert held is not None
    assert len(held.orders) == 1101
    assert held.orders[-1].order_id == order.order_id
    venue.paging = False
    with pytest.raises(OutsideError, match="advance"):
        broker.holdings(START)


def test_the_past_is_not_news_and_what_turns_up_late_is(venue: AlpacaServer) -> None:
    """Orders that were over when the process began are not told; one of ours that nobody follows any more is."""
    old, late = share(), share()
    with closing(alpaca(venue, stream=False)) as before:
        before.submit(old.approved, now=START)
        venue.fill(old.order_id, "5", "200", fill_id="e0")
    with closing(alpaca(venue, stream=False)) as broker:
        polls = Polls(broker)
        polls.once()
        venue.faults.late_accept = 1
        with pytest.raises(OutcomeUnknown):
            broker.submit(late.approved, now=START)
        assert broker.lookup(late.order_id) is None
        venue.accept_late()
        venue.fill(late.order_id, "5", "200", fill_id="e1")
        assert {fill.order_id for fill in polls.units(5).values()} == {late.order_id}
        found = broker.lookup(old.order_id)
        assert found is not None
        assert units(by_id(found.events)) == 5
        assert not polls.once()


def test_closed_orders_are_looked_through_less_often(venue: AlpacaServer) -> None:
    """Followed orders are asked about by name, and one that the venue does not know yet is asked about again."""
    order = share()
    with closing(alpaca(venue, stream=False, recent_s=3600)) as broker:
        polls = Polls(broker)
        polls.once()
        venue.faults.late_accept = 1
        with pytest.raises(OutcomeUnknown):
            broker.submit(order.approved, now=START)
        polls.once()
        venue.accept_late()
        venue.fill(order.order_id, "5", "200", fill_id="e1")
        polls.units(5)
        venue.asked.clear()
        polls.once()
        assert venue.asked == ["GET /v2/orders"]


def test_a_venue_that_is_busy_is_not_polled_until_its_pause_is_over(venue: AlpacaServer, broker: AlpacaBroker) -> None:
    """Every look inside the pause says so without a request."""
    venue.faults.status = [(429, 9.0)]
    with pytest.raises(Throttled):
        broker.poll(START)
    asked = venue.requests
    with pytest.raises(Throttled):
        broker.poll(START + timedelta(seconds=8))
    assert venue.requests == asked
    broker.poll(START + timedelta(seconds=9))
    assert venue.requests > asked
    venue.faults.status = [(429, None)]
    with pytest.raises(Throttled) as busy:
        broker.poll(START + timedelta(seconds=20))
    assert busy.value.retry_after_s == 30


@pytest.mark.parametrize(("status", "outcome"), [(400, Rejected), (403, Rejected), (404, Rejected), (422, Rejected),
                                                 (408, None), (409, None), (425, None), (502, None)])
def test_which_errors_are_a_definite_no(venue: AlpacaServer, broker: AlpacaBroker, status: int,
                                        outcome: type[Rejected] | None) -> None:
    """Client errors are, except those that leave it open."""
    venue.faults.status = [(status, None)]
    if outcome is None:
        with pytest.raises(OutcomeUnknown):
            broker.submit(share().approved, now=START)
    else:
        assert isinstance(broker.submit(share().approved, now=START), outcome)


def test_an_answer_about_another_order_is_none(venue: AlpacaServer, broker: AlpacaBroker) -> None:
    """Neither to an order nor to a question."""
    order = share()
    venue.renamed = "somebody-elses"
    with pytest.raises(OutcomeUnknown):
        broker.submit(order.approved, now=START)
    with pytest.raises(OutsideError):
        broker.lookup(order.order_id)


def test_an_answer_of_another_kind_is_none(venue: AlpacaServer, broker: AlpacaBroker) -> None:
    """A redirect's empty object is not an empty list of orders; a 404 without Alpaca's code is not "unknown order"."""
    venue.faults.redirect = 1
    with pytest.raises(OutsideError):
        broker.poll(START)
    venue.faults.status = [(404, None)]
    with pytest.raises(OutsideError):
        broker.lookup(share().order_id)


@pytest.mark.parametrize("arrange", [lambda order: None, lambda order: setattr(order, "status", "expired")],
                         ids=["working", "over"])
def test_an_order_of_an_earlier_process_can_be_cancelled(venue: AlpacaServer, broker: AlpacaBroker,
                                                         arrange: Callable[[Any], None]) -> None:
    """Its venue's name is asked for first; being over is fine."""
    order = share()
    with closing(alpaca(venue, stream=False)) as before:
        before.submit(order.approved, now=START)
    arrange(venue.orders[0])
    broker.cancel(order.order_id, now=START)
    assert venue.orders[0].status in ("cancelled", "expired")
    with pytest.raises(OutsideError, match="does not know"):
        broker.cancel(share().order_id, now=START)


def test_an_order_that_somebody_replaced_has_ended(venue: AlpacaServer, broker: AlpacaBroker) -> None:
    """The order that took its place has no name of ours: a stranger."""
    order = share()
    assert isinstance(broker.submit(order.approved, now=START), Accepted)
    venue.end(order.order_id, "replaced")
    polls = Polls(broker)
    polls.until(lambda events: bool(ended(events)), "the end")
    assert ended(polls.events) == ["cancelled"]


@pytest.mark.parametrize(("live", "url", "hosts"), [
    (False, None, {"https://paper-api.alpaca.markets", "wss://paper-api.alpaca.markets/stream"}),
    (True, None, {"https://api.alpaca.markets", "wss://api.alpaca.markets/stream"}),
    (False, "https://paper-api.alpaca.markets/v2/", {"https://paper-api.alpaca.markets",
                                                     "wss://paper-api.alpaca.markets/stream"})])
def test_the_mode_guard_sees_every_address(live: bool, url: str | None, hosts: set[str]) -> None:
    """REST and stream, read back from the client; they fit their mode and not the other one."""
    broker = AlpacaBroker(AccountSettings(adapter="alpaca", url=url), SECRETS, lambda: INSTRUMENTS, live=live)
    assert set(broker.urls()) == hosts
    check("live" if live else "paper", "main", broker.urls())
    broker.close()


@pytest.mark.parametrize("options", [{"steam": False}, {"poll_s": "often"}, {"poll_s": 0}])
def test_an_option_that_is_not_known_or_wrong_is_named(options: dict[str, Any]) -> None:
    """A word that is misspelt would else be a wish that nobody hears."""
    with pytest.raises(OperatorError, match=next(iter(options))):
        AlpacaBroker(AccountSettings(adapter="alpaca", options=options), SECRETS, lambda: INSTRUMENTS, live=False)


@pytest.mark.parametrize("missing", ["key_id", "secret_key"])
def test_a_missing_secret_is_named(missing: str) -> None:
    """Before anything is contacted."""
    secrets = {name: value for name, value in SECRETS.items() if name != missing}
    with pytest.raises(CredentialsRefused, match=missing):
        AlpacaBroker(AccountSettings(adapter="alpaca"), secrets, lambda: INSTRUMENTS, live=False)
