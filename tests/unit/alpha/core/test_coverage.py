"""A log that begins later than at its first record, held to its checkpoints and to what was witnessed."""

from contextlib import closing
from pathlib import Path

import pytest

from vanta.alpha.core.coverage import Coverage
from vanta.common.exitcodes import Check
from vanta.common.paths import EXECUTOR_CALLS, TRANSPORT_CALLS
from vanta.common.signatures import Signer
from vanta.common.store.checkpoint import read_all
from vanta.common.store.checkpoints import Checkpoints
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import Head, Record

KEY = Signer(b"k" * 32)
NAME = "collection_log.jsonl"


def coverage(tmp_path: Path, begin: Head, *seqs: int, witnessed: bool = False) -> Coverage:
    """Checkpoints of these records over a log that begins after `begin`."""
    checkpoints = Checkpoints(tmp_path / NAME, KEY)
    for seq in seqs:
        checkpoints.add(Head(seq, f"{seq:064x}", 100 * seq), at="2026-01-02T03:04:05.000Z")
    checkpoints.close()
    return Coverage(NAME, read_all(checkpoints.path.read_bytes(), NAME, (KEY.public,)), trusted=True,
                    witnessed=witnessed, begin=begin)


def test_a_beginning_has_to_be_the_covered_record(tmp_path: Path) -> None:
    """Another record of the same number is another log."""
    (finding,) = coverage(tmp_path, Head(2, "f" * 64, 200), 2).end(whole=True)
    assert (finding.level, finding.text) == (
        Check.CRITICAL, "begins after another record 2 than a checkpoint covers")


def test_the_same_beginning_is_sound(tmp_path: Path) -> None:
    """Checkpoints of what was put away are passed over."""
    (finding,) = coverage(tmp_path, Head(2, f"{2:064x}", 200), 1, 2).end(whole=True)
    assert finding.level is Check.OK


def test_a_witness_whose_every_checkpoint_was_put_away_says_so(tmp_path: Path) -> None:
    """It cannot tell any more whether this is the same log; whoever did not witness cannot miss anything."""
    found = coverage(tmp_path, Head(3, f"{3:064x}", 300), 1, 2, witnessed=True).end(whole=True)
    assert "nothing of what was witnessed is there any more" in found[0].text
    assert coverage(tmp_path, Head(3, f"{3:064x}", 300), 3, witnessed=True).end(whole=True)[0].level is Check.OK


def test_what_is_signed_between_two_looks_is_held_to_it(tmp_path: Path) -> None:
    """A checkpoint that was read after the log covers its record, or another one."""
    for digest, wrong in ((f"{2:064x}", None), ("f" * 64, "is not the record that a checkpoint covers")):
        place = tmp_path / digest[:1]
        place.mkdir()
        one = coverage(place, Head(0, "0" * 64, 0), 1)
        checkpoints = Checkpoints(place / NAME, KEY)
        checkpoints.add(Head(2, digest, 200), at="2026-01-02T03:04:06.000Z")
        checkpoints.close()
        one.also(read_all(checkpoints.path.read_bytes(), NAME, (KEY.public,)))
        records = [Record(seq, "", "fill", None, {}, {}, "", f"{seq:064x}") for seq in (1, 2)]
        assert [one.take(record) for record in records] == [None, wrong]
        assert one.reach == (1 if wrong else 2)


@pytest.mark.parametrize(("name", "level"), [(TRANSPORT_CALLS, Check.OK), (EXECUTOR_CALLS, Check.UNKNOWN)])
def test_only_the_transports_log_may_be_without_any_checkpoint(name: str, level: Check) -> None:
    """It is given no key."""
    with closing(MemoryJournal()) as journal:
        one = Coverage(name, None, trusted=False)
        one.take(journal.append("call.made", {}, at="2026-11-20T15:00:00.000Z"))
    assert [found.level for found in one.end(whole=True)] == [level]


@pytest.mark.parametrize(("name", "level"), [(EXECUTOR_CALLS, Check.OK), (NAME, Check.UNKNOWN)])
def test_logs_of_calls_may_end_beyond_the_last_signed_head(tmp_path: Path, name: str, level: Check) -> None:
    """They are signed every half minute, the others at each sync."""
    with closing(FileJournal(tmp_path / name, signer=KEY)) as journal:
        records = [journal.append("call.made", {}, at="2026-11-20T15:00:00.000Z")]
        journal.sync()
        raw = (tmp_path / "checkpoints" / name).read_bytes()
        records.append(journal.append("call.made", {}, at="2026-11-20T15:00:00.000Z"))
    one = Coverage(name, read_all(raw, name, (KEY.public,)), trusted=True)
    for record in records:
        assert one.take(record) is None
    assert [found.level for found in one.end(whole=True)] == [level]
