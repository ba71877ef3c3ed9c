"""The two ways of keeping state: what acts on the world syncs every batch, what can be made again does not have to."""

from pathlib import Path

from tests.processes import FILES_END_AT, run
from vanta.common.store.storage import DURABLE, RELAXED

LATE_FAULT = FILES_END_AT + """
import os, sys
from pathlib import Path
from vanta.common.errors import StateError
from vanta.common.store.storage import DailyJournal
journal = DailyJournal(Path(sys.argv[1]))
journal.append("a", {}, at="2026-01-02T03:04:05.000Z")
journal.sync()
os.close(journal._fd)  # the disk is gone
try:
    journal.close()
except StateError as error:
    print(error.what)
"""


def test_a_fault_at_the_end_is_told(tmp_path: Path) -> None:
    """What a relaxed journal had left for the end, and could not do, is an error and no silence."""
    assert "could not be made durable: Bad file descriptor" in run(LATE_FAULT, str(tmp_path / "log.jsonl"))


def test_both_leave_the_same_bytes(tmp_path: Path) -> None:
    """Relaxed or durable: documents, journals and snapshots hold the same bytes under the same names."""
    for name, storage in (("durable", DURABLE), ("relaxed", RELAXED)):
        folder = tmp_path / name
        folder.mkdir()
        storage.files(folder).replace("a.json", b"{}")
        storage.snapshots(folder / "snapshots").put(b"payload")
        journal = storage.journal(folder / "log.jsonl")
        for day in ("2026-01-02", "2026-01-02", "2026-01-03"):
            journal.append("a", {"day": day}, at=f"{day}T03:04:05.000Z")
            journal.sync()
        journal.close()
    trees = [{path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
             for folder in (tmp_path / "durable", tmp_path / "relaxed")]
    assert trees[0] == trees[1]
    assert len(trees[0]) == 3
