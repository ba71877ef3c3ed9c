"""Where the lines go: a chained journal of the program that calls, one line for each call, written when it has ended.

A line is written at once, so that it outlives a kill; it reaches the disk with `settle` and at the end, so that no
order waits for it. A power cut may therefore cost the lines since the last `settle`. A ledger that cannot be written
raises nothing into a call that has happened; there is no next one, because each asks first whether it can be written.
"""

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Protocol

from vanta.common.clock import Clock
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.models.base import SCHEMA_VERSION
from vanta.common.outside.call import Call
from vanta.common.store.chain import repaired
from vanta.common.store.trail import TrailJournal
from vanta.common.times import iso

SETTLE_S = 30.0


class Ledger(Protocol):
    """Takes lines, from any thread."""

    def ready(self) -> None:
        """Before a call. Raises `StateError` if there could be no line about it."""
        ...

    def put(self, call: Call) -> None:
        """One line. Raises nothing."""
        ...

    def settle(self) -> None:
        """Make what was put durable, if that was not done for a while. Raises nothing."""
        ...

    def close(self) -> None:
        """Make everything durable and let go. Raises `StateError` if lines were lost."""
        ...


class MemoryLedger:
    """Keeps the calls: for tests."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def ready(self) -> None:
        """See `Ledger.ready`."""

    def put(self, call: Call) -> None:
        """See `Ledger.put`."""
        self.calls.append(call)

    def settle(self) -> None:
        """See `Ledger.settle`."""

    def close(self) -> None:
        """See `Ledger.close`."""


class NoLedger:
    """Keeps nothing."""

    def ready(self) -> None:
        """See `Ledger.ready`."""

    def put(self, call: Call) -> None:
        """See `Ledger.put`."""

    def settle(self) -> None:
        """See `Ledger.settle`."""

    def close(self) -> None:
        """See `Ledger.close`."""


class JournalLedger:
    """The lines of one program, which alone writes `journal`."""

    def __init__(self, journal: TrailJournal, clock: Clock, *, program: str) -> None:
        self._journal, self._clock = journal, clock
        self._lock = Lock()
        self._settled_at = clock.monotonic()
        self._lost = 0
        self._problem = ""
        now, begins = clock.now(), journal.head().seq == 0
        if begins:
            journal.append(Kind.JOURNAL_OPENED, {"journal": journal.path.name, "program": program,
                                                 "schema": SCHEMA_VERSION}, at=iso(now))
        for piece in journal.set_aside:
            journal.append(Kind.TAIL_REPAIRED, repaired(piece), at=iso(now))
        journal.sync()
        if begins:
            journal.settle()  # from the first moment on there is a signed head to hold the log to

    def ready(self) -> None:
        """See `Ledger.ready`."""
        if self._problem:
            raise StateError(f"{self._journal.path.name} cannot be written and lacks {self._lost:,} calls: "
                             f"{self._problem}", "Nothing further is asked. Repair the disk, then start again.")

    def put(self, call: Call) -> None:
        """See `Ledger.put`."""
        with self._lock:
            self._attempt(call, self._clock.now())

    def _attempt(self, call: Call, now: datetime) -> None:
        try:
            self._journal.append(call.kind, call.body(), at=iso(now))
            self._journal.sync()
        except (StateError, OSError) as error:
            self._problem = self._problem or str(error)
            self._lost += 1

    def settle(self) -> None:
        """See `Ledger.settle`."""
        now = self._clock.monotonic()
        if now - self._settled_at < SETTLE_S:
            return
        with self._lock:
            self._settled_at = now
            try:
                self._journal.settle()
            except StateError as error:
                self._problem = self._problem or error.what

    def close(self) -> None:
        """See `Ledger.close`."""
        with self._lock:
            self._journal.close()
        self.ready()


class Later:
    """A ledger that is opened for the first call: a program that calls nobody leaves no file."""

    def __init__(self, opened: Callable[[], Ledger]) -> None:
        self._opened = opened
        self._lock = Lock()
        self._ledger: Ledger | None = None

    def ready(self) -> None:
        """See `Ledger.ready`. Raises what opening raises."""
        with self._lock:
            if self._ledger is None:
                self._ledger = self._opened()
        self._ledger.ready()

    def put(self, call: Call) -> None:
        """See `Ledger.put`."""
        if self._ledger is not None:
            self._ledger.put(call)

    def settle(self) -> None:
        """See `Ledger.settle`."""
        if self._ledger is not None:
            self._ledger.settle()

    def close(self) -> None:
        """See `Ledger.close`."""
        if self._ledger is not None:
            self._ledger.close()
