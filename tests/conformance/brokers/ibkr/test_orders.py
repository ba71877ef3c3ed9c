"""TWS and IB Gateway: what becomes of orders, executions and their corrections, cancels, and what the account holds."""

import asyncio
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from tests.conformance.brokers import ibkr_wire as wire
from tests.conformance.brokers.faults import START
from tests.conformance.brokers.ibkr_server import ACCOUNT, CANCEL, COMPLETED, CONTRACT, OPEN, ORDER, SHARES, IbkrServer
from tests.conformance.brokers.ibkr_setting import ended, ibkr, patiently, refused, said_when_asked, share, taken
from tests.conformance.brokers.ibkr_wire import Share, Shown
from tests.conformance.brokers.setting import Polls, by_id, make_order, units, wait_for
from vanta.common.errors import OutcomeUnknown, OutsideError
from vanta.executor.brokers.ibkr import IbkrBroker
from vanta.executor.brokers.ibkr_link import Bounds, Link
from vanta.executor.brokers.ibkr_wire import Place
from vanta.executor.brokers.port import Accepted, Busted, Ended, Fill, Postponed, Rejected


def test_what_an_order_says_on_the_wire(venue: IbkrServer, broker: IbkrBroker) -> None:
    """By the venue's number of the share, routed by the venue, for the account; the reference is our id."""
    order = taken(venue, broker)
    assert len(order.order_id) <= 40
    assert venue.orders[0].body == {
        "number": 2, "client": 17, "contract": 265598, "kind": "MKT", "limit": "", "stop": "", "tif": "DAY",
        "account": ACCOUNT, "exchange": "SMART", "currency": "USD"}
    taken(venue, broker)
    assert venue.kinds[CONTRACT] == 1
    assert venue.orders[1].body["number"] > 2


@pytest.mark.parametrize(("code", "message"), [
    (201, "Order rejected - reason:Insufficient funds"), (203, "The security is not available for this account"),
    (110, "The price does not conform to the minimum price variation for this contract."),
    (200, "No security definition has been found"), (463, "You must enter a valid price."),
    (321, "Error validating request.-'cc' : cause - The API interface is currently in Read-Only mode.")])
def test_a_definite_no(venue: IbkrServer, broker: IbkrBroker, code: int, message: str) -> None:
    """In the venue's words; nothing was taken."""
    venue.says, venue.takes = [(code, message)], False
    assert broker.submit(share().approved, now=START) == Rejected(f"ibkr {code}: {message}")
    assert venue.live() == {}


def test_an_order_number_that_was_used_is_not_used_again(venue: IbkrServer, broker: IbkrBroker) -> None:
    """Error 103: this order was not taken; the next one goes out with the number that the gateway names anew."""
    venue.next_number[17] = 1
    taken(venue, broker)
    venue.next_number[17] = 500
    answer = broker.submit(share().approved, now=START)
    assert answer == Postponed("ibkr 103: Duplicate order id", 5.0)
    taken(venue, broker)
    assert [order.body["number"] >= 500 for order in venue.orders] == [False, True]


@pytest.mark.parametrize("code", [399, 404, 2109, 10349])
def test_a_warning_is_no_refusal(venue: IbkrServer, broker: IbkrBroker, code: int) -> None:
    """The order works: "your order will not be placed at the exchange until 09:30" is good news."""
    venue.says = [(code, "Order Message: Warning")]
    order = taken(venue, broker)
    assert venue.live() == {order.order_id: 1}


@pytest.mark.parametrize("code", [322, 10999, 202])
def test_an_error_that_decides_nothing_leaves_the_outcome_open(venue: IbkrServer, hasty: IbkrBroker,
                                                               code: int) -> None:
    """Unknown words are no refusal: the order is looked for."""
    venue.says, venue.takes = [(code, "something")], False
    order = share()
    with pytest.raises(OutcomeUnknown, match="no answer within"):
        hasty.submit(order.approved, now=START)
    assert len(venue.seen) == 1
    found: list[object] = []
    wait_for(lambda: refused(lambda: found.append(hasty.lookup(order.order_id))) == "", "an answer")
    assert found == [None]


