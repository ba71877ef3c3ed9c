"""On which terms orders are given to the market, and what fences make of them."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.executor.core.fence_rows import WIDE, context, stopping, verdict
from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import World, vault
from vanta.executor.core.approval import Approved
from vanta.executor.core.proposal import Proposal
from vanta.executor.core.size import propose
from vanta.executor.core.terms import AT_MARKET, Terms, rested

BID, ASK = "189.90", "190.10"


def asking(risk: dict[str, Any] | None = None, **orders: Any) -> World:
    """A vault that asks for limit orders, with a quote of some spread."""
    world = World(vaults=[vault(risk={**WIDE, **(risk or {})}, orders={"type": "limit", **orders})])
    world.quote("equity:AAPL", "190.00", bid=BID, ask=ASK)
    world.quote("crypto:BTC-USD", "50000")
    return world


def proposed(world: World, name: str) -> Proposal:
    """The intent as the fences see it."""
    seen = context(world)
    return propose(world.book.intents[name], seen)


@pytest.mark.parametrize(("side", "offset", "limit", "valued"), [
    ("buy", "0.001", "190.29", "190.29"), ("buy", "0", "190.1", "190.1"), ("buy", "-0.002", "189.71", "190.1"),
    ("sell", "0.001", "189.72", "189.9"), ("sell", "0", "189.9", "189.9"), ("sell", "-0.002", "190.28", "190.28")])
def test_the_limit_is_on_the_tick_and_never_worse_than_the_offset(side: str, offset: str, limit: str,
                                                                  valued: str) -> None:
    """A buy's is rounded down, a sell's up; the order is valued at the touched side or its limit, whichever is more."""
    world = asking(limit_offset_pct=offset)
    found = proposed(world, world.want("equity:AAPL", "10000", side=side))
    assert found.terms == Terms(Decimal(limit), "day")
    assert found.price == Decimal(valued)
    assert found.value <= 10_000 < found.value + found.price
    edge = Decimal(ASK) * (1 + Decimal(offset)) if side == "buy" else Decimal(BID) * (1 - Decimal(offset))
    assert Decimal(limit) <= edge if side == "buy" else Decimal(limit) >= edge


@pytest.mark.parametrize("more", [{"close": True}, {"orders": {"type": "market"}}])
def test_what_closes_a_position_waits_for_no_price(more: dict[str, Any]) -> None:
    """A market order for the day, as where nothing is asked for."""
    world = asking(time_in_force="gtc") if "close" in more else World(vaults=[vault(**more)])
    world.quote("equity:AAPL", "190.00")
    found = proposed(world, world.want("equity:AAPL", "1000", side="sell", close="close" in more))
    assert found.terms == AT_MARKET
    assert (found.terms.type, found.terms.needs) == ("market", frozenset())


def test_an_exit_by_plan_waits_for_no_price() -> None:
    """Bought with a limit, left at the market."""
    world = asking(time_in_force="gtc")
    name = world.want("equity:AAPL", "1000", exit_plan={
        "stop_pct": "0.01", "trail_pct": None, "take_profit_pct": None, "max_holding_s": None})
    world.step()
    assert world.state(name) == "filled"
    world.quote("equity:AAPL", "180.00")
    world.step()
    sent = [record.payload for record in world.journal.read() if record.kind == "order.submitting"]
    assert [(one["type"], one["limit_price"], one["time_in_force"]) for one in sent] == [
        ("limit", "190.29", "gtc"), ("market", None, "day")]
    assert world.held("equity:AAPL") == 0


def test_without_a_quote_there_are_no_terms() -> None:
    """Other fences say what is missing."""
    world = asking()
    name = world.want("equity:MSFT", "1000")
    found = proposed(world, name)
    assert found.terms == AT_MARKET
    assert "quote.missing" in stopping(world, name)


@pytest.mark.parametrize(("offset", "time_in_force", "needs"), [
    ("0.001", "day", {"limit"}), ("0.001", "gtc", {"limit", "gtc"})])
def test_what_a_venue_has_to_be_able_to_do(offset: str, time_in_force: str, needs: set[str]) -> None:
    """A venue that takes limits for the day alone is refused what should work longer, and only that."""
    world = asking(limit_offset_pct=offset, time_in_force=time_in_force)
    world.executor._able = {"paper": frozenset({"limit"})}
    name = world.want("equity:AAPL", "1000")
    assert proposed(world, name).terms.needs == needs
    assert ("broker.terms_not_possible" in stopping(world, name)) == ("gtc" in needs)


def test_a_flip_does_not_ask_for_more_than_a_day() -> None:
    """It is over within the hour."""
    world = asking(time_in_force="gtc")
    assert proposed(world, world.want("equity:AAPL", "1000", flip_id="F1")).terms == Terms(Decimal("190.29"), "day")


@pytest.mark.parametrize(("offset", "side", "stops"), [
    ("0.06", "buy", True), ("-0.06", "buy", True), ("0.06", "sell", True), ("0.04", "buy", False)])
def test_the_collar_is_around_the_limit_as_well(offset: str, side: str, stops: bool) -> None:
    """Five per cent are allowed, on either side of the last trade."""
    world = asking(limit_offset_pct=offset)
    name = world.want("equity:AAPL", "1000", side=side)
    assert ("price.collar" in stopping(world, name)) is stops


@pytest.mark.parametrize(("offset", "units", "price"), [("0.02", 51, "193.9"), ("0", 52, "190.1"),
                                                         ("-0.02", 52, "190.1")])
def test_fences_value_an_order_at_the_worst_price_that_it_may_trade_at(offset: str, units: int, price: str) -> None:
    """At its limit above the ask; a limit below it makes no limit of the vault looser."""
    world = asking(limit_offset_pct=offset)
    found = verdict(world, world.want("equity:AAPL", "10000"))
    assert isinstance(found, Approved)
    worth = units * Decimal(price)
    seen = {line.fence: line.value for line in found.lines}
    assert (found.quantity, found.reference_price) == (Decimal(units), Decimal(price))
    assert (seen["size"], seen["cash"]) == (f"{worth:.2f}", f"{worth * Decimal('1.01'):.2f}")
    assert (seen["exposure"], seen["gateway"]) == (f"{worth / 100_000:.4f}", f"{worth:.2f}")
    assert seen["concentration"] == seen["credit"] == f"{worth:.2f}"


def test_what_works_counts_at_the_worst_price_that_it_may_trade_at() -> None:
    """A limit above the market that has not been filled yet is no cheaper for what is held already."""
    world = VenueWorld(Venue(), vaults=[vault(risk=WIDE, orders={"type": "limit", "limit_offset_pct": "0.04"})])
    world.want("equity:AAPL", "1040")
    world.step()
    world.fill(next(iter(world.book.orders)), "5")
    world.step()
    name = world.want("equity:AAPL", "1040", nonce="more")
    world.step(seconds=31)
    assert world.state(name) == "working"
    found = context(world).totals(world.book.vaults["V_CORE"])
    assert (found.gross, found.by_instrument["equity:AAPL"].signed) == (10 * Decimal(208), 10 * Decimal(208))


def test_a_venues_smallest_order_is_measured_at_the_limit() -> None:
    """Ten dollars at the touched side are less at a limit below it, and the venue would refuse them."""
    world = asking(limit_offset_pct="-0.03")
    assert "size.below_minimum_notional" in stopping(world, world.want("crypto:BTC-USD", "10.2"))
    assert "size.below_minimum_notional" not in stopping(world, world.want("crypto:BTC-USD", "10.4"))


def test_what_may_have_reached_the_venue_keeps_its_terms() -> None:
    """The venue keeps the first order that it saw under an id: another limit would be a figment."""
    world = asking()
    name = world.want("equity:AAPL", "1000")
    world.step()
    order = world.book.orders[str(world.book.intents[name].order_id)]
    order.out = True
    world.quote("equity:AAPL", "200.00")
    found = proposed(world, name)
    assert (found.terms, found.price) == (Terms(Decimal("190.29"), "day"), Decimal("200.00"))
    order.limit_price = None
    assert proposed(world, name).terms == AT_MARKET


def test_who_has_rested_for_long_enough() -> None:
    """Entries of a vault that says so, from that second on; never exits, nothing without a vault."""
    world = asking(limit_offset_pct="-0.01", time_in_force="gtc", replace_after_s=60)
    name = world.want("equity:AAPL", "1000")
    world.step()
    book, registry = world.book, context(world).vaults
    sent_ms = context(world).now_ms
    assert not list(rested(book, registry, sent_ms + 59_999))
    ((order, why),) = rested(book, registry, sent_ms + 60_000)
    assert (order.intent_id, why) == (name, "rested for 60 s; the price is asked for anew")
    assert not list(rested(book, None, sent_ms + 60_000))
    for what in ("exit", "close"):
        setattr(book.intents[name], what, True)
        assert not list(rested(book, registry, sent_ms + 60_000))
        setattr(book.intents[name], what, False)
