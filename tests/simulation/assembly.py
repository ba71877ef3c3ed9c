"""The executor put together as its composition root does it, over simulated parts. Mutants hand in other classes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from tests.simulation.clock import SimClock
from tests.simulation.disk import Disk, SimFiles, SimJournal, SimSnapshots
from tests.simulation.exchange import Exchange, Gateway, PaperGateway
from tests.simulation.fuse import Fuse
from vanta.common.calendars import ALWAYS_OPEN, Calendar
from vanta.common.instruments import Instrument, crypto, equity
from vanta.common.models.configuration import ExecutorSettings, Settings
from vanta.common.paths import VAULTS
from vanta.common.resources import load
from vanta.common.store.inmemory import MemorySnapshots
from vanta.common.store.lock import FileLock
from vanta.executor.brokers.port import Broker, Capabilities
from vanta.executor.core.approval import Approved
from vanta.executor.core.book import Book
from vanta.executor.gate import Gate, Reading
from vanta.executor.inmemory import MemoryGate
from vanta.executor.memory import Keeper, recall
from vanta.executor.observe import Observer
from vanta.executor.publish import Publisher
from vanta.executor.recorder import Recorder
from vanta.executor.recovery import open_journal
from vanta.executor.step import Executor, Parts
from vanta.executor.wire import described

PROGRAM = "executor simulated"
CODE = "simulated"
SETTINGS = Settings(executor=ExecutorSettings(heartbeat_s=86_400.0, reconcile_s=10.0))
INSTRUMENTS: dict[str, Instrument] = {one.instrument_id: one for one in (equity("AAPL"), crypto("BTC"))}

Wire = Callable[[str, Approved], None]


@cache
def calendars() -> dict[str, Calendar]:
    """The calendars of both instruments."""
    return {"XNYS": Calendar.from_bytes(load("sessions_xnys.json")), "24/7": ALWAYS_OPEN}


@cache
def start_details(accounts: tuple[tuple[str, Capabilities], ...]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the record of a start says, and the blobs that it names."""
    kept = MemorySnapshots()
    said = described(SETTINGS, dict(accounts), kept)
    names = [said["settings"], *said["calendars"].values()]
    return said, {name: kept.get(name) for name in names}


@lru_cache(maxsize=4096)
def reading(raw: bytes | None) -> Reading:
    """What overlay bytes say; the permit is put in by whoever looks."""
    return MemoryGate(raw).read()


class SimLock(FileLock):
    """A lock that somebody may take away."""

    def __init__(self) -> None:
        self.path = Path("executor.lock")
        self.held = True

    def still_held(self) -> bool:
        """See `FileLock.still_held`."""
        return self.held

    def release(self) -> None:
        """See `FileLock.release`."""


class QuickObserver(Observer):
    """An observer that validates the same vault.json once in a simulation's life: models are frozen."""

    parsed: dict[bytes, Any] = {}

    def _parsed(self, name: str, raw: bytes, model: type[Any]) -> Any:
        if name != VAULTS or raw not in self.parsed:
            value = super()._parsed(name, raw, model)
            if name != VAULTS or value is None:
                return value
            self.parsed[raw] = value
        self.problems.pop(name, None)
        return self.parsed[raw]


class RarePublisher(Publisher):
    """Writes no folds: most schedules are about orders."""

    def due(self, book: Book, monotonic: float, *, idle: bool) -> bool:
        """See `Publisher.due`."""
        return False


@dataclass(frozen=True, slots=True)
class Assembly:
    """Of which classes the executor is made."""

    journal: type[SimJournal] = SimJournal
    gateway: type[Gateway] = Gateway
    executor: type[Executor] = Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything outside the process."""

    clock: SimClock
    fuse: Fuse
    disk: Disk
    exchanges: list[Exchange]
    gate: Gate
    lock: SimLock
    wire: Wire
    disarm: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Process:
    """One process: its executor, memory and view of the log."""

    executor: Executor
    book: Book
    journal: SimJournal


def start(assembly: Assembly, around: Surroundings, opened: Callable[[SimJournal, Book], None], *,
          publishes: bool) -> Process:
    """Open the log, fold it, settle open questions. `opened` is told as soon as the log is open."""
    journal, files = assembly.journal(around.disk), SimFiles(around.disk)
    book, begins = recall(journal, files, CODE)
    opened(journal, book)
    recorder, now = Recorder(journal, book, begins), around.clock.now()
    brokers: dict[str, Broker] = {
        exchange.account: PaperGateway(exchange, book, around.fuse, around.wire) if exchange.embedded
        else assembly.gateway(exchange, around.fuse, around.wire) for exchange in around.exchanges}
    details, blobs = start_details(tuple((name, one.capabilities) for name, one in brokers.items()))
    around.disk.blobs.update(blobs)
    open_journal(recorder, journal.set_aside, program=PROGRAM, now=now, details=details)
    snapshots = SimSnapshots(around.disk)
    observer = QuickObserver(recorder, files, snapshots, lambda: INSTRUMENTS)
    observer.registry(now)
    publisher = Publisher if publishes else RarePublisher
    executor = assembly.executor(Parts(
        clock=around.clock, settings=SETTINGS.executor, recorder=recorder, observer=observer, gate=around.gate,
        brokers=brokers, snapshots=snapshots, calendars=calendars(),
        publisher=publisher(files, by=PROGRAM, every_s=0), lock=around.lock, disarm=around.disarm, program=PROGRAM,
        pid=1, keeper=Keeper(recorder, files, CODE, every=30, worth=20)))
    executor.start()
    return Process(executor, book, journal)
