"""What an editor does to the switches is on record: what was loosened, why and by whom, and what ended by itself."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.executor.test_commands import Desk
from tests.unit.executor.world import ALL_CLEAR, World, without_permission
from vanta.common.canonical import sha256
from vanta.common.models.account import ExecutorState
from vanta.common.paths import EXECUTOR_STATE
from vanta.common.store.document import load
from vanta.common.store.inmemory import MemorySnapshots
from vanta.common.times import iso

HALTED = {"full_halt": True, "scopes": {"vault": {"V_CORE": {"reduce_only": {"enabled": True}}}}}
STATED = {"enabled": False, "reason": "checked the venue", "by": "ann"}


def overlays(world: World) -> list[dict[str, Any]]:
    """Payloads of what was seen of the overlay."""
    return [dict(record.payload) for record in world.journal.read()
            if record.kind == "control.seen" and record.payload["what"] == "overlay"]


def loosen(**switches: Any) -> World:
    """A world that was halted and is loosened by an editor's save."""
    world = World()
    world.gate.raw = without_permission(HALTED)
    world.step()
    world.gate.raw = without_permission(switches)
    world.step()
    return world


def warnings(world: World) -> list[str]:
    """What the state document asks a person to answer for."""
    return load(world.files, EXECUTOR_STATE, ExecutorState).value.warnings


def test_loosening_without_a_reason_is_honoured_and_asked_about_until_acknowledged() -> None:
    """The switch is off; the record says that nobody said why; the warning stays through a restart."""
    world = loosen()
    assert overlays(world)[-1]["loosened"] == ["full_halt on everything", "reduce_only on vault V_CORE"]
    assert (overlays(world)[-1]["reason"], overlays(world)[-1]["by"]) == ("reason not stated", None)
    assert "full_halt on everything, reduce_only on vault V_CORE" in warnings(world)[0]
    world.start()
    world.step()
    assert warnings(world)
    Desk(world).give("acknowledge")
    world.step()
    assert warnings(world) == []


@pytest.mark.parametrize("switches", [
    {"reason": "checked the venue", "by": "ann"},
    {"full_halt": STATED, "scopes": {"vault": {"V_CORE": {"reduce_only": STATED}}}},
])
def test_loosening_with_a_reason_and_a_name_is_recorded_and_warns_nobody(switches: dict[str, Any]) -> None:
    """The file may say so once, or each switch for itself."""
    world = loosen(**switches)
    assert (overlays(world)[-1]["reason"], overlays(world)[-1]["by"]) == ("checked the venue", "ann")
    assert warnings(world) == []


def test_a_reason_for_one_of_two_is_not_a_reason_for_both() -> None:
    """Every loosened switch has to say why."""
    assert warnings(loosen(full_halt=STATED))


def test_a_torn_save_in_between_does_not_hide_what_was_loosened() -> None:
    """Compared is the last overlay that could be read."""
    world = World()
    world.gate.raw = without_permission(HALTED)
    world.step()
    world.gate.raw = b""
    world.step()
    world.gate.raw = ALL_CLEAR
    world.step()
    assert overlays(world)[-2]["loosened"] == []
    assert overlays(world)[-1]["loosened"]


def test_tightening_needs_no_reason() -> None:
    """Reducing risk is never asked about."""
    world = World()
    world.gate.raw = without_permission(HALTED)
    world.step()
    assert warnings(world) == []


def test_the_end_of_a_switch_by_its_own_time_is_on_record_once() -> None:
    """Only those that may end by themselves, and not again after a restart."""
    world = World()
    until = iso(world.clock.now() + timedelta(seconds=30))
    on = {"enabled": True, "until": until}
    world.gate.raw = without_permission({"maintenance": on, "full_halt": on})
    world.step()
    assert "control.ended" not in world.kinds()
    world.step(seconds=40)
    world.start()
    world.step()
    world.step()
    ends = [record.payload["what"] for record in world.journal.read() if record.kind == "control.ended"]
    assert ends == [f"maintenance on everything until {until}"]


@pytest.mark.parametrize("torn", [False, True])
def test_loosening_while_no_executor_runs_is_asked_about_by_the_next_start(torn: bool) -> None:
    """Compared is what the log says was valid last, whatever could not be read in between."""
    world = World()
    world.gate.raw = without_permission(HALTED)
    world.step()
    if torn:
        world.gate.raw = b'{"full_h'
        world.start()
    world.gate.raw = ALL_CLEAR
    world.start()
    world.step()
    assert overlays(world)[-1]["loosened"] == ["full_halt on everything", "reduce_only on vault V_CORE"]
    assert overlays(world)[-1]["reason"] == "reason not stated"
    assert "full_halt on everything" in warnings(world)[0]


def test_what_the_store_has_lost_since_loosens_nothing_that_is_known_of() -> None:
    """The start goes on: the record names the hash that it would have been compared with."""
    world = World()
    world.gate.raw = without_permission(HALTED)
    world.step()
    world.snapshots = MemorySnapshots()
    world.gate.raw = ALL_CLEAR
    world.start()
    assert (overlays(world)[-1]["loosened"], overlays(world)[-1]["before"]) == (
        [], sha256(without_permission(HALTED)))
