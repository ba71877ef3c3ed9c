"""The journal on disk: torn tails set aside, every other break found and named, a failed write final."""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes import FILES_END_AT, run
from vanta.common.canonical import sha256
from vanta.common.errors import LockHeld, StateError
from vanta.common.events import Kind
from vanta.common.signatures import Signer
from vanta.common.store.chain import START, chain, repaired
from vanta.common.store.checkpoint import FOLDER, read_all
from vanta.common.store.journal import WHOLE_BYTES, FileJournal
from vanta.common.store.ports import Head

AT = "2026-01-02T03:04:05.000Z"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A closed journal of five records."""
    path = tmp_path / "trade_log.jsonl"
    journal = FileJournal(path)
    for n in range(5):
        journal.append("fill", {"n": n}, at=AT)
    journal.close()
    return path


def test_reopening_continues_the_chain(log: Path) -> None:
    """A journal that was closed goes on where it ended."""
    journal = FileJournal(log)
    assert (journal.head().seq, journal.head().size, journal.set_aside) == (5, log.stat().st_size, [])
    journal.append("fill", {"n": 5}, at=AT)
    journal.close()
    assert [record.payload["n"] for record in FileJournal(log).read()] == [0, 1, 2, 3, 4, 5]


def test_nothing_is_written_before_sync(log: Path) -> None:
    """Appending alone leaves the file as it was: a batch is one write."""
    before = log.read_bytes()
    journal = FileJournal(log)
    journal.append("fill", {}, at=AT)
    assert log.read_bytes() == before
    journal.sync()
    assert log.read_bytes().startswith(before)


TAILS = {"half a record": b'{"seq":6,"at":"2026', "half a character": b'{"seq":6,"at":"\xc3', "NULs": b"\x00" * 512,
         "a whole record without its newline": b'{"seq":6}', "garbage": b"\xff\xfe"}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS.keys())
def test_torn_tail_is_set_aside(log: Path, tail: bytes) -> None:
    """Bytes after the last newline move into a file beside the log; the log is whole again and goes on."""
    whole = log.read_bytes()
    log.write_bytes(whole + tail)
    journal = FileJournal(log)
    assert journal.set_aside == [tail]
    assert log.read_bytes() == whole
    aside = log.with_name(f"trade_log.jsonl.torn-6-{sha256(tail)[:8]}")
    assert aside.read_bytes() == tail
    assert journal.append(Kind.TAIL_REPAIRED, repaired(tail), at=AT).seq == 6
    journal.close()
    assert FileJournal(log).set_aside == []


def test_a_piece_is_reported_until_a_record_names_it(log: Path) -> None:
    """Whoever was killed between setting a tail aside and recording it is made good by the next opening."""
    tear(log, b"first")
    FileJournal(log).close()
    tear(log, b"second")
    journal = FileJournal(log)
    assert sorted(journal.set_aside) == [b"first", b"second"]
    journal.append(Kind.TAIL_REPAIRED, repaired(b"first"), at=AT)
    journal.close()
    assert FileJournal(log).set_aside == [b"second"]
    journal = FileJournal(log)
    journal.append(Kind.TAIL_REPAIRED, repaired(b"second"), at=AT)  # appended, but never made durable
    assert FileJournal(log).set_aside == [b"second"]
    journal.close()
    tear(log, b"third")
    assert FileJournal(log).set_aside == [b"third"]


def test_every_piece_is_recorded_once_even_if_two_are_alike(log: Path) -> None:
    """The same bytes torn at two places are two pieces; one record names one of them."""
    for _ in range(2):
        tear(log, b"{")
        journal = FileJournal(log)
        assert journal.set_aside == [b"{"]
        journal.append(Kind.TAIL_REPAIRED, repaired(b"{"), at=AT)
        journal.close()
    assert len(list(log.parent.glob("*.torn-*"))) == 2
    assert FileJournal(log).set_aside == []


def test_pieces_are_reported_in_the_order_in_which_they_were_torn(log: Path) -> None:
    """By the number of the line that they would have been, not by name."""
    for seq, piece in ((10, b"later"), (9, b"sooner")):
        log.with_name(f"{log.name}.torn-{seq}-{sha256(piece)[:8]}").write_bytes(piece)
    assert FileJournal(log).set_aside == [b"sooner", b"later"]


@pytest.mark.parametrize("name", [
    "torn-6-00000000", "torn-6", "torn-x-00000000", "torn-6-0000000g", "torn-6-000000000"])
def test_what_is_not_a_piece_of_ours_is_left_alone(log: Path, name: str) -> None:
    """Another name, or other bytes than the name says: no record could vouch for it."""
    log.with_name(f"{log.name}.{name}").write_bytes(b"x")
    log.with_name(f"other.jsonl.torn-6-{sha256(b'x')[:8]}").write_bytes(b"x")
    assert FileJournal(log).set_aside == []


def test_a_piece_that_cannot_be_read_is_said(log: Path) -> None:
    """What it holds is not known, so it is neither recorded nor passed over."""
    os.mkfifo(log.with_name(f"{log.name}.torn-6-00000000"))
    with pytest.raises(StateError, match="torn-6-00000000 is not a regular file"):
        FileJournal(log)


def tear(log: Path, tail: bytes) -> None:
    """Leave half a line at the end, as a power cut does."""
    with log.open("ab") as file:
        file.write(tail)


def test_two_tears_at_one_place_are_both_kept(log: Path) -> None:
    """A second torn line with the same number does not replace the first one's bytes."""
    whole = log.read_bytes()
    for tail in (b"first", b"second"):
        log.write_bytes(whole + tail)
        FileJournal(log).close()
    assert sorted(path.read_bytes() for path in log.parent.glob("*.torn-6-*")) == [b"first", b"second"]


