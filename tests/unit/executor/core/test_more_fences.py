"""What fences say when what they need is not there, and what they let pass."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.executor.core.fence_rows import WIDE, context, flipping, ready, stopping, verdict
from tests.unit.executor.test_commands import Desk
from tests.unit.executor.world import World, vault, without_permission
from vanta.common.canonical import document
from vanta.common.paths import VAULTS
from vanta.executor.core.approval import Approved
from vanta.executor.core.fences import flip, persona
from vanta.executor.core.proposal import Line
from vanta.executor.core.size import propose


def line(world: World, intent_id: str, fence: Any) -> Line:
    """One fence's word about an intent, in the world as it is."""
    seen = context(world)
    found: Line = fence.check(propose(world.book.intents[intent_id], seen), seen)
    return found


def test_a_flip_within_its_time_and_slice_passes() -> None:
    """The flip of the overlay asked for it, and a tenth of NAV is enough for it."""
    world, _ = flipping()()
    small = world.want("equity:AAPL", "5000", flip_id="F1")
    assert isinstance(verdict(world, small), Approved)


@pytest.mark.parametrize("overlay", [{}, {"flip": {
    "flip_id": "F2", "vault": "V_CORE", "persona": "Apollo", "slice": "0.1", "amplify": "0", "started_at":
    "2026-11-20T15:00:00.000Z"}}])
def test_an_order_of_a_flip_that_is_not_on_is_refused(overlay: dict[str, Any]) -> None:
    """No flip in the overlay, or another one."""
    world, name = flipping()()
    world.gate.raw = without_permission(overlay)
    assert "flip.over" in stopping(world, name)


def test_what_a_flip_bought_can_be_left_when_it_is_over() -> None:
    """An exit passes, whatever became of the flip."""
    world, _ = flipping()()
    name = world.want("equity:AAPL", "5000", flip_id="F1")
    world.step()
    assert world.state(name) == "filled"
    assert world.book.vaults["V_CORE"].flips == {"F1": 5000}
    world.gate.raw = without_permission({})
    leaving = world.want("equity:AAPL", "5000", side="sell", close=True, flip_id="F1")
    world.step()
    assert world.state(leaving) == "filled"


@pytest.mark.parametrize("fence", [flip, persona])
def test_without_a_nav_nobody_knows_a_share_of_it(fence: Any) -> None:
    """A held instrument without a mark: the fence says so and passes nothing."""
    world, _ = flipping()()
    world.files.replace(VAULTS, document({"vaults": [vault(risk=WIDE, persona_budgets={"Athena": "0.5"})]}))
    world.want("equity:MSFT", "1000")
    world.step()
    name = world.want("equity:AAPL", "1000", flip_id="F1")
    context(world)
    del world.book.quotes["equity:MSFT"]
    del world.quoted["equity:MSFT"]
    world.quote("equity:AAPL", "200.00")
    assert line(world, name, fence).code == "exposure.nav_unknown"


def test_budgets_count_working_orders_and_forgive_whoever_has_none() -> None:
    """A persona that is not named may take all; what nobody asked for by name counts for nobody."""
    world = World(vaults=[vault(risk=WIDE, persona_budgets={"Athena": "0.5"})])
    world.quote("equity:AAPL", "200.00")
    plain = world.want("equity:AAPL", "1000")
    assert line(world, plain, persona) == Line("persona", None, "within", "budgets")
    unnamed = {**world.intents[0]["provenance"], "personas": {}}
    nobody = world.want("equity:AAPL", "1000", provenance=unnamed)
    assert line(world, nobody, persona).code is None
    world.files.replace(VAULTS, b"{")
    assert line(world, plain, persona).code == "vault.unreadable"


def test_a_persona_s_working_orders_and_lots_without_a_mark() -> None:
    """What works counts at its reference price; a lot that nobody can value is left to the NAV."""
    world = World(vaults=[vault(risk=WIDE, persona_budgets={"Athena": "0.0076"})])
    world.quote("equity:AAPL", "200.00", size="0")
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.state(name) == "working"
    world.quote("equity:MSFT", "100.00")
    late = world.want("equity:MSFT", "400")
    found = line(world, late, persona)
    assert (found.code, found.value, found.limit) == ("exposure.persona_budget", "1050.00", "760.00")


def test_an_entry_is_made_as_small_as_the_tightest_budget_wants_it() -> None:
    """Athena asked for three quarters: of 1,500 that she may take, 750 work already, so 1,000 more may be bought."""
    world = World(vaults=[vault(risk=WIDE, persona_budgets={"Athena": "0.015", "Apollo": "0.5"})])
    world.quote("equity:AAPL", "200.00", size="0")
    world.want("equity:AAPL", "1000")
    world.step()
    world.quote("equity:MSFT", "300.00")
    name = world.want("equity:MSFT", "5000")
    world.step()
    order = world.book.orders[str(world.book.intents[name].order_id)]
    assert (order.quantity, world.state(name)) == (Decimal(3), "filled")


