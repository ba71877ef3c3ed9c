"""The executor as a service: step, wait for a hint or the poll interval, step again, until told to stop.

Watchers only shorten the wait; what is read is read afresh in every step. A broken journal or a lost lock
ends the program with a status that its unit does not restart.
"""

import signal
from types import FrameType

from vanta.common.events import LogEvent
from vanta.common.log import Log
from vanta.common.paths import MARKET_QUOTES, OVERLAY, PERMIT, QUEUE, VAULTS, Home
from vanta.common.store.tail import FileTail
from vanta.executor.step import Executor


class Daemon:
    """Runs one executor."""

    def __init__(self, executor: Executor, home: Home, *, poll_s: float, log: Log) -> None:
        self._executor = executor
        self._poll_s = poll_s
        self._log = log
        self._stopping = False
        self._tail = FileTail([home.file(name) for name in (QUEUE, OVERLAY, VAULTS, MARKET_QUOTES, PERMIT)])

    def stop_on_signals(self) -> None:
        """End cleanly on SIGTERM and SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Only a flag: a handler may interrupt code that holds a lock. The loop looks at it every poll interval."""
        del number, frame
        self._stopping = True

    def stop(self) -> None:
        """Finish the step that is under way, then end."""
        self._stopping = True

    def run(self) -> None:
        """Step until stopped. Raises what the step raises."""
        halted: str | None = None
        try:
            while not self._stopping:
                report = self._executor.step()
                if report.halted != halted:
                    halted = report.halted
                    event = LogEvent.DISPATCH_HELD if halted else LogEvent.DISPATCH_OPEN
                    self._log.info(event, reason=halted)
                for alert in report.alerts:
                    self._log.warning(LogEvent.ALERT, **alert._asdict())
                for latch in report.latched:
                    self._log.error(LogEvent.LATCHED, latch=latch)
                if report.idle:
                    self._tail.wait(self._poll_s)
        finally:
            self._tail.close()
