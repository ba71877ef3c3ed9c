"""How the markets node opens its logs.

The first record of a log names it, a torn last line is recorded, and a log that several processes write is opened
for one append at a time, under a lock that is held for milliseconds.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from vanta import __version__
from vanta.common.clock import Clock
from vanta.common.errors import LockHeld
from vanta.common.events import Kind
from vanta.common.models.base import SCHEMA_VERSION
from vanta.common.paths import COLLECTION_LOG, Home
from vanta.common.signing_key import signer_of
from vanta.common.store.chain import repaired
from vanta.common.store.lock import FileLock
from vanta.common.store.ports import Journal
from vanta.common.store.storage import Storage
from vanta.common.times import iso

OpenJournal = Callable[[], AbstractContextManager[Journal]]
LOCK_WAIT_S = 30.0
_LOOK_EVERY_S = 0.02


def open_log(home: Home, name: str, *, program: str, now: datetime, storage: Storage) -> Journal:
    """Open one log, name it on first use, record a repair. Raises `StateError` if its chain is broken."""
    journal = storage.journal(home.file(name), signer=signer_of(home))
    if journal.head().seq == 0:
        journal.append(Kind.JOURNAL_OPENED, {"journal": name, "program": f"{program} {__version__}",
                                             "schema": SCHEMA_VERSION}, at=iso(now))
    for piece in journal.set_aside:
        journal.append(Kind.TAIL_REPAIRED, repaired(piece), at=iso(now))
    return journal


def collection_log(home: Home, clock: Clock, storage: Storage, *, wait_s: float = LOCK_WAIT_S) -> OpenJournal:
    """The log that every collector writes. Entering waits at most `wait_s` for the others, then `LockHeld`."""

    @contextmanager
    def opened() -> Iterator[Journal]:
        with _lock(home, clock, wait_s):
            journal = open_log(home, COLLECTION_LOG, program="markets collect", now=clock.now(), storage=storage)
            try:
                yield journal
            finally:
                journal.close()

    return opened


def kept_open(journal: Journal) -> OpenJournal:
    """A log that nobody else writes: entering gives what is open, leaving keeps it open."""

    @contextmanager
    def opened() -> Iterator[Journal]:
        yield journal

    return opened


def _lock(home: Home, clock: Clock, wait_s: float) -> FileLock:
    ends = clock.monotonic() + wait_s
    while True:
        try:
            return FileLock(home.lock("collection"), owner="markets collect", now=clock.now())
        except LockHeld:
            if clock.monotonic() >= ends:
                raise
            clock.sleep(_LOOK_EVERY_S)
