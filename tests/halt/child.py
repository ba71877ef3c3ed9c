"""The executor in a process of its own, with every fence on, sending flat out to a venue that only notes the time.

    python -m tests.halt.child HOME STAMPS LATENCY_US MUTANT

It is the daemon of `vanta executor run`. Its venues append a line to STAMPS for each order: the order's id, which is
the moment at which it leaves, and then the time after that (CLOCK_MONOTONIC, nanoseconds). LATENCY_US is how long a
venue takes before that, so that many orders are on their way when somebody halts; while a file STAMPS.hold exists, it
takes for ever. A MUTANT is a product without one of its safeguards, or on a disk with a fault.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from tests.halt.homes import ACCOUNTS, SETTINGS
from vanta.common.clock import SystemClock
from vanta.common.errors import VantaError
from vanta.common.log import configure
from vanta.common.notify import Notifier
from vanta.common.paths import Home
from vanta.common.settings import notify_address, watchdog_s
from vanta.executor.brokers.port import Accepted, Answer, Broker, Capabilities, Ended, Event, Found
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.proposal import Line
from vanta.executor.core.reconcile import Holdings
from vanta.executor.daemon import Daemon, Outside
from vanta.executor.gate import FileGate, Reading
from vanta.executor.step import Executor
from vanta.executor.wire import build

CACHE_S = 0.1


class StampingVenue(Broker):
    """Takes every order, notes when, and cancels it unfilled when it is asked for news: nothing is ever held."""

    name = "stamps"
    capabilities = Capabilities(deduplicates=True, lookup_window_s=3600, settle_s=0)

    def __init__(self, stamps: str, latency_s: float) -> None:
        self._fd = os.open(stamps, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._hold = f"{stamps}.hold"
        self._latency_s = latency_s
        self._taken: list[str] = []

    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """Nothing is open here after a restart."""

    def _submit(self, order: Approved, now: datetime) -> Answer:
        ends = time.monotonic() + self._latency_s
        while time.monotonic() < ends or os.path.exists(self._hold):
            pass
        os.write(self._fd, f"{order.order_id} ".encode())
        os.write(self._fd, b"%d\n" % time.clock_gettime_ns(time.CLOCK_MONOTONIC))
        self._taken.append(order.order_id)
        return Accepted(order.order_id)

    def _lookup(self, order_id: str) -> Found | None:
        return None

    def _cancel(self, order_id: str, now: datetime) -> None:
        """It is cancelled anyway."""

    def _poll(self, now: datetime) -> Sequence[Event]:
        taken, self._taken = self._taken, []
        return [Ended(order_id=one, how="cancelled", detail="nobody trades here") for one in taken]

    def _holdings(self, now: datetime) -> Holdings | None:
        return None


def no_last_look() -> None:
    """Between the verdicts and the sending nobody looks again."""
    def open_line(executor: Executor, order: Approved, now: datetime) -> Line:
        return Line("halt", None, "open", "open")
    Executor._last_look = open_line  # type: ignore[method-assign, assignment]


def hanging_sync() -> None:
    """The disk: a sync does not return while a file STAMPS.hang exists. STAMPS.hanging says that one is under way."""
    sync, stamps = os.fdatasync, sys.argv[2]

    def hang(fd: int) -> None:
        while os.path.exists(f"{stamps}.hang"):
            Path(f"{stamps}.hanging").touch()
            time.sleep(0.001)
        sync(fd)
    os.fdatasync = hang  # type: ignore[assignment]


def cached_gate() -> None:
    """What the switches said is believed for a tenth of a second."""
    read = FileGate.read
    last: list[tuple[float, Reading]] = []

    def cached(gate: FileGate) -> Reading:
        if not last or time.monotonic() - last[0][0] > CACHE_S:
            last[:] = [(time.monotonic(), read(gate))]
        return last[0][1]
    FileGate.read = cached  # type: ignore[method-assign, assignment]


MUTANTS: dict[str, Callable[[], None]] = {
    "none": lambda: None, "no_last_look": no_last_look, "cached_gate": cached_gate, "hanging_sync": hanging_sync}


def main(root: str, stamps: str, latency_us: str, mutant: str) -> None:
    """Run until SIGTERM."""
    MUTANTS[mutant]()
    home, clock = Home(Path(root)), SystemClock()
    venues: dict[str, Broker] = {name: StampingVenue(stamps, int(latency_us) / 1e6) for name in ACCOUNTS}
    with configure(home, "executor", clock) as log:
        built = build(home, SETTINGS, clock, make_brokers=lambda *_: venues)
        try:
            outside = Outside(notifier=Notifier(notify_address()), watchdog_s=watchdog_s())
            daemon = Daemon(built.executor, home, poll_s=SETTINGS.executor.poll_s, log=log, outside=outside)
            daemon.stop_on_signals()
            daemon.run()
        finally:
            built.executor.close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except VantaError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
