"""The executor's composition root: the only place that reads its settings and builds its adapters."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from vanta import __version__
from vanta.common.calendars import ALWAYS_OPEN, CONTINUOUS, Calendar
from vanta.common.canonical import content_hash
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError
from vanta.common.models.configuration import Settings
from vanta.common.paths import TRADE_LOG, Home
from vanta.common.registry import Registry
from vanta.common.resources import load
from vanta.common.store.files import FolderFiles
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock
from vanta.common.store.snapshot import FileSnapshots
from vanta.executor.brokers.paper import PaperBroker
from vanta.executor.brokers.port import Broker
from vanta.executor.core.book import Book
from vanta.executor.gate import FileGate
from vanta.executor.observe import InstrumentSource, Observer
from vanta.executor.publish import Publisher
from vanta.executor.recorder import Recorder
from vanta.executor.recovery import open_journal, resolve
from vanta.executor.step import Executor, Parts

PROGRAM = f"executor {__version__}"


@dataclass(frozen=True, slots=True)
class Built:
    """A running executor and the sentence that says what its start found."""

    executor: Executor
    recovered: str


def calendars() -> dict[str, Calendar]:
    """Every calendar that ships with VANTA, by name."""
    return {"XNYS": Calendar.from_bytes(load("sessions_xnys.json"), file="sessions_xnys.json"),
            CONTINUOUS: ALWAYS_OPEN}


def brokers(settings: Settings, book: Book, instruments: InstrumentSource) -> dict[str, Broker]:
    """Brokers by account. Raises `OperatorError` if the mode asks for one that does not exist."""
    if settings.executor.mode == "live":
        raise OperatorError("executor.mode is live, but this version has only the paper broker",
                            'Set mode = "paper" in config/vanta.toml.')
    return {"paper": PaperBroker(settings.executor.paper, book.quotes.get, instruments)}


def build(home: Home, settings: Settings, clock: Clock,
          make_brokers: Callable[[Settings, Book, InstrumentSource], dict[str, Broker]] = brokers) -> Built:
    """Take the lock, open and fold the log, settle open questions. Raises `LockHeld` or `StateError`."""
    now = clock.now()
    lock = FileLock(home.lock("executor"), owner="executor", now=now)
    try:
        journal = FileJournal(home.file(TRADE_LOG))
        book = Book()
        recorder = Recorder(journal, book)
        said = open_journal(recorder, journal.torn, program=PROGRAM, now=now, details={
            "settings": content_hash(settings.model_dump(mode="json")), "mode": settings.executor.mode})
        files = FolderFiles(home.memory)
        registry = Registry(home)
        observer = Observer(recorder, files, FileSnapshots(home.snapshots), registry)
        observer.registry(now)
        venues = make_brokers(settings, book, registry)
        said += resolve(recorder, venues, now=now)
        executor = Executor(Parts(
            clock=clock, settings=settings.executor, recorder=recorder, observer=observer, gate=FileGate(home),
            brokers=venues, calendars=calendars(), lock=lock, program=PROGRAM, pid=os.getpid(),
            publisher=Publisher(files, by=PROGRAM, every_s=settings.executor.publish_ms / 1000)))
    except BaseException:
        lock.release()
        raise
    return Built(executor, said)
