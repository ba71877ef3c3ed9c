"""What venues do to orders, and what becomes of it: late, twice, too much, taken back, silent, in disagreement."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from tests.unit.executor.test_recovery import cut
from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import vault, without_permission
from vanta.executor.brokers.port import Answer, Broker, Busted, Fill
from vanta.executor.core.approval import Approved
from vanta.executor.core.reconcile import Holdings, VenueOrder


def sent(venue: Venue | None = None) -> tuple[VenueWorld, str, str]:
    """A world with one order at the venue: world, intent, order."""
    world = VenueWorld(venue or Venue())
    name = world.want("equity:AAPL", "1000")
    world.step()
    return world, name, str(world.book.intents[name].order_id)


def holds(quantity: str, *orders: VenueOrder) -> Holdings:
    """What the venue says it holds."""
    return Holdings({"AAPL": Decimal(quantity)} if quantity != "0" else {}, {}, orders)


def test_a_cancel_that_never_reached_the_venue_is_asked_again_after_a_restart() -> None:
    """A crash between the record of the wish and the request: the restart asks, and the order ends."""
    world, name, _ = sent()
    world.gate.raw = without_permission({"full_halt": True})
    world.step()
    at = next(record.seq for record in world.journal.read() if record.kind == "order.cancelling")
    cut(world, at)
    world.venue.cancelled.clear()
    world.venue.events.clear()
    world.start()
    assert len(world.venue.cancelled) == 1
    world.step()
    assert world.state(name) == "cancelled"


def test_a_cancel_without_an_answer_is_asked_again_while_running() -> None:
    """The venue was silent when asked; when it answers again the order ends."""
    world, name, _ = sent()
    world.venue.mood = "silent"
    world.gate.raw = without_permission({"full_halt": True})
    world.step()
    assert world.state(name) == "cancelling"
    world.venue.mood = "well"
    world.step(seconds=5)
    world.step()
    assert world.state(name) == "cancelled"


def test_a_withdrawal_while_the_outcome_is_unknown_counts_when_the_order_comes_back() -> None:
    """The venue never had the order: it is withdrawn instead of being sent again."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.withdraw(name)
    world.step()
    assert world.state(name) == "unknown"
    world.venue.mood = "well"
    world.step(seconds=5)
    assert world.state(name) == "withdrawn"
    assert world.venue.requests == 1


def test_a_withdrawal_of_a_working_order_cancels_it() -> None:
    """What the promoter no longer wants does not stay at the venue."""
    world, name, order_id = sent()
    world.withdraw(name)
    world.step()
    assert world.venue.cancelled == [order_id]
    world.step()
    assert world.state(name) == "cancelled"


def test_not_found_counts_only_after_the_settle_time() -> None:
    """A venue that may still take the order is asked again; nothing is sent before that."""
    world = VenueWorld(Venue(settle_s=10))
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "well"
    world.step(seconds=5)
    assert world.state(name) == "unknown"
    assert world.kinds(name).count("order.unknown") == 1
    world.step(seconds=6)
    world.step()
    assert world.state(name) == "working"
    assert list(world.venue.live.values()) == [1]


def test_beyond_the_lookup_window_nobody_guesses() -> None:
    """A venue that cannot be asked any more about an order leaves it to a person."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "silent"
    world.step(seconds=3700)
    world.venue.mood = "well"
    world.step(seconds=5)
    assert world.state(name) == "quarantined"


def test_an_order_found_at_the_venue_brings_its_executions() -> None:
    """The answer got lost, the order was filled meanwhile: one look-up books all of it."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the answer"
    name = world.want("equity:AAPL", "1000")
    world.step()
    order_id = str(world.book.intents[name].order_id)
    world.fill(order_id, "5")
    world.venue.history, world.venue.events = world.venue.events, []
    world.venue.mood = "well"
    world.step(seconds=5)
    assert world.state(name) == "filled"
    assert world.held("equity:AAPL") == 5


