"""`vanta transport pull`: a thread a link, so that none waits for another; `vanta transport lease`: a beat a second.

The main thread waits for signals and tells systemd that every link has had its turn. A turn is bounded by the
deadlines of its questions, so that a link whose thread makes none for longer is a fault of ours.
"""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from vanta.common.clock import Clock
from vanta.common.errors import Bug, StateError, VantaError
from vanta.common.events import LogEvent
from vanta.common.log import Log
from vanta.common.notify import Notifier
from vanta.common.outside.out import Out
from vanta.transport.lease import LeaseWriter
from vanta.transport.puller import Link, Turn
from vanta.transport.witness import Witness

_LOOK_S = 0.5
_END_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a daemon is given besides its work."""

    clock: Clock
    log: Log
    notifier: Notifier
    watchdog_s: float | None
    out: Out | None = None


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop`."""
    def on(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    before = {number: signal.signal(number, on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Carrier:
    """Pulls over every link until stopped. `witnesses` by node, where this host has any."""

    def __init__(self, links: Sequence[Link], around: Around, witnesses: dict[str, Witness] | None = None) -> None:
        self._links, self._around = links, around
        self._witnesses = witnesses or {}
        self._stop = threading.Event()
        self._problems: dict[str, str] = {}
        self._turns = dict.fromkeys((link.source for link in links), 0)
        self._failed: list[VantaError] = []
        self._ended: set[str] = set()

    def stop(self) -> None:
        """End after the turns that are under way."""
        self._stop.set()

    def run(self) -> None:
        """Pull until stopped. Raises what a link could not survive: a disk that takes nothing."""
        around = self._around
        threads = [threading.Thread(target=self._carry, args=[link], name=link.source, daemon=True)
                   for link in self._links]
        around.log.info(LogEvent.STARTED, links=[link.source for link in self._links])
        try:
            with stopped_by_signals(self._stop):
                for thread in threads:
                    thread.start()
                around.notifier.ready("pulling from " + ", ".join(link.source for link in self._links))
                self._watch()
        finally:
            self._stop.set()
            around.notifier.stopping()
            for thread in threads:
                thread.join(_END_S)
            for witness in self._witnesses.values():
                witness.close()
            around.log.info(LogEvent.STOPPED)
        if self._failed:
            raise self._failed[0]
        lost = [link.source for link in self._links if link.source not in self._ended]
        if lost:
            raise Bug(f"the link to {', '.join(lost)} ended by a fault of this program")

    def _watch(self) -> None:
        """Tell systemd that all links get on, as long as they do."""
        before, fed_at = dict(self._turns), self._around.clock.monotonic()
        while not self._stop.wait(_LOOK_S):
            if self._around.out is not None:
                self._around.out.ledger.settle()
            now, every_s = self._around.clock.monotonic(), self._around.watchdog_s
            moved = all(count != before[name] for name, count in self._turns.items())
            if every_s is not None and moved and now >= fed_at + every_s / 4:
                self._around.notifier.watchdog()
                before, fed_at = dict(self._turns), now

    def _carry(self, link: Link) -> None:
        clock = self._around.clock
        try:
            while not self._stop.is_set():
                self._say(link, link.turn(clock))
                self._turns[link.source] += 1
                self._stop.wait(min(_LOOK_S, link.wait_s(clock.monotonic())))
            self._ended.add(link.source)
        except VantaError as error:
            self._failed.append(error)
        finally:
            self._stop.set()
            link.close()

    def _say(self, link: Link, turn: Turn) -> None:
        """What is new: a link that went or came back, a file that was refused, another problem."""
        log = self._around.log
        for what in turn.refused:
            log.error(LogEvent.REFUSED, node=link.source, problem=what)
        now = {link.source: link.down,
               **{f"{link.source}/{name}": seen.problem for name, seen in link.files.items()}}
        for about, problem in now.items():
            if problem and self._problems.get(about) != problem:
                log.warning(LogEvent.PROBLEM, about=about, problem=problem)
            elif not problem and self._problems.get(about):
                log.info(LogEvent.RECOVERED, about=about)
        self._problems.update(now)
        witness = self._witnesses.get(link.source)
        if witness is not None:
            if any(name.endswith(".jsonl") for name in turn.news):
                witness.want()
            witness.turn(self._around.clock.monotonic(),
                         lambda said: log.error(LogEvent.PROBLEM, about=f"{link.source}/witness", problem=said))
            link.witnessed = witness.said


class LeaseDaemon:
    """Says Alpha's word until stopped. What keeps it from it is logged once, and tried again."""

    def __init__(self, writer: LeaseWriter, around: Around, *, every_s: float, look_s: float) -> None:
        self._writer, self._around = writer, around
        self._every_s, self._look_s = every_s, look_s
        self._stop = threading.Event()
        self._problem = ""
        self._fed_at = float("-inf")

    def stop(self) -> None:
        """End."""
        self._stop.set()

    def run(self) -> None:
        """Say it until stopped."""
        around = self._around
        around.log.info(LogEvent.STARTED, counter=self._writer.counter)
        with stopped_by_signals(self._stop):
            around.notifier.ready("Alpha's word is said")
            while not self._stop.is_set():
                self.turn()
                self._stop.wait(self._look_s)
        around.notifier.stopping()
        around.log.info(LogEvent.STOPPED)

    def turn(self) -> None:
        """Once."""
        around, now = self._around, self._around.clock.monotonic()
        try:
            self._writer.beat(self._every_s)
        except StateError as error:
            if error.what != self._problem:
                around.log.warning(LogEvent.PROBLEM, about="lease", problem=error.what)
            self._problem = error.what
            return
        if self._problem:
            self._problem = ""
            around.log.info(LogEvent.RECOVERED, about="lease")
        if around.watchdog_s is not None and now >= self._fed_at + around.watchdog_s / 4:
            around.notifier.watchdog()
            self._fed_at = now
