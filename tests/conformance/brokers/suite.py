"""One suite for every broker adapter: the real client library against a local server that speaks the venue's format.

`BrokerSuite` asks the adapter itself, `ExecutorSuite` (executor_suite.py) runs it under the real executor. An adapter's
tests subclass both, say how server and broker are made, and add what only their venue does. Asserts are on what the
*server* saw.
"""

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from tests.conformance.brokers.faults import START, Seen, VenueServer
from tests.conformance.brokers.setting import TAIL, Polls, Setting, by_id, units, worth
from vanta.common.clock import ManualClock
from vanta.common.errors import CredentialsRefused, OutcomeUnknown, OutsideError
from vanta.common.log import configure
from vanta.common.paths import Home
from vanta.executor.brokers.port import Accepted, Answer, Busted, Ended, Postponed, RealBroker, Rejected
from vanta.executor.core.reconcile import foreign


class BrokerSuite(Setting):
    """What every adapter has to do, asked directly."""

    def test_nobody_is_contacted_before_something_is_asked(self, server: VenueServer, broker: RealBroker) -> None:
        """The mode guard looks at the addresses first: they are the server's, and nothing was sent there."""
        assert broker.urls()
        for url in broker.urls():
            assert "127.0.0.1" in url
        assert server.requests == 0

    def test_an_order_is_one_request(self, server: VenueServer, broker: RealBroker) -> None:
        """The server sees id, symbol, side and quantity exactly, once, and its name for the order comes back."""
        order = self.order()
        answer = broker.submit(order.approved, now=START)
        assert server.live() == {order.order_id: 1}
        placed = server.find(order.order_id)
        assert placed is not None
        assert answer == Accepted(placed.venue_id)
        assert server.seen == [Seen(order.order_id, self.instrument.symbol, "buy", Decimal(self.quantity))]

    def test_a_refusal_is_definite_and_in_the_venues_words(self, server: VenueServer, broker: RealBroker) -> None:
        """Nothing was taken: the order is over."""
        server.faults.refuse = True
        answer = broker.submit(self.order().approved, now=START)
        assert isinstance(answer, Rejected)
        assert answer.message
        assert server.live() == {}
        assert len(server.seen) == 1

    def test_a_busy_venue_says_for_how_long(self, server: VenueServer, broker: RealBroker) -> None:
        """Refused before it was taken: postponed, not sent again by the library."""
        server.faults.status = [(429, 7.0)]
        answer = broker.submit(self.order().approved, now=START)
        assert isinstance(answer, Postponed)
        assert answer.retry_after_s == pytest.approx(7.0)
        assert len(server.seen) == 1
        assert server.live() == {}

    def test_lost_answers_leave_the_outcome_open_and_are_found_again(self, server: VenueServer) -> None:
        """Whatever swallows the answer: one request was made, the outcome is unknown, and asking finds the order."""
        for fault in self.answers_lost:
            with closing(self.make_broker(server, 20.0)) as broker:
                order = self.order()
                before = len(server.seen)
                setattr(server.faults, fault, 1)
                with pytest.raises(OutcomeUnknown):
                    broker.submit(order.approved, now=START)
                assert len(server.seen) == before + 1, fault
                server.accept_late()
                found = broker.lookup(order.order_id)
                placed = server.find(order.order_id)
                assert placed is not None
                assert found is not None, fault
                assert (found.venue_id, found.events) == (placed.venue_id, ()), fault
                assert server.live()[order.order_id] == 1, fault

    def test_a_server_error_says_nothing_about_the_order(self, server: VenueServer, broker: RealBroker) -> None:
        """5xx without more: the outcome is open, whatever the code, and nothing is sent again."""
        for code in (500, 503, 504):
            before = len(server.seen)
            server.faults.status = [(code, None)]
            with pytest.raises(OutcomeUnknown):
                broker.submit(self.order().approved, now=START)
            assert len(server.seen) == before + 1

    def test_a_redirect_is_not_followed_with_an_order(self, server: VenueServer, broker: RealBroker) -> None:
        """Orders go where the mode guard looked and nowhere else."""
        server.faults.redirect = 1
        with pytest.raises(OutcomeUnknown):
            broker.submit(self.order().approved, now=START)
        assert (len(server.seen), server.requests) == (1, 1)

    def test_silence_ends_by_the_adapters_own_timeout(self, server: VenueServer, hasty: RealBroker) -> None:
        """No call waits for ever: an order is of unknown outcome, a question has no answer."""
        server.faults.silent = True
        with pytest.raises(OutcomeUnknown):
            hasty.submit(self.order().approved, now=START)
        assert len(server.seen) == 1
        with pytest.raises(OutsideError):
            hasty.lookup("vaaaaaa-aaaaaaaaaaaaaaaaaaaa-1")
        with pytest.raises(OutsideError):
            hasty.poll(START)
        with pytest.raises(OutsideError):
            hasty.holdings(START)

    def test_credentials_that_are_refused_are_said_to_be(self, server: VenueServer, broker: RealBroker) -> None:
        """Neither "not found" nor "try again": somebody has to look at them. An order was certainly not taken."""
        server.faults.unauthorized = True
        with pytest.raises(CredentialsRefused):
            broker.lookup("vaaaaaa-aaaaaaaaaaaaaaaaaaaa-1")
        with pytest.raises(CredentialsRefused):
            broker.holdings(START)
        assert isinstance(broker.submit(self.order().approved, now=START), Rejected)

    def test_the_same_id_again(self, server: VenueServer, broker: RealBroker) -> None:
        """What the adapter declares about repeated ids is what its venue does."""
        order = self.order()
        broker.submit(order.approved, now=START)
        try:
            again: Answer | None = broker.submit(order.approved, now=START)
        except OutcomeUnknown:
            again = None
        assert len(server.seen) == 2
        assert server.live() == {order.order_id: 1 if broker.capabilities.deduplicates else 2}
        assert not isinstance(again, Rejected), "the first order lives"

    def test_an_unknown_id_is_definitely_unknown(self, server: VenueServer, broker: RealBroker) -> None:
        """Only the venue's own "no such order" is `None`."""
        assert broker.lookup("vaaaaaa-aaaaaaaaaaaaaaaaaaaa-1") is None

    def test_no_answer_is_not_unknown(self, server: VenueServer, broker: RealBroker) -> None:
        """Errors, busy venues, half answers and web pages say nothing about the order."""
        order = self.order()
        broker.submit(order.approved, now=START)
        for code in (500, 503, 429):
            server.faults.status = [(code, None)]
            with pytest.raises(OutsideError):
                broker.lookup(order.order_id)
        for fault in ("truncate", "garbage"):
            setattr(server.faults, fault, 1)
            with pytest.raises(OutsideError):
                broker.lookup(order.order_id)
        assert broker.lookup(order.order_id) is not None

    def test_a_lookup_brings_everything_that_has_become_of_the_order(self, server: VenueServer,
                                                                      broker: RealBroker) -> None:
        """Two executions and the end, each exactly once, with exact numbers."""
        order = self.order()
        broker.submit(order.approved, now=START)
        server.fill(order.order_id, "1", "200.01", fill_id="e1")
        server.fill(order.order_id, "2", "199.99", fill_id="e2")
        server.end(order.order_id, "cancelled")
        found = broker.lookup(order.order_id)
        assert found is not None
        fills = by_id(found.events)
        assert (units(fills), worth(fills)) == (Decimal(3), Decimal("599.99"))
        if self.itemises:
            assert sorted((fill.quantity, fill.price) for fill in fills.values()) == [
                (Decimal(1), Decimal("200.01")), (Decimal(2), Decimal("199.99"))]
        assert {fill.order_id for fill in fills.values()} == {order.order_id}
        assert [event.how for event in found.events if isinstance(event, Ended)] == ["cancelled"]
        assert isinstance(found.events[-1], Ended)

    def test_a_lookup_and_a_poll_name_an_execution_alike(self, server: VenueServer, broker: RealBroker) -> None:
        """The executor books each execution id once, whoever tells it."""
        order = self.order()
        broker.submit(order.approved, now=START)
        server.fill(order.order_id, "2", "200", fill_id="e1")
        polls = Polls(broker)
        polls.units(2)
        found = broker.lookup(order.order_id)
        assert found is not None
        assert units(by_id([*polls.events, *found.events])) == 2

    def test_executions_arrive_with_exact_numbers(self, server: VenueServer, broker: RealBroker) -> None:
        """Quantity and price are the server's own decimals; every execution has an id of its own."""
        order = self.order()
        broker.submit(order.approved, now=START)
        polls = Polls(broker)
        polls.once()
        server.fill(order.order_id, "1", "200.0123", fill_id="e1")
        server.fill(order.order_id, "1", "200.0123", fill_id="e2")
        server.fill(order.order_id, "3", "199.1", fill_id="e3")
        fills = polls.units(5)
        assert worth(fills) == Decimal("997.3246")
        if self.itemises:
            assert sorted((fill.quantity, fill.price) for fill in fills.values()) == [
                (Decimal(1), Decimal("200.0123")), (Decimal(1), Decimal("200.0123")), (Decimal(3), Decimal("199.1"))]
        assert {fill.order_id for fill in fills.values()} == {order.order_id}
        assert all(fill.at.tzinfo is not None for fill in fills.values())

    @pytest.mark.parametrize("how", ["cancelled", "expired", "rejected"])
    def test_an_end_that_nobody_here_asked_for_arrives(self, how: str, server: VenueServer,
                                                       broker: RealBroker) -> None:
        """Each way for an order to end at the venue is told as what it is."""
        order = self.order()
        broker.submit(order.approved, now=START)
        polls = Polls(broker)
        polls.once()
        server.end(order.order_id, how, "says the venue")
        events = polls.until(lambda events: any(isinstance(event, Ended) for event in events), f"the order {how}")
        ended = {(event.order_id, event.how) for event in events if isinstance(event, Ended)}
        assert ended == {(order.order_id, how)}

    def test_duplicate_and_shuffled_events_are_one_execution_each(self, server: VenueServer,
                                                                  broker: RealBroker) -> None:
        """Whatever the order and however often: by id the same executions."""
        server.faults.duplicate_events = server.faults.shuffle_events = True
        order = self.order()
        broker.submit(order.approved, now=START)
        polls = Polls(broker)
        for number in ("1", "2", "3"):
            server.fill(order.order_id, "1", f"20{number}", fill_id=f"e{number}")
        assert worth(polls.units(3)) == 201 + 202 + 203
        polls.once()
        assert units(by_id(polls.events)) == 3

    def test_nothing_is_lost_while_the_venue_is_away(self, server: VenueServer, broker: RealBroker) -> None:
        """What happens while every connection is cut and every question fails is told afterwards."""
        order = self.order()
        broker.submit(order.approved, now=START)
        polls = Polls(broker)
        server.fill(order.order_id, "1", "200", fill_id="e1")
        polls.units(1)
        server.disconnect()
        server.faults.status = [(503, None)] * 3
        server.fill(order.order_id, "2", "201", fill_id="e2")
        server.disconnect()
        assert worth(polls.units(3)) == 200 + 2 * 201

    def test_a_restart_misses_nothing(self, server: VenueServer) -> None:
        """A new process is told which orders work; what happened meanwhile is told by the venue."""
        order, ended = self.order(), self.order()
        with closing(self.make_broker(server, 20.0)) as before:
            for one in (order, ended):
                answer = before.submit(one.approved, now=START)
                assert isinstance(answer, Accepted)
                one.entry.venue_id = answer.venue_id
        server.fill(order.order_id, "2", "200", fill_id="e1")
        server.end(ended.order_id, "expired")
        with closing(self.make_broker(server, 20.0)) as after:
            after.restore([order.entry, ended.entry])
            polls = Polls(after, START + timedelta(minutes=5))
            assert [fill.order_id for fill in polls.units(2).values()] == [order.order_id]
            polls.until(lambda events: any(isinstance(event, Ended) and event.order_id == ended.order_id
                                           for event in events), "the end of the other order")

    @pytest.mark.parametrize("skew_s", [-3600.0, 3600.0])
    def test_a_venue_whose_clock_is_wrong_loses_nothing(self, skew_s: float, server: VenueServer,
                                                        broker: RealBroker) -> None:
        """An hour ahead or behind: executions are found all the same."""
        server.faults.skew_s = skew_s
        order = self.order()
        polls = Polls(broker)
        polls.once()
        broker.submit(order.approved, now=START)
        server.fill(order.order_id, "1", "200", fill_id="e1")
        polls.units(1)
        server.fill(order.order_id, "1", "200", fill_id="e2")
        polls.units(2)

    def test_polling_is_throttled(self, server: VenueServer, broker: RealBroker) -> None:
        """The executor looks twenty times a second; the venue is not asked that often."""
        broker.poll(START)
        asked = server.requests
        for millisecond in range(100):
            broker.poll(START + timedelta(milliseconds=millisecond))
        assert server.requests == asked

    def test_a_cancel_ends_the_order_and_asking_twice_does_no_harm(self, server: VenueServer,
                                                                   broker: RealBroker) -> None:
        """The end arrives with a poll, once it is so."""
        order = self.order()
        broker.submit(order.approved, now=START)
        polls = Polls(broker)
        broker.cancel(order.order_id, now=START)
        broker.cancel(order.order_id, now=START)
        placed = server.find(order.order_id)
        assert placed is not None
        assert placed.status == "cancelled"
        events = polls.until(lambda events: any(isinstance(event, Ended) for event in events), "the end")
        assert {(event.order_id, event.how) for event in events if isinstance(event, Ended)} == {
            (order.order_id, "cancelled")}

    def test_a_cancel_of_what_is_filled_is_fine(self, server: VenueServer, broker: RealBroker) -> None:
        """It came too late; the execution is told by the poll."""
        order = self.order()
        broker.submit(order.approved, now=START)
        server.fill(order.order_id, self.quantity, "200", fill_id="e1")
        broker.cancel(order.order_id, now=START)
        Polls(broker).units(int(self.quantity))

    def test_a_cancel_without_an_answer_says_so(self, server: VenueServer, broker: RealBroker) -> None:
        """It is asked again; pretending would leave the order working."""
        order = self.order()
        broker.submit(order.approved, now=START)
        server.faults.status = [(503, None)] * 2
        with pytest.raises(OutsideError):
            broker.cancel(order.order_id, now=START)

    def test_holdings_are_spelled_as_here(self, server: VenueServer, broker: RealBroker) -> None:
        """Positions by instrument symbol, cash by currency, working orders with their ids, strangers without one."""
        order = self.order()
        server.position(self.instrument.symbol, "7")
        broker.submit(order.approved, now=START)
        server.fill(order.order_id, "2", "200", fill_id="e1")
        stranger = server.foreign(self.instrument.symbol, "sell", "3")
        found = broker.holdings(START)
        assert found is not None
        assert found.positions == {self.instrument.symbol: Decimal(9)}
        assert found.cash[self.cash_currency] == Decimal(100_000)
        strangers = foreign(found)
        assert [(one.venue_id, one.symbol, one.side, one.leaves) for one in strangers] == [
            (stranger, self.instrument.symbol, "sell", Decimal(3))]
        ours = {one.order_id: (one.symbol, one.side, one.leaves) for one in found.orders if one not in strangers}
        assert ours == {order.order_id: (self.instrument.symbol, "buy", Decimal(self.quantity) - 2)}

    def test_an_empty_account_is_empty_and_no_answer_is_not(self, server: VenueServer, broker: RealBroker) -> None:
        """Nothing held is an answer; an answer that cannot be read is none."""
        found = broker.holdings(START)
        assert found is not None
        assert (dict(found.positions), found.orders) == ({}, ())
        for fault in ("truncate", "garbage"):
            setattr(server.faults, fault, 1)
            with pytest.raises(OutsideError):
                broker.holdings(START)

    def test_a_venue_that_is_gone_is_told_by_the_kind_of_trouble(self, server: VenueServer, broker: RealBroker) -> None:
        """What is said here stands in records, and they go to whoever is to read them: no host, port or path."""
        order = self.order()
        broker.submit(order.approved, now=START)
        said: list[str] = []

        def ask(what: Callable[[], object]) -> None:
            try:
                said.append(repr(what()))
            except OutsideError as error:
                said.append(error.what)

        def everything(asked: RealBroker, fault: str = "") -> None:
            another = self.order()
            for question in (partial(asked.lookup, order.order_id), partial(asked.cancel, order.order_id, now=START),
                             partial(asked.holdings, START), partial(asked.poll, START + timedelta(minutes=len(said))),
                             partial(asked.submit, another.approved, now=START)):
                if fault:
                    setattr(server.faults, fault, 1)
                ask(question)

        for fault in ("truncate", "garbage", "redirect"):
            everything(broker, fault)
        told = len(said)
        with closing(self.make_broker(server, 20.0)) as late:
            server.stop()
            self.hung_up(late)
            everything(late)
        assert any(word in " ".join(said[told:]) for word in ("refused", "was cut")), said[told:]
        host, _, port = server.url.partition("://")[2].partition("/")[0].partition(":")
        for text in said:
            for place in (host, port, "://", "localhost", "Max retries"):
                assert place not in text, text

    def test_no_output_shows_a_secret(self, server: VenueServer, hasty: RealBroker, tmp_path: Path,
                                      capfd: pytest.CaptureFixture[str]) -> None:
        """With the program's own log at debug, through success, refusal, error and silence."""
        said = [repr(hasty), str(vars(hasty)), *hasty.urls()]

        def ask(what: Callable[[], object]) -> None:
            try:
                said.append(repr(what()))
            except OutsideError as error:
                cause: BaseException | None = error
                while cause is not None:
                    said.append(f"{cause!r} {cause} {vars(cause)}")
                    cause = cause.__cause__ or cause.__context__

        home = Home(tmp_path)
        home.logs.mkdir()
        with configure(home, "executor", ManualClock(START), level="debug"):
            logging.getLogger("test").debug("debug lines arrive")
            for fault in (None, "refuse", "unauthorized", "silent"):
                if fault:
                    setattr(server.faults, fault, True)
                order = self.order()
                ask(partial(hasty.submit, order.approved, now=START))
                ask(partial(hasty.lookup, order.order_id))
                ask(partial(hasty.holdings, START))
                ask(partial(hasty.poll, START + timedelta(minutes=len(said))))
        logged = (home.logs / "executor.log").read_text()
        output = capfd.readouterr()
        assert "debug lines arrive" in logged
        assert len(said) > 15
        for text in (*said, logged, output.out, output.err):
            assert TAIL not in text


class BustSuite(Setting):
    """For venues that tell when an execution was taken back."""

    def test_an_execution_taken_back_is_told(self, server: VenueServer, broker: RealBroker) -> None:
        """Under the id that the execution had, as often as it likes."""
        order = self.order()
        broker.submit(order.approved, now=START)
        polls = Polls(broker)
        server.fill(order.order_id, "1", "200", fill_id="e1")
        (fill_id,) = polls.fills(1)
        server.bust("e1")
        polls.until(lambda events: any(isinstance(event, Busted) and event.fill_id == fill_id for event in events),
                    "the bust")