def test_an_order_that_turns_up_after_it_was_withheld_is_adopted_and_not_sent_again() -> None:
    """The venue said it did not know the order, then filled part of it: the order is live."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "well"
    world.gate.raw = without_permission({"orders_disabled": True})
    world.step(seconds=5)
    assert world.state(name) == "held"
    order_id = str(world.book.intents[name].order_id)
    world.fill(order_id, "2")
    world.gate.raw = without_permission({})
    world.step()
    assert world.state(name) == "partially_filled"
    assert order_id in world.book.working
    world.step()
    assert world.venue.requests == 1


def test_a_busy_venue_is_left_alone_for_as_long_as_it_asked() -> None:
    """The order was not taken: withheld, and sent again only after the pause."""
    world = VenueWorld(Venue())
    world.venue.mood = "is busy"
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.codes(name) == {"broker.busy"}
    world.venue.mood = "well"
    world.step(seconds=10)
    assert world.venue.requests == 1
    world.step(seconds=25)
    assert world.state(name) == "working"
    assert world.venue.requests == 2


def test_an_execution_that_is_reported_twice_is_booked_once() -> None:
    """Duplicates are a venue's habit; the execution's id decides."""
    world, name, order_id = sent()
    world.fill(order_id, "2")
    world.fill(order_id, "2")
    world.step()
    assert world.held("equity:AAPL") == 2
    assert world.kinds(name).count("fill") == 1


def test_an_execution_that_crosses_the_end_of_its_order_is_booked() -> None:
    """Cancelled first, filled second, because messages overtake each other: the money is real, nobody is alarmed."""
    world, name, order_id = sent()
    world.end(order_id, "cancelled")
    world.fill(order_id, "2")
    world.step()
    assert world.state(name) == "cancelled"
    assert world.held("equity:AAPL") == 2
    assert not world.latched()


def test_an_execution_after_a_rejection_latches() -> None:
    """A venue that fills what it rejected cannot be trusted until somebody has looked."""
    world, name, order_id = sent()
    world.end(order_id, "rejected")
    world.step()
    assert world.state(name) == "rejected"
    world.fill(order_id, "5")
    world.step()
    assert world.held("equity:AAPL") == 5
    assert world.latched() == {"broker.late_fill"}


def test_more_than_was_ordered_is_booked_and_latches() -> None:
    """An over-fill is real money; nothing further leaves until a person has settled it."""
    world, name, order_id = sent()
    world.fill(order_id, "7")
    world.step()
    assert world.held("equity:AAPL") == 7
    assert world.state(name) == "filled"
    assert world.latched() == {"broker.overfill"}


def test_an_execution_that_is_taken_back_is_unbooked_and_latches() -> None:
    """Position and cash are as before it; a second notice changes nothing."""
    world, _, order_id = sent()
    before = world.cash()
    world.fill(order_id, "5")
    world.step()
    assert world.book.orders[order_id].worth == 1000
    world.venue.events += [Busted("f1", "erroneous trade"), Busted("f1", "again"), Busted("f9", "never heard of")]
    world.step()
    assert (world.held("equity:AAPL"), world.cash()) == (Decimal(0), before)
    assert (world.book.orders[order_id].filled, world.book.orders[order_id].worth) == (Decimal(0), Decimal(0))
    assert world.latched() == {"broker.fill_busted"}


def test_a_fill_of_an_order_that_this_log_does_not_know_latches() -> None:
    """Somebody else trades the account, or this log lost records; an unknown order's end is only noted."""
    world, _, _ = sent()
    world.end("somebody-elses", "cancelled")
    world.step()
    assert not world.latched()
    world.fill("somebody-elses", "1")
    world.fill("somebody-elses", "1")
    world.step()
    assert world.latched() == {"broker.external_fill"}
    assert world.kinds().count("broker.external") == 2


def test_endings_of_what_has_ended_change_nothing() -> None:
    """The venue repeats itself after a reconnect."""
    world, name, order_id = sent()
    world.end(order_id, "expired")
    world.end(order_id, "cancelled")
    world.step()
    assert world.state(name) == "expired"


@pytest.mark.parametrize("how", ["cancelled", "expired", "rejected"])
def test_every_ending_is_recorded_as_what_it_was(how: str) -> None:
    """The venue's own words stay in the record."""
    world, name, order_id = sent()
    world.end(order_id, how)
    world.step()
    assert world.state(name) == how
    assert any(record.payload.get("detail") == "says the venue" for record in world.journal.read())


def test_nothing_leaves_while_the_venue_is_silent() -> None:
    """An account whose venue does not answer is in doubt; the next order waits for it, exits too."""
    world, _, order_id = sent()
    world.fill(order_id, "5")
    world.step()
    world.venue.mood = "silent"
    world.step()
    name = world.want("equity:AAPL", "1000", side="sell", close=True)
    world.step()
    assert world.codes(name) == {"broker.not_in_sync"}
    world.venue.mood = "well"
    world.step(seconds=2)
    assert world.state(name) == "working"
    assert world.kinds().count("broker.sync") == 4


