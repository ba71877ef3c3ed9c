"""Exits by plan, flattening, overrides and latches from outside follow from their inputs as well."""

from datetime import timedelta

from tests.unit.alpha.core.test_replay import assert_equal, replayed
from tests.unit.alpha.homes import first, kept
from tests.unit.executor.test_commands import Desk
from tests.unit.executor.test_protect import bought
from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import World
from vanta.common.times import iso


def test_a_stop_and_what_follows_replay_equal() -> None:
    """The exit is due by the book at that moment, and its order follows from it."""
    world = bought(stop_pct="0.05")
    world.quote("equity:AAPL", "180.00")
    world.step()
    assert_equal(world, "intent.seen", "fill")


def test_an_exit_that_was_not_due_is_found() -> None:
    """A log in which the executor left a position without a rule that says so."""
    world = bought(stop_pct="0.05")
    world.quote("equity:AAPL", "180.00")
    world.step()
    wrong = list(world.journal.read())
    at = next(index for index, record in enumerate(wrong) if record.payload.get("from") == "executor")
    early = next(index for index, record in enumerate(wrong) if record.kind == "quote.seen" and index > at - 3)
    calm = {**wrong[early].payload, "bid": "199", "ask": "199", "last": "199"}
    wrong[early] = wrong[early]._replace(payload=calm)
    found = replayed(wrong[:at + 1], kept(world))
    assert [step.kind for step in found.differences] == ["intent.seen"]


def test_flattening_replays_equal() -> None:
    """The command, the latch against entries and the exits."""
    world = bought()
    Desk(world).give("flatten")
    world.step()
    assert first(world, "command.taken").payload["kind"] == "flatten"
    assert_equal(world, "latch.set", "intent.seen", "fill")


def test_an_override_is_part_of_what_verdicts_rest_on() -> None:
    """What passed only because of it passes again."""
    world = World()
    world.quote("crypto:BTC-USD", "100.00")
    until = iso(world.clock.now() + timedelta(hours=1))
    Desk(world).give("override", vault="V_CORE", limit="max_single_pos_pct", value="0.25", until=until)
    name = world.want("crypto:BTC-USD", "22000")
    world.step()
    assert world.state(name) == "filled"
    assert_equal(world, "intent.approved")


def test_a_latch_that_a_venue_gave_rise_to_is_taken_as_recorded() -> None:
    """What the venue said is an input."""
    world = VenueWorld(Venue())
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.fill(str(world.book.intents[name].order_id), "7")
    world.step()
    assert world.latched() == {"broker.overfill"}
    assert_equal(world, "latch.set", "fill")
