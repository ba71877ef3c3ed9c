"""Stops that rest at the venue: placed through the same fences, out of the way of everything else, never twice."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.executor.test_commands import Desk
from tests.unit.executor.test_protect import WIDE, exits, plan
from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import INSTRUMENTS, World, vault, without_permission
from vanta.common.canonical import document
from vanta.common.events import Kind
from vanta.common.models.account import OpenOrders, Portfolio
from vanta.common.paths import OPEN_ORDERS, PORTFOLIO, VAULTS
from vanta.common.store.document import load
from vanta.executor.brokers.port import Busted
from vanta.executor.core import stops
from vanta.executor.core.entries import OrderEntry

AAPL, MSFT, BTC = "equity:AAPL", "equity:MSFT", "crypto:BTC-USD"


def asking(name: str = "V_CORE", **orders: Any) -> dict[str, Any]:
    """A vault whose stops are to rest at the venue."""
    return vault(name, risk=WIDE, orders={"stops": "venue", **orders}, allocation={"allow_short": True})


def holding(instrument: str = AAPL, *, side: str = "buy", vaults: list[dict[str, Any]] | None = None,
            **rules: Any) -> World:
    """A world at the paper venue that holds 5 at 200 and has taken two steps since."""
    world = World(vaults=vaults or [asking()])
    world.quote(instrument, "200.00")
    world.want(instrument, "1000", side=side, exit_plan=plan(**{"stop_pct": "0.05", **rules}))
    for _ in range(3):
        world.step()
    assert abs(world.held(instrument)) == 5
    return world


def at_venue(venue: Venue | None = None, **rules: Any) -> VenueWorld:
    """The same at a venue that does nothing by itself."""
    world = VenueWorld(venue or Venue(), vaults=[asking()])
    name = world.want(AAPL, "1000", exit_plan=plan(**{"stop_pct": "0.05", **rules}))
    world.step()
    world.fill(str(world.book.intents[name].order_id), "5")
    for _ in range(2):
        world.step()
    return world


def resting(world: World) -> list[OrderEntry]:
    """Stops that are at the venue."""
    return [order for order in world.book.working.values() if order.stop_price is not None]


def the_stop(world: World) -> OrderEntry:
    """The only one."""
    (order,) = resting(world)
    return order


def cancels(world: World) -> list[str]:
    """Why orders were cancelled, in order."""
    return [record.payload["detail"] for record in world.journal.read() if record.kind == "order.cancelling"]


def later(world: World, price: str, *, seconds: float = 61, instrument: str = AAPL) -> None:
    """Time enough for a new stop, and a few steps."""
    world.clock.sleep(seconds)
    world.quote(instrument, price)
    for _ in range(2):
        world.step()


@pytest.mark.parametrize(("side", "closing", "price"), [("buy", "sell", "190"), ("sell", "buy", "210")])
def test_a_position_has_its_stop_at_the_venue(side: str, closing: str, price: str) -> None:
    """One order, for all that is held, until cancelled; it moves no basis and is nothing that works to others."""
    world = holding(side=side)
    order = the_stop(world)
    assert (order.side, order.quantity, order.stop_price, order.limit_price) == (
        closing, Decimal(5), Decimal(price), None)
    assert (order.time_in_force, order.good_until, order.state) == ("gtc", None, "working")
    (sent,) = [record for record in world.journal.read() if record.payload.get("stop_price")]
    assert (sent.payload["type"], sent.payload["stop_price"]) == ("stop", price)
    assert world.book.basis[f"V_CORE|{AAPL}"] < sent.seq
    (row,) = load(world.files, PORTFOLIO, Portfolio).value.vaults[0].positions
    assert not row.working_buy
    assert not row.working_sell
    (shown,) = load(world.files, OPEN_ORDERS, OpenOrders).value.orders
    assert shown.stop_price == Decimal(price)
    assert exits(world) == ["exit:resting_stop"]
    for _ in range(5):
        world.step(seconds=90)
    assert exits(world) == ["exit:resting_stop"]


@pytest.mark.parametrize(("side", "price", "stop"), [("buy", "199.99", "190"), ("sell", "199.99", "209.98")])
def test_the_stop_is_on_the_tick_on_the_side_of_the_market(side: str, price: str, stop: str) -> None:
    """189.9905 is rounded up and 209.9895 down: it is executed no later than the plan says."""
    world = World(vaults=[asking()])
    world.quote(AAPL, price)
    world.want(AAPL, "1000", side=side, exit_plan=plan(stop_pct="0.05"))
    for _ in range(3):
        world.step()
    assert the_stop(world).stop_price == Decimal(stop)


def test_it_is_executed_where_it_rests() -> None:
    """The executor asks for no exit of its own; what was left is not bought again at once, and no new stop is put."""
    world = holding()
    world.quote(AAPL, "190.00")
    world.step()
    world.step()
    assert world.held(AAPL) == 0
    again = world.want(AAPL, "1000")
    world.step()
    assert world.codes(again) == {"exit.cooling_down"}
    later(world, "190.00", seconds=700)
    assert exits(world) == ["exit:resting_stop"]


def test_it_is_executed_while_the_host_is_down() -> None:
    """After the restart the execution is booked, position and cash are right, and the cool-down holds."""
    world = at_venue()
    order, cash = the_stop(world), world.cash()
    world.clock.sleep(3600)
    world.fill(order.order_id, "5", fill_id="s1", price="185")
    world.quote(AAPL, "180.00")
    world.start()
    assert [one.order_id for one in resting(world)] == [order.order_id]
    world.step()
    assert (world.held(AAPL), world.cash() - cash) == (Decimal(0), Decimal(925))
    assert (world.book.working, world.book.stops, world.venue.live[order.order_id]) == ({}, set(), 1)
    again = world.want(AAPL, "1000")
    world.step()
    assert world.codes(again) == {"exit.cooling_down"}
    assert exits(world) == ["exit:resting_stop"]
    assert not world.book.latches


@pytest.mark.parametrize(("wanted", "held", "stop"), [
    ({"notional": "2000"}, 15, "190"), ({"notional": "400", "side": "sell"}, 3, "190"),
    ({"notional": "1000", "side": "sell", "close": True}, 0, None)], ids=["enlarged", "reduced", "left"])
def test_it_makes_room_for_what_is_wanted_and_comes_back(wanted: dict[str, Any], held: int, stop: str | None) -> None:
    """Nothing is refused; the stop ends first, then the order goes, then a stop for what is held is put."""
    world = holding()
    name = world.want(AAPL, **wanted, exit_plan=plan(stop_pct="0.05"))
    world.step()
    assert world.state(name) == "held"
    for _ in range(3):
        world.quote(AAPL, "200.00")
        world.step()
    assert (world.state(name), world.held(AAPL)) == ("filled", Decimal(held))
    assert cancels(world) == ["makes room for another order"]
    assert world.codes(name) - {"self_match"} == {"duplicate.live_intent"}
    assert resting(world) == []
    later(world, "200.00")
    assert [(str(order.stop_price), order.quantity) for order in resting(world)] == (
        [(stop, Decimal(held))] if stop else [])


@pytest.mark.parametrize("switch", ["reduce_only", "maintenance"])
def test_what_something_else_holds_gets_no_room(switch: str) -> None:
    """An entry that may not leave for hours does not take the protection away, nor do these switches."""
    world = holding()
    world.gate.raw = without_permission({switch: True})
    name = world.want(AAPL, "2000")
    for _ in range(3):
        world.step()
    assert world.state(name) == "held"
    assert (cancels(world), the_stop(world).state) == ([], "working")


def test_a_full_halt_cancels_it_and_it_comes_back_after_it() -> None:
    """Like every order."""
    world = holding()
    world.gate.raw = without_permission({"full_halt": True})
    world.step()
    world.step()
    assert (cancels(world), resting(world)) == (["full halt"], [])
    later(world, "200.00")
    assert resting(world) == []
    world.gate.raw = without_permission({})
    world.step()
    assert the_stop(world).quantity == 5


CAUSES: dict[str, tuple[dict[str, Any], list[str], float, list[str]]] = {
    "trail": ({"trail_pct": "0.03"}, ["193.00"], 1, ["exit:trail"]),
    "take profit": ({"take_profit_pct": "0.10"}, ["221.00"], 1, ["exit:take_profit"]),
    "time": ({"max_holding_s": 60}, ["200.00"], 60, ["exit:time"]),
}


@pytest.mark.parametrize("name", CAUSES)
def test_every_other_exit_goes_first(name: str) -> None:
    """The stop is cancelled for it, and the position is left once."""
    rules, prices, seconds, causes = CAUSES[name]
    world = holding(**rules)
    for price in prices:
        world.clock.sleep(seconds)
        world.quote(AAPL, price)
        for _ in range(4):
            world.step()
    assert exits(world) == ["exit:resting_stop", *causes]
    assert (cancels(world), world.held(AAPL)) == (["in the way of an exit"], Decimal(0))


def test_flattening_leaves_a_position_that_has_only_a_stop() -> None:
    """A stop that rests is no exit that is under way."""
    world = holding()
    Desk(world).give("flatten")
    for _ in range(4):
        world.step()
    assert exits(world) == ["exit:resting_stop", "exit:flatten"]
    assert world.held(AAPL) == 0
    assert cancels(world) == ["an operator asked for it"]


def test_a_stop_that_the_venue_does_not_execute_is_not_waited_for() -> None:
    """Down to one percent of the cost beyond it, the venue is left to it; then the executor does it, once."""
    world = at_venue()
    for price in ("190.00", "188.01"):
        world.quote(AAPL, price)
        world.step()
        assert exits(world) == ["exit:resting_stop"]
    world.quote(AAPL, "188.00")
    for _ in range(3):
        world.step()
    assert exits(world) == ["exit:resting_stop", "exit:stop"]
    assert cancels(world) == ["in the way of an exit"]
    (leaving,) = [entry for entry in world.book.intents.values() if entry.exit and not entry.resting]
    assert (leaving.state, world.book.orders[str(leaving.order_id)].quantity) == ("working", Decimal(5))


def test_a_stop_that_is_being_executed_is_left_alone() -> None:
    """It is a market order by now: no second one, however far the price falls, and other costs are no reason."""
    world = at_venue()
    world.fill(the_stop(world).order_id, "2", fill_id="s1", price="189")
    world.quote(AAPL, "150.00")
    world.step()
    world.book.vaults["V_CORE"].positions[AAPL].lots[0].cost = Decimal(900)
    world.step()
    assert exits(world) == ["exit:resting_stop"]
    assert (cancels(world), the_stop(world).leaves) == ([], Decimal(3))


@pytest.mark.parametrize("mood", ["loses the answer", "silent"])
def test_the_executor_watches_where_the_stop_is_in_doubt(mood: str) -> None:
    """Not known to be there, or being cancelled without an answer: the exit is asked for at its own limit."""
    world = at_venue()
    if mood == "silent":
        name = world.want(AAPL, "400")
        world.step()
        world.venue.mood = mood
        world.step()
        assert world.state(name) == "held"
    else:
        world = VenueWorld(Venue(), vaults=[asking()])
        name = world.want(AAPL, "1000", exit_plan=plan(stop_pct="0.05"))
        world.step()
        world.venue.mood = mood
        world.fill(str(world.book.intents[name].order_id), "5")
        world.step()
        assert the_stop(world).state == "unknown"
        world.venue.mood = "silent"
    world.quote(AAPL, "190.00")
    world.step()
    assert exits(world) == ["exit:resting_stop", "exit:stop"]


def test_a_split_gives_it_another_size_and_price() -> None:
    """It no longer fits, ends, and comes back as it should be."""
    world = at_venue()
    world.executor.recorder.put(Kind.ADJUSTMENT, {
        "type": "split", "vault": "V_CORE", "account": "paper", "currency": "USD", "instrument_id": AAPL,
        "ratio": "4", "evidence": "announcement"}, now=world.clock.now())
    world.quote(AAPL, "50.00")
    world.step()
    assert cancels(world) == ["the position has another size now"]
    later(world, "50.00")
    assert (the_stop(world).quantity, the_stop(world).stop_price) == (Decimal(20), Decimal("47.5"))


@pytest.mark.parametrize(("cost", "moved"), [("1000.05", False), ("1000.10", True), ("999.80", True)])
def test_a_cost_that_moved_by_more_than_a_tick_moves_it(cost: str, moved: bool) -> None:
    """190 rests; a cost of 200.01 a share would have it at 190.01, 200.02 at 190.02, 199.96 at 189.97."""
    world = at_venue()
    world.book.vaults["V_CORE"].positions[AAPL].lots[0].cost = Decimal(cost)
    world.step()
    assert cancels(world) == (["the position has another cost now"] if moved else [])


def test_what_protects_nothing_is_cancelled() -> None:
    """The purchase was taken back by the venue: the stop would open a position."""
    world = at_venue()
    world.venue.events.append(Busted("f1", "an error"))
    world.step()
    assert world.held(AAPL) == 0
    assert cancels(world) == ["there is nothing that it protects"]


def test_without_its_instrument_a_stop_stays() -> None:
    """Nobody knows its lots."""
    world = at_venue()
    assert list(stops.aside(world.book, {}, {"V_CORE": True}, {})) == []
    assert list(stops.aside(world.book, {}, {"V_CORE": False}, {})) != []


def test_the_vault_may_change_its_mind() -> None:
    """Then the executor watches; and while vault.json cannot be read, nothing changes."""
    world = holding()
    world.files.replace(VAULTS, b"{")
    world.step()
    assert cancels(world) == []
    world.start()
    world.step()
    assert cancels(world) == []
    world.files.replace(VAULTS, document({"vaults": [vault(risk=WIDE)]}))
    world.step()
    assert cancels(world) == ["the vault asks for no stops at the venue any more"]
    later(world, "200.00")
    assert resting(world) == []
    world.quote(AAPL, "190.00")
    world.step()
    assert exits(world) == ["exit:resting_stop", "exit:stop"]


def test_it_makes_room_for_another_vault_of_the_account() -> None:
    """A purchase of the other vault would wait for the stop for ever."""
    world = holding(vaults=[asking(), vault("V_OTHER", risk=WIDE)])
    other = world.want(AAPL, "1000", vault="V_OTHER")
    for _ in range(3):
        world.quote(AAPL, "200.00")
        world.step()
    assert (world.state(other), world.codes(other)) == ("filled", {"self_match"})
    later(world, "200.00")
    assert the_stop(world).vault == "V_CORE"


def test_it_makes_no_room_that_would_not_be_enough() -> None:
    """A limit that rests holds the other vault's purchase as well."""
    limit = {"type": "limit", "limit_offset_pct": "-0.02", "time_in_force": "gtc"}
    world = holding(vaults=[asking(), vault("V_OTHER", risk=WIDE), vault(
        "V_THIRD", risk=WIDE, orders=limit, allocation={"allow_short": True})])
    third = world.want(AAPL, "1000", side="sell", vault="V_THIRD")
    world.step()
    other = world.want(AAPL, "1000", vault="V_OTHER")
    for _ in range(3):
        world.step()
    assert (world.state(third), world.state(other), cancels(world)) == ("working", "held", [])


