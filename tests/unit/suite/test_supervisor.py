"""Real child processes under the supervisor: started, started again, stopped in order, bounded."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.suite.pulse import Ear
from vanta.suite.supervisor import Program, Supervisor

SLEEPS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"
PATIENCE_S = 20


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, within reason."""
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.02)


class Run:
    """A supervisor on a thread of its own, and what it said."""

    def __init__(self, programs: list[Program], *, grace_s: float = 10.0, silent_s: float = 600.0) -> None:
        self.lines: list[str] = []
        self.status: int | None = None
        self.supervisor = Supervisor(programs, SystemClock(), self.lines.append, grace_s=grace_s, silent_s=silent_s)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.status = self.supervisor.run()

    def wait_for(self, text: str, times: int = 1) -> str:
        """The last line that holds `text`, once there are so many of them."""
        def found() -> list[str]:
            return [line for line in list(self.lines) if text in line]

        until(lambda: len(found()) >= times)
        return found()[-1]

    def end(self) -> int:
        """Stop it and return its status."""
        self.supervisor.stop()
        self._thread.join(PATIENCE_S)
        assert self.status is not None
        return self.status


def python(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-c", code))


def pid_in(line: str) -> int:
    return int(line.rpartition("pid ")[2].rstrip(")"))


def test_stopping_stops_all_children_in_reverse_order() -> None:
    """The last started is the first stopped, and a clean end is status 0."""
    run = Run([python("first", SLEEPS), python("second", SLEEPS)])
    run.wait_for("second started")
    assert run.end() == Exit.DONE
    assert [line.split()[0] for line in run.lines if "stopped" in line] == ["second", "first"]


def test_a_killed_child_is_started_again() -> None:
    """Kill -9 of a child is followed by a new process of the same program."""
    run = Run([python("worker", SLEEPS)])
    first = pid_in(run.wait_for("worker started"))
    os.kill(first, signal.SIGKILL)
    second = pid_in(run.wait_for("worker started", times=2))
    assert "killed by signal 9" in run.wait_for("worker ended")
    run.end()
    assert second != first


def test_a_child_with_a_wrong_configuration_stays_down_and_the_others_go_on() -> None:
    """Exit 78 is not started again while another program that fails is; the status of the whole is 78 in the end."""
    run = Run([python("broken", "raise SystemExit(78)"), python("flaky", "raise SystemExit(1)")])
    assert "stays down" in run.wait_for("broken ended")
    run.wait_for("flaky started", times=3)
    assert run.end() == Exit.CONFIG
    assert sum("broken started" in line for line in run.lines) == 1


def test_it_ends_by_itself_when_nothing_is_left_to_supervise() -> None:
    """With every program down for good there is nothing to wait for."""
    supervisor = Supervisor([python("broken", "raise SystemExit(78)")], SystemClock(), lambda _: None)
    assert supervisor.run() == Exit.CONFIG


def test_a_child_that_ignores_the_request_is_killed_and_shows_in_the_status(tmp_path: Path) -> None:
    """Stopping is bounded: after the grace period comes SIGKILL, and the status says failed."""
    deaf = tmp_path / "deaf"
    run = Run([python("deaf", "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                              f"pathlib.Path({str(deaf)!r}).touch(); time.sleep(600)")], grace_s=0.3)
    until(deaf.exists)
    assert run.end() == Exit.FAILED
    assert "killed by signal 9" in run.lines[-1]


def test_a_program_that_cannot_be_started_is_tried_again() -> None:
    """A missing executable is a failure like any other: said, and tried again later."""
    run = Run([Program("ghost", ("/nonexistent/program",))])
    assert "No such file" in run.wait_for("ghost cannot be started")
    run.wait_for("ghost cannot be started", times=2)
    assert run.end() == Exit.FAILED


def test_a_child_does_not_hear_the_keys_of_the_terminal(tmp_path: Path) -> None:
    """Each child leads a process group of its own, so that Ctrl-C reaches the supervisor alone."""
    out = tmp_path / "group"
    code = f"import os, pathlib; pathlib.Path({str(out)!r}).write_text(str(os.getpgrp() == os.getpid())); {SLEEPS}"
    run = Run([python("leader", code)])
    until(lambda: out.exists() and out.read_text() != "")
    run.end()
    assert out.read_text() == "True"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_it(number: signal.Signals) -> None:
    """The handlers that `stop_on_signals` sets end the run; the signal is raised by a child, in time."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    supervisor = Supervisor([python("asks", f"import os; os.kill({os.getpid()}, {int(number)}); {SLEEPS}")],
                            SystemClock(), lambda _: None)
    try:
        supervisor.stop_on_signals()
        assert supervisor.run() == Exit.DONE
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


GETS_ON = """
import os, signal, sys, time
from vanta.common.notify import Notifier
from vanta.common.settings import notify_address, watchdog_s
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
assert 0 < watchdog_s() < 1
hang, notifier = sys.argv[1], Notifier(notify_address())
while True:
    if not os.path.exists(hang):
        notifier.watchdog()
    time.sleep(0.02)
"""


def test_a_child_that_gets_nowhere_is_named_and_so_is_its_recovery(tmp_path: Path) -> None:
    """It runs all the while and is not ended; the line says what helps."""
    hang = tmp_path / "hang"
    run = Run([Program("worker", (sys.executable, "-c", GETS_ON, str(hang)))], silent_s=1.5)
    pid = pid_in(run.wait_for("worker started"))
    hang.touch()
    line = run.wait_for("got nowhere")
    assert f"worker (pid {pid}) has got nowhere for 1.5 s" in line
    assert "vanta-run kill" in line
    hang.unlink()
    run.wait_for("worker gets on again")
    assert run.end() == Exit.DONE
    assert len([line for line in run.lines if "started" in line]) == 1


def test_a_child_that_never_says_a_word_is_named_once() -> None:
    """It may be starting for long; whoever looks knows."""
    run = Run([python("mute", SLEEPS)], silent_s=0.2)
    run.wait_for("mute (pid")
    run.end()
    assert len([line for line in run.lines if "got nowhere" in line]) == 1


def test_what_another_process_says_is_no_sign_of_life() -> None:
    """The kernel names the sender; other words of the right one are no progress either."""
    ear = Ear()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
            address = "\0" + str(ear.address).removeprefix("@")
            mouth.sendto(b"STATUS=fine", address)
            assert not ear.heard(os.getpid())
            mouth.sendto(b"WATCHDOG=1", address)
            assert not ear.heard(os.getpid() + 1)
            mouth.sendto(b"READY=1\nSTATUS=fine", address)
            mouth.sendto(b"STATUS=fine", address)
            assert ear.heard(os.getpid())
            assert not ear.heard(os.getpid())
    finally:
        ear.close()
    assert not ear.heard(os.getpid())