def test_torn_first_line(tmp_path: Path) -> None:
    """A journal whose very first record was torn is an empty journal with something set aside."""
    (tmp_path / "log.jsonl").write_bytes(b'{"seq":1')
    journal = FileJournal(tmp_path / "log.jsonl")
    assert (journal.head(), journal.set_aside) == (START, [b'{"seq":1'])


def _edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b'"n":2', b'"n":9'), *lines[3:]]


def _reformatted(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b'"n":2', b'"n": 2'), *lines[3:]]


def _renumbered(lines: list[bytes]) -> list[bytes]:
    return [*lines[:4], lines[4].replace(b'"seq":5', b'"seq":6')]


BREAKS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "edited": (_edited, "4: does not follow line 3"),
    "reformatted": (_reformatted, "4: does not follow line 3"),
    "dropped": (lambda lines: lines[:2] + lines[3:], "3: sequence number 4 where 3 must stand"),
    "duplicated": (lambda lines: [*lines[:3], lines[2], *lines[3:]], "4: sequence number 3 where 4 must stand"),
    "swapped": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "2: sequence number 3 where 2 must stand"),
    "first line dropped": (lambda lines: lines[1:], "1: sequence number 2 where 1 must stand"),
    "renumbered": (_renumbered, "5: sequence number 6 where 5 must stand"),
    "not a record": (lambda lines: [*lines[:2], b"{}\n", *lines[3:]], "3: not a journal record"),
    "invalid UTF-8": (lambda lines: [*lines[:2], lines[2].replace(b"seq", b"se\xb2"), *lines[3:]], "3: not a journal"),
    "not JSON": (lambda lines: [*lines[:2], b"\x00\x00\n", *lines[3:]], "3: not a journal record"),
    "empty line": (lambda lines: [*lines[:2], b"\n", *lines[2:]], "3: not a journal record"),
    "unknown field": (lambda lines: [*lines[:4], lines[4][:-2] + b',"x":1}\n'], "5: not a journal record"),
    "nested without end": (lambda lines: [*lines[:4], b"[" * 100_000 + b"\n"], "5: not a journal record"),
}