def test_nothing_is_made_smaller_that_shrinks_a_position_or_cannot_be_valued() -> None:
    """A sale of what is held is never less than asked for; without a price there is nothing to divide."""
    world = World(vaults=[vault(risk=WIDE, persona_budgets={"Athena": "0.5"})])
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "10000")
    world.step()
    world.files.replace(VAULTS, document({"vaults": [vault(risk=WIDE, persona_budgets={"Athena": "0.001"})]}))
    leaving = world.want("equity:AAPL", "8000", side="sell")
    world.step()
    order = world.book.orders[str(world.book.intents[leaving].order_id)]
    assert (order.quantity, world.state(leaving)) == (Decimal(40), "filled")
    unpriced = world.want("equity:MSFT", "1000")
    seen = context(world)
    world.executor.step()
    assert propose(world.book.intents[unpriced], seen).quantity == 0


@pytest.mark.parametrize("limit", ["vault", "house"])
def test_losses_in_a_row_latch_until_a_person_has_looked(limit: str) -> None:
    """Two closed at a loss, two are allowed at most; after the release counting starts again."""
    world = ready(max_consecutive_losses=2 if limit == "vault" else 50)
    world.files.replace(VAULTS, document({
        "vaults": [vault(risk={**WIDE, "max_consecutive_losses": 2 if limit == "vault" else 50})],
        "house": {"max_consecutive_losses": 2 if limit == "house" else 50}}))
    for price in ("200", "199", "200", "199"):
        world.quote("equity:AAPL", price)
        buys = price == "200"
        world.want("equity:AAPL", "1000", side="buy" if buys else "sell", close=not buys)
        world.step()
    world.step()
    (latch_id,) = world.book.latches
    assert world.book.latches[latch_id]["code"] == "loss.in_a_row"
    assert world.book.latches[latch_id]["vault"] == ("V_CORE" if limit == "vault" else None)
    Desk(world).give("release", latch_id=latch_id)
    world.step()
    assert not world.book.latches
    world.step()
    assert not world.book.latches


def test_a_gain_in_between_starts_the_count_of_losses_again() -> None:
    """In a row means in a row; an order that closes nothing does not count."""
    world = ready()
    for price, side in (("200", "buy"), ("199", "sell"), ("200", "buy"), ("201", "sell"), ("200", "buy")):
        world.quote("equity:AAPL", price)
        world.want("equity:AAPL", "1000", side=side, close=side == "sell")
        world.step()
    assert world.book.vaults["V_CORE"].losses == 0
    assert world.book.house.losses == 0


def test_a_released_loss_is_measured_from_the_release_on() -> None:
    """The same loss does not latch again at once; a further one does."""
    world = ready(max_single_pos_pct="0.9", max_order_value="90000")
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "50000")
    world.step()
    world.step()
    world.quote("equity:AAPL", "180.00")
    world.step()
    latches = list(world.book.latches)
    assert [world.book.latches[name]["code"] for name in latches] == ["loss.daily"]
    Desk(world).give("release", latch_id=latches[0])
    world.step()
    world.step()
    assert not world.book.latches
    world.quote("equity:AAPL", "160.00")
    world.step()
    assert "loss.daily" in [one["code"] for one in world.book.latches.values()]


def test_a_runaway_latches_its_vault_and_lets_exits_through() -> None:
    """The third buy within the minute stops the vault; its position can be left; a release forgets the count."""
    world = ready(max_repeats=2)
    for notional in ("1000", "1200", "1400"):
        world.want("equity:AAPL", notional)
        world.step()
    (latch_id,) = world.book.latches
    assert (world.book.latches[latch_id]["code"], world.book.latches[latch_id]["vault"]) == (
        "repeat.too_many_alike", "V_CORE")
    leaving = world.want("equity:AAPL", "1000", side="sell", close=True)
    world.step()
    assert world.state(leaving) == "filled"
    Desk(world).give("release", latch_id=latch_id)
    world.step()
    assert world.book.vaults["V_CORE"].sent == {}


def test_an_instrument_that_left_the_registry_counts_under_its_own_class() -> None:
    """Totals do not forget what is held because a file no longer lists it."""
    world = ready()
    world.want("equity:MSFT", "1000")
    world.step()
    found = context(world)
    table = {name: item for name, item in found.instruments.items() if name != "equity:MSFT"}
    world.executor._parts.observer._instrument_source = lambda: table
    seen = context(world)
    totals = seen.totals(world.book.vaults["V_CORE"])
    assert totals.by_class == {"equity": 1000}
    assert totals.gross == 1000
    assert seen.totals(world.book.vaults["V_CORE"]) is totals


def test_while_the_vault_file_is_broken_only_what_shrinks_a_position_leaves() -> None:
    """Where there is nothing to leave the file is waited for; so it is where only a part is to be sold."""
    world = ready()
    world.want("equity:AAPL", "1000")
    world.step()
    world.files.replace(VAULTS, b"{")
    nothing = world.want("equity:MSFT", "1000", side="sell", close=True)
    part = world.want("equity:AAPL", "400", side="sell")
    world.step()
    assert (world.state(nothing), world.state(part)) == ("held", "held")
    assert "vault.unreadable" in world.codes(nothing) & world.codes(part)
    world.withdraw(part)
    whole = world.want("equity:AAPL", "1000", side="sell", close=True)
    world.step()
    assert world.state(whole) == "filled"
    assert world.held("equity:AAPL") == 0
