"""Telling somebody outside: a program of the operator's choosing is started once for each alert and each latch.

It gets one JSON object on its stdin (`core/notices.py`) and nothing of the executor's environment but what every
program needs. Nobody waits for it: at most `AT_ONCE` run at a time, the others queue up, and what the queue has no room
for is counted. One that does not end is ended. Whatever it does, orders go on; what went wrong is said in the log and,
until the next success, in `executor_state.json`.

What was recorded and not said when the executor was killed: an alert is lost, a latch is said again at the next start,
as every latch that is set then.
"""

import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from vanta.common.canonical import canonical
from vanta.common.clock import Clock
from vanta.common.outside.call import ALERT, KILLED, NOT_STARTED
from vanta.common.outside.out import Asking, Out, unwatched
from vanta.common.store.atomic import describe
from vanta.executor.core.notices import Notice

AT_ONCE = 4
MOST_WAITING = 64
LONGEST_S = 30.0
CLOSING_S = 5.0
"""So long may what is under way when the executor ends take."""
_LOOK_EVERY_S = 0.02
_GRACE_S = 1.0


class Alarm(Protocol):
    """Where the daemon says what a person should know. Nothing here waits or raises."""

    @property
    def problem(self) -> str:
        """What went wrong with the last notice, empty if it was taken."""
        ...

    @property
    def busy(self) -> bool:
        """Whether anything is under way that has to be looked at."""
        ...

    def say(self, notice: Notice) -> None:
        """Put a notice in line."""
        ...

    def look(self) -> list[str]:
        """Move the line on. Returns what has gone wrong since the last look."""
        ...

    def close(self) -> list[str]:
        """Say what is in line, for a few seconds at most; then end it. Returns what has gone wrong."""
        ...


class NoAlarm:
    """Nobody is to be told."""

    problem, busy = "", False

    def say(self, notice: Notice) -> None:
        """See `Alarm.say`."""

    def look(self) -> list[str]:
        """See `Alarm.look`."""
        return []

    def close(self) -> list[str]:
        """See `Alarm.close`."""
        return []


@dataclass(slots=True)
class _Run:
    process: "subprocess.Popen[bytes]"
    ends_at: float
    call: Asking
    overdue: bool = False


class CommandAlarm:
    """Starts `command` for each notice, in `environment`, without a shell. How each ended is a line by `out`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], clock: Clock,
                 out: Out | None = None) -> None:
        self._out = out or unwatched()
        self._command = list(command)
        self._environment = dict(environment)
        self._clock = clock
        self._waiting: deque[bytes] = deque()
        self._running: list[_Run] = []
        self._dropped = 0
        self._wrong: list[str] = []
        self.problem = ""
        if not os.access(self._command[0], os.X_OK):
            self._complain(f"{self._command[0]} cannot be run")

    @property
    def busy(self) -> bool:
        """See `Alarm.busy`."""
        return bool(self._running or self._waiting)

    def say(self, notice: Notice) -> None:
        """See `Alarm.say`. Where there is no more room, what waits is kept and the newcomer dropped."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(canonical(notice.body()) + b"\n")
        else:
            self._dropped += 1

    def look(self) -> list[str]:
        """See `Alarm.look`."""
        now = self._clock.monotonic()
        self._running = [run for run in self._running if self._goes_on(run, now)]
        while self._waiting and len(self._running) < AT_ONCE:
            self._start(self._waiting.popleft(), now)
        if self._dropped:
            self._complain(f"{self._dropped} notices were dropped, {MOST_WAITING} waited already")
            self._dropped = 0
        wrong, self._wrong = self._wrong, []
        return wrong

    def _start(self, document: bytes, now: float) -> None:
        call = self._out.started(ALERT)
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own command
                self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                env=self._environment, start_new_session=True)
        except OSError as error:
            self._complain(f"it cannot be started: {describe(error)}")
            call.ended(NOT_STARTED)
            return
        self._running.append(_Run(process, now + LONGEST_S, call))
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin:  # it may end without reading; the document fits into the pipe
            process.stdin.write(document)

    def _goes_on(self, run: _Run, now: float) -> bool:
        """Whether it is still there. One that is overdue is ended, with whatever it started."""
        status = run.process.poll()
        if status is None and now >= run.ends_at and not run.overdue:
            run.overdue = True
            _end(run)
            self._complain(f"it did not end within {LONGEST_S:g} s and was ended")
        elif status == 0:
            self.problem = ""
        elif status is not None and not run.overdue:
            self._complain(f"it ended with {status}")
        if status is not None:
            run.call.ended(KILLED if status < 0 else f"exit {status}")
        return status is None

    def _complain(self, what: str) -> None:
        self.problem = f"alert_command: {what}"
        self._wrong.append(self.problem)

    def close(self) -> list[str]:
        """See `Alarm.close`."""
        wrong, ends = self.look(), self._clock.monotonic() + CLOSING_S
        while self.busy and self._clock.monotonic() < ends:
            self._clock.sleep(_LOOK_EVERY_S)
            wrong += self.look()
        if self.busy:
            self._complain(f"{len(self._running) + len(self._waiting)} notices were not said to the end")
        for run in self._running:
            _end(run)
            with suppress(subprocess.TimeoutExpired):
                run.process.wait(_GRACE_S)
            run.call.ended(KILLED)
        return wrong + self._wrong


def _end(run: _Run) -> None:
    with suppress(ProcessLookupError):
        os.killpg(run.process.pid, signal.SIGKILL)