@pytest.mark.parametrize(("change", "message"), BREAKS.values(), ids=BREAKS.keys())
def test_broken_middle_refuses_naming_the_line(log: Path, change: Callable[[list[bytes]], list[bytes]],
                                               message: str) -> None:
    """Any break but a torn last line stops the program, names the line, and leaves the file as evidence."""
    broken = b"".join(change(log.read_bytes().splitlines(keepends=True)))
    log.write_bytes(broken)
    with pytest.raises(StateError, match=f"trade_log.jsonl:{message}"):
        FileJournal(log)
    assert log.read_bytes() == broken


def test_every_flipped_bit_before_the_last_line_is_found() -> None:
    """No single changed bit in a line that another line follows goes unnoticed, whatever it turns the line into."""
    lines = _FIVE.splitlines(keepends=True)
    for position in range(len(lines[0]) + len(lines[1])):
        for bit in range(8):
            data = bytearray(b"".join(lines[:3]))
            data[position] ^= 1 << bit
            with pytest.raises(StateError):
                list(chain(bytes(data), name="log"))


def _five() -> bytes:
    from vanta.common.store.inmemory import MemoryJournal

    journal = MemoryJournal()
    for n in range(5):
        journal.append("fill", {"n": n}, at=AT)
    return b"".join(raw + b"\n" for raw in journal._lines)


_FIVE = _five()


def test_chain_continues_from_a_known_head() -> None:
    """A reader that has checked the first lines checks the next ones from there."""
    lines = _FIVE.splitlines(keepends=True)
    head = [Head(record.seq, record.hash, 0) for record in chain(b"".join(lines[:3]), name="log")][-1]
    assert [record.seq for record in chain(b"".join(lines[3:]), name="log", previous=head)] == [4, 5]
    with pytest.raises(StateError, match="log:4: sequence number 5"):
        list(chain(lines[4], name="log", previous=head))


FULL = FILES_END_AT + """
import sys
from pathlib import Path
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.store.journal import FileJournal
path = Path(sys.argv[1])
journal = FileJournal(path)
journal.append("a", {"n": 1}, at="2026-01-02T03:04:05.000Z")
journal.sync()
files_end_at(path.stat().st_size + 50)
for step in ("sync", "again", "append", "read"):
    try:
        if step == "append":
            files_end_at(-1)
        if step in ("sync", "append"):
            journal.append("b", {"text": "x" * 500}, at="2026-01-02T03:04:05.000Z")
        if step == "read":
            journal.read()
        journal.sync()
        print(step, "went through")
    except StateError as error:
        print(step, "refused:", error.what)
journal.close()
again = FileJournal(path)
print([record.payload for record in again.read()], len(again.set_aside[0]))
"""


def test_failed_write_is_final(tmp_path: Path) -> None:
    """After a write that failed half way nothing is taken any more, even when there is space again.

    The disk here really writes 50 bytes and then fails; the next start sets them aside.
    """
    out = run(FULL, str(tmp_path / "log.jsonl")).splitlines()
    assert "could not be made durable: File too large (EFBIG)" in out[0]
    assert [line.split(" refused:")[0] for line in out[:4]] == ["sync", "again", "append", "read"]
    assert all("failed earlier: File too large (EFBIG)" in line for line in out[1:4])
    assert out[4] == "[{'n': 1}] 50"


@pytest.mark.parametrize("kind", ["folder", "symlink", "no folder"])
def test_odd_paths_are_state_errors(tmp_path: Path, kind: str) -> None:
    """A journal is a regular file in an existing folder; everything else is refused by name."""
    path = tmp_path / "log.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind == "symlink":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path = tmp_path / "none" / "log.jsonl"
    with pytest.raises(StateError, match=r"log\.jsonl"):
        FileJournal(path)


