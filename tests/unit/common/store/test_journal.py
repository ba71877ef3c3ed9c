"""The journal on disk: torn tails set aside, every other break found and named, a failed write final."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import FILES_END_AT, run
from vanta.common.canonical import sha256
from vanta.common.errors import LockHeld, StateError
from vanta.common.events import Kind
from vanta.common.store.chain import START, chain, repaired
from vanta.common.store.journal import FileJournal
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
    assert (journal.head().seq, journal.head().size, journal.torn) == (5, log.stat().st_size, None)
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
    assert (journal.set_aside, journal.torn) == ([tail], tail)
    assert log.read_bytes() == whole
    aside = log.with_name(f"trade_log.jsonl.torn-6-{sha256(tail)[:8]}")
    assert aside.read_bytes() == tail
    assert journal.append(Kind.TAIL_REPAIRED, repaired(tail), at=AT).seq == 6
    journal.close()
    assert (FileJournal(log).set_aside, FileJournal(log).torn) == ([], None)


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
    assert (journal.head(), journal.torn) == (START, b'{"seq":1')


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
print([record.payload for record in again.read()], len(again.torn))
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
