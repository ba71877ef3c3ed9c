"""Each fence says no for its own reason, and only then. One row a reason; the plain order passes them all."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.executor.core.fence_rows import ELSEWHERE, ROWS, Row, context, limited, ready, stopping, verdict
from tests.unit.executor.world import OPEN, World, without_permission
from vanta.common.canonical import document
from vanta.common.models.configuration import ExecutorSettings, PaperSettings
from vanta.common.paths import QUEUE, VAULTS
from vanta.common.reasons import Reason
from vanta.executor.core.approval import Approved, Stopped, judge
from vanta.executor.core.fences.policy import POLICY
from vanta.executor.core.size import propose


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code.value)
def test_the_fence_stops_for_its_reason(row: Row) -> None:
    """The arranged defect is named by its code, with the value seen and the limit."""
    world, name = row.arrange()
    found = stopping(world, name)
    assert row.code in found, found
    assert found[row.code].value
    assert found[row.code].limit


def test_every_reason_has_a_row_or_is_tested_elsewhere() -> None:
    """No reason code exists that nothing can produce."""
    assert {row.code for row in ROWS} | ELSEWHERE == set(Reason)
    assert not {row.code for row in ROWS} & ELSEWHERE


def test_a_plain_order_passes_every_fence() -> None:
    """The canary of the table: without a defect nothing stops."""
    world, name = limited()()
    found = verdict(world, name)
    assert isinstance(found, Approved)
    assert len(found.lines) == len(POLICY)


def test_a_closed_session_defers_refusals_that_rest_on_a_price() -> None:
    """While something holds, a size refusal waits: the price at dispatch is the one that counts."""
    world = ready(max_order_value="10")
    world.clock.move_to(OPEN + timedelta(days=1))
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.state(name) == "held"
    assert "size.max_order_value" not in world.codes(name)


@pytest.mark.parametrize("switch", ["maintenance", "reduce_only"])
def test_exits_pass_where_only_entries_are_stopped(switch: str) -> None:
    """Selling what is held works under maintenance and reduce_only; selling more does not."""
    world = ready()
    world.want("equity:AAPL", "1000")
    world.step()
    world.gate.raw = without_permission({switch: True})
    leave = world.want("equity:AAPL", "600", side="sell")
    assert isinstance(verdict(world, leave), Approved)
    world.gate.raw = without_permission({switch: True, "orders_disabled": True})
    assert set(stopping(world, leave)) == {"halt.orders_disabled"}


def test_working_exits_count_as_filled() -> None:
    """With five held and three being sold, selling three more would cross zero and is no reduction."""
    world = World(settings=ExecutorSettings(paper=PaperSettings()))
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    world.quote("equity:AAPL", "200.00", size="1")
    world.want("equity:AAPL", "600", side="sell")
    world.step()
    second = world.want("equity:AAPL", "800", side="sell")
    assert not propose(world.book.intents.get(second) or _seen(world, second), context(world)).reduces


def _seen(world: World, name: str) -> Any:
    context(world)
    return world.book.intents[name]


@pytest.mark.parametrize(("kind", "name"), [
    ("vault", "V_CORE"), ("broker", "paper"), ("instrument", "equity:AAPL"), ("asset_class", "equity")])
def test_scoped_switches_stop_only_their_scope(kind: str, name: str) -> None:
    """A scoped halt stops orders in scope; orders outside it go on."""
    world = ready()
    world.gate.raw = without_permission({"scopes": {kind: {name: {"full_halt": True}}}})
    inside = world.want("equity:AAPL", "1000")
    outside = world.want("crypto:BTC-USD", "1000")
    world.step()
    assert world.codes(inside) == {"halt.full_halt"}
    assert (world.state(outside) == "filled") == (kind in ("instrument", "asset_class"))


@pytest.mark.parametrize("scopes", [
    {"vault": {"V_TYPO": {"full_halt": False}}}, {"instrument": {"equity:NOPE": {"maintenance": True}}},
    {"follower": {"F1": {"full_halt": True}}}])
def test_a_scope_that_names_nothing_known_halts_everything(scopes: dict[str, Any]) -> None:
    """A typing error in a scope must not leave the operator believing in a halt that is none."""
    world = ready()
    world.gate.raw = without_permission({"scopes": scopes})
    name = world.want("equity:AAPL", "1000")
    found = stopping(world, name)
    assert "halt.unreadable" in found
    assert next(iter(scopes[next(iter(scopes))])) in found["halt.unreadable"].detail


def test_the_gateway_never_sends_more_than_was_asked_for() -> None:
    """If sizing ever produced more than the intent asked for, the last fence latches everything."""
    world = ready()
    name = world.want("equity:AAPL", "1000")
    seen = context(world)
    sized = propose(world.book.intents[name], seen)
    too_much = sized._replace(quantity=sized.quantity + 1)
    found = judge(too_much, seen)
    assert isinstance(found, Stopped)
    assert "gateway.more_than_queued" in {line.code for line in found.stopping}
    assert found.effect.value == "latch"


def test_queue_bytes_that_do_not_parse_change_nothing() -> None:
    """A half-written queue is a problem that is reported; what was known stays known."""
    world = ready()
    name = world.want("equity:AAPL", "1000")
    whole = world.files.read(QUEUE)
    world.files.replace(QUEUE, whole[: len(whole) // 2])
    assert QUEUE in world.step().problems
    world.files.replace(QUEUE, whole)
    assert QUEUE not in world.step().problems
    assert world.state(name) == "filled"


def test_an_empty_registry_document_is_not_all_clear() -> None:
    """A vault file without vaults refuses, it does not permit."""
    world = World()
    world.files.replace(VAULTS, document({"vaults": []}))
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert "vault.unknown" in world.codes(name)
