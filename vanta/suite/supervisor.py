"""Runs programs as child processes until told to stop: starts, watches, starts again, stops in order.

The programs are told apart by name only; what they do is no business of this module. A child is a process group of
its own, so that a key press in the terminal reaches the supervisor alone and the order of stopping holds. Stopping
asks with SIGTERM, waits for `grace_s`, and only then kills; a killed program shows in the status.

A program that says for `silent_s` not even once that it got somewhere is named, and again when it goes on. It is not
ended for that: what holds it up (a disk, a venue) would hold the next one up as well.

    Supervisor([Program("executor", (sys.executable, "-m", ...)), ...], SystemClock(), print).run()
"""

import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from vanta.common.clock import Clock
from vanta.common.exitcodes import Exit
from vanta.common.settings import watched_environment
from vanta.suite.pulse import Ear
from vanta.suite.restarts import after, meaning, worst

GRACE_S = 15.0
SILENT_S = 60.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    """A name for people and the command line of the process."""

    name: str
    command: tuple[str, ...]


class _Child:
    """One program and what became of it. `status` is how it ended last, `due` None where it stays down."""

    def __init__(self, program: Program, due: float) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.failures = 0
        self.due: float | None = due
        self.status: int = Exit.DONE
        self.ear = Ear()
        self.heard_at = 0.0
        self.silent = False


class Supervisor:
    """Supervises `programs`, started in this order and stopped in the reverse one. `say` gets a line per event."""

    def __init__(self, programs: Sequence[Program], clock: Clock, say: Callable[[str], None], *,
                 grace_s: float = GRACE_S, silent_s: float = SILENT_S) -> None:
        self._children = [_Child(program, clock.monotonic()) for program in programs]
        self._clock = clock
        self._say = say
        self._grace_s = grace_s
        self._silent_s = silent_s
        self._stop = threading.Event()

    def stop_on_signals(self) -> None:
        """End on SIGTERM and SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stop()

    def stop(self) -> None:
        """End `run` soon, from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> int:
        """Keep the programs running until stopped or until all of them are down for good. Returns the status."""
        try:
            while not self._stop.is_set() and any(child.process or child.due is not None for child in self._children):
                for child in self._children:
                    self._look_after(child)
                self._stop.wait(_LOOK_EVERY_S)
        finally:
            for child in reversed(self._children):
                self._end(child)
                child.ear.close()
        return worst([child.status for child in self._children])

    def _look_after(self, child: _Child) -> None:
        if child.process is not None:
            status = child.process.poll()
            if status is not None:
                self._ended(child, status)
            else:
                self._listen(child, child.process.pid)
        elif child.due is not None and self._clock.monotonic() >= child.due:
            self._start(child)

    def _listen(self, child: _Child, pid: int) -> None:
        name, now = child.program.name, self._clock.monotonic()
        if child.ear.heard(pid):
            child.heard_at = now
            if child.silent:
                child.silent = False
                self._say(f"{name} gets on again")
        elif child.ear.address and not child.silent and now - child.heard_at >= self._silent_s:
            child.silent = True
            self._say(f"{name} (pid {pid}) has got nowhere for {self._silent_s:g} s: look at its disk and at what it "
                      "asks (see its log); `vanta-run kill` stops orders meanwhile")

    def _start(self, child: _Child) -> None:
        name = child.program.name
        child.started, child.due = self._clock.monotonic(), None
        child.heard_at, child.silent = child.started, False
        try:
            child.process = subprocess.Popen(  # noqa: S603 - our own command line
                child.program.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, process_group=0,
                env=watched_environment(child.ear.address, self._silent_s / 2) if child.ear.address else None)
        except OSError as error:
            self._say(f"{name} cannot be started: {error.strerror}")
            self._ended(child, Exit.FAILED)
            return
        self._say(f"{name} started (pid {child.process.pid})")

    def _ended(self, child: _Child, status: int) -> None:
        now, name = self._clock.monotonic(), child.program.name
        verdict = after(status, ran_s=now - child.started, failures=child.failures)
        child.process, child.status, child.failures = None, status, verdict.failures
        if verdict.again_in_s is None:
            self._say(f"{name} ended ({meaning(status)}); it stays down")
        else:
            child.due = now + verdict.again_in_s
            self._say(f"{name} ended ({meaning(status)}); it starts again in {verdict.again_in_s:g} s")

    def _end(self, child: _Child) -> None:
        process = child.process
        if process is None:
            return
        process.terminate()
        try:
            child.status = process.wait(self._grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            child.status = process.wait()
        if child.status == -signal.SIGTERM:  # asked to stop before it had come far enough to stop by itself
            child.status = Exit.DONE
        child.process = None
        self._say(f"{child.program.name} stopped ({meaning(child.status)})")
