"""Checkpoints: their form, their file, and the walk that says what they are worth."""

import os
from pathlib import Path

import orjson
import pytest

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.signatures import Signer
from vanta.common.store.checkpoint import Checkpoint, encode, read_all
from vanta.common.store.checkpoints import Checkpoints
from vanta.common.store.ports import GENESIS, Head

AT = "2026-01-02T03:04:05.000Z"
SEEDS = [bytes([n]) * 32 for n in (1, 2, 3)]
OLD, NEW, FOREIGN = (Signer(seed, [Signer(other).public for other in SEEDS]) for seed in SEEDS)
STRANGER = Signer(b"s" * 32)
NAME = "trade_log.jsonl"


def opened(folder: Path, signer: Signer = OLD, name: str = NAME) -> Checkpoints:
    """The checkpoints of a journal in `folder`."""
    return Checkpoints(folder / name, signer)


def three(folder: Path, *signers: Signer) -> bytes:
    """A file of as many checkpoints as signers."""
    for number, signer in enumerate(signers, start=1):
        log = opened(folder, signer)
        log.add(Head(number * 10, f"{number:064x}", number * 1000), at=AT)
        log.close()
    return (folder / "checkpoints" / NAME).read_bytes()


def test_the_newest_is_found_again(tmp_path: Path) -> None:
    """Also by another process, and the next one names the hash of its line."""
    assert opened(tmp_path).last is None
    raw = three(tmp_path, OLD, OLD, OLD)
    last = opened(tmp_path).last
    assert last is not None
    assert (last.seq, last.size, last.head, last.at, last.state, last.key) == (30, 3000, f"{3:064x}", AT, None,
                                                                              OLD.public)
    covered = read_all(raw, NAME, (OLD.public,))
    assert [one.seq for one in covered.checkpoints] == [10, 20, 30]
    assert (covered.checkpoints[0].prev, covered.problem, covered.line) == (GENESIS, "", 0)


def test_a_torn_line_covers_nothing(tmp_path: Path) -> None:
    """It is cut off, and the next one covers what it would have covered."""
    raw = three(tmp_path, OLD, OLD)
    path = tmp_path / "checkpoints" / NAME
    path.write_bytes(raw + raw[:50])
    assert read_all(path.read_bytes(), NAME, None).problem == "its last line is torn: 50 bytes without an end"
    log = opened(tmp_path)
    assert log.last is not None
    assert (log.last.seq, path.read_bytes()) == (20, raw)
    log.add(Head(30, f"{3:064x}", 3000), at=AT, state="a" * 64)
    assert [one.state for one in read_all(path.read_bytes(), NAME, None).checkpoints] == [None, None, "a" * 64]


@pytest.mark.parametrize(("change", "why"), [
    ({"seq": 31}, "not signed with the key that it names"), ({"key": FOREIGN.public}, "not signed with the key"),
    ({"sig": ""}, "not signed with the key"), ({"key": STRANGER.public}, "not signed with the key")])
def test_a_whole_line_that_is_not_signed_as_it_says_stops_the_writer(tmp_path: Path, change: dict[str, object],
                                                                    why: str) -> None:
    """That is no crash."""
    *rest, last = three(tmp_path, OLD, OLD, OLD).splitlines()
    changed = {**orjson.loads(last), **change}
    path = tmp_path / "checkpoints" / NAME
    path.write_bytes(b"\n".join([*rest, orjson.dumps(changed)]) + b"\n")
    with pytest.raises(StateError, match=why):
        opened(tmp_path)
    covered = read_all(path.read_bytes(), NAME, None)
    assert (len(covered.checkpoints), covered.line) == (2, 3)


@pytest.mark.parametrize("blank", [b"\r", b" ", b"\t"])
def test_a_blank_behind_the_last_line_is_found(tmp_path: Path, blank: bytes) -> None:
    """It means nothing in JSON, no later line vouches for it, and it is a changed byte all the same."""
    raw = three(tmp_path, OLD, OLD)
    for changed in (raw[:-1] + blank + b"\n", raw[:-2] + blank + b"}\n"):
        assert read_all(changed, NAME, (OLD.public,)).line == 2


def test_a_stranger_s_checkpoint_stops_the_writer(tmp_path: Path) -> None:
    """Signed soundly, by a key that this home never had: whoever made it may have named any state in it."""
    raw = three(tmp_path, OLD)
    with pytest.raises(StateError, match="is none of this home's"):
        opened(tmp_path, STRANGER)
    assert (tmp_path / "checkpoints" / NAME).read_bytes() == raw


