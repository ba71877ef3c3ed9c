"""After a crash anywhere between verdict and answer: no order twice, none lost, and a sentence about it."""

import pytest

from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import World, without_permission
from vanta.common.errors import Bug, StateError
from vanta.common.store.inmemory import MemoryJournal
from vanta.executor.core.approval import Approved


@pytest.mark.parametrize("mood", ["loses the answer", "throws"])
def test_a_lost_answer_is_asked_about_and_never_sent_again(mood: str) -> None:
    """The venue took the order but the answer got lost: one order, adopted after asking."""
    world = VenueWorld(Venue())
    world.venue.mood = mood
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.state(name) == "unknown"
    world.venue.mood = "well"
    world.step(seconds=5)
    assert world.state(name) == "working"
    assert list(world.venue.live.values()) == [1]
    assert world.venue.requests == 1


def test_an_order_the_venue_never_saw_goes_through_the_fences_again_under_the_same_id() -> None:
    """Where the venue de-duplicates, not found means: withheld, judged again, sent under the same id."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    first = world.book.intents[name].order_id
    world.venue.mood = "well"
    world.step(seconds=5)
    world.step(seconds=5)
    assert world.state(name) == "working"
    assert list(world.venue.live) == [first]
    assert world.kinds(name).count("intent.approved") == 2


@pytest.mark.parametrize("price", ["160.00", "210.00"])
def test_what_may_have_reached_the_venue_is_sent_again_in_the_same_quantity(price: str) -> None:
    """The price moved meanwhile: the venue would take the id for the first order, and the books for the second."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "is busy"
    world.quote("equity:AAPL", price)
    world.step(seconds=5)
    assert world.codes(name) == {"broker.outcome_unknown", "broker.busy"}
    world.venue.mood = "well"
    world.step(seconds=31)
    assert world.state(name) == "working"
    sent = [record.payload["quantity"] for record in world.journal.read() if record.kind == "order.submitting"]
    assert sent == ["5", "5", "5"]


def test_without_deduplication_not_found_is_quarantined() -> None:
    """A venue that would take the same id twice gets no second request; a person decides."""
    world = VenueWorld(Venue(deduplicates=False))
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "well"
    world.step(seconds=5)
    assert world.state(name) == "quarantined"
    assert world.venue.requests == 1


def test_a_silent_venue_leaves_the_question_open() -> None:
    """No answer is not "not found": the order stays unknown, and the venue's state is shown as unknown."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the answer"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "silent"
    world.step(seconds=5)
    assert world.state(name) == "unknown"
    assert world.book.sync["paper"].state == "unknown"


def test_a_rejection_is_final_and_says_why() -> None:
    """The venue's own words are in the record."""
    world = VenueWorld(Venue())
    world.venue.mood = "rejects"
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.state(name) == "rejected"
    assert world.codes(name) == {"broker.rejected"}


@pytest.mark.parametrize(("live", "outcome"), [(True, "working"), (False, "seen")])
def test_a_crash_after_the_outbox_record_is_settled_at_start(live: bool, outcome: str) -> None:
    """Restart on a log that ends with the outbox record: the venue is asked before anything else."""
    world = VenueWorld(Venue())
    name = world.want("equity:AAPL", "1000")
    world.step()
    kept = [raw for raw in world.journal._lines if b'"order.accepted"' not in raw]
    last = next(index for index, raw in enumerate(kept) if b'"order.submitting"' in raw)
    cut(world, last + 1)
    if not live:
        world.venue.live.clear()
    world.start()
    assert world.state(name) == outcome
    assert "1 orders without an answer" in world.said
    world.step()
    assert sum(world.venue.live.values()) == 1


def cut(world: World, lines: int) -> None:
    """Forget everything after so many journal lines, as a power cut would."""
    kept = list(world.journal.read())[:lines]
    world.journal = MemoryJournal()
    for record in kept:
        world.journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)


def test_every_prefix_of_the_log_recovers_to_one_order() -> None:
    """Cut the log after any record, restart, and go on: exactly one live order each time."""
    complete = VenueWorld(Venue())
    complete.want("equity:AAPL", "1000")
    complete.step()
    total = len(list(complete.journal.read()))
    sent_at = next(record.seq for record in complete.journal.read() if record.kind == "order.submitting")
    for lines in range(1, total + 1):
        world = VenueWorld(Venue())
        name = world.want("equity:AAPL", "1000")
        world.step()
        if lines < sent_at:
            world.venue.live.clear()  # the venue cannot have an order whose outbox record was never durable
        cut(world, lines)
        world.start()
        world.stage()
        world.step()
        world.step(seconds=5)
        assert list(world.venue.live.values()) == [1], lines
        assert world.state(name) == "working"


def test_full_halt_cancels_working_orders_once() -> None:
    """Draining asks the venue to cancel; a second step does not ask again."""
    world = VenueWorld(Venue())
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.gate.raw = without_permission({"full_halt": True})
    world.step()
    world.step()
    assert len(world.venue.cancelled) == 1
    assert world.state(name) == "cancelled"


def test_external_calls_disabled_leaves_working_orders_alone() -> None:
    """With no calls allowed not even cancels leave; the orders stay working."""
    world = VenueWorld(Venue())
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.gate.raw = without_permission({"full_halt": True, "external_calls_disabled": True})
    world.step()
    assert world.venue.cancelled == []
    assert world.state(name) == "working"


def test_a_broker_takes_nothing_but_an_approved_order() -> None:
    """The type is the fence: anything else is a bug, and an approval cannot be made by hand."""
    venue = Venue()
    with pytest.raises(Bug, match="passed no fence"):
        venue.submit("buy everything", now=World().clock.now())  # type: ignore[arg-type]
    with pytest.raises(Bug, match="only be made"):
        Approved(object(), None, "home", [])  # type: ignore[arg-type]


def test_a_log_that_contradicts_itself_stops_the_start() -> None:
    """A fill for an order that ended is not something to guess about."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    fill = next(record for record in world.journal.read() if record.kind == "fill")
    world.journal.append(fill.kind, fill.payload, at=fill.at, ids=fill.ids)
    with pytest.raises(StateError, match="booked twice"):
        world.start()
