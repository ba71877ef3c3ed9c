"""The fold refuses a log that contradicts itself, and latches last until a person names them."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.executor.world import World, vault
from vanta.common.errors import Bug, StateError
from vanta.common.events import Kind
from vanta.common.models.vault import VaultRegistry
from vanta.common.paths import OPERATOR_COMMANDS
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.times import iso
from vanta.executor.core import approval, watch
from vanta.executor.core.approval import Approved
from vanta.executor.core.size import propose


def filled() -> tuple[World, str]:
    world = World()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    return world, name


def again(world: World, kind: str, **changes: Any) -> None:
    """Append a changed copy of the last record of a kind."""
    record = [one for one in world.journal.read() if one.kind == kind][-1]
    world.executor.recorder.put(Kind(kind), {**record.payload, **changes}, now=world.clock.now(), ids=record.ids)


def test_an_intent_is_seen_once() -> None:
    """A second sighting of an id is a contradiction."""
    world, _ = filled()
    with pytest.raises(StateError, match="seen twice"):
        again(world, "intent.seen")


def test_a_fill_is_booked_once() -> None:
    """The same execution id twice is a contradiction, even while the order still works."""
    world = World()
    world.quote("equity:AAPL", "200.00", size="1")
    world.want("equity:AAPL", "1000")
    world.step()
    with pytest.raises(StateError, match="booked twice"):
        again(world, "fill")


def test_a_record_that_disagrees_with_the_table_is_a_contradiction() -> None:
    """A record says which state it leads to; the table must agree."""
    world = World()
    world.want("equity:AAPL", "1000")
    world.step()
    name = next(iter(world.book.waiting))
    with pytest.raises(StateError, match="says filled where the table gives refused"):
        world.executor.recorder.about(Kind.INTENT_REFUSED, world.book.intents[name], {"intent_state": "filled"},
                                      now=world.clock.now())


def test_a_kind_from_the_future_is_not_skipped() -> None:
    """A record of an unknown kind stops the fold: it may have moved money."""
    world = World()
    record = world.journal.append("teleported", {}, at=iso(world.clock.now()))
    with pytest.raises(StateError, match="unknown kind teleported"):
        world.book.apply(record)


def test_changed_bytes_of_a_finished_intent_are_noted_once() -> None:
    """An order that is out is not recalled by other bytes under its id, but the bytes are on record."""
    world, name = filled()
    world.intents[0]["notional"] = "5000"
    world.stage()
    world.step()
    world.step()
    assert world.kinds(name).count("intent.quarantined") == 1
    assert world.state(name) == "filled"


def test_an_approval_needs_an_instrument() -> None:
    """The runner cannot approve what it could not identify."""
    world = World()
    name = world.want("equity:NOPE", "1000")
    world.step()
    seen = world.executor._context(world.gate.read(), world.clock.now())
    with pytest.raises(Bug, match="without an instrument"):
        Approved(approval._SEAL, propose(world.book.intents[name], seen), "home", [])


def test_a_persona_nobody_knows_is_refused_by_name() -> None:
    """An intent that claims a persona which does not exist is not let through."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.intents[0]["provenance"]["personas"] = {"Zeus": 1}
    world.stage()
    world.step()
    assert world.codes(name) == {"vault.persona_not_allowed"}


def test_drawdown_is_measured_from_the_best_day() -> None:
    """Small daily losses add up to a drawdown latch."""
    world = World(vaults=[vault(risk={"max_single_pos_pct": "1", "max_asset_class_pct": {"crypto": "1"},
                                      "max_order_value": "90000", "max_daily_loss": "0.9"})])
    world.quote("crypto:BTC-USD", "50000")
    world.want("crypto:BTC-USD", "90000")
    world.step()
    for price in ("48000", "46000", "44000"):
        world.clock.move_to(world.clock.now() + timedelta(days=1))
        world.quote("crypto:BTC-USD", price)
        world.step()
    assert [latch["code"] for latch in world.book.latches.values()] == ["loss.drawdown"]
    world.step()
    assert len(world.book.latches) == 1


def test_nothing_is_measured_for_a_vault_without_a_day() -> None:
    """A vault that is not funded or has no opening NAV yet cannot lose."""
    world = World()
    registry = VaultRegistry.model_validate({"vaults": [vault(), vault("V_NEW")]})
    assert watch.losses(world.book, registry, {"V_CORE": None}) == []


def command(world: World, latch: str, *, minutes: int = 15, number: str = "0") -> None:
    """An operator releases a latch."""
    journal = MemoryJournal()
    now = world.clock.now()
    journal.append(Kind.COMMAND_GIVEN, {
        "command_id": "cmd_" + number * 16, "kind": "release", "latch_id": latch, "by": "R. Example",
        "reason": "looked at it", "at": iso(now), "expires_at": iso(now + timedelta(minutes=minutes))}, at=iso(now))
    world.files.replace(OPERATOR_COMMANDS, journal._lines[0] + b"\n")


def latched() -> tuple[World, str]:
    world = World()
    clear = world.gate.raw
    world.gate.raw = None
    for _ in range(8):
        world.step()
    world.gate.raw = clear
    return world, next(iter(world.book.latches))


def test_a_latch_lasts_until_a_person_names_it() -> None:
    """Neither a readable overlay nor a restart clears a latch; a release by name does, once."""
    world, latch = latched()
    world.step()
    world.start()
    world.step()
    assert latch in world.book.latches
    command(world, latch)
    world.step()
    world.step()
    assert not world.book.latches
    assert world.kinds().count("latch.released") == 1


@pytest.mark.parametrize(("latch", "minutes", "why"), [("latch_00000000", 15, "no latch"), ("", -1, "expired")])
def test_a_release_that_names_nothing_or_is_old_is_refused(latch: str, minutes: int, why: str) -> None:
    """The refusal is recorded with the reason, and the latch stays."""
    world, name = latched()
    command(world, latch or name, minutes=minutes)
    world.step()
    refused = next(record for record in world.journal.read() if record.kind == "command.refused")
    assert why in refused.payload["refused"]
    assert name in world.book.latches


def test_broken_commands_are_a_problem_and_release_nothing() -> None:
    """A command file that does not parse is reported."""
    world, name = latched()
    world.files.replace(OPERATOR_COMMANDS, b"{}\n")
    assert OPERATOR_COMMANDS in world.step().problems
    assert name in world.book.latches
