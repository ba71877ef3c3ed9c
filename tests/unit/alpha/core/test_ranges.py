"""From … to …: which snapshots are meant, and where a log may end."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from vanta.alpha.core.bundle import LogEnd
from vanta.alpha.core.ranges import Begins, Ends, InRange, Rests, cut, whole_lines
from vanta.alpha.core.verification import journal
from vanta.common.events import Kind
from vanta.common.signatures import Signer
from vanta.common.store.checkpoint import Checkpoint, decode, encode
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.ports import GENESIS, Record

NAME = "control_log.jsonl"
SIGNER = Signer(b"1" * 32)
H = {name: name * 64 for name in "abcdef0123456789"}


def at(minute: int) -> str:
    """A time of one morning."""
    return f"2026-11-18T15:{minute:02}:00.000Z"


def log(*rows: tuple[int, str, Mapping[str, Any]]) -> MemoryJournal:
    """A log with records of these minutes, kinds and payloads."""
    made = MemoryJournal()
    for minute, kind, payload in rows:
        made.append(kind, payload, at=at(minute))
    return made


def start(settings: str, **calendars: str) -> Mapping[str, Any]:
    """What a start names."""
    return {"settings": H[settings], "calendars": {name: H[digest] for name, digest in calendars.items()}}


def seen(what: str, digest: str) -> Mapping[str, Any]:
    """What a look at a control records."""
    return {"what": what, "sha256": H.get(digest, digest)}


def test_a_range_promises_its_own_snapshots_and_what_was_in_force() -> None:
    """The last overlay before it, not the one before that; the last start's settings and calendars only."""
    made = log((0, Kind.PROGRAM_STARTED, start("a", XNYS="b", XLON="c")), (1, Kind.CONTROL_SEEN, seen("overlay", "d")),
               (2, Kind.CONTROL_SEEN, seen("overlay", "e")), (3, Kind.CONTROL_SEEN, seen("vaults", "f")),
               (4, Kind.CONTROL_SEEN, seen("vaults", "unreadable: gone")),
               (5, Kind.PROGRAM_STARTED, start("0", XNYS="1")),
               (6, Kind.CONTROL_SEEN, seen("overlay", "2")), (7, Kind.COLLECTED, {"output": {"sha256": H["3"]}}))
    begins = Begins(at(6))
    promises = InRange(NAME, lambda: begins.seq)
    journal(NAME, made.raw(), [begins, promises])
    assert (begins.seq, begins.before) == (7, list(made.read())[5].hash)
    assert {(one.what, one.digest[0], one.line) for one in promises.all.values()} == {
        ("settings", "0", 6), ("calendar XNYS", "1", 6), ("overlay", "e", 3), ("vaults", "f", 4), ("overlay", "2", 7),
        ("output.sha256", "3", 8)}


def test_without_a_beginning_everything_is_in_range() -> None:
    """And beyond the end nothing is but what is in force."""
    made = log((0, Kind.CONTROL_SEEN, seen("overlay", "a")), (1, Kind.CONTROL_SEEN, seen("overlay", "b")))
    for since, first, before, names in (("", 1, GENESIS, "ab"), (at(9), 3, made.head().hash, "b")):
        begins = Begins(since)
        promises = InRange(NAME, lambda: begins.seq)  # noqa: B023 - asked at once
        journal(NAME, made.raw(), [begins, promises])
        assert (begins.seq, begins.before) == (first, before)
        assert sorted(one.digest[0] for one in promises.all.values()) == list(names)
        assert begins.last is not None
        assert begins.last.seq == 2


def test_a_record_before_the_range_without_its_fields_is_named() -> None:
    """It cannot be told what was in force."""
    made = log((0, Kind.CONTROL_SEEN, {}), (1, Kind.REFLECTED, {}))
    found = journal(NAME, made.raw(), [InRange(NAME, lambda: 2)])
    assert [(one.line, "is not what a control.seen record says" in one.text) for one in found] == [(1, True)]


def test_a_promotion_rests_on_the_newest_record_that_any_names() -> None:
    """Records that name none, or not as they should, do not count."""
    rests = Rests()
    for payload in ({"trade_log": {"seq": 7}}, {"trade_log": {"seq": 5}}, {"trade_log": {"seq": "9"}}, {"trade_log": 9},
                    {}):
        rests.take(Record(1, at(0), Kind.PROMOTED, None, {}, payload, GENESIS, H["a"]))
    rests.take(Record(1, at(0), Kind.REFLECTED, None, {}, {"trade_log": {"seq": 99}}, GENESIS, H["a"]))
    assert rests.seq == 7
    assert rests.end(whole=True) == ()


def checkpoints(*rows: tuple[int, int]) -> bytes:
    """Signed heads at these minutes, of these records."""
    return b"".join(encode(Checkpoint(journal=NAME, seq=seq, size=10 * seq, head=H["a"], at=at(minute), state=None,
                                      key=SIGNER.public, prev=GENESIS), SIGNER) + b"\n" for minute, seq in rows)


RAW = checkpoints((1, 1), (2, 2), (3, 3), (4, 5))


@pytest.mark.parametrize(("until", "least", "lines", "seq"), [
    (at(2), 0, 2, 2), (at(1), 3, 3, 3), (at(1), 4, 4, 5), ("", 0, 4, None), (at(9), 0, 4, None), (at(1), 6, 4, None)])
def test_a_log_ends_at_the_first_signed_head_that_is_late_enough(until: str, least: int, lines: int,
                                                                seq: int | None) -> None:
    """And that covers what others rest on; where there is none, it ends where it ends."""
    kept, end = cut(RAW, until, least)
    assert kept == b"".join(RAW.splitlines(keepends=True)[:lines])
    assert (end.seq if end else None) == seq


def test_a_broken_list_of_heads_ends_nothing() -> None:
    """All whole lines of it go in; verification says what is wrong."""
    broken = RAW[:-9]
    assert cut(broken, at(9)) == (b"".join(RAW.splitlines(keepends=True)[:3]), None)
    assert cut(b"x\n" + RAW, at(2)) == (b"x\n" + RAW, None)


def test_a_log_is_cut_at_its_head_or_not_at_all() -> None:
    """A head that does not end a line there, or not that line, is left for verification to find."""
    line = orjson.dumps("1234567") + b"\n"
    log_ = line * 4
    end = decode(checkpoints((1, 2)).rstrip(b"\n"), where="x")
    assert whole_lines(log_, end) == line * 2
    assert whole_lines(log_ + b"torn", None) == log_
    assert whole_lines(b"x" + log_ + b"torn", end) == b"x" + log_
    assert whole_lines(b"\n" + log_[1:], end) == b"\n" + log_[1:]
    assert whole_lines(b"torn", None) == b""


@pytest.mark.parametrize(("change", "says"), [
    ({}, None), ({"records": 4}, "does not end at record 4"), ({"head": H["a"]}, "does not end at record 3"),
    ({"before": H["a"]}, "does not follow the record that the manifest names")])
def test_a_log_is_held_to_the_manifest(change: dict[str, Any], says: str | None) -> None:
    """Its length, its last hash, and the hash before the range."""
    made = log(*((minute, Kind.REFLECTED, {}) for minute in range(3)))
    records = list(made.read())
    said = LogEnd(**{"name": NAME, "records": 3, "head": records[2].hash, "since": 2, "before": records[0].hash,
                     "more": False, **change})
    found = [one.text for one in journal(NAME, made.raw(), [Ends(said)]) if "does not" in one.text]
    assert (not found) if says is None else says in found[0]
