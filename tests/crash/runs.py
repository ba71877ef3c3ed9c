"""One run of the executor in a process of its own: forked from a parent that has imported everything.

The child installs the injector, builds the executor the way `vanta executor once` does, makes its steps and closes.
A pipe tells the parent what fired, which calls were counted, and how it ended.
"""

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import homes
from tests.crash.adapter import SocketBroker, ask
from tests.crash.injector import Fault, Injector
from vanta.common.errors import VantaError
from vanta.common.paths import TRADE_LOG, Home
from vanta.common.store.chain import repaired
from vanta.common.store.journal import FileJournal
from vanta.common.times import iso
from vanta.executor.wire import build

NOTHING = Fault()
PATIENCE_S = 120
"""After so long a run that hangs is ended by SIGALRM, which no case takes for what it waited for."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a run is asked to do. `number` sets its clock, `sabotage` makes a mutant of the child.

    `reader`: no executor, only somebody who opens the log, tells an outsider how it ends, and adds a record.
    """

    home: Path
    address: str
    number: int
    steps: int
    deduplicates: bool
    fault: Fault = NOTHING
    sabotage: Callable[[], None] | None = None
    reader: bool = False


@dataclass
class Ended:
    """How a run ended. `code` is the exit status, negative for a signal; `fired` what the injector said."""

    code: int = 0
    fired: str = ""
    said: str = ""
    points: list[str] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)

    @property
    def killed(self) -> bool:
        """SIGKILL ended it."""
        return self.code == -signal.SIGKILL


def work(order: Order) -> str:
    """What the child does once everything is in place; the same as `vanta executor once`."""
    clock = homes.clock(order.number)
    broker = SocketBroker(order.address, deduplicates=order.deduplicates)
    built = build(Home(order.home), homes.SETTINGS, clock, make_brokers=lambda *_: {homes.ACCOUNT: broker})
    try:
        for _ in range(order.steps):
            clock.sleep(1)
            built.executor.step()
    finally:
        built.executor.close()
    return built.recovered


def read(order: Order) -> str:
    """The least that rests on what opening a log has read."""
    journal = FileJournal(Home(order.home).file(TRADE_LOG))
    head = journal.head()
    for piece in journal.set_aside:
        journal.append("tail.repaired", repaired(piece), at=iso(homes.clock(order.number).now()))
    if head.seq:
        ask(order.address, op="witness", seq=head.seq, hash=head.hash)
    journal.append("program.started", {"run": order.number}, at=iso(homes.clock(order.number).now()))
    journal.close()
    return f"found {head.seq} records"


def child(order: Order, out: int) -> int:
    """The whole life of the child. Returns its exit status."""
    write, lines = os.write, []
    signal.alarm(PATIENCE_S)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def tell(line: str) -> None:
        write(out, line.encode() + b"\n")

    if order.sabotage is not None:
        order.sabotage()
    injector = Injector(order.fault, str(order.home), tell)
    injector.install()
    try:
        lines.append(f"said {read(order) if order.reader else work(order)}")
        status = 0
    except VantaError as error:
        lines.append(f"said {type(error).__name__}: {error.what}")
        status = int(error.exit_code)
    except BaseException:  # noqa: BLE001 - reported to the parent, who calls it a violation
        lines.append("said " + traceback.format_exc().replace("\n", " | "))
        status = 70
    lines += [f"point {one}" for one in injector.points] + [f"reading {one}" for one in injector.readings]
    data = "\n".join([*lines, ""]).encode()
    while data:
        data = data[write(out, data):]
    return status


def start(order: Order) -> tuple[int, int]:
    """Fork. Returns the child's pid and the end of its pipe that is to be read."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 71
        try:
            os.close(reading)
            status = child(order, writing)
        finally:
            os._exit(status)
    os.close(writing)
    return pid, reading


def finish(pid: int, reading: int, before: bytes = b"") -> Ended:
    """Read what the child has to say and wait for its end."""
    parts = [before]
    while part := os.read(reading, 1 << 16):
        parts.append(part)
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    ended = Ended(code=os.waitstatus_to_exitcode(status))
    for line in b"".join(parts).decode().splitlines():
        word, _, rest = line.partition(" ")
        if word == "fired":
            ended.fired = rest
        elif word == "said":
            ended.said = rest
        elif word == "point":
            ended.points.append(rest)
        elif word == "reading":
            ended.readings.append(rest)
    return ended


def run(order: Order) -> Ended:
    """Start and wait."""
    return finish(*start(order))


def be_a_good_parent() -> None:
    """Children share this process's memory: nothing of it is collected, so that nothing of it is copied."""
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.stdout.flush()