@pytest.mark.parametrize("message", ["order_status", "open_order"])
def test_another_clients_order_of_the_same_number_is_no_answer(venue: IbkrServer, hasty: IbkrBroker,
                                                               message: str) -> None:
    """Each client counts for itself; a yes to somebody else's order is none to ours."""
    venue.mute.add(ORDER)
    theirs = [Shown(SHARES["AAPL"], "BUY", "5", "0", "5", "Submitted", "", number, 99, 4711, ACCOUNT)
              for number in range(1, 12)]
    said = [wire.order_status(one) if message == "order_status" else wire.open_order(one, 178) for one in theirs]
    with said_when_asked(venue, ORDER, [], said), pytest.raises(OutcomeUnknown, match="no answer within"):
        hasty.submit(share().approved, now=START)


def test_an_order_in_transit_is_neither_taken_nor_unknown(venue: IbkrServer, hasty: IbkrBroker) -> None:
    """It is listed without the venue's number: asked again until it has one."""
    venue.pending = True
    order = share()
    with pytest.raises(OutcomeUnknown):
        hasty.submit(order.approved, now=START)
    assert "no number yet" in refused(lambda: hasty.lookup(order.order_id))
    ticks = count(1)
    patiently(lambda: hasty.poll(START + timedelta(seconds=next(ticks))))
    assert patiently(lambda: hasty.holdings(START)).orders == ()
    venue.pending = False
    adopted = patiently(lambda: hasty.lookup(order.order_id))
    assert (adopted.venue_id, adopted.events) == (venue.orders[0].venue_id, ())


@pytest.mark.parametrize(("listed", "said"), [
    ([], "AAPL in USD is not a share that it knows"),
    ([Share(1, "AAPL", "USD", "NASDAQ"), Share(2, "AAPL", "USD", "AMEX")], "AAPL in USD is ambiguous: AMEX, NASDAQ"),
    ([Share(3, "AAPL", "EUR", "IBIS")], "AAPL in USD is not a share that it knows")])
def test_a_symbol_that_is_not_exactly_one_share_is_refused(venue: IbkrServer, broker: IbkrBroker, listed: list[Share],
                                                           said: str) -> None:
    """Nothing is guessed, and nothing is sent."""
    venue.shares["AAPL"] = listed
    assert broker.submit(share().approved, now=START) == Rejected(f"ibkr: {said}")
    assert venue.seen == []


def test_only_shares_are_traded_here(venue: IbkrServer, broker: IbkrBroker) -> None:
    """A clear sentence, without a connection."""
    answer = broker.submit(make_order("crypto:BTC-USD", "1000", price="50000").approved, now=START)
    assert answer == Rejected("ibkr: crypto is not traded here, shares are")
    assert venue.requests == 0


def test_two_orders_under_one_reference(venue: IbkrServer, broker: IbkrBroker) -> None:
    """Nobody here sends one twice, but the venue would take it: both are told, and a question is not guessed at."""
    order = taken(venue, broker)
    assert isinstance(broker.submit(order.approved, now=START), Accepted)
    polls = Polls(broker)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    polls.units(2)
    with pytest.raises(OutsideError, match="2 orders with the reference"):
        broker.lookup(order.order_id)
    venue.orders.reverse()
    venue.fill(order.order_id, "3", "201", fill_id="e2")
    assert {fill.order_id for fill in polls.units(5).values()} == {order.order_id}
    for placed in venue.orders:
        venue.cancel(placed)
    polls.until(lambda events: ended(events) == ["cancelled"] * 2, "both ends")


