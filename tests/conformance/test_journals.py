"""One suite for every adapter of the `Journal` port."""

import hashlib
from pathlib import Path

import pytest

from vanta.common.signatures import Signer
from vanta.common.store.chain import encode
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import GENESIS, Journal, Record
from vanta.common.store.storage import DailyJournal

AT = "2026-01-02T03:04:05.000Z"


def line(record: Record) -> bytes:
    """The bytes that a record has to be in the log."""
    return encode({"seq": record.seq, "at": record.at, "kind": record.kind, "dag_id": record.dag_id,
                   "ids": record.ids, "payload": record.payload, "prev": record.prev})


class JournalSuite:
    """What every adapter has to do. Subclasses give `journal`."""

    def test_new_journal_is_empty(self, journal: Journal) -> None:
        """Before the first record the head is sequence 0 and the genesis hash."""
        assert (journal.head().seq, journal.head().hash, journal.head().size) == (0, GENESIS, 0)
        assert list(journal.read()) == []

    def test_records_chain(self, journal: Journal) -> None:
        """Each record names the hash of the raw line before it, and sequence numbers have no gap."""
        first = journal.append("fill", {"n": 1}, at=AT)
        second = journal.append("fill", {"n": 2}, at=AT, dag_id="dag1_x", ids={"order_id": "v1"})
        assert (first.seq, first.prev, second.seq, second.prev) == (1, GENESIS, 2, first.hash)
        assert first.hash == hashlib.sha256(line(first)).hexdigest()

    def test_head_counts_what_is_buffered(self, journal: Journal) -> None:
        """The head moves with `append`, in bytes too."""
        record = journal.append("fill", {"n": 1}, at=AT)
        assert journal.head().seq == 1
        assert journal.head().hash == record.hash
        assert journal.head().size == len(line(record)) + 1

    def test_read_gives_buffered_and_durable_records(self, journal: Journal) -> None:
        """Readers see every appended record in order, before and after the sync."""
        written = [journal.append("a", {"n": 0}, at=AT)]
        journal.sync()
        written.append(journal.append("b", {"text": "ü\n", "list": [1, None, True]}, at=AT, ids={"intent_id": "in1"}))
        assert list(journal.read()) == written
        journal.sync()
        assert list(journal.read()) == written

    def test_read_from_a_sequence_number(self, journal: Journal) -> None:
        """`from_seq` is inclusive; past the end there is nothing."""
        for n in range(5):
            journal.append("a", {"n": n}, at=AT)
        assert [record.seq for record in journal.read(4)] == [4, 5]
        assert list(journal.read(6)) == []

    def test_read_after_a_head(self, journal: Journal) -> None:
        """What follows a head, buffered or durable; after the end there is nothing, after the start everything."""
        heads = [journal.head()]
        for n in range(4):
            journal.append("a", {"n": n}, at=AT)
            heads.append(journal.head())
            if n == 2:
                journal.sync()
        for seq, head in enumerate(heads):
            if seq in (0, 1, 2, 3):  # what is only buffered cannot be gone on from
                assert [record.seq for record in journal.read_after(head)] == list(range(seq + 1, 5))
        journal.sync()
        assert list(journal.read_after(heads[-1])) == []

    def test_a_state_is_remembered(self, journal: Journal) -> None:
        """Until another one is named."""
        assert journal.state is None
        journal.append("a", {}, at=AT)
        for name in ("1" * 64, "2" * 64):
            journal.checkpoint(at=AT, state=name)
            journal.append("a", {}, at=AT)
            journal.sync()
            assert journal.state == name

    def test_sync_without_records_is_nothing(self, journal: Journal) -> None:
        """Syncing an empty batch changes nothing."""
        journal.sync()
        assert journal.head().seq == 0

    def test_close_syncs(self, journal: Journal) -> None:
        """Closing makes the batch durable; closing twice is no error."""
        journal.append("a", {}, at=AT)
        journal.close()
        journal.close()
        assert self.durable(journal) == 1

    def durable(self, journal: Journal) -> int:
        """How many records a power cut would leave."""
        raise NotImplementedError


class TestFileJournal(JournalSuite):
    """The file adapter."""

    @pytest.fixture
    def journal(self, tmp_path: Path) -> Journal:
        """A journal that does not exist yet."""
        return FileJournal(tmp_path / "log.jsonl", signer=Signer(b"k" * 32))

    def durable(self, journal: Journal) -> int:
        """Lines in the file."""
        assert isinstance(journal, FileJournal)
        return journal.path.read_bytes().count(b"\n")


class TestDailyJournal(TestFileJournal):
    """The file adapter of runs that can be made again."""

    @pytest.fixture
    def journal(self, tmp_path: Path) -> Journal:
        """A journal that does not exist yet."""
        return DailyJournal(tmp_path / "log.jsonl", signer=Signer(b"k" * 32))


class TestMemoryJournal(JournalSuite):
    """The in-memory twin."""

    @pytest.fixture
    def journal(self) -> Journal:
        """An empty list."""
        return MemoryJournal()

    def durable(self, journal: Journal) -> int:
        """Records that were synced."""
        assert isinstance(journal, MemoryJournal)
        return journal.synced


def test_both_write_the_same_bytes(tmp_path: Path) -> None:
    """The twin's hashes are the file's hashes, so a test on the twin proves something about the file."""
    file, memory = FileJournal(tmp_path / "log.jsonl"), MemoryJournal()
    for journal in (file, memory):
        journal.append("a", {"x": "1.10"}, at=AT, ids={"order_id": "v1"})
        journal.append("b", {}, at=AT, dag_id="dag1_x")
        journal.sync()
    assert file.head() == memory.head()
    file.close()
