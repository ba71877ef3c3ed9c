"""Scoped switches reach venues and working orders, and a grave latch takes the permit with it."""

from datetime import datetime
from typing import Any

import pytest

from tests.unit.executor.test_commands import Desk
from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import World, vault, without_permission
from vanta.common.store.inmemory import MemoryJournal
from vanta.executor.brokers.port import Answer, Broker
from vanta.executor.core.approval import Approved


def scoped(kind: str, name: str, **switches: Any) -> bytes:
    """An overlay in which only one scope is restricted."""
    return without_permission({"scopes": {kind: {name: switches}}})


def two_vaults() -> tuple[VenueWorld, str, str]:
    """Two vaults of one account, each with an order at the venue."""
    world = VenueWorld(Venue(), vaults=[vault(), vault("V_OTHER")])
    first, second = world.want("equity:AAPL", "1000"), world.want("equity:AAPL", "1000", vault="V_OTHER")
    world.step()
    return world, first, second


@pytest.mark.parametrize(("kind", "name"), [
    ("vault", "V_CORE"), ("broker", "paper"), ("instrument", "equity:AAPL"), ("asset_class", "equity")])
def test_a_scoped_full_halt_drains_its_scope_and_nothing_else(kind: str, name: str) -> None:
    """Orders inside are cancelled; the other vault's order works on where the scope is a vault."""
    world, first, second = two_vaults()
    world.gate.raw = scoped(kind, name, full_halt=True)
    world.step()
    world.step()
    assert world.state(first) == "cancelled"
    assert world.state(second) == ("working" if kind == "vault" else "cancelled")


def test_a_broker_that_may_not_be_called_is_not_called_at_all() -> None:
    """Neither polls nor questions nor cancels; the account is in doubt, and in sync again once it may."""
    world, first, _ = two_vaults()
    world.gate.raw = scoped("broker", "paper", external_calls_disabled=True, full_halt=True)
    polls, asked = world.venue.polls, world.venue.questions
    world.step()
    world.step(seconds=40)
    assert (world.venue.polls, world.venue.questions, world.venue.cancelled) == (polls, asked, [])
    assert world.state(first) == "working"
    assert world.book.sync["paper"].detail == "no calls are allowed"
    world.gate.raw = without_permission({})
    world.step()
    assert world.book.sync["paper"].state == "in_sync"


def test_calls_about_a_vault_s_orders_are_left_undone_while_they_are_disabled() -> None:
    """A cancel that an operator asks for is kept and made when it may be."""
    world, first, second = two_vaults()
    world.gate.raw = scoped("vault", "V_CORE", external_calls_disabled=True)
    Desk(world).give("cancel")
    world.step()
    world.step()
    assert world.venue.cancelled == [world.book.intents[second].order_id]
    assert (world.state(first), world.state(second)) == ("cancelling", "cancelled")
    world.gate.raw = without_permission({})
    world.step(seconds=5)
    world.step()
    assert world.state(first) == "cancelled"


def test_an_order_whose_instrument_left_the_registry_is_still_in_its_class() -> None:
    """Halting a class reaches it all the same."""
    world, first, _ = two_vaults()
    world.executor._parts.observer._instrument_source = dict
    world.gate.raw = scoped("asset_class", "equity", full_halt=True)
    world.step()
    world.step()
    assert world.state(first) == "cancelled"


def test_a_latch_that_stops_everything_takes_the_permit_once() -> None:
    """Releasing the latch alone does not open dispatch; a permit that a person gives afterwards stays."""
    world = World()
    clear, world.gate.raw = world.gate.raw, None
    for _ in range(8):
        world.step()
    (latch_id,) = world.book.latches
    assert world.gate.permit is False
    world.gate.raw = clear
    Desk(world).give("release", latch_id=latch_id)
    world.step()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.codes(name) == {"halt.no_permit"}
    world.gate.permit = True
    world.step()
    world.step()
    assert world.gate.permit is True
    assert world.state(name) == "filled"


def test_a_crash_between_a_latch_and_the_permit_leaves_no_permit() -> None:
    """The latch was durable, the permit not yet gone: the next process takes it before it reads any release."""
    world = World()
    world.gate.raw = None
    for _ in range(8):
        world.step()
    assert world.book.latches
    world.gate.permit = True
    world.start()
    assert world.gate.permit is False


def test_a_latch_of_one_vault_leaves_the_permit() -> None:
    """Losses stop the entries of a vault, not dispatch."""
    world = World(vaults=[vault(risk={"max_single_pos_pct": "0.9", "max_order_value": "90000",
                                      "max_asset_class_pct": {"equity": "1"}})])
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "50000")
    world.step()
    world.quote("equity:AAPL", "170.00")
    world.step()
    assert world.book.latches
    assert world.gate.permit is True


class Watched(MemoryJournal):
    """A journal that knows up to where it was synced."""

    synced = 0

    def sync(self) -> None:
        super().sync()
        self.synced = self.head().seq


class Insists(Venue):
    """A venue that is asked for nothing whose record is not durable."""

    world: "SyncWorld"

    def __init__(self) -> None:
        super().__init__()
        self.early: list[str] = []

    def _insist(self, kind: str, order_id: str) -> None:
        """What a port lets escape becomes an open outcome, so it is written down instead."""
        if not any(record.kind == kind and record.ids.get("order_id") == order_id
                   and record.seq <= self.world.watched.synced for record in self.world.journal.read()):
            self.early.append(f"{kind} of {order_id}")

    def _submit(self, order: Approved, now: datetime) -> Answer:
        self._insist("order.submitting", order.order_id)
        return super()._submit(order, now)

    def _cancel(self, order_id: str, now: datetime) -> None:
        self._insist("order.cancelling", order_id)
        super()._cancel(order_id, now)


class SyncWorld(VenueWorld):
    """A world in which the venue insists."""

    venue: Insists

    def __init__(self) -> None:
        self.watched = Watched()
        super().__init__(Insists())

    def start(self) -> None:
        self.journal = self.watched
        super().start()
        assert self.watched.synced == self.watched.head().seq, "the start was not durable"

    def make_brokers(self) -> dict[str, Broker]:
        self.venue.world = self
        return super().make_brokers()


def test_nothing_is_asked_of_a_venue_before_its_record_is_durable() -> None:
    """Orders of one batch, then their cancels: each request finds its record synced."""
    world = SyncWorld()
    world.quote("equity:MSFT", "100.00")
    names = [world.want("equity:AAPL", "1000"), world.want("equity:MSFT", "1000")]
    world.step()
    assert {world.state(name) for name in names} == {"working"}
    world.gate.raw = without_permission({"full_halt": True})
    world.step()
    world.step()
    assert {world.state(name) for name in names} == {"cancelled"}
    assert world.venue.early == []


def test_two_buys_of_one_batch_cannot_spend_the_same_cash() -> None:
    """The second is judged with the first one's money taken."""
    world = World(vaults=[vault(capital="2000", risk={"max_single_pos_pct": "0.9", "max_gross_pct": "1",
                                                      "max_asset_class_pct": {"equity": "1"}, "min_cash_pct": "0"})])
    world.quote("equity:AAPL", "200.00", size="0")
    world.quote("equity:MSFT", "100.00", size="0")
    first, second = world.want("equity:AAPL", "1000"), world.want("equity:MSFT", "1000")
    world.step()
    assert sorted([world.state(first), world.state(second)]) == ["refused", "working"]
    assert "cash.not_enough" in world.codes(first) | world.codes(second)
