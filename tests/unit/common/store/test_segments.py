"""Logs that are sealed day by day: one stream for every reader, whole after a crash, and in the middle of a look."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import zstandard

from vanta.common.errors import LockHeld, Missing, StateError
from vanta.common.signatures import Signer
from vanta.common.store import segments
from vanta.common.store.chain import chain
from vanta.common.store.checkpoint import FOLDER, joined, read_all
from vanta.common.store.files import FolderFiles
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import Head
from vanta.common.store.segments import begin
from vanta.markets.follow import Follower

KEY = Signer(b"k" * 32)
NAME = "collection_log.jsonl"


class Small(FileJournal):
    """Seals from the first byte on, and within the day from 4,000 bytes on."""

    least, most = 1, 4_000


def at(day: int) -> str:
    """Noon of a day."""
    return f"2026-01-{day:02}T12:00:00.000Z"


def opened(path: Path) -> FileJournal:
    """A signed journal that seals."""
    return Small(path, alone=True, signer=KEY, daily=True)


def written(path: Path, *days: int) -> Path:
    """A log with two synced records for each of these days."""
    with closing(opened(path)) as journal:
        for day in days:
            for _ in range(2):
                journal.append("a", {"day": day}, at=at(day))
                journal.sync()
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three days: two sealed pieces and what is still written."""
    return written(tmp_path / NAME, 1, 2, 3)


def days(log: Path) -> list[int]:
    """What a reader sees."""
    return [record.payload["day"] for record in chain(segments.whole(log), name=log.name)]


def covered(log: Path) -> list[int]:
    """The records that checkpoints of the whole log cover, which have to hold together."""
    said = read_all(joined([*segments.checkpoints(log), (log.parent / FOLDER / log.name).read_bytes()]), log.name,
                    (KEY.public,))
    assert said.problem == ""
    return [one.seq for one in said.checkpoints]


def test_a_new_day_seals_what_is_there(log: Path) -> None:
    """Pieces are whole days, named by where they lie in the log; the written file holds today."""
    pieces = segments.sealed(log)
    assert [(one.first, one.start) for one in pieces] == [(1, 0), (3, pieces[0].end)]
    assert [log.read_bytes().count(b'"day":3'), *(segments.content(one).count(b"\n") for one in pieces)] == [2, 2, 2]
    assert days(log) == [1, 1, 2, 2, 3, 3]
    assert segments.base(log) == pieces[1].end
    assert covered(log) == [1, 2, 3, 4, 5, 6]


def test_the_journal_goes_on_as_if_it_were_one_file(log: Path) -> None:
    """Head, reading, reading on from a place in a sealed piece, and the next opening."""
    with closing(opened(log)) as journal:
        assert journal.head().seq == 6
        assert journal.head().size == len(segments.whole(log))
        records = list(journal.read())
        place = Head(2, records[1].hash, segments.sealed(log)[0].end)
        assert [one.seq for one in journal.read_after(place)] == [3, 4, 5, 6]
        inside = Head(1, records[0].hash, segments.content(segments.sealed(log)[0]).index(b"\n") + 1)
        assert [one.seq for one in journal.read_after(inside)] == [2, 3, 4, 5, 6]
        with pytest.raises(StateError, match="byte 10 is not the end of record 1"):
            next(journal.read_after(Head(1, records[0].hash, 10)))
        journal.append("a", {"day": 3}, at=at(3))
    assert days(log) == [1, 1, 2, 2, 3, 3, 3]
    assert len(segments.sealed(log)) == 2


def test_a_long_day_is_sealed_too(tmp_path: Path) -> None:
    """A file does not grow without bound within a day."""
    log = tmp_path / NAME
    with closing(opened(log)) as journal:
        for _ in range(3):
            journal.append("a", {"day": 1, "fill": "x" * 5_000}, at=at(1))
            journal.sync()
    assert [one.first for one in segments.sealed(log)] == [1, 2]
    assert days(log) == [1, 1, 1]