def test_a_push_brings_the_next_look_forward(venue: IbkrServer) -> None:
    """What the gateway tells by itself is a hint; a poll that is not due for an hour comes at once."""
    with closing(ibkr(venue, poll_s=3600)) as broker:
        order = taken(venue, broker)
        polls = Polls(broker)
        polls.once()
        venue.fill(order.order_id, "5", "200", fill_id="e1")
        polls.units(5)
        assert polls.now - START < timedelta(hours=1)


def test_a_cut_brings_the_next_look_forward(venue: IbkrServer) -> None:
    """So does the end of a connection."""
    with closing(ibkr(venue, poll_s=3600)) as broker:
        order = taken(venue, broker)
        polls = Polls(broker)
        polls.once()
        venue.orders[0].body["client"] = 99  # what follows is not pushed to us
        venue.fill(order.order_id, "5", "200", fill_id="e1")
        venue.disconnect()
        polls.units(5)
        assert polls.now - START < timedelta(hours=1)


@pytest.mark.parametrize("late", [False, True], ids=["beside it", "after the list"])
def test_an_execution_comes_with_its_fee(venue: IbkrServer, broker: IbkrBroker, late: bool) -> None:
    """The commission has a message of its own, which may come after the end of the list."""
    venue.commission, venue.late_commission = "1.0043", late
    order = taken(venue, broker)
    venue.orders[0].body["client"] = 99  # nothing is pushed to us
    polls = Polls(broker)
    venue.fill(order.order_id, "5", "200", fill_id="e1")
    (fill,) = polls.units(5).values()
    assert (fill.fill_id, fill.fee) == ("0000e0d5.e1.01.01", Decimal("1.0043"))


@pytest.mark.parametrize(("amount", "currency"), [(None, "USD"), ("1.7976931348623157E308", "USD"), ("1", "EUR")],
                         ids=["never told", "not worked out", "another currency"])
def test_a_fee_that_does_not_come_is_noted(venue: IbkrServer, caplog: pytest.LogCaptureFixture, amount: str | None,
                                           currency: str) -> None:
    """The position moved, which cannot wait; the fee is zero, and a line in the log says of which execution."""
    venue.commission, venue.commission_currency = amount, currency
    with closing(ibkr(venue, fee_wait_s=0.05)) as broker:
        order = taken(venue, broker)
        polls = Polls(broker)
        venue.fill(order.order_id, "5", "200", fill_id="e1")
        (fill,) = polls.units(5).values()
        assert fill.fee == 0
        venue.commission, venue.commission_currency = "1", "USD"  # too late: what was told stays as it is
        found = broker.lookup(order.order_id)
        assert found is not None
        assert found.events == (fill,)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "ibkr: execution 0000e0d5.e1.01.01 is booked without a fee: none came in its currency"]


def test_a_correction_takes_back_what_it_replaces(venue: IbkrServer, broker: IbkrBroker) -> None:
    """The same name with a higher last number; both are listed, only the newest stands."""
    order = taken(venue, broker)
    polls = Polls(broker)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    polls.units(2)
    venue.correct("e1", "3", "199.5")
    polls.until(lambda events: len(events) >= 3, "the correction")
    taken_back, instead = polls.events[1:]
    assert taken_back == Busted("0000e0d5.e1.01.01", "corrected by 0000e0d5.e1.01.02")
    assert isinstance(instead, Fill)
    assert (instead.fill_id, instead.quantity, instead.price) == ("0000e0d5.e1.01.02", Decimal(3), Decimal("199.5"))
    found = broker.lookup(order.order_id)
    assert found is not None
    assert found.events == (taken_back, instead)
    polls.once()
    assert len(polls.events) == 3