def test_positions_that_differ_hold_at_once_and_latch_at_the_third_reading() -> None:
    """One wrong reading halts nothing for good; three in a row do."""
    venue = Venue()
    venue.said = holds("0")
    world, name, _ = sent(venue)
    assert world.state(name) == "working"
    venue.said = holds("3")
    world.step(seconds=31)
    assert world.book.sync["paper"].readings == 1
    assert "order " in world.book.sync["paper"].detail
    assert "position AAPL: 0 in the books, 3 at the venue" in world.book.sync["paper"].detail
    assert not world.latched()
    world.step(seconds=2)
    assert not world.latched()
    world.step(seconds=2)
    assert world.latched() == {"broker.differs"}


def test_one_reading_in_which_everything_vanished_halts_nothing_for_good() -> None:
    """The next reading agrees: dispatch goes on, and the count starts again."""
    venue = Venue()
    venue.said = holds("0")
    world, _, order_id = sent(venue)
    world.fill(order_id, "5")
    venue.said = holds("5")
    world.step(seconds=31)
    assert world.book.sync["paper"].state == "in_sync"
    venue.said = holds("0")
    world.step(seconds=31)
    world.step(seconds=2)
    assert world.book.sync["paper"].readings == 2
    venue.said = holds("5")
    world.step(seconds=2)
    assert world.book.sync["paper"].state == "in_sync"
    assert not world.latched()


def test_working_orders_are_compared_and_foreign_ones_only_reported() -> None:
    """Another home on the account is a difference; an order without our kind of name is nobody's business here."""
    venue = Venue()
    venue.said = holds("0")
    world, _, order_id = sent(venue)
    ours = VenueOrder(order_id, "x1", "AAPL", "buy", Decimal(5))
    stranger = VenueOrder("", "x2", "MSFT", "sell", Decimal(1))
    venue.said = holds("0", ours, stranger)
    world.step(seconds=31)
    world.step(seconds=31)
    assert world.book.sync["paper"].state == "in_sync"
    assert world.kinds().count("broker.external") == 1
    venue.said = holds("0", ours._replace(leaves=Decimal(4)))
    world.step(seconds=31)
    assert "5 left in the books, 4 at the venue" in world.book.sync["paper"].detail
    venue.said = holds("0", ours, ours._replace(order_id=f"v{world.book.home}-{'a' * 20}-1", venue_id="x3"))
    world.step(seconds=31)
    assert "listed by the venue, does not work here" in world.book.sync["paper"].detail
    venue.said = holds("0", ours, ours._replace(order_id=f"v222222-{'a' * 20}-1", venue_id="x4"))
    world.step(seconds=31)
    assert "home 222222 trades this account too" in world.book.sync["paper"].detail


def test_without_calls_nobody_is_asked_at_start() -> None:
    """external_calls_disabled holds for questions too; the start says what is left open."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the answer"
    world.want("equity:AAPL", "1000")
    world.step()
    world.gate.raw = without_permission({"external_calls_disabled": True})
    asked = world.venue.questions
    world.start()
    world.step()
    assert world.venue.questions == asked
    assert "1 orders without an answer: no calls are allowed; left open" in world.said


def test_an_account_without_a_broker_leaves_its_orders_as_they_are() -> None:
    """The broker was taken out of the configuration: nothing is guessed, nothing is cancelled."""
    world, name, _ = sent()
    world.venue.name = "gone"
    world.make_brokers = dict  # type: ignore[method-assign]
    world.start()
    world.gate.raw = without_permission({"full_halt": True})
    world.step()
    assert world.state(name) == "cancelling"
    assert world.venue.cancelled == []


def test_a_fee_of_parts_of_a_cent_is_booked_in_whole_cents() -> None:
    """Cash plus the cost of lots stays capital plus realised, to the cent."""
    world, _, order_id = sent()
    world.fill(order_id, "5", fee="0.0175")
    world.step()
    vault = world.book.vaults["V_CORE"]
    assert world.cash() == Decimal("98999.98")
    assert vault.cash + vault.positions["equity:AAPL"].cost() == 100_000 + vault.ledger.realised


def test_a_venue_may_reject_what_it_has_filled_in_part() -> None:
    """However odd, it is the end of the order and not of the program, which would meet it again at every start."""
    world, name, order_id = sent()
    world.fill(order_id, "2")
    world.end(order_id, "rejected")
    world.step()
    assert world.state(name) == "rejected"
    assert world.held("equity:AAPL") == 2


def _overfilled(world: VenueWorld, order_id: str) -> None:
    world.fill(order_id, "7")


def _filled_after_its_rejection(world: VenueWorld, order_id: str) -> None:
    world.end(order_id, "rejected")
    world.fill(order_id, "5")


def _filled_for_a_stranger(world: VenueWorld, order_id: str) -> None:
    world.fill("somebody-elses", "1")


def _busted(world: VenueWorld, order_id: str) -> None:
    world.fill(order_id, "5")
    world.venue.events.append(Busted("f1", "erroneous trade"))


@pytest.mark.parametrize("befalls", [_overfilled, _filled_after_its_rejection, _filled_for_a_stranger, _busted],
                         ids=lambda befalls: befalls.__name__.strip("_"))
def test_no_crash_loses_an_alarm_alone(befalls: Callable[[VenueWorld, str], None]) -> None:
    """Cut the log after any record of the step, restart, and let the venue tell everything again: somebody is told."""
    whole, _, order_id = sent()
    before = whole.journal.head().seq
    befalls(whole, order_id)
    whole.step()
    assert len(whole.latched()) == 1
    for lines in range(before, whole.journal.head().seq):
        world, _, order_id = sent()
        befalls(world, order_id)
        told = list(world.venue.events)
        world.step()
        cut(world, lines)
        world.start()
        world.venue.events = told
        world.step()
        assert world.latched() == whole.latched(), lines


def test_an_order_that_ended_after_it_was_withheld_is_over_and_not_sent_again() -> None:
    """The venue did not know the order, took it late and ended it: sent again, it would be taken for the dead one."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "well"
    world.gate.raw = without_permission({"orders_disabled": True})
    world.step(seconds=5)
    assert world.state(name) == "held"
    world.end(str(world.book.intents[name].order_id), "expired")
    world.gate.raw = without_permission({})
    world.step()
    assert world.state(name) == "expired"
    assert not world.book.working
    assert world.venue.requests == 1