def test_a_log_with_little_in_it_stays_in_one_piece(tmp_path: Path) -> None:
    """64 KiB is the least by default; a clock that goes back seals nothing."""
    log = tmp_path / NAME
    with closing(FileJournal(log, daily=True)) as journal:
        for day in (1, 2):
            journal.append("a", {"day": day}, at=at(day))
            journal.sync()
        journal.append("a", {"day": 2, "fill": "x" * 70_000}, at=at(2))
        journal.sync()
        journal.append("a", {"day": 1}, at=at(1))
        journal.sync()
        assert segments.sealed(log) == []
        journal.append("a", {"day": 3}, at=at(3))
        journal.sync()
    assert [one.first for one in segments.sealed(log)] == [1]
    assert days(log) == [1, 2, 2, 1, 3]


def test_only_who_asks_for_it_seals(tmp_path: Path) -> None:
    """Logs of controls and commands stay one file."""
    log = tmp_path / NAME
    with closing(Small(log, signer=KEY)) as journal:
        for day in (1, 2):
            journal.append("a", {"day": day}, at=at(day))
            journal.sync()
    assert segments.sealed(log) == []


def test_a_sealed_log_is_still_locked(tmp_path: Path) -> None:
    """The claim goes over to the new file."""
    log = tmp_path / NAME
    with closing(opened(log)) as journal:
        for day in (1, 2):
            journal.append("a", {"day": day}, at=at(day))
            journal.sync()
        with pytest.raises(LockHeld):
            opened(log)


def _renamed(log: Path) -> None:
    """As a crash leaves it right after the log's rename."""
    piece = segments.sealed(log)[-1]
    log.unlink()
    current = log.parent / FOLDER / log.name
    current.write_bytes(joined([piece.checkpoints.read_bytes(), current.read_bytes()]))
    lines = current.read_bytes().splitlines(keepends=True)
    current.write_bytes(b"".join(lines[:-2]))  # nothing of the new day was written yet
    piece.checkpoints.unlink()


def _created(log: Path) -> None:
    """The new file is there, the checkpoints have not been turned."""
    _renamed(log)
    log.touch()


def _copied(log: Path) -> None:
    """The sealed checkpoints are there, the current ones still whole."""
    _created(log)
    piece = segments.sealed(log)[-1]
    piece.checkpoints.write_bytes((log.parent / FOLDER / log.name).read_bytes())


@pytest.mark.parametrize("crash", [_renamed, _created, _copied])
def test_a_crash_within_the_turn_costs_nothing(log: Path, crash: object) -> None:
    """Whatever was done of it, the log is whole, signed, and turns again another day."""
    assert callable(crash)
    crash(log)
    assert days(log) == [1, 1, 2, 2]
    written(log, 3, 4)
    assert days(log) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert sorted(set(covered(log))) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [one.first for one in segments.sealed(log)] == [1, 3, 5]


WRITER = """
import sys
from tests.unit.common.store.test_segments import KEY, Small
from pathlib import Path
journal = Small(Path(sys.argv[1]), alone=True, signer=KEY, daily=True)
while journal.head().seq < int(sys.argv[2]):
    seq = journal.head().seq
    day = 1 + seq // 3
    journal.append("a", {"day": day}, at=f"{2026 + day // 300}-{1 + day % 300 // 25:02}-{1 + day % 25:02}T12:00:00Z")
    journal.sync()
    print(seq + 1, flush=True)
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes and seals, and says each record that is durable."""
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / NAME), "240"], stdout=subprocess.PIPE)
    yield child
    child.kill()
    child.communicate()