def test_two_stops_do_not_drive_each_other_away() -> None:
    """One vault is long, the other short: the second stop waits, and the executor watches for it."""
    world = holding(vaults=[asking(), asking("V_OTHER")])
    world.gate.raw = without_permission({})
    short = world.want(AAPL, "1000", side="sell", vault="V_OTHER", exit_plan=plan(stop_pct="0.05"))
    for _ in range(4):
        world.quote(AAPL, "200.00")
        world.step(seconds=30)
    assert world.state(short) == "filled"
    assert (the_stop(world).vault, cancels(world)) == ("V_CORE", [])
    world.quote(AAPL, "210.00")
    for _ in range(4):
        world.step()
    assert world.held(AAPL, "V_OTHER") == 0
    assert cancels(world) == ["in the way of an exit"]


def test_it_takes_nothing_of_the_budget_of_a_persona() -> None:
    """Athena has three quarters of 1,000 and may have 1,250: 600 more fit, though the stop rests."""
    world = holding(vaults=[{**asking(), "persona_budgets": {"Athena": "0.0125"}}])
    world.quote(MSFT, "100.00")
    name = world.want(MSFT, "600")
    world.step()
    assert (world.state(name), world.held(MSFT)) == ("filled", Decimal(6))


def test_it_takes_nothing_of_what_may_be_held() -> None:
    """Net of short positions a vault has what it has without it: a stop makes nothing smaller before it is executed."""
    world = holding(vaults=[{**asking(), "risk": {**WIDE, "max_net_pct": "0.015"}}])
    world.quote(MSFT, "100.00")
    fits, beyond = world.want(MSFT, "400"), world.want(BTC, "400")
    world.quote(BTC, "100.00")
    world.step()
    assert (world.state(fits), world.state(beyond)) == ("filled", "refused")
    assert world.codes(beyond) == {"exposure.net"}


def test_room_is_made_whichever_account_an_intent_names() -> None:
    """One live order of a key is one, also for an account at which nothing was ever sent."""
    world = at_venue()
    name = world.want(AAPL, "400")
    world.step()
    world.book.intents[name].account = "elsewhere"
    found = list(stops.aside(world.book, {name: ["duplicate.live_intent"]}, {}, INSTRUMENTS))
    assert [(order.order_id, why) for order, why in found] == [
        (the_stop(world).order_id, "makes room for another order")]
