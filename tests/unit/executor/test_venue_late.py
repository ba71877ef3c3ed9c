"""What turns up late, what belongs to other accounts, and what the fold refuses to believe."""

from decimal import Decimal

import pytest

from tests.unit.alpha.homes import kept
from tests.unit.executor.core.fence_rows import ready
from tests.unit.executor.test_venue import holds
from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import INSTRUMENTS, vault, without_permission
from vanta.alpha.core.course import course
from vanta.alpha.core.replay import Replay
from vanta.alpha.core.trail import Trail
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.executor.brokers.port import Busted, Fill
from vanta.executor.reconcile import Reconciler


def test_an_order_that_turns_up_filled_after_it_was_withheld_is_done() -> None:
    """All of it at once: the intent ends as filled and nothing is sent again."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "well"
    world.gate.raw = without_permission({"orders_disabled": True})
    world.step(seconds=5)
    world.fill(str(world.book.intents[name].order_id), "5")
    world.step()
    assert world.state(name) == "filled"
    assert not world.book.working
    assert world.held("equity:AAPL") == 5


def test_vaults_of_other_accounts_are_not_compared() -> None:
    """What another broker holds is that broker's to say; a split without a plan moves only the quantity."""
    world = VenueWorld(Venue(), vaults=[vault(), vault("V_ELSEWHERE", account="elsewhere")])
    venue = world.venue
    world.want("equity:AAPL", "1000")
    world.step()
    order_id = next(iter(world.book.orders))
    world.fill(order_id, "5")
    venue.said = holds("5")
    world.step(seconds=31)
    assert world.book.sync["paper"].state == "in_sync"
    world.book.vaults["V_CORE"].guards.clear()
    world.executor.recorder.put(Kind.ADJUSTMENT, {
        "type": "split", "vault": "V_CORE", "account": "paper", "currency": "USD", "instrument_id": "equity:AAPL",
        "ratio": "4", "evidence": "announcement"}, now=world.clock.now())
    assert world.held("equity:AAPL") == 20


def test_an_execution_that_was_never_booked_cannot_be_taken_back() -> None:
    """The fold does not guess what a record about an unknown execution moved."""
    world = VenueWorld(Venue())
    name = world.want("equity:AAPL", "1000")
    world.step()
    with pytest.raises(StateError, match="taken back without having been booked"):
        world.executor.recorder.about(Kind.FILL_BUSTED, world.book.intents[name], {"fill_id": "f9"},
                                      now=world.clock.now(), order_id=world.book.intents[name].order_id)


def test_sectors_are_counted_over_what_is_held() -> None:
    """Two instruments of one sector count together."""
    world = ready(max_sector_pct="0.05")
    table = {name: item.model_copy(update={"sector": "technology"}) if item.asset_class == "equity" else item
             for name, item in INSTRUMENTS.items()}
    world.executor._parts.observer._instrument_source = lambda: table
    world.want("equity:MSFT", "3000")
    world.step()
    second = world.want("equity:AAPL", "3000")
    world.step()
    assert "exposure.sector" in world.codes(second)


def test_without_instruments_nobody_knows_what_the_venue_names() -> None:
    """A table that cannot be read is no disagreement: the account is in doubt, and nothing latches."""
    world = VenueWorld(Venue())
    world.want("equity:AAPL", "1000")
    world.step()
    world.fill(next(iter(world.book.orders)), "5")
    world.venue.said = holds("5")
    reconciler = Reconciler(world.executor.recorder, world.brokers, world.snapshots, 1)
    world.step(seconds=31)
    reach = world.executor._reach(world.gate.read(), world.clock.now())
    for second in range(5):
        reconciler.run(reach._replace(instruments={}), float(second))
    assert world.book.sync["paper"].detail == "the instruments cannot be read"
    assert not world.latched()
    reconciler.run(reach, 5.0)
    assert world.book.sync["paper"].state == "in_sync"


def test_a_late_execution_outlives_the_return_of_another_order_of_its_key() -> None:
    """The holding moved while the second order was in doubt: it is withheld, and not sent on what was known before."""
    world = VenueWorld(Venue(settle_s=3))
    first = world.want("equity:AAPL", "1000")
    world.step()
    world.end(str(world.book.intents[first].order_id), "cancelled")
    world.step()
    world.venue.mood = "loses the request"
    second = world.want("equity:AAPL", "1700")
    world.step()
    assert world.state(second) == "unknown"
    world.venue.mood = "well"
    world.fill(str(world.book.intents[first].order_id), "5")
    world.step()
    world.step(seconds=5)
    assert world.held("equity:AAPL") == 5
    assert world.state(second) == "held"
    assert "basis.not_current" in world.codes(second)
    assert world.venue.requests == 2


def test_an_order_that_fills_after_it_was_withheld_and_its_intent_expired_latches() -> None:
    """The venue had said that it does not know the order; the wish is over, and yet a position moves."""
    world = VenueWorld(Venue())
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "well"
    world.gate.raw = without_permission({"orders_disabled": True})
    world.step(seconds=5)
    world.step(seconds=1000)
    assert world.state(name) == "expired"
    world.fill(str(world.book.intents[name].order_id), "5")
    world.step()
    assert world.held("equity:AAPL") == 5
    assert world.latched() == {"broker.late_fill"}


def test_an_order_that_left_long_after_its_record_has_its_settle_time_all_the_same() -> None:
    """The process stood still between the last look and the request: the time of the record says nothing."""
    world = VenueWorld(Venue(settle_s=30))
    world.venue.mood = "loses the request"
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.venue.mood = "well"
    world.step(seconds=1300)
    assert world.state(name) == "unknown"
    world.quote("equity:AAPL", "200.00")
    world.step(seconds=29)
    assert world.state(name) == "unknown"
    world.step(seconds=2)
    assert "order.withheld" in world.kinds(name)


@pytest.mark.parametrize(("side", "moved"), [("buy", Decimal("4.5")), ("sell", Decimal("-5.5"))])
def test_units_that_the_venue_keeps_are_neither_bought_nor_paid_twice(side: str, moved: Decimal) -> None:
    """The order is filled whole, at the cash of all of it; the position moves by what arrived, and back by as much."""
    world = VenueWorld(Venue(), vaults=[vault(allocation={"allow_short": True})])
    name = world.want("equity:AAPL", "1000", side=side)
    world.step()
    order_id, cash = str(world.book.intents[name].order_id), world.cash()
    world.venue.events.append(Fill(order_id, "f1", Decimal(5), Decimal(200), Decimal(1), world.clock.now(),
                                   fee_units=Decimal("0.5")))
    world.step()
    assert (world.state(name), world.held("equity:AAPL")) == ("filled", moved)
    assert world.cash() - cash == (-1001 if side == "buy" else 999)
    assert world.book.vaults["V_CORE"].positions["equity:AAPL"].cost() == (1000 if side == "buy" else -1000)
    said = course([record for record in world.journal.read() if record.kind == "fill"], Trail())
    assert "1.00 USD in fees, and 0.5 units kept as a fee." in said[0].text
    world.venue.events.append(Busted("f1", "erroneous"))
    world.step()
    assert (world.held("equity:AAPL"), world.cash()) == (Decimal(0), cash)
    assert world.book.orders[order_id].filled == 0
    replay = Replay(kept(world))
    for record in world.journal.read():
        replay.take(record)
    assert (replay.differences, replay.missing) == ([], {})
