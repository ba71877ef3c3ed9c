"""A sweep that may not send: everything is looked at, nothing leaves, and nothing at the venue makes room for it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.executor.core.test_terms import asking as limits
from tests.unit.executor.test_commands import Desk
from tests.unit.executor.test_daemon import Stage
from tests.unit.executor.test_protect import bought, exits
from tests.unit.executor.test_stops import AAPL, at_venue, cancels, resting
from tests.unit.executor.world import OPEN, World
from vanta.common.models.configuration import ExecutorSettings
from vanta.common.times import iso
from vanta.executor.commands import leave
from vanta.executor.core.holding import allowed_s, stuck
from vanta.executor.core.protect import Wish

PRICE = "200.00"


def test_what_is_approved_waits_and_goes_once_it_may() -> None:
    """Not a word about it in the log: it was neither held nor refused, nobody sent it."""
    world = World()
    world.quote(AAPL, PRICE)
    name = world.want(AAPL, "1000")
    world.executor.sends = False
    for _ in range(3):
        world.step()
    assert world.kinds(name) == ["intent.seen"]
    world.executor.sends = True
    world.step()
    assert world.state(name) == "filled"


def test_what_is_over_ends_all_the_same() -> None:
    """An intent that expires and one that is withdrawn end, as they would with a daemon."""
    world = World()
    world.quote(AAPL, PRICE)
    late, unwanted = world.want(AAPL, "1000"), world.want("equity:MSFT", "1000")
    world.executor.sends = False
    world.step()
    world.withdraw(unwanted)
    world.clock.sleep(16 * 60)
    world.step()
    assert (world.state(late), "intent.expired" in world.codes(late)) == ("expired", True)
    assert world.state(unwanted) == "withdrawn"


def test_an_exit_that_nobody_would_send_is_not_asked_for() -> None:
    """It is due at the price of the moment, and that is looked at by whoever can send it."""
    world = bought(stop_pct="0.05")
    world.executor.sends = False
    world.quote(AAPL, "180.00")
    world.step()
    assert exits(world) == []
    world.quote(AAPL, PRICE)
    world.executor.sends = True
    world.step()
    assert exits(world) == []
    assert world.held(AAPL) == 5


def left(world: World) -> None:
    """An exit that was asked for just before the daemon was killed."""
    leave(world.executor.recorder, Wish("V_CORE", AAPL, "flatten", "an operator asked"), world.clock.now())


def enlarged(world: World) -> None:
    world.want(AAPL, "400")


@pytest.mark.parametrize("wanting", [left, enlarged])
def test_a_stop_at_the_venue_stays_there(wanting: Callable[[World], None]) -> None:
    """What it would make room for does not come: the position would be without it for nothing."""
    world = at_venue()
    world.executor.sends = False
    wanting(world)
    for _ in range(3):
        world.quote(AAPL, PRICE)
        world.step()
    assert (len(resting(world)), cancels(world)) == (1, [])
    world.executor.sends = True
    for _ in range(3):
        world.quote(AAPL, PRICE)
        world.step()
    assert cancels(world) == ["in the way of an exit" if wanting is left else "makes room for another order"]


def test_an_order_that_rested_long_enough_goes_on_resting() -> None:
    """It would be asked for anew at a fresh price, and there is nobody who would."""
    world = limits(limit_offset_pct="-0.01", time_in_force="gtc", replace_after_s=60)
    world.quote(AAPL, PRICE)
    world.want(AAPL, "1000")
    world.step()
    world.executor.sends = False
    world.step(seconds=61)
    assert cancels(world) == []
    world.executor.sends = True
    world.step()
    assert cancels(world) == ["rested for 60 s; the price is asked for anew"]


def test_a_command_waits_for_whoever_can_carry_it_out_as_a_whole() -> None:
    """Half of a flatten would take the stop away and leave the position."""
    world = at_venue()
    world.executor.sends = False
    Desk(world).give("flatten")
    world.quote(AAPL, PRICE)
    world.step()
    assert (len(resting(world)), cancels(world), world.book.latches) == (1, [], {})
    world.executor.sends = True
    world.step()
    assert cancels(world) == ["an operator asked for it"]
    world.book.latches.clear()


def test_a_sweep_ends_when_there_is_nothing_to_do_or_at_its_most(tmp_path: Path) -> None:
    """Two steps where the first did something, one where it did not, none beyond the most, none when told to stop."""
    world = World()
    world.quote(AAPL, PRICE)
    world.want(AAPL, "1000")
    assert [one.fills for one in Stage(tmp_path, world).daemon.sweep(20)] == [1, 0]
    assert len(Stage(tmp_path, world).daemon.sweep(20)) == 1
    world.want("equity:MSFT", "1000")
    assert len(Stage(tmp_path, world).daemon.sweep(1)) == 1
    told = Stage(tmp_path, world)
    told.daemon.stop()
    assert told.daemon.sweep(20) == []


def test_a_sweep_alarms_of_what_it_found_itself(tmp_path: Path) -> None:
    """A latch that is set now is said now, and not by every sweep of the days that follow."""
    world = World()
    Desk(world).give("flatten")  # this one may send
    first, second = Stage(tmp_path, world), Stage(tmp_path, world)
    first.daemon.sweep(20)
    second.daemon.sweep(20)
    assert ([one.code for one in first.alarm.said], second.alarm.said) == (["halt.flattened"], [])
    world.book.latches.clear()


NOW = OPEN


def ago(seconds: float) -> str:
    """A moment before now."""
    return iso(NOW - timedelta(seconds=seconds))


HOLDERS: dict[str, tuple[str, Any, str]] = {
    "beats": (f"executor pid=7 since={ago(9000)}", {"heartbeat_at": ago(30)}, ""),
    "has just started": (f"executor pid=7 since={ago(3)}", {"heartbeat_at": ago(9000)}, ""),
    "has just started for the first time": (f"executor pid=7 since={ago(3)}", None, ""),
    "no longer beats": (f"executor pid=7 since={ago(9000)}", {"heartbeat_at": ago(31)},
                        "its last sign of life is 31 s old, at most 30 s are allowed"),
    "never came so far": (f"executor pid=7 since={ago(900)}", {}, "its last sign of life is 900 s old, at most 30 s"),
    "says nothing": ("an unnamed process", {"heartbeat_at": 5}, "nothing says when it started"),
    "says nonsense": ("executor since=yesterday", {"heartbeat_at": "today"}, "nothing says when it started"),
    "beats tomorrow": (f"executor pid=7 since={ago(9)}", {"heartbeat_at": ago(-121)},
                       "its last sign of life lies 121 s ahead: a clock is wrong"),
    "is a little ahead": (f"executor pid=7 since={ago(9)}", {"heartbeat_at": ago(-119)}, ""),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_whether_the_holder_of_the_lock_is_well(name: str) -> None:
    """By its heartbeat, or by its start where that is younger."""
    stamp, state, why = HOLDERS[name]
    assert isinstance(NOW, datetime)
    said = stuck(stamp, state, NOW, 30.0)
    assert said.startswith(why)
    assert bool(said) == bool(why)


def test_how_old_a_heartbeat_may_be() -> None:
    """Six may be missing, and it may just have begun to wait."""
    assert allowed_s(ExecutorSettings(heartbeat_s=5, poll_s=60)) == 90