@pytest.mark.parametrize("rest", [b"\x00" * 300 + b"\n", b'{"journal":"x"}\n', b"\n\n", b"\x00" * 70_000, b"x\ny\nz"])
def test_what_a_power_cut_leaves_at_the_end_is_cut_off(tmp_path: Path, rest: bytes) -> None:
    """Pages that never reached the disk: they cover nothing, in a file of any size."""
    log = opened(tmp_path)
    for number in range(1, 400):
        log.add(Head(number, f"{number:064x}", number), at=AT)
    log.close()
    path = tmp_path / "checkpoints" / NAME
    raw = path.read_bytes()
    assert len(raw) > 64 * 1024
    path.write_bytes(raw + rest)
    again = opened(tmp_path)
    assert again.last is not None
    assert (again.last.seq, path.read_bytes()) == (399, raw)
    path.write_bytes(rest)
    assert opened(tmp_path).last is None
    assert path.read_bytes() == b""


def test_another_journal_s_checkpoints_are_refused(tmp_path: Path) -> None:
    """A file that was copied over."""
    three(tmp_path, OLD)
    (tmp_path / "checkpoints" / NAME).rename(tmp_path / "checkpoints" / "x.jsonl")
    with pytest.raises(StateError, match=r"is about trade_log\.jsonl"):
        opened(tmp_path, name="x.jsonl")
    raw = (tmp_path / "checkpoints" / "x.jsonl").read_bytes()
    assert read_all(raw, "x.jsonl", None).problem == "is about trade_log.jsonl"


def test_keys_follow_the_list(tmp_path: Path) -> None:
    """A key that was replaced signs nothing any more, and one that is not on the list nothing ever."""
    raw = three(tmp_path, OLD, OLD, NEW)
    assert read_all(raw, NAME, (OLD.public, NEW.public)).problem == ""
    assert read_all(raw, NAME, (NEW.public, OLD.public)).problem == "is signed with a key that had been replaced"
    for name in "bc":
        (tmp_path / name).mkdir()
    found = read_all(three(tmp_path / "b", OLD, NEW, OLD), NAME, (OLD.public, NEW.public))
    assert (found.problem, found.line) == ("is signed with a key that had been replaced", 3)
    assert "does not name" in read_all(three(tmp_path / "c", OLD, FOREIGN), NAME, (OLD.public, NEW.public)).problem


def test_an_earlier_forgery_is_named_though_later_lines_vouch_for_nothing_else(tmp_path: Path) -> None:
    """Chained and shaped rightly, signed by nobody: the last line of its key tells, and the first bad one is named."""
    prev, rows = GENESIS, []
    for number in range(1, 4):
        one = Checkpoint(journal=NAME, seq=number, size=number, head=f"{number:064x}", at=AT, state=None,
                         key=OLD.public, prev=prev)
        line = encode(one, OLD if number == 1 else FOREIGN)
        prev = sha256(line)
        rows.append(line)
    found = read_all(b"\n".join(rows) + b"\n", NAME, None)
    assert (len(found.checkpoints), found.line) == (1, 2)
    assert found.problem == "its signature is not that of the key that it names"


@pytest.mark.parametrize("seqs", [(20, 10), (10, 10)])
def test_what_goes_back_is_refused(tmp_path: Path, seqs: tuple[int, int]) -> None:
    """Signed by the right key, about a log that was shorter or another one."""
    log = opened(tmp_path)
    for number, seq in enumerate(seqs):
        log.add(Head(seq, f"{number:064x}", seq), at=AT)
    found = read_all((tmp_path / "checkpoints" / NAME).read_bytes(), NAME, (OLD.public,))
    assert (found.line, found.problem) == (2, f"covers record {seqs[1]} after one that covers record {seqs[0]}")


def test_a_dropped_line_is_found(tmp_path: Path) -> None:
    """Each line names the one before."""
    first, _, last = three(tmp_path, OLD, OLD, OLD).splitlines(keepends=True)
    assert "was changed or dropped" in read_all(first + last, NAME, None).problem


def test_what_the_system_refuses_is_told(tmp_path: Path) -> None:
    """No folder can be made, a folder in the file's place, a descriptor that is gone."""
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(StateError, match="checkpoints"):
        opened(tmp_path)
    (tmp_path / "checkpoints").unlink()
    log = opened(tmp_path)
    os.close(log._fd)
    with pytest.raises(StateError, match="EBADF"):
        log.add(Head(1, "0" * 64, 1), at=AT)
    with pytest.raises(StateError, match="EBADF"):
        log._find()