def test_readers_see_a_whole_log_while_it_is_sealed_under_them(tmp_path: Path, writer: subprocess.Popen[bytes]) -> None:
    """Never a gap, never a record twice, never fewer than before; a follower loses nothing either."""
    log, before = tmp_path / NAME, 0
    follower, followed = Follower(FolderFiles(tmp_path), NAME), 0
    assert writer.stdout is not None
    for line in writer.stdout:
        said = int(line)
        raw = segments.whole(log)
        seen = [record.seq for record in chain(raw[:raw.rfind(b"\n") + 1], name=NAME)]
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) >= max(before, said)
        before = len(seen)
        followed += len(follower.news())
        assert followed == follower.head.seq >= said
        end = segments.tail(log, 500)
        assert end[end.index(b"\n") + 1:end.rfind(b"\n") + 1] in segments.whole(log)
    assert before == 240
    assert len(segments.sealed(log)) == 79


def test_a_killed_writer_loses_nothing_that_was_durable(tmp_path: Path) -> None:
    """Killed again and again, mostly in the middle of something."""
    log, durable = tmp_path / NAME, 0
    for more in range(8):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(log), "1000000"], stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(10 + more):
            durable = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        child.communicate()
        with closing(opened(log)) as journal:
            assert journal.head().seq >= durable
            assert [one.seq for one in journal.read()] == list(range(1, journal.head().seq + 1))
        covered(log)
    assert len(segments.sealed(log)) > 25


def packed(piece: segments.Segment) -> Path:
    """The piece, compressed beside itself."""
    path = piece.path.with_name(piece.path.name + segments.PACKED)
    path.write_bytes(zstandard.ZstdCompressor().compress(piece.path.read_bytes()))
    return path


def test_a_packed_piece_reads_as_before(log: Path) -> None:
    """Both forms at once, then only the packed one; its end is found for a look at the newest records too."""
    whole = segments.whole(log)
    for piece in segments.sealed(log):
        packed(piece)
        assert segments.whole(log) == whole
        piece.path.unlink()
        assert segments.whole(log) == whole
        assert segments.content(piece) == segments.content(segments.sealed(log)[0]) or piece.first > 1
    assert all(one.packed for one in segments.sealed(log))
    assert segments.sealed(log)[0].checkpoints.exists()
    assert segments.tail(log, len(whole) - 10) == whole[10:]
    assert segments.whole(log, 10) == whole[10:]
    assert segments.line_before(log, segments.base(log)) == whole[:segments.base(log)].splitlines(keepends=True)[-1]
    with closing(opened(log)) as journal:
        assert journal.head().seq == 6


def test_damaged_and_lost_pieces_are_named(log: Path) -> None:
    """A packed one that is garbage, one of another length, one that is gone."""
    first = segments.sealed(log)[0]
    raw = first.path.read_bytes()
    packed(first).write_bytes(b"garbage")
    first.path.unlink()
    with pytest.raises(StateError, match=r"zst is damaged"):
        segments.whole(log)
    segments.sealed(log)[0].path.unlink()
    first.path.write_bytes(raw[:-1])
    with pytest.raises(StateError, match="its name says"):
        segments.whole(log)
    first.path.write_bytes(raw)
    written(log, 4)
    second = segments.sealed(log)[1].path
    content = second.read_bytes()
    second.unlink()
    with pytest.raises(StateError, match="a piece between them is missing"):
        segments.whole(log)
    second.write_bytes(content)
    assert len(days(log)) == 8


def test_a_log_whose_beginning_was_put_away_begins_at_a_signed_head(log: Path) -> None:
    """The first checkpoint that is left covers exactly the record before; without it nothing says what was there."""
    written(log, 4)
    first, second, third = segments.sealed(log)
    hashes = [record.hash for record in chain(segments.whole(log), name=NAME)]
    assert begin(log) == Head(0, "0" * 64, 0)
    first.path.unlink()
    first.checkpoints.unlink()
    assert begin(log) == Head(2, hashes[1], second.start)
    assert segments.begins(log) == (3, second.start)
    with pytest.raises(StateError, match="what came before was put away"):
        segments.whole(log)
    with closing(opened(log)) as journal:
        assert [one.seq for one in journal.read()] == [3, 4, 5, 6, 7, 8]
    second.checkpoints.unlink()
    with pytest.raises(StateError, match="no checkpoint covers what came before"):
        begin(log)
    with pytest.raises(StateError, match="pieces of it are missing"):
        opened(log)
    third.checkpoints.write_bytes(b"nonsense\n")
    with pytest.raises(StateError, match="no checkpoint covers what came before"):
        begin(log)


