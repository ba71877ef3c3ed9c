"""`vanta markets run`: collects on schedule in child processes, reflects and promotes as soon as an input changes.

One loop, one thread that decides: reap and start collectors, look which files changed, reflect, promote, tell
systemd, wait for a hint or for whatever is due next. Hints only shorten the wait; what changed is read from the
files. It never loads a feed's client library and never touches the network.

- Reflects when a feed's file, the overlay or the vaults change, and at least every `reflect_every_s`, because
  evidence decays while nothing happens. Promotes after every reflection and when portfolio, quotes or the trade log
  change; the trade log alone, which changes with every record, at most every `LOG_EVERY_S`.
- Input that a person has to correct is logged once and looked at again when it changes; the loop goes on. So it does
  when the executor's log is broken: nothing is staged, harvesting continues. A broken log or state file of its own
  ends the program with a status that its unit does not restart.
"""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from vanta.common.clock import Clock
from vanta.common.errors import Missing, OperatorError, OutsideError, Untrusted
from vanta.common.events import LogEvent
from vanta.common.exitcodes import Exit
from vanta.common.log import Log
from vanta.common.models.configuration import MarketsSettings
from vanta.common.notify import Notifier
from vanta.common.paths import (
    FEEDS,
    MARKET_QUOTES,
    OVERLAY,
    PORTFOLIO,
    TRADE_LOG,
    VAULTS,
    Home,
    signals_file,
)
from vanta.common.store.tail import FileTail
from vanta.markets.children import Children
from vanta.markets.core.schedule import Slot, due, ended, started

LOG_EVERY_S = 0.25
PASS_TIMEOUT_S = 600.0
SPREAD_S = 1.0
"""Between the first passes of two feeds, so that a start does not load every client library at once."""
_REFLECT_ON = frozenset({*(signals_file(feed) for feed in FEEDS), OVERLAY, VAULTS})
_PROMOTE_ON = frozenset({PORTFOLIO, MARKET_QUOTES})
_SURVIVABLE = (OperatorError, Missing, OutsideError, Untrusted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the daemon is made of. `reflect` and `promote` make one pass each; `command` is a collector's argv.

    Where the daemon does not collect, something else writes the feeds' files: cron.
    `elsewhere` names the files that are read where they arrived from other hosts.
    """

    home: Home
    settings: MarketsSettings
    clock: Clock
    log: Log
    notifier: Notifier
    watchdog_s: float | None
    reflect: Callable[[], object]
    promote: Callable[[], object]
    command: Callable[[str], list[str]]
    collects: bool = True
    elsewhere: Mapping[str, str] = field(default_factory=dict)


class Daemon:
    """One markets node."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stop = False
        now = parts.clock.monotonic()
        enabled = [feed for feed in (*FEEDS, "prices")
                   if parts.collects and parts.settings.feed(feed).enabled]
        self._slots = {feed: Slot(feed=feed, every_s=parts.settings.feed(feed).every_s, due_at=now + index * SPREAD_S)
                       for index, feed in enumerate(enabled)}
        self._children = Children(parts.command, parts.home.logs, timeout_s=PASS_TIMEOUT_S)
        names = sorted({*_REFLECT_ON, *_PROMOTE_ON, TRADE_LOG})
        self._tail = FileTail([parts.home.file(parts.elsewhere.get(name, name)) for name in names])
        self._reflect_at = self._promote_at = now
        self._fed_at = now
        self._complaints: dict[str, str] = {}

    def run(self) -> None:
        """Work until stopped by SIGTERM or SIGINT. Raises what cannot be survived."""
        parts = self._parts
        parts.log.info(LogEvent.STARTED, feeds=sorted(self._slots))
        try:
            with self._signals():
                parts.notifier.ready(f"collecting {', '.join(sorted(self._slots)) or 'nothing'}")
                while not self._stop:
                    self._turn()
                    self._tail.wait(self._idle_s())
        finally:
            parts.notifier.stopping()
            self._children.stop()
            self._tail.close()
            parts.log.info(LogEvent.STOPPED)

    def _turn(self) -> None:
        """Everything that is due now."""
        self._collect()
        self._note_changes()
        now = self._parts.clock.monotonic()
        if now >= self._reflect_at:
            self._attempt("reflect", self._parts.reflect)
            self._reflect_at, self._promote_at = now + self._parts.settings.reflect_every_s, now
        if now >= self._promote_at:
            self._attempt("promote", self._parts.promote)
            self._promote_at = float("inf")
        if self._parts.watchdog_s is not None and now >= self._fed_at + self._parts.watchdog_s / 3:
            self._parts.notifier.watchdog()
            self._fed_at = now

    def _note_changes(self) -> None:
        """Bring forward what a changed file calls for."""
        now = self._parts.clock.monotonic()
        for path in self._tail.changed():
            if path.name in _REFLECT_ON:
                self._reflect_at = now
            elif path.name in _PROMOTE_ON:
                self._promote_at = now
            else:
                self._promote_at = min(self._promote_at, now + LOG_EVERY_S)

    def _attempt(self, step: str, action: Callable[[], object]) -> None:
        """Make one pass; input that a person has to correct is said once, not every time it is met."""
        try:
            action()
        except _SURVIVABLE as error:
            if self._complaints.get(step) != error.what:
                self._parts.log.warning(LogEvent.PASS_FAILED, step=step, error=error.what, cure=error.cure)
            self._complaints[step] = error.what
            return
        if self._complaints.pop(step, None) is not None:
            self._parts.log.info(LogEvent.RECOVERED, step=step)

    def _collect(self) -> None:
        """Note the collectors that have ended and start those that are due."""
        parts, now = self._parts, self._parts.clock.monotonic()
        for gone in self._children.reap(now):
            well = gone.status in (Exit.DONE, Exit.PARTIAL) and not gone.overdue
            refused = gone.status == Exit.REFUSED  # by the switch: nobody was asked, so nobody has to be spared
            slot = ended(self._slots[gone.feed], now, well=well or refused)
            self._slots[gone.feed] = slot
            if not well:
                parts.log.warning(LogEvent.FEED_PROBLEM, feed=gone.feed, status=gone.status, overdue=gone.overdue,
                                  failures=slot.failures, next_in_s=round(slot.due_at - now))
        for feed, slot in self._slots.items():
            if due(slot, now):
                self._slots[feed] = started(slot, now)
                self._start(feed, now)

    def _start(self, feed: str, now: float) -> None:
        try:
            self._children.start(feed, now)
        except OSError as error:
            self._parts.log.warning(LogEvent.FEED_PROBLEM, feed=feed, error=str(error))
            self._slots[feed] = ended(self._slots[feed], now, well=False)

    def _idle_s(self) -> float:
        """How long there is nothing to do, as far as the clock can tell."""
        now = self._parts.clock.monotonic()
        moments = [self._reflect_at, self._promote_at,
                   *(slot.due_at for slot in self._slots.values() if slot.started_at is None)]
        look = self._children.next_look()
        if look is not None:
            moments.append(look)
        if self._parts.watchdog_s is not None:
            moments.append(self._fed_at + self._parts.watchdog_s / 3)
        return 0.0 if self._stop else max(0.0, min(moments) - now)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Wake the loop on SIGTERM, SIGINT and SIGCHLD: the interpreter writes into what the tail waits for."""
        def stop(number: int, frame: FrameType | None) -> None:
            del number, frame
            self._stop = True

        def note(number: int, frame: FrameType | None) -> None:
            del number, frame

        handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGCHLD: note}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        previous = signal.set_wakeup_fd(self._tail.wake_fd, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in before.items():
                signal.signal(number, handler)
