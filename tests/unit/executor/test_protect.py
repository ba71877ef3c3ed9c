"""Positions are left by their recorded exit plan, by a command, and through the same fences as everything else."""

from typing import Any

import pytest

from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import World, vault, without_permission
from vanta.common.events import Kind
from vanta.common.models.configuration import ExecutorSettings, PaperSettings
from vanta.executor.core import protect

WIDE = {"max_single_pos_pct": "0.9", "max_asset_class_pct": {"equity": "1.0", "crypto": "0.9"},
        "max_daily_loss": "0.9", "max_drawdown": "0.9", "max_jump_pct": "1", "max_period_move_pct": "1"}


def plan(**fields: Any) -> dict[str, Any]:
    """An exit plan with only these rules."""
    return {"stop_pct": None, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None, **fields}


def bought(instrument: str = "equity:AAPL", *, side: str = "buy", **rules: Any) -> World:
    """A world that holds 5 at 200 under an exit plan."""
    world = World(vaults=[vault(risk=WIDE, allocation={"allow_short": True})])
    world.quote(instrument, "200.00")
    world.want(instrument, "1000", side=side, exit_plan=plan(**rules))
    world.step()
    assert abs(world.held(instrument)) == 5
    return world


def exits(world: World) -> list[str]:
    """Causes of the exits that were asked for, in order."""
    return [record.payload["intent"]["provenance"]["reasons"][0]["reason"] for record in world.journal.read()
            if record.kind == "intent.seen" and record.payload.get("from") == "executor"]


