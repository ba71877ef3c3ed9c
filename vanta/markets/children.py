"""The daemon's child processes: one per feed pass, bounded in time, never two of one feed.

A pass runs in a process of its own so that a client library that hangs, leaks or crashes takes nothing with it, and
so that the daemon never loads one. What a child has to say is in the feed's file and in the collection log; its
stderr goes to `logs/<feed>.log`.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vanta.common.store.guarded import append_fd

GRACE_S = 1.0
_NICENESS = 5


@dataclass(frozen=True, slots=True)
class Ended:
    """A child that is gone. `status` is its exit status, negative the signal that ended it."""

    feed: str
    status: int
    overdue: bool


@dataclass(slots=True)
class _Child:
    process: "subprocess.Popen[bytes]"
    ends_at: float
    told_at: float | None = None


class Children:
    """Starts, watches and ends them. Times are seconds of a monotonic clock."""

    def __init__(self, command: Callable[[str], Sequence[str]], logs: Path, *, timeout_s: float) -> None:
        self._command = command
        self._logs = logs
        self._timeout_s = timeout_s
        self._running: dict[str, _Child] = {}

    def start(self, feed: str, now: float) -> None:
        """Start a pass of `feed`. Raises `OSError` if the process or its log cannot be made; waits for neither."""
        if feed in self._running:
            return
        with open(append_fd(self._logs / f"{feed}.log"), "ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command line
                list(self._command(feed)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                start_new_session=True)
        with suppress(OSError):  # a pass must not compete with the loop that stages orders
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        self._running[feed] = _Child(process, now + self._timeout_s)

    def reap(self, now: float) -> list[Ended]:
        """The children that are gone since the last call. One that is overdue is told to end, then ended."""
        gone = []
        for feed, child in sorted(self._running.items()):
            status = child.process.poll()
            if status is not None:
                gone.append(Ended(feed, status, overdue=child.told_at is not None))
                if child.told_at is not None:
                    _signal(child, signal.SIGKILL)  # whatever it started and left behind
            elif child.told_at is not None:
                if now >= child.told_at + GRACE_S:
                    _signal(child, signal.SIGKILL)
            elif now >= child.ends_at:
                child.told_at = now
                _signal(child, signal.SIGTERM)
        for ended in gone:
            del self._running[ended.feed]
        return gone

    def next_look(self) -> float | None:
        """When the next child becomes overdue or has to be ended for good; `None` if none runs."""
        return min((child.ends_at if child.told_at is None else child.told_at + GRACE_S
                    for child in self._running.values()), default=None)

    def stop(self) -> None:
        """End all of them, with whatever they started, within about a second. A pass may be cut off at any point."""
        for child in self._running.values():
            _signal(child, signal.SIGTERM)
        left = GRACE_S
        for child in self._running.values():
            try:
                child.process.wait(left)
            except subprocess.TimeoutExpired:
                left = 0.0  # all of them were told at the same time
            _signal(child, signal.SIGKILL)  # the child, or what it started and left behind
            child.process.wait()
        self._running.clear()


def _signal(child: _Child, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, number)