UNREPAIRABLE = FILES_END_AT + """
import sys
from pathlib import Path
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.store.journal import FileJournal
files_end_at(5)
try:
    FileJournal(Path(sys.argv[1]))
except StateError as error:
    files_end_at(-1)
    print(error.what)
"""


def test_tear_that_cannot_be_kept_is_not_cut(log: Path) -> None:
    """If the torn bytes cannot be saved first, the log stays untouched."""
    torn = log.read_bytes() + b'{"seq":6,"half'
    log.write_bytes(torn)
    assert "torn-6" in run(UNREPAIRABLE, str(log))
    assert log.read_bytes() == torn


def test_failed_opening_leaves_no_descriptor(log: Path) -> None:
    """A journal that does not open gives its file descriptor back."""
    log.write_bytes(b"{}\n")
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(StateError):
            FileJournal(log)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_a_writer_that_wants_to_be_alone_is(log: Path) -> None:
    """A second one is refused before it looks at the log, even without any lock file; a torn tail stays as it is."""
    first = FileJournal(log, alone=True)
    tear(log, b"half a record of the first")
    before = log.read_bytes()
    with pytest.raises(LockHeld, match="is being written by another process"):
        FileJournal(log, alone=True)
    assert log.read_bytes() == before
    first.close()
    assert FileJournal(log, alone=True).set_aside == [b"half a record of the first"]


KEY = Signer(b"k" * 32)


def signed(path: Path) -> FileJournal:
    """The journal with checkpoints."""
    return FileJournal(path, signer=KEY)


def covers(path: Path) -> list[tuple[int, int]]:
    """Records and bytes that the checkpoints of a log cover, in order."""
    raw = (path.parent / FOLDER / path.name).read_bytes()
    return [(one.seq, one.size) for one in read_all(raw, path.name, (KEY.public,)).checkpoints]


