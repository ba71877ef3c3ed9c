"""The newest records of a log, without the rest of it."""

import os
from pathlib import Path

import pytest

from vanta.alpha.recent import last_records
from vanta.common.store.journal import FileJournal


@pytest.mark.parametrize("raw", [b"", b"no newline", b"not json\n", b'{"seq": 1}\n', b"[1]\n"],
                         ids=["empty", "torn", "garbage", "another shape", "a list"])
def test_the_tail_of_a_strange_log_is_empty(raw: bytes, tmp_path: Path) -> None:
    """What is no record is passed over; nothing raises."""
    log = tmp_path / "log.jsonl"
    log.write_bytes(raw)
    assert list(last_records(log)) == []
    assert list(last_records(tmp_path / "none.jsonl")) == []
    assert list(last_records(tmp_path)) == []
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert list(last_records(tmp_path / "pipe.jsonl")) == []


def test_the_tail_reads_only_the_end(tmp_path: Path) -> None:
    """Newest first, no further back than asked, and never half a record."""
    journal = FileJournal(tmp_path / "log.jsonl")
    for number in range(50):
        journal.append("fill", {"text": "x" * 200, "number": number}, at="2026-01-02T03:04:05.000Z")
    journal.close()
    whole = list(last_records(journal.path))
    assert [one["seq"] for one in whole] == list(range(50, 0, -1))
    near = list(last_records(journal.path, near=4096))
    assert 0 < len(near) < len(whole)
    assert near == whole[:len(near)]
