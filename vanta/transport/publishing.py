"""`vanta transport publish` as a service: a turn at a time until stopped; a link that is cut is tried again."""

import threading

from vanta.common.events import LogEvent
from vanta.transport.daemon import Around, stopped_by_signals
from vanta.transport.port import LinkDown
from vanta.transport.publisher import Done, Publisher

_PAUSES_S = (0.2, 0.5, 1.0, 2.0)


class PublishDaemon:
    """Tells systemd that turns end, whether or not the server answers: each has a deadline for every question."""

    def __init__(self, publisher: Publisher, around: Around, *, look_s: float) -> None:
        self._publisher, self._around, self._look_s = publisher, around, look_s
        self._stop = threading.Event()
        self._problems: dict[str, str] = {}
        self._failures = 0
        self._fed_at = float("-inf")

    def stop(self) -> None:
        """End."""
        self._stop.set()

    def run(self) -> None:
        """Publish until stopped. Raises what keeps this home from signing."""
        around = self._around
        around.log.info(LogEvent.STARTED)
        try:
            with stopped_by_signals(self._stop):
                around.notifier.ready("publishing")
                while not self._stop.is_set():
                    self._stop.wait(self.turn())
        finally:
            around.notifier.stopping()
            around.log.info(LogEvent.STOPPED)

    def turn(self) -> float:
        """Once. Returns for how many seconds there is nothing to do."""
        around, now = self._around, self._around.clock.monotonic()
        try:
            done = self._publisher.turn()
        except LinkDown as error:
            done = Done(problems={"link": error.what})
            self._failures += 1
        else:
            self._failures = 0
        self._say(done.problems)
        if around.watchdog_s is not None and now >= self._fed_at + around.watchdog_s / 4:
            around.notifier.watchdog()
            self._fed_at = now
        if self._failures:
            return _PAUSES_S[min(self._failures, len(_PAUSES_S)) - 1]
        return 0.0 if done.more else self._look_s

    def _say(self, problems: dict[str, str]) -> None:
        """What is new of it."""
        log = self._around.log
        for about, problem in problems.items():
            if self._problems.get(about) != problem:
                log.warning(LogEvent.PROBLEM, about=about, problem=problem)
        for about in self._problems.keys() - problems.keys():
            log.info(LogEvent.RECOVERED, about=about)
        self._problems = problems