def test_the_past_is_not_news_but_a_correction_of_it_is(venue: IbkrServer) -> None:
    """Orders that were over when the process began are not told, unless they are asked about."""
    with closing(ibkr(venue)) as before:
        old, asked = taken(venue, before), taken(venue, before)
        for name, order in (("e1", old), ("e2", asked)):
            venue.commission = "1.5"
            venue.fill(order.order_id, "5", "200", fill_id=name)
    with closing(ibkr(venue)) as broker:
        polls = Polls(broker)
        polls.once()
        polls.once()
        assert polls.events == []
        found = broker.lookup(asked.order_id)
        assert found is not None
        (fill,) = found.events
        assert isinstance(fill, Fill)
        assert (fill.quantity, fill.fee) == (Decimal(5), Decimal("1.5"))
        venue.correct("e1", "4", "200")
        polls.until(lambda events: len(events) == 2, "the correction")
        assert [type(event) for event in polls.events] == [Busted, Fill]


def test_what_turns_up_late_is_told(venue: IbkrServer, broker: IbkrBroker) -> None:
    """An order that was given up for lost, and is executed and over before the next look."""
    order = share()
    polls = Polls(broker)
    polls.once()
    venue.faults.late_accept = 1
    with pytest.raises(OutcomeUnknown):
        broker.submit(order.approved, now=START)
    assert broker.lookup(order.order_id) is None
    venue.accept_late()
    venue.fill(order.order_id, "5", "200", fill_id="e1")
    assert {fill.order_id for fill in polls.units(5).values()} == {order.order_id}
    polls.once()
    polls.once()
    assert venue.kinds[COMPLETED] <= 4  # known to be over: not asked for again


def test_an_end_waits_for_its_executions(venue: IbkrServer, broker: IbkrBroker) -> None:
    """The total is there before they are: nothing is over, and a question has no answer yet."""
    order = taken(venue, broker)
    polls = Polls(broker)
    polls.once()
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    venue.forgotten.add("e1")
    venue.end(order.order_id, "cancelled")
    polls.once()
    polls.once()
    assert polls.events == []
    with pytest.raises(OutsideError, match="do not add up"):
        broker.lookup(order.order_id)
    venue.forgotten.clear()
    polls.until(lambda events: ended(events) == ["cancelled"], "the end")
    assert units(by_id(polls.events)) == 2


@pytest.mark.parametrize("booked", [True, False], ids=["booked", "not booked"])
def test_executions_of_earlier_days_have_to_be_in_the_books(venue: IbkrServer, booked: bool) -> None:
    """They are listed no more: an order that was cancelled later is over only if the log holds them."""
    with closing(ibkr(venue)) as before:
        order = taken(venue, before)
    order.entry.venue_id = venue.orders[0].venue_id
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    order.entry.filled = Decimal(2 if booked else 0)
    venue.forgotten.add("e1")
    venue.fill(order.order_id, "1", "200", fill_id="e2")
    venue.end(order.order_id, "cancelled")
    with closing(ibkr(venue)) as broker:
        broker.restore([order.entry])
        polls = Polls(broker)
        polls.units(1)
        polls.once()
        assert ended(polls.events) == (["cancelled"] if booked else [])


def test_executions_are_not_forgotten_at_midnight(venue: IbkrServer, broker: IbkrBroker) -> None:
    """The lists of the next day leave them out; this process was told them, so the end of their order is no riddle."""
    order = taken(venue, broker)
    polls = Polls(broker)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    polls.units(2)
    venue.forgotten.add("e1")
    venue.fill(order.order_id, "1", "200", fill_id="e2")
    polls.units(3)
    venue.forgotten.add("e2")
    venue.end(order.order_id, "cancelled")
    polls.until(lambda events: ended(events) == ["cancelled"], "the end")


def test_a_total_that_the_venue_does_not_say_is_not_waited_for(venue: IbkrServer, broker: IbkrBroker) -> None:
    """Some completed orders come without one: what is listed is what there is."""
    order = taken(venue, broker)
    polls = Polls(broker)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    venue.end(order.order_id, "expired")
    venue.unsure.add(venue.orders[0].venue_id)
    polls.until(lambda events: ended(events) == ["expired"], "the end")
    assert units(by_id(polls.events)) == 2


