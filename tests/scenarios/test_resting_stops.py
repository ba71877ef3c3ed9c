"""Promoter and executor over the same files, with a stop at the venue, which is no bar to what the promoter wants."""

from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios.test_replaced_orders import AAPL, Suite
from tests.unit.alpha.homes import kept
from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import vault
from vanta.alpha.core.course import course
from vanta.alpha.core.replay import Replay
from vanta.alpha.core.trail import Trail
from vanta.common.canonical import document
from vanta.common.paths import VAULTS
from vanta.executor.core.entries import OrderEntry

TERMS: dict[str, Any] = {"type": "market", "time_in_force": "day", "replace_after_s": None, "stops": "venue"}


def resting(suite: Suite) -> list[OrderEntry]:
    """Stops at the venue."""
    return [order for order in suite.world.book.working.values() if order.stop_price is not None]


def protected() -> Suite:
    """A position that the promoter asked for, with its stop."""
    suite = Suite(**TERMS)
    for _ in range(5):
        suite.turn()
    assert [order.quantity for order in resting(suite)] == [suite.world.held(AAPL)]
    return suite


def exactly(suite: Suite) -> None:
    """A replay comes to the same records, and nothing was refused or latched."""
    replay = Replay(kept(suite.world))
    for record in suite.world.journal.read():
        replay.take(record)
    assert (replay.differences, replay.missing) == ([], {})
    assert "intent.refused" not in suite.world.kinds()
    assert not suite.world.book.latches


@pytest.mark.parametrize("share", ["0.30", "0.10"], ids=["enlarged", "reduced"])
def test_a_position_is_brought_to_another_target(share: str) -> None:
    """The stop makes room for the difference, and a new one fits what is held then."""
    suite = protected()
    before, stop = suite.world.held(AAPL), resting(suite)[0].order_id
    suite.world.files.replace(VAULTS, document({"vaults": [vault(orders=TERMS, risk={
        "max_single_pos_pct": share, "max_asset_class_pct": {"equity": "1.0"}})]}))
    for _ in range(50):
        suite.turn()
    held = suite.world.held(AAPL)
    assert held > before if share == "0.30" else 0 < held < before
    (order,) = resting(suite)
    assert (order.quantity, order.order_id == stop) == (held, False)
    kinds = [record.payload["detail"] for record in suite.world.journal.read() if record.kind == "order.cancelling"]
    assert set(kinds) == {"makes room for another order"}
    exactly(suite)


def test_a_position_is_left_because_nobody_wants_it_any_more() -> None:
    """The stop goes first, then the position; nothing is put to the venue again."""
    suite = protected()
    suite.believe(0)
    for _ in range(45):
        suite.turn()
    assert suite.world.held(AAPL) == 0
    assert (resting(suite), suite.world.book.stops) == ([], set())
    exactly(suite)


def test_whoever_asks_is_told_of_the_stop() -> None:
    """In the sentence that explains the order."""
    suite = protected()
    records = list(suite.world.journal.read())
    said = [node.text for node in course(records, Trail(records)) if node.kind == "order.submitting"]
    (order,) = resting(suite)
    price = f"{order.stop_price:f}".rstrip("0").rstrip(".")
    assert f"stop {price}, good until cancelled" in said[-1]


class Away(VenueWorld):
    """At a venue that goes on while no executor runs."""

    def __init__(self, **more: Any) -> None:
        super().__init__(Venue(), **more)


def test_the_host_is_down_while_the_stop_is_executed() -> None:
    """The books follow at the next start; the conviction that bought it is still there, and buys nothing."""
    suite = Suite(of=Away, **TERMS)
    world = suite.world
    assert isinstance(world, Away)
    suite.turn()
    suite.turn()
    (order,) = world.book.working.values()
    world.fill(order.order_id, str(order.quantity))
    for _ in range(3):
        suite.turn()
    (stop,) = resting(suite)
    cash = world.cash()
    world.clock.sleep(1800)
    world.fill(stop.order_id, str(stop.quantity), fill_id="s1", price="170")
    world.start()
    for _ in range(20):
        suite.turn("170.00")
    assert (world.held(AAPL), world.cash() - cash) == (Decimal(0), stop.quantity * 170)
    assert (list(world.book.working), len(world.venue.live), set(world.venue.live.values())) == ([], 2, {1})
    held = {code for entry in world.book.intents.values() for code in world.codes(entry.intent_id)}
    assert "exit.cooling_down" in held
    exactly(suite)
