"""When a stop is put to the venue, when it waits, and when it is not asked for."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.executor.test_protect import WIDE, exits, plan
from tests.unit.executor.test_stops import AAPL, BTC, asking, at_venue, holding, later, resting, the_stop
from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import OPEN, World, vault, without_permission
from vanta.common.canonical import document
from vanta.common.paths import VAULTS
from vanta.executor.brokers.port import Capabilities


def closed() -> World:
    """Bought right before the session ended: the stop waits for the next."""
    world = World(vaults=[asking()], start=OPEN + timedelta(hours=5, minutes=59, seconds=58))
    world.quote(AAPL, "200.00")
    world.want(AAPL, "1000", exit_plan=plan(stop_pct="0.05"))
    world.step()
    world.step()
    world.step()
    (entry,) = [one for one in world.book.waiting.values() if one.resting]
    assert world.codes(entry.intent_id) == {"session.closed"}
    return world


def test_it_waits_for_the_session_and_is_asked_for_anew() -> None:
    """From Friday's close to Monday's open an intent expires; the next one goes with the session."""
    world = closed()
    world.step(seconds=86_401)
    for _ in range(2):
        later(world, "200.00", seconds=40_000)
    assert resting(world) == []
    later(world, "200.00", seconds=67 * 3600 - 86_401 - 80_000)
    later(world, "200.00")
    assert the_stop(world).quantity == 5


def test_a_stop_that_waits_is_refused_where_the_vault_no_longer_asks_for_it() -> None:
    """It is never sent as anything else."""
    world = closed()
    (entry,) = world.book.waiting.values()
    world.files.replace(VAULTS, document({"vaults": [vault(risk=WIDE)]}))
    world.step()
    assert (world.state(entry.intent_id), world.codes(entry.intent_id)) == (
        "refused", {"session.closed", "broker.terms_not_possible"})


def test_a_stop_that_waits_for_a_position_that_is_gone_has_no_price() -> None:
    """A price of nothing is refused, and so is a size of nothing."""
    world = holding()
    world.gate.raw = without_permission({"full_halt": True})
    world.step()
    world.step()
    later(world, "200.00")
    (entry,) = world.book.waiting.values()
    world.book.vaults["V_CORE"].positions.clear()
    world.book.vaults["V_CORE"].guards.clear()
    world.gate.raw = without_permission({})
    world.step()
    assert world.state(entry.intent_id) == "refused"
    assert {"price.limit_rounds_to_zero", "size.rounds_to_zero"} <= world.codes(entry.intent_id)


class CannotStop(Venue):
    """A venue without stop orders."""

    def __init__(self) -> None:
        super().__init__()
        self.capabilities = Capabilities(deduplicates=True, lookup_window_s=3600, settle_s=0, limit=True, gtc=True)


def test_where_the_venue_has_no_stops_the_executor_watches() -> None:
    """As where nobody asks for it."""
    world = at_venue(CannotStop())
    world.quote(AAPL, "190.00")
    world.step()
    assert exits(world) == ["exit:stop"]


def test_a_venue_that_refuses_is_not_asked_over_and_over() -> None:
    """Ten minutes pass before the next attempt; meanwhile the executor watches."""
    world = VenueWorld(Venue(), vaults=[asking()])
    name = world.want(AAPL, "1000", exit_plan=plan(stop_pct="0.05"))
    world.step()
    world.fill(str(world.book.intents[name].order_id), "5")
    world.venue.mood = "rejects"
    for _ in range(9):
        world.quote(AAPL, "200.00")
        world.step(seconds=68)
    assert exits(world) == ["exit:resting_stop"]
    later(world, "200.00")
    assert exits(world) == ["exit:resting_stop"] * 2
    world.venue.mood = "well"
    world.quote(AAPL, "190.00")
    world.step()
    assert exits(world)[-1] == "exit:stop"


def test_a_stop_that_was_lost_is_not_put_a_second_time_at_once() -> None:
    """It may be at the venue all the same: a day passes, and the executor watches."""
    world = VenueWorld(Venue(deduplicates=False), vaults=[asking()])
    name = world.want(BTC, "1000", exit_plan=plan(stop_pct="0.05"))
    world.quote(BTC, "200.00")
    world.step()
    world.fill(str(world.book.intents[name].order_id), "5")
    world.venue.mood = "loses the request"
    for _ in range(4):
        world.step(seconds=3)
    (stop,) = [order for order in world.book.orders.values() if order.stop_price is not None]
    assert stop.state == "quarantined"
    later(world, "200.00", seconds=80_000, instrument=BTC)
    assert exits(world) == ["exit:resting_stop"]
    later(world, "200.00", seconds=6_400, instrument=BTC)
    assert exits(world) == ["exit:resting_stop"] * 2


@pytest.mark.parametrize("rules", [{"stop_pct": "1"}, {"stop_pct": None}])
def test_what_has_no_price_to_stop_at_has_no_stop(rules: dict[str, Any]) -> None:
    """All of the price may be lost, or nobody planned one."""
    world = holding(**rules)
    assert (resting(world), exits(world)) == ([], [])


def test_dust_that_cost_nothing_has_no_stop() -> None:
    """There is no price to measure from."""
    world = VenueWorld(Venue(), vaults=[asking()])
    world.quote(BTC, "50000.00")
    name = world.want(BTC, "1000", exit_plan=plan(stop_pct="0.05"))
    world.step()
    world.fill(str(world.book.intents[name].order_id), "0.00000001", price="50000")
    world.end(str(world.book.intents[name].order_id), "cancelled")
    for _ in range(3):
        world.step()
    assert (world.held(BTC) > 0, exits(world)) == (True, [])


def test_what_is_to_trade_now_goes_before_a_stop_that_waited_longer() -> None:
    """Otherwise the stop would go, only to be cancelled in the next step."""
    world = holding()
    world.gate.raw = without_permission({"full_halt": True})
    world.step()
    world.step()
    later(world, "200.00")
    name = world.want(AAPL, "2000", exit_plan=plan(stop_pct="0.05"))
    world.step()
    world.gate.raw = without_permission({})
    world.step()
    world.step()
    assert (world.state(name), the_stop(world).quantity) == ("filled", Decimal(15))
    assert [order.state for order in world.book.orders.values() if order.stop_price is not None] == [
        "cancelled", "working"]


def test_an_entry_that_still_works_has_no_stop_beside_it() -> None:
    """It would only wait; the executor watches what has been bought so far."""
    world = VenueWorld(Venue(), vaults=[asking()])
    name = world.want(AAPL, "1000", exit_plan=plan(stop_pct="0.05"))
    world.step()
    order_id = str(world.book.intents[name].order_id)
    world.fill(order_id, "2")
    world.step()
    world.step()
    assert exits(world) == []
    world.end(order_id, "cancelled")
    world.step()
    assert (the_stop(world).quantity, exits(world)) == (Decimal(2), ["exit:resting_stop"])


def test_a_stop_that_may_be_at_the_venue_is_sent_again_as_it_was() -> None:
    """The venue keeps the first that it saw: under this id only the same stop may go, whatever the cost is now."""
    world = VenueWorld(Venue(), vaults=[asking()])
    name = world.want(AAPL, "1000", exit_plan=plan(stop_pct="0.05"))
    world.step()
    world.fill(str(world.book.intents[name].order_id), "5")
    world.venue.mood = "loses the request"
    world.step()
    stop = the_stop(world)
    world.venue.mood = "well"
    world.book.vaults["V_CORE"].positions[AAPL].lots[0].cost = Decimal(990)
    for _ in range(3):
        world.step()
    sent = [record.payload["stop_price"] for record in world.journal.read() if record.payload.get("stop_price")]
    assert (sent, world.venue.live[stop.order_id]) == (["190", "190"], 1)
