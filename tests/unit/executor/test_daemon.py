"""After each step the outside hears of it: alerts, latches, progress, and why the executor had to stop."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.executor.test_commands import Desk
from tests.unit.executor.world import World, vault
from vanta.common.clock import ManualClock
from vanta.common.errors import StateError
from vanta.common.events import LogEvent
from vanta.common.log import MemoryLog
from vanta.common.notify import Notifier
from vanta.common.outside.ledger import Ledger, NoLedger
from vanta.common.paths import QUEUE, Home
from vanta.executor.daemon import Daemon, Outside
from vanta.executor.inmemory import MemoryAlarm
from vanta.executor.step import StepReport


class Stage:
    """A daemon around a world's executor, which stops after so many steps."""

    def __init__(self, folder: Path, world: World, *, notifier: Notifier | None = None, watchdog_s: float | None = None,
                 poll_s: float = 0.001, calls: Ledger | None = None) -> None:
        self.world, self.alarm, self.log = world, MemoryAlarm(), MemoryLog()
        self.clock = ManualClock(world.clock.now())
        self.outside = Outside(alarm=self.alarm, notifier=notifier or Notifier(None), watchdog_s=watchdog_s,
                               clock=self.clock, calls=calls or NoLedger())
        self.daemon = Daemon(world.executor, Home(folder / "home").prepare(), poll_s=poll_s, log=self.log,
                             outside=self.outside)

    def run(self, steps: int = 1, *, seconds: float = 1.0, then: Callable[[], object] = lambda: None) -> None:
        """So many steps, with so much time between them; `then` is called after the first."""
        left, look = steps, self.alarm.look

        def counted() -> list[str]:
            nonlocal left
            if left == steps:
                then()
            left -= 1
            self.clock.sleep(seconds)
            self.world.clock.sleep(seconds)
            if left == 0:
                self.daemon.stop()
            return look()
        self.alarm.look = counted  # type: ignore[method-assign]
        self.daemon.run()


def narrow() -> World:
    """A vault that may put just over a hundredth of its NAV into one position."""
    return World(vaults=[vault(risk={"max_single_pos_pct": "0.0115", "max_asset_class_pct": {"equity": "1.0"}})])


def test_an_alert_is_said_in_the_cycle_of_the_step_that_recorded_it(tmp_path: Path) -> None:
    """One step, one notice, once; the log has it too."""
    world = narrow()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    stage = Stage(tmp_path, world)
    stage.run()
    (one,) = stage.alarm.said
    assert (one.what, one.vault, one.level, one.limit) == ("alert", "V_CORE", 80, "0.0115")
    assert [line["event"] for line in stage.log.lines].count(LogEvent.ALERT) == 1


def test_calls_are_made_durable_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    """Not on the way of an order: a step in which something happened is followed by the next one."""
    class Counting(NoLedger):
        settled = 0

        def settle(self) -> None:
            self.settled += 1

    world, calls = World(), Counting()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    stage = Stage(tmp_path, world, calls=calls)
    stage.run(4)
    assert 0 < calls.settled < 4


def test_a_problem_is_logged_when_it_changes(tmp_path: Path) -> None:
    """A queue that cannot be read is said once, not in every step."""
    world = World()
    world.files.replace(QUEUE, b"{")
    stage = Stage(tmp_path, world)
    stage.run(3)
    said = [line for line in stage.log.lines if line["event"] == LogEvent.PROBLEM]
    assert [line["about"] for line in said].count(QUEUE) == 1


def test_a_latch_is_said_once_whoever_set_it_and_again_after_a_restart(tmp_path: Path) -> None:
    """An operator's flatten latches outside the watch; a new process says what is set, the old may have died first."""
    world = World()
    Desk(world).give("flatten")
    first = Stage(tmp_path, world)
    first.run(3)
    assert [(one.what, one.code) for one in first.alarm.said] == [("latch", "halt.flattened")]
    world.start()
    again = Stage(tmp_path, world)
    again.run(2)
    assert [one.code for one in again.alarm.said] == ["halt.flattened"]
    world.book.latches.clear()


def test_what_went_wrong_with_the_alarm_is_logged_and_published(tmp_path: Path) -> None:
    """The document says it as long as it lasts."""
    world = World()
    stage = Stage(tmp_path, world)
    stage.alarm.wrong, stage.alarm.problem, stage.alarm.busy = ["it ended with 1"], "it ended with 1", True
    stage.run(2, seconds=6)
    logged = [line["problem"] for line in stage.log.lines if line["event"] == LogEvent.ALARM_FAILED]
    assert logged == ["it ended with 1"]
    assert b'"alarm": "it ended with 1"' in world.files.read("executor_state.json")
    stage.alarm.problem = ""
    Stage(tmp_path, world).run(2, seconds=6)
    assert b'"alarm": ""' in world.files.read("executor_state.json")


def test_an_executor_that_cannot_go_on_says_so(tmp_path: Path) -> None:
    """Its last word, before the error ends the program."""
    class Broken:
        recorder = World().executor.recorder

        def step(self) -> StepReport:
            raise StateError("the disk is gone", "Repair it.")

    stage = Stage(tmp_path, World())
    stage.daemon._executor = Broken()  # type: ignore[assignment]
    with pytest.raises(StateError):
        stage.daemon.run()
    (one,) = stage.alarm.said
    assert (one.what, one.sentence) == ("stopped", "the executor stops: the disk is gone")
    assert one.at == "2026-11-20T15:00:00.000Z"


def test_the_watchdog_is_fed_at_half_of_its_interval_and_only_by_steps(tmp_path: Path) -> None:
    """Ready after the first step, then a sign of life whenever half of the interval has passed; a halt is a status."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0vanta-{tmp_path.name}")
        receiver.settimeout(5)
        world = World()
        stage = Stage(tmp_path, world, notifier=Notifier(f"@vanta-{tmp_path.name}"), watchdog_s=10.0, poll_s=60.0)
        world.quote("equity:AAPL", "200.00")
        stage.alarm.busy = True  # or a step without anything to do would wait for seconds here
        assert stage.daemon._idle_s() == 0.5
        stage.alarm.busy = False
        assert stage.daemon._idle_s() == 2.5
        stage.alarm.busy = True
        stage.run(6, seconds=3, then=lambda: setattr(world.gate, "raw", None))
        heard = [receiver.recv(200) for _ in range(5)]
    assert heard[0] == b"READY=1\nSTATUS=dispatch is open"
    assert heard[1].startswith(b"STATUS=dispatch is stopped: ")
    assert heard[2:] == [b"WATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]
