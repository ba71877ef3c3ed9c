"""The executor as a service: step, wait for a hint or the poll interval, step again, until told to stop.

As a sweep it makes the same steps and ends when there is nothing left to do.

Watchers only shorten the wait; what is read is read afresh in every step. A broken journal or a lost lock
ends the program with a status that its unit does not restart. After a step, and only then, the outside hears of it:
who is to be alarmed of alerts and latches, and whoever watches over the service that it got somewhere.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import VantaError
from vanta.common.events import LogEvent
from vanta.common.log import Log
from vanta.common.notify import Notifier
from vanta.common.outside.ledger import Ledger, NoLedger
from vanta.common.paths import MARKET_QUOTES, OVERLAY, PERMIT, QUEUE, VAULTS, Home
from vanta.common.store.tail import FileTail
from vanta.common.times import iso
from vanta.executor.alarm import Alarm, NoAlarm
from vanta.executor.core.notices import of_alert, of_end, of_latches
from vanta.executor.step import Executor, StepReport

_WHILE_BUSY_S = 0.5
"""The longest wait while a program that was started for an alert is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Who hears of what the executor does. `watchdog_s` is within how many seconds a sign of life is wanted."""

    alarm: Alarm = field(default_factory=NoAlarm)
    notifier: Notifier = field(default_factory=lambda: Notifier(None))
    watchdog_s: float | None = None
    clock: Clock = field(default_factory=SystemClock)
    calls: Ledger = field(default_factory=NoLedger)


class Daemon:
    """Runs one executor."""

    def __init__(self, executor: Executor, home: Home, *, poll_s: float, log: Log,
                 outside: Outside | None = None) -> None:
        self._executor = executor
        self._poll_s = poll_s
        self._log = log
        self._outside = Outside() if outside is None else outside
        self._stopping = False
        self._woken_before: int | None = None
        self._halted: str | None = None
        self._told: set[str] = set()
        self._problems: dict[str, str] = {}
        self._fed_at: float | None = None
        self._tail = FileTail([home.file(name) for name in (QUEUE, OVERLAY, VAULTS, MARKET_QUOTES, PERMIT)])

    def stop_on_signals(self) -> None:
        """End cleanly on SIGTERM and SIGINT, and at once: the interpreter writes into what the tail waits for."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._woken_before = signal.set_wakeup_fd(self._tail.wake_fd, warn_on_full_buffer=False)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Only a flag: a handler may interrupt code that holds a lock. The loop looks at it before and after a wait."""
        del number, frame
        self._stopping = True

    def stop(self) -> None:
        """Finish the step that is under way, then end."""
        self._stopping = True

    def run(self) -> None:
        """Step until stopped. Raises what the step raises."""
        with self._to_the_end():
            while not self._stopping:
                report = self._turn()
                if report.idle:
                    self._outside.calls.settle()
                    self._tail.wait(self._idle_s())

    def sweep(self, most: int) -> list[StepReport]:
        """Step until there is nothing to do, or so many steps were made, or it is told to stop.

        Of latches that were set before nobody is told again: whoever set them, a daemon or an earlier sweep, has.
        """
        self._told = set(self._executor.recorder.book.latches)
        reports: list[StepReport] = []
        with self._to_the_end():
            while not self._stopping and len(reports) < most and not (reports and reports[-1].idle):
                reports.append(self._turn())
        return reports

    def _turn(self) -> StepReport:
        """One step, and what is said of it."""
        report = self._executor.step()
        self._feed(report)
        self._log_what_happened(report)
        self._say(report)
        return report

    @contextmanager
    def _to_the_end(self) -> Iterator[None]:
        """Say why it cannot go on; whatever happens, let go of everything."""
        try:
            yield
        except VantaError as error:
            self._outside.alarm.say(of_end(error.what, iso(self._outside.clock.now())))
            raise
        finally:
            self._outside.notifier.stopping()
            if self._woken_before is not None:  # before its descriptor is another file's
                signal.set_wakeup_fd(self._woken_before)
            self._tail.close()

    def _feed(self, report: StepReport) -> None:
        """A step has ended: that is progress, and nothing else is."""
        outside, now = self._outside, self._outside.clock.monotonic()
        status = f"dispatch is stopped: {report.halted}" if report.halted else "dispatch is open"
        if self._fed_at is None:
            outside.notifier.ready(status)
            self._fed_at = now
        elif report.halted != self._halted:
            outside.notifier.status(status)
        if outside.watchdog_s is not None and now >= self._fed_at + outside.watchdog_s / 2:
            outside.notifier.watchdog()
            self._fed_at = now

    def _log_what_happened(self, report: StepReport) -> None:
        if report.halted != self._halted:
            self._halted = report.halted
            event = LogEvent.DISPATCH_HELD if report.halted else LogEvent.DISPATCH_OPEN
            self._log.info(event, reason=report.halted)
        for name, problem in report.problems.items():
            if self._problems.get(name) != problem:
                self._log.warning(LogEvent.PROBLEM, about=name, problem=problem)
        self._problems = report.problems
        for alert in report.alerts:
            self._log.warning(LogEvent.ALERT, **alert._asdict())
        for latch in report.latched:
            self._log.error(LogEvent.LATCHED, latch=latch)

    def _say(self, report: StepReport) -> None:
        """Alarm whom the operator chose. Of a latch that was set before this process began, too."""
        book, alarm = self._executor.recorder.book, self._outside.alarm
        for alert in report.alerts:
            alarm.say(of_alert(alert, book))
        for notice in of_latches(book, self._told).values():
            alarm.say(notice)
        self._told = set(book.latches)
        for wrong in alarm.look():
            self._log.warning(LogEvent.ALARM_FAILED, problem=wrong)
        self._executor.alarm_problem = alarm.problem

    def _idle_s(self) -> float:
        waits = [self._poll_s]
        if self._outside.alarm.busy:
            waits.append(_WHILE_BUSY_S)
        if self._outside.watchdog_s is not None:
            waits.append(self._outside.watchdog_s / 4)
        return min(waits)