def test_each_sync_is_followed_by_a_signed_head(tmp_path: Path) -> None:
    """It covers what is durable and nothing that is only buffered; an empty sync makes none."""
    path = tmp_path / "log.jsonl"
    journal = signed(path)
    for batch in (2, 1):
        for _ in range(batch):
            journal.append("a", {}, at=AT)
        journal.sync()
        journal.sync()
    journal.append("a", {}, at=AT)
    assert covers(path) == [(2, path.stat().st_size * 2 // 3), (3, path.stat().st_size)]
    journal.close()
    assert covers(path)[-1] == (4, path.stat().st_size)


def test_a_state_is_named_by_a_checkpoint_of_its_own(tmp_path: Path) -> None:
    """What the log folds to at that record."""
    path = tmp_path / "log.jsonl"
    journal = signed(path)
    journal.append("a", {}, at=AT)
    journal.checkpoint(at=AT, state="5" * 64)
    journal.close()
    raw = (path.parent / FOLDER / path.name).read_bytes()
    assert [one.state for one in read_all(raw, path.name, None).checkpoints] == [None, "5" * 64]


def test_a_log_that_ends_before_its_checkpoint_is_refused(tmp_path: Path) -> None:
    """The last records deleted cleanly, or all of them: nothing may be acted on."""
    path = tmp_path / "log.jsonl"
    with closing(signed(path)) as journal:
        for _ in range(3):
            journal.append("a", {}, at=AT)
    lines = path.read_bytes().splitlines(keepends=True)
    for keep in (2, 0):
        path.write_bytes(b"".join(lines[:keep]))
        with pytest.raises(StateError, match=f"ends at record {keep}, its checkpoint covers 3: the log was cut"):
            signed(path)
    path.unlink()
    with pytest.raises(StateError, match="the log was cut"):
        signed(path)


def test_a_log_that_was_made_anew_is_refused(tmp_path: Path) -> None:
    """As long as before, another content, a sound chain."""
    path, other = tmp_path / "log.jsonl", tmp_path / "other.jsonl"
    for one, journal in ((1, signed(path)), (2, FileJournal(other))):
        journal.append("a", {"n": one}, at=AT)
        journal.append("a", {}, at=AT)
        journal.close()
    other.replace(path)
    with pytest.raises(StateError, match="record 2 is not the one that its checkpoint covers"):
        signed(path)


def test_a_checkpoint_that_cannot_be_made_is_final(tmp_path: Path) -> None:
    """What followed would be unsigned without anybody knowing."""
    journal = signed(tmp_path / "log.jsonl")
    assert journal._checkpoints is not None
    os.close(journal._checkpoints._fd)
    journal._checkpoints._fd = os.open("/dev/full", os.O_WRONLY)
    journal.append("a", {}, at=AT)
    with pytest.raises(StateError, match="ENOSPC"):
        journal.sync()
    with pytest.raises(StateError, match=r"failed earlier: checkpoints .*ENOSPC"):
        journal.append("a", {}, at=AT)
    journal.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of more than `WHOLE_BYTES`, some 70 records: tests change a copy."""
    path = tmp_path_factory.mktemp("large") / "log.jsonl"
    filler = "x" * (1 << 20)
    with closing(signed(path)) as journal:
        for n in range(WHOLE_BYTES // (1 << 20) + 5):
            journal.append("a", {"n": n, "filler": filler}, at=AT)
            journal.sync()
    return path


def test_a_large_log_goes_on_from_its_checkpoint(large: Path, tmp_path: Path) -> None:
    """Also with records and a torn line behind it; a reader from before the checkpoint gets everything."""
    copy = copied(large, tmp_path)
    first = covers(copy)[-1][0]
    unsigned = FileJournal(copy)
    unsigned.append("a", {"n": -1}, at=AT)
    unsigned.close()
    with copy.open("ab") as file:
        file.write(b'{"seq"')
    with closing(signed(copy)) as journal:
        assert (journal.head().seq, journal.set_aside) == (first + 1, [b'{"seq"'])
        assert [record.payload["n"] for record in journal.read(first + 1)] == [-1]
        journal.append("tail.repaired", repaired(journal.set_aside[0]), at=AT)
        assert [record.seq for record in journal.read()] == list(range(1, first + 3))
        assert [record.seq for record in journal.read(first + 2)] == [first + 2]
    with closing(signed(copy)) as journal:
        assert journal.set_aside == []


def test_what_lies_before_the_checkpoint_of_a_large_log_is_not_looked_at(large: Path, tmp_path: Path) -> None:
    """That is how it starts within seconds; `vanta verify` reads all of it."""
    copy = copied(large, tmp_path)
    change(copy, 100)
    with closing(signed(copy)) as journal:
        assert journal.head().seq == covers(copy)[-1][0]
        with pytest.raises(StateError, match=r"log\.jsonl:1"):
            list(journal.read())


@pytest.mark.parametrize("at", [-2, -(1 << 19)])
def test_the_last_covered_record_of_a_large_log_is_looked_at(large: Path, tmp_path: Path, at: int) -> None:
    """A byte of the line that the checkpoint names."""
    copy = copied(large, tmp_path)
    change(copy, at)
    with pytest.raises(StateError, match="the log was changed or cut"):
        signed(copy)


def test_a_cut_large_log_is_found(large: Path, tmp_path: Path) -> None:
    """By a whole record, and by its newline alone."""
    copy = copied(large, tmp_path)
    os.truncate(copy, copy.stat().st_size - 1)
    with pytest.raises(StateError, match="the log was changed or cut"):
        signed(copy)


def copied(log: Path, folder: Path) -> Path:
    """The log and its checkpoints elsewhere."""
    (folder / FOLDER).mkdir()
    shutil.copy(log.parent / FOLDER / log.name, folder / FOLDER / log.name)
    return Path(shutil.copy(log, folder / log.name))


def change(path: Path, at: int) -> None:
    """One bit of the byte at `at`, from the end if negative."""
    with path.open("r+b") as file:
        file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
        old = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([old[0] ^ 1]))