def test_a_no_after_the_yes(venue: IbkrServer, broker: IbkrBroker) -> None:
    """TWS goes on listing such an order, as inactive: with the reason that came it is over, without one it waits."""
    order, waits = taken(venue, broker), taken(venue, broker)
    polls = Polls(broker)
    polls.once()
    venue.inactive.update(placed.venue_id for placed in venue.orders)
    venue.say(venue.orders[0].body["number"], 201, "Order rejected - reason:Margin")
    polls.until(lambda events: bool(ended(events)), "the end")
    assert polls.events == [Ended(order_id=order.order_id, how="rejected",
                                  detail="ibkr: 201 Order rejected - reason:Margin")]
    found = broker.holdings(START)
    assert found is not None
    assert [one.order_id for one in found.orders] == [waits.order_id]


def test_an_order_of_ours_that_is_listed_without_its_state_is_no_answer(venue: IbkrServer, broker: IbkrBroker) -> None:
    """How much of it still works is compared with the books; of a stranger's order it is not."""
    order = taken(venue, broker)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    assert broker.holdings(START) is not None
    venue.bare.add(venue.orders[0].venue_id)
    with pytest.raises(OutsideError, match="listed without its state"):
        broker.holdings(START)
    venue.cancel(venue.orders[0])
    venue.bare.add(venue.foreign("AAPL", "sell", "3"))
    found = broker.holdings(START)
    assert found is not None
    assert [(one.order_id, one.leaves) for one in found.orders] == [("", Decimal(3))]


def test_an_order_is_not_lost_while_no_list_has_it(venue: IbkrServer, broker: IbkrBroker) -> None:
    """Between two lists it is on neither; its executions are told, its end comes when it is listed again."""
    order = taken(venue, broker)
    polls = Polls(broker)
    venue.unlisted.add(venue.orders[0].venue_id)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    polls.units(2)
    found = broker.lookup(order.order_id)
    assert found is not None
    assert (found.venue_id, len(found.events)) == (venue.orders[0].venue_id, 1)
    venue.unlisted.clear()
    venue.end(order.order_id, "cancelled")
    polls.until(lambda events: ended(events) == ["cancelled"], "the end")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_time_without_a_zone_is_read_in_the_gateways(venue: IbkrServer, zone: str) -> None:
    """Old settings of TWS leave the zone out; the host's own would be a guess."""
    with closing(ibkr(venue, timezone=zone)) as broker:
        order = taken(venue, broker)
        venue.fill(order.order_id, "5", "200", fill_id="e1")
        venue.spoil = (11, 15, "20261120  10:00:00")
        found = broker.lookup(order.order_id)
        assert found is not None
        (fill,) = found.events
        assert isinstance(fill, Fill)
        assert fill.at == datetime(2026, 11, 20, 10 if zone == "UTC" else 15, tzinfo=UTC)


def test_an_order_of_another_client_cannot_be_cancelled(venue: IbkrServer, broker: IbkrBroker) -> None:
    """It is said with the cure, from memory until the next look is due: the executor asks in every step."""
    order = taken(venue, broker)
    with closing(ibkr(venue, client_id=18)) as other:
        for millisecond in range(50):
            with pytest.raises(OutsideError, match="sent as client 17, which alone can cancel it, and client_id is 18"):
                other.cancel(order.order_id, now=START + timedelta(milliseconds=millisecond))
        assert (venue.kinds[CANCEL], venue.kinds[OPEN]) == (0, 1)
        with pytest.raises(OutsideError):
            other.cancel(order.order_id, now=START + timedelta(seconds=2))
        assert venue.kinds[OPEN] == 2
    assert venue.orders[0].status == "open"


@pytest.mark.parametrize(("code", "fine"), [(10147, True), (10148, True), (161, True), (202, True), (136, False),
                                            (10999, False)])