def test_what_is_no_log_is_named(tmp_path: Path) -> None:
    """Nothing there, a folder, a pipe, a folder that cannot be listed, a place behind the end."""
    log = tmp_path / NAME
    with pytest.raises(Missing):
        segments.whole(log)
    with pytest.raises(Missing):
        segments.line_before(log, 10)
    assert list(segments.lines(log)) == []
    assert segments.tail(log, 10) == b""
    os.mkfifo(log)
    with pytest.raises(StateError, match="not a regular file"):
        segments.whole(log)
    log.unlink()
    log.symlink_to(tmp_path)
    with pytest.raises(StateError, match="cannot be opened"):
        segments.whole(log)
    log.unlink()
    log.write_bytes(b"a\n")
    with pytest.raises(StateError, match="fewer than the 9 that were read before"):
        segments.whole(log, 9)
    assert segments.line_before(log, 2) == b"a\n"
    segments.folder(log).parent.mkdir()
    segments.folder(log).symlink_to(segments.folder(log))
    with pytest.raises(StateError, match="cannot be listed"):
        segments.whole(log)


def test_only_pieces_count(log: Path) -> None:
    """Whatever else somebody puts there is passed over."""
    (segments.folder(log) / "notes.txt").write_text("mine")
    (segments.folder(log) / "000000000009-1-2.jsonl").write_text("not a name of ours")
    assert len(segments.sealed(log)) == 2



def test_a_turn_that_fails_is_final(tmp_path: Path) -> None:
    """Where no folder can be made, or the checkpoints cannot be put beside the piece, nothing more is written."""
    log = tmp_path / NAME
    with closing(opened(log)) as journal:
        journal.append("a", {"day": 1}, at=at(1))
        journal.sync()
        segments.folder(log).parent.write_bytes(b"in the way")
        journal.append("a", {"day": 2}, at=at(2))
        with pytest.raises(StateError, match="could not be made durable"):
            journal.sync()
        with pytest.raises(StateError, match="failed earlier"):
            journal.append("a", {"day": 2}, at=at(2))
    segments.folder(log).parent.unlink()
    size = log.stat().st_size
    segments.folder(log).mkdir(parents=True)
    (segments.folder(log) / segments.name(1, 0, size)).with_suffix(segments.CHECKPOINTS).mkdir()
    with closing(opened(log)) as journal:
        journal.append("a", {"day": 2}, at=at(2))
        with pytest.raises(StateError, match="cannot be written"):
            journal.sync()
        with pytest.raises(StateError, match="failed earlier"):
            journal.sync()
    assert days(log) == [1]
    next(segments.folder(log).glob("*" + segments.CHECKPOINTS)).rmdir()
    written(log, 2)
    assert days(log) == [1, 2, 2]


def test_what_reaches_no_further_is_read_as_far_as_it_goes(log: Path) -> None:
    """The end of the log when the newest piece is packed and nothing is written yet; a piece that is gone."""
    whole = segments.whole(log)
    base = segments.base(log)
    log.write_bytes(b"")
    packed(segments.sealed(log)[-1])
    segments.sealed(log)[-1].path.with_suffix("").unlink()
    assert segments.tail(log, 50) == whole[:base][-50:]
    log.unlink()
    assert segments.tail(log, 50) == whole[:base][-50:]
    assert segments.whole(log) == whole[:base]
    segments.sealed(log)[-1].path.unlink()
    assert segments.base(log) < base
