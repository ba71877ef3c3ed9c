"""How the markets node's logs are opened: named, repaired, one writer at a time."""

from datetime import timedelta
from pathlib import Path

import pytest

from vanta.common.clock import ManualClock, SystemClock
from vanta.common.errors import LockHeld, StateError
from vanta.common.paths import COLLECTION_LOG, Home
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock, holder
from vanta.common.store.storage import DURABLE
from vanta.common.times import parse_iso
from vanta.markets.journals import collection_log, open_log

NOW = parse_iso("2026-03-04T10:00:00.000Z")


class Releasing(ManualClock):
    """A clock in whose second wait the other process lets go."""

    def __init__(self, lock: FileLock) -> None:
        super().__init__(NOW)
        self._lock, self.waits = lock, 0

    def sleep(self, seconds: float) -> None:
        self.move_to(self.now() + timedelta(seconds=seconds))
        self.waits += 1
        if self.waits == 2:
            self._lock.release()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).prepare()


def test_the_first_record_names_the_log(home: Home) -> None:
    """And only the first opening writes it."""
    for _ in range(2):
        journal = open_log(home, "x.jsonl", program="test", now=NOW, storage=DURABLE)
        journal.sync()
        (record,) = journal.read()
        journal.close()
    assert (record.kind, record.payload["journal"]) == ("journal.opened", "x.jsonl")


def test_a_repair_is_recorded_once_whoever_made_it(home: Home) -> None:
    """Also if the one who set the torn line aside ended before he recorded it."""
    home.file("x.jsonl").write_bytes(b'{"seq":1')
    FileJournal(home.file("x.jsonl")).close()
    for _ in range(2):
        journal = open_log(home, "x.jsonl", program="test", now=NOW, storage=DURABLE)
        journal.close()
    records = list(FileJournal(home.file("x.jsonl")).read())
    assert [record.kind for record in records] == ["journal.opened", "tail.repaired"]
    assert records[1].payload["bytes"] == 8


def test_a_broken_chain_is_refused(home: Home) -> None:
    """A log that was tampered with is not written on."""
    home.file("x.jsonl").write_bytes(b"{}\n")
    with pytest.raises(StateError, match=r"x\.jsonl"):
        open_log(home, "x.jsonl", program="test", now=NOW, storage=DURABLE)


def test_a_collector_waits_for_the_others(home: Home) -> None:
    """The log's lock is held for milliseconds: who finds it taken waits for it."""
    clock = Releasing(FileLock(home.lock("collection"), owner="another", now=NOW))
    with collection_log(home, clock, DURABLE)() as journal:
        assert journal.head().seq == 1
    assert clock.waits == 2
    assert holder(home.lock("collection")) is None


def test_it_does_not_wait_for_ever(home: Home) -> None:
    """After the bound it is `LockHeld`, which the next scheduled run makes good."""
    clock = ManualClock(NOW)
    with FileLock(home.lock("collection"), owner="another", now=NOW), pytest.raises(LockHeld, match="another"), \
            collection_log(home, clock, DURABLE, wait_s=0.5)():
        pass
    assert 0.5 <= clock.monotonic() < 1


def test_what_was_appended_is_kept_even_if_the_pass_then_fails(home: Home) -> None:
    """Leaving closes the log and frees the lock, whatever happened inside."""
    opened = collection_log(home, SystemClock(), DURABLE)

    def fail() -> None:
        with opened() as journal:
            journal.append("collected", {}, at="2026-03-04T10:00:00.000Z")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with opened() as journal:
        assert [record.kind for record in journal.read()] == ["journal.opened", "collected"]
    assert COLLECTION_LOG in {path.name for path in home.memory.iterdir()}