def test_which_answers_to_a_cancel_are_fine(venue: IbkrServer, broker: IbkrBroker, code: int, fine: bool) -> None:
    """Being over already is; anything else is asked again."""
    order = taken(venue, broker)
    venue.cancels_say = (code, "says TWS")
    if fine:
        broker.cancel(order.order_id, now=START)
    else:
        with pytest.raises(OutsideError, match=f"{code}: says TWS"):
            broker.cancel(order.order_id, now=START)


def test_a_cancel_that_is_under_way_is_not_asked_for_again(venue: IbkrServer, broker: IbkrBroker) -> None:
    """Outside its hours an exchange takes its time; the order goes on being listed."""
    order = taken(venue, broker)
    venue.cancelling.add(venue.orders[0].venue_id)
    broker.cancel(order.order_id, now=START)
    assert venue.kinds[CANCEL] == 0
    found = broker.holdings(START)
    assert found is not None
    assert [one.order_id for one in found.orders] == [order.order_id]


def test_a_cancel_of_what_is_nowhere_says_so(venue: IbkrServer, broker: IbkrBroker) -> None:
    """It may be on its way; pretending would leave it working."""
    with pytest.raises(OutsideError, match="does not list"):
        broker.cancel(share().order_id, now=START)


def test_holdings_tell_apart_what_is_spelled_alike(venue: IbkrServer, broker: IbkrBroker) -> None:
    """A share class has a dot here; options, the same share in another currency and other accounts have other names."""
    venue.position("BRK.B", "-3")
    venue.more_positions = [
        (ACCOUNT, "STK", Share(1, "AAPL", "EUR"), "4"), (ACCOUNT, "OPT", Share(2, "AAPL"), "1"),
        ("DU9", "STK", Share(265598, "AAPL"), "99"), (ACCOUNT, "STK", Share(3, "SAP", "EUR"), "2"),
        (ACCOUNT, "STK", Share(4, "SAP", "EUR"), "1"), (ACCOUNT, "STK", Share(5, "GONE"), "0"),
        (ACCOUNT, "STK", Share(272093, "MSFT"), "0.1")]
    venue.more_cash = [(ACCOUNT, "CashBalance", "12.34", "EUR"), (ACCOUNT, "CashBalance", "1", "USD"),
                       ("DU9", "TotalCashBalance", "99", "GBP"), (ACCOUNT, "NetLiquidation", "5", "CHF")]
    found = broker.holdings(START)
    assert found is not None
    assert found.positions == {"BRK.B": Decimal(-3), "AAPL@EUR": Decimal(4), "OPT:AAPL": Decimal(1), "SAP": Decimal(3),
                               "MSFT": Decimal("0.1")}
    assert found.cash == {"USD": Decimal(100_000), "EUR": Decimal("12.34")}
    wait_for(lambda: sorted(venue.called_off) == [64, 77], "the end of what would go on being told")


def test_questions_of_two_threads_do_not_meet(venue: IbkrServer) -> None:
    """Lists have no number on the wire: one is asked for after the other."""
    venue.position("AAPL", "7")
    link = Link(Place("127.0.0.1", venue.port, 17, "UTC"), Bounds(20.0, 30.0, 0.0), lambda names: names[0])
    found: list[object] = []
    with closing(link):
        link.run(lambda session: session.cash())
        asking = [threading.Thread(target=lambda: found.append(link.run(lambda session: session.positions({}))))
                  for _ in range(5)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
    assert found == [{"AAPL": Decimal(7)}] * 5
    assert venue.opened == 1


def test_nothing_is_left_to_the_librarys_own_loop(venue: IbkrServer, broker: IbkrBroker) -> None:
    """The thread of whoever asks gets no event loop from it, and may have one of its own."""

    async def ask() -> object:
        return broker.holdings(START)

    assert asyncio.run(ask()) is not None