ROWS: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "stop": ({"stop_pct": "0.05"}, ["190.01", "190.00"], "exit:stop"),
    "trail": ({"trail_pct": "0.10"}, ["250.00", "225.01", "225.00"], "exit:trail"),
    "take profit": ({"take_profit_pct": "0.10"}, ["219.99", "220.00"], "exit:take_profit"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_rule_comes_about_exactly_at_its_limit(name: str) -> None:
    """Up to the last price nothing happens; at the limit the position is left."""
    rules, prices, cause = ROWS[name]
    world = bought(**rules)
    for price in prices[:-1]:
        world.quote("equity:AAPL", price)
        world.step()
        assert exits(world) == []
    world.quote("equity:AAPL", prices[-1])
    world.step()
    assert exits(world) == [cause]
    assert world.held("equity:AAPL") == 0


SHORT: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "stop": ({"stop_pct": "0.05"}, ["209.99", "210.00"], "exit:stop"),
    "trail": ({"trail_pct": "0.10"}, ["160.00", "175.99", "176.00"], "exit:trail"),
    "take profit": ({"take_profit_pct": "0.10"}, ["180.01", "180.00"], "exit:take_profit"),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_short_position_is_watched_the_other_way_round(name: str) -> None:
    """Rising prices lose; the exit buys back."""
    rules, prices, cause = SHORT[name]
    world = bought(side="sell", **rules)
    for price in prices[:-1]:
        world.quote("equity:AAPL", price)
        world.step()
        assert exits(world) == []
    world.quote("equity:AAPL", prices[-1])
    world.step()
    assert exits(world) == [cause]
    assert world.held("equity:AAPL") == 0


def test_a_position_is_left_when_its_time_is_over() -> None:
    """Held for an hour, an hour is allowed: the exit is asked for, whatever the price."""
    world = bought(max_holding_s=3600)
    world.step(seconds=3598)
    assert exits(world) == []
    world.quote("equity:AAPL", "200.00")
    world.step(seconds=2)
    assert exits(world) == ["exit:time"]
    assert world.held("equity:AAPL") == 0


def test_the_watch_survives_a_restart() -> None:
    """The best price and the plan are folds of the log, not memories of a process."""
    world = bought(trail_pct="0.10")
    world.quote("equity:AAPL", "250.00")
    world.step()
    world.start()
    world.quote("equity:AAPL", "225.00")
    world.step()
    assert exits(world) == ["exit:trail"]


def test_the_plan_is_that_of_whoever_enlarged_the_position_last() -> None:
    """The second buy brings its own stop; opening time and best price stay those of the position."""
    world = bought(stop_pct="0.50", max_holding_s=9000)
    opened = world.book.vaults["V_CORE"].guards["equity:AAPL"].opened_ms
    world.quote("equity:AAPL", "210.00")
    world.want("equity:AAPL", "2100", exit_plan=plan(stop_pct="0.05"))
    world.step()
    guard = world.book.vaults["V_CORE"].guards["equity:AAPL"]
    assert (guard.plan["stop_pct"], guard.plan["max_holding_s"], guard.opened_ms) == ("0.05", None, opened)
    world.want("equity:AAPL", "1050", side="sell")
    world.step()
    assert world.book.vaults["V_CORE"].guards["equity:AAPL"] is guard


def test_an_exit_waits_through_a_halt_and_leaves_after_it() -> None:
    """orders_disabled stops exits too; the wish is kept and not repeated."""
    world = bought(stop_pct="0.05")
    world.gate.raw = without_permission({"orders_disabled": True})
    world.quote("equity:AAPL", "180.00")
    world.step()
    world.step()
    assert exits(world) == ["exit:stop"]
    assert world.held("equity:AAPL") == 5
    world.gate.raw = without_permission({})
    world.step()
    assert world.held("equity:AAPL") == 0


@pytest.mark.parametrize("switch", ["maintenance", "reduce_only"])
def test_protective_exits_pass_where_only_entries_are_stopped(switch: str) -> None:
    """Reducing risk is never blocked by a switch that means entries."""
    world = bought(stop_pct="0.05")
    world.gate.raw = without_permission({switch: True})
    world.quote("equity:AAPL", "180.00")
    world.step()
    assert world.held("equity:AAPL") == 0


def test_an_exit_that_could_not_leave_for_a_day_is_asked_for_anew() -> None:
    """The old wish expires; the position still is where it must not be."""
    world = bought("crypto:BTC-USD", stop_pct="0.05")
    world.gate.raw = without_permission({"orders_disabled": True})
    world.quote("crypto:BTC-USD", "180.00")
    world.step()
    world.step(seconds=86_401)
    world.step()
    assert exits(world) == ["exit:stop", "exit:stop"]


def test_what_was_stopped_out_is_not_bought_again_at_once() -> None:
    """The conviction may still be there; the cool-down says no until it is over, and exits are not held by it."""
    world = bought("crypto:BTC-USD", stop_pct="0.05")
    world.quote("crypto:BTC-USD", "180.00")
    world.step()
    again = world.want("crypto:BTC-USD", "900")
    world.step()
    assert world.codes(again) == {"exit.cooling_down"}
    world.clock.sleep(86_400)
    world.quote("crypto:BTC-USD", "180.00")
    later = world.want("crypto:BTC-USD", "900", nonce="later")
    world.step()
    assert world.state(later) == "filled"
    world.quote("crypto:BTC-USD", "170.00")
    world.want("crypto:BTC-USD", "900", side="sell", close=True)
    world.step()
    assert world.held("crypto:BTC-USD") == 0


def test_an_entry_that_still_works_is_cancelled_for_the_exit() -> None:
    """Half filled, then stopped: the rest of the entry goes first, then the position."""
    world = VenueWorld(Venue())
    name = world.want("equity:AAPL", "1000", exit_plan=plan(stop_pct="0.05"))
    world.step()
    order_id = str(world.book.intents[name].order_id)
    world.fill(order_id, "2")
    world.step()
    world.quote("equity:AAPL", "180.00")
    world.step()
    assert world.venue.cancelled == [order_id]
    world.step()
    assert world.state(name) == "cancelled"
    world.step()
    (leaving,) = [entry for entry in world.book.intents.values() if entry.exit]
    assert leaving.state == "working"
    assert world.book.orders[str(leaving.order_id)].quantity == 2


def test_a_split_moves_the_best_price_with_it() -> None:
    """Four for one: a quarter of the price is not a crash."""
    world = bought(trail_pct="0.10")
    world.executor.recorder.put(Kind.ADJUSTMENT, {
        "type": "split", "vault": "V_CORE", "account": "paper", "currency": "USD", "instrument_id": "equity:AAPL",
        "ratio": "4", "evidence": "announcement"}, now=world.clock.now())
    world.quote("equity:AAPL", "50.00")
    world.step()
    assert exits(world) == []


def test_without_a_quote_only_time_leaves_a_position() -> None:
    """A rule about prices needs one."""
    world = bought(stop_pct="0.05", max_holding_s=60)
    world.book.quotes.clear()
    assert protect.wishes(world.book, 0, {}) == []
    (wish,) = protect.wishes(world.book, 10**14, {})
    assert wish.cause == "time"
    assert protect.intent(world.book, wish, world.clock.now())["notional"] == "1000"


def test_a_partly_filled_exit_goes_on_under_its_own_order() -> None:
    """What is displayed is small; the exit works until it is done and is not asked for twice."""
    world = World(vaults=[vault(risk=WIDE)], settings=ExecutorSettings(paper=PaperSettings(
        commission_bp=0, slippage_bp=0, half_spread_bp=0)))
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000", exit_plan=plan(stop_pct="0.05"))
    world.step()
    world.quote("equity:AAPL", "180.00", size="2")
    world.step()
    assert world.held("equity:AAPL") == 3
    world.quote("equity:AAPL", "179.00", size="9")
    world.step()
    assert exits(world) == ["exit:stop"]
    assert world.held("equity:AAPL") == 0


@pytest.mark.parametrize("rule", ["stop_pct", "trail_pct", "take_profit_pct"])
def test_dust_that_cost_nothing_is_watched_without_a_price(rule: str) -> None:
    """One hundred-millionth of a coin was booked at 0.00: nothing is measured from it, and the executor goes on."""
    world = VenueWorld(Venue())
    world.quote("crypto:BTC-USD", "50000.00")
    name = world.want("crypto:BTC-USD", "1000", exit_plan=plan(**{rule: "0.05"}, max_holding_s=60))
    world.step()
    world.fill(str(world.book.intents[name].order_id), "0.00000001", price="50000")
    world.step()
    world.quote("crypto:BTC-USD", "20000.00")
    world.step()
    assert exits(world) == []
    world.step(seconds=61)
    assert exits(world) == ["exit:time"]


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_what_rests_against_an_exit_is_cancelled_whichever_vault_it_belongs_to(side: str) -> None:
    """It may rest for days: the exit would wait for it, or trade with it. What rests beside it stays."""
    resting = {"type": "limit", "limit_offset_pct": "-0.04", "time_in_force": "gtc"}
    world = World(vaults=[vault(risk=WIDE), vault("V_OTHER", risk=WIDE, orders=resting,
                                                  allocation={"allow_short": True})])
    world.quote("equity:AAPL", "200.00")
    world.quote("equity:MSFT", "100.00")
    world.want("equity:AAPL", "1000", exit_plan=plan(stop_pct="0.02"))
    world.step()
    other = world.want("equity:AAPL", "1000", side=side, vault="V_OTHER")
    world.step()
    elsewhere = world.want("equity:MSFT", "1000", vault="V_OTHER")
    world.step()
    assert {world.state(name) for name in (other, elsewhere)} == {"working"}
    world.quote("equity:AAPL", "195.00")
    world.step()
    world.step()
    assert exits(world) == ["exit:stop"]
    assert world.held("equity:AAPL") == 0
    assert world.state(other) == ("cancelled" if side == "buy" else "working")
    assert world.state(elsewhere) == "working"