class TwoVenues(VenueWorld):
    """A world with a second account at another venue."""

    def make_brokers(self) -> dict[str, Broker]:
        return {"paper": self.venue, "other": self.second}

    def __init__(self) -> None:
        self.second = Venue()
        super().__init__(Venue(), vaults=[vault(), vault("V_OTHER", account="other")])


def test_two_venues_may_number_their_executions_alike() -> None:
    """An execution's id is its venue's own: each of the two is booked, and taken back, by itself."""
    world = TwoVenues()
    orders = {}
    for account, name in (("paper", "V_CORE"), ("other", "V_OTHER")):
        wish = world.want("equity:AAPL", "1000", vault=name, account=account)
        world.step()
        orders[account] = str(world.book.intents[wish].order_id)
    world.fill(orders["paper"], "5")
    world.second.events = [event._replace(order_id=orders["other"]) for event in world.venue.events
                           if isinstance(event, Fill)]
    world.step()
    assert (world.held("equity:AAPL"), world.held("equity:AAPL", "V_OTHER")) == (Decimal(5), Decimal(5))
    world.second.events = [Busted("f1", "erroneous trade")]
    world.step()
    assert (world.held("equity:AAPL"), world.held("equity:AAPL", "V_OTHER")) == (Decimal(5), Decimal(0))


def test_an_execution_that_is_taken_back_before_it_is_told_leaves_nothing() -> None:
    """Messages overtake each other: in either order the books end as the venue's do, and somebody is told."""
    world, _, order_id = sent()
    before = world.cash()
    world.venue.events.append(Busted("f1", "erroneous trade"))
    world.step()
    assert not world.latched()
    world.fill(order_id, "5")
    world.venue.events.append(Busted("f1", "erroneous trade"))
    world.step()
    assert (world.held("equity:AAPL"), world.cash()) == (Decimal(0), before)
    assert world.latched() == {"broker.fill_busted"}
    assert world.kinds().count("fill.busted") == 1


class Slow(Venue):
    """A venue that takes its time to answer."""

    world: VenueWorld
    takes = 0.0

    def _submit(self, order: Approved, now: datetime) -> Answer:
        self.world.clock.sleep(self.takes)
        return super()._submit(order, now)


def test_nothing_is_sent_on_a_verdict_that_has_grown_old() -> None:
    """The first of a batch took twenty minutes: the second is judged anew, and has expired."""
    venue = Slow()
    world = venue.world = VenueWorld(venue)
    world.quote("crypto:BTC-USD", "50000")
    first, second = world.want("equity:AAPL", "1000"), world.want("crypto:BTC-USD", "1000")
    venue.takes = 1200
    world.step()
    assert sorted([world.state(first), world.state(second)]) == ["seen", "working"]
    assert venue.requests == 1
    world.step()
    assert sorted([world.state(first), world.state(second)]) == ["expired", "working"]
    assert venue.requests == 1
