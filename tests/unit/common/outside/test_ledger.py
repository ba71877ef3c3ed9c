"""The log of calls: chained, signed when it is durable, whole after a kill, and never an obstacle after a power cut."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vanta.common.clock import ManualClock
from vanta.common.errors import LockHeld, StateError
from vanta.common.events import Kind
from vanta.common.ids import draw_key
from vanta.common.outside.call import Call
from vanta.common.outside.ledger import SETTLE_S, JournalLedger, Later, MemoryLedger
from vanta.common.signatures import Signer
from vanta.common.store import segments
from vanta.common.store.chain import chain
from vanta.common.store.ports import Record
from vanta.common.store.trail import TrailJournal

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
CALL = Call(Kind.CALL_MADE, "www.sec.gov", "feed:sec", "200", "GET", 1234, 56)
SIGNER = Signer(draw_key())


class Small(TrailJournal):
    """Seals from the first byte on, and reads little again."""

    least, whole = 1, 300


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "memory").mkdir()
    return tmp_path / "memory" / "calls_sec.jsonl"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def opened(path: Path, clock: ManualClock, kind: type[TrailJournal] = TrailJournal) -> JournalLedger:
    return JournalLedger(kind(path, alone=True, signer=SIGNER, daily=True), clock, program="markets collect sec 1")


def records(path: Path) -> list[Record]:
    return list(chain(segments.whole(path), name=path.name))


def kinds(path: Path) -> list[str]:
    return [one.kind for one in records(path)]


def signed(path: Path) -> int:
    """How far the newest checkpoint reaches."""
    with closing(TrailJournal(path, alone=True, signer=SIGNER)) as journal:
        return journal.covered


def test_a_line_says_what_was_called_and_nothing_else(path: Path, clock: ManualClock) -> None:
    """The host stands beside a salt, so that it can be withheld; readers see it."""
    with closing(opened(path, clock)) as ledger:
        ledger.ready()
        ledger.put(CALL)
    begun, made = records(path)
    assert (begun.kind, begun.payload["journal"]) == ("journal.opened", path.name)
    assert made.payload == {"host": "www.sec.gov", "purpose": "feed:sec", "method": "GET", "status": "200",
                            "bytes": 1234, "ms": 56}
    assert b'"$personal":"www.sec.gov"' in path.read_bytes()


def test_a_line_is_written_at_once_and_signed_when_it_is_durable(path: Path, clock: ManualClock) -> None:
    """Nothing waits for the disk: it is reached every half minute at most, and at the end."""
    with closing(opened(path, clock)) as ledger:
        ledger.put(CALL)
        ledger.settle()
        assert kinds(path) == ["journal.opened", "call.made"]
        heads = path.parent / "checkpoints" / path.name
        assert heads.read_bytes().count(b"\n") == 1
        clock.sleep(SETTLE_S)
        ledger.settle()
        assert heads.read_bytes().count(b"\n") == 2
        clock.sleep(SETTLE_S)
        ledger.settle()
        assert heads.read_bytes().count(b"\n") == 2
        ledger.put(CALL)
        with pytest.raises(LockHeld):
            opened(path, clock)
    assert signed(path) == 3


PROGRAM = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from vanta.common.clock import ManualClock
from vanta.common.events import Kind
from vanta.common.outside.call import Call
from vanta.common.outside.ledger import JournalLedger
from vanta.common.store.trail import TrailJournal
clock = ManualClock(datetime(2026, 11, 18, tzinfo=UTC))
ledger = JournalLedger(TrailJournal(Path(sys.argv[1]), alone=True, daily=True), clock, program="test")
for number in range(100):
    ledger.put(Call(Kind.CALL_MADE, "www.sec.gov", "feed:sec", "200", "GET", number, 1))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_costs_no_line(path: Path, clock: ManualClock) -> None:
    """And whoever opens the log next goes on with the chain."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with closing(opened(path, clock)) as ledger:
        ledger.put(CALL)
    assert [one.payload["bytes"] for one in records(path)[1:]] == [*range(100), 1234]


@pytest.fixture
def torn(path: Path, clock: ManualClock) -> Callable[[Any], None]:
    """A log of which records 1 to 3 are signed, 4 to 6 are written: changed as a power cut may leave it."""
    with closing(opened(path, clock)) as ledger:
        for _ in range(2):
            ledger.put(CALL)
    durable = path.read_bytes()
    with closing(opened(path, clock)) as ledger:
        heads = (path.parent / "checkpoints" / path.name).read_bytes()
        for _ in range(3):
            ledger.put(CALL)
    (path.parent / "checkpoints" / path.name).write_bytes(heads)
    more = path.read_bytes()[len(durable):]

    def left(changed: Any) -> None:
        path.write_bytes(durable + changed(more))

    return left


@pytest.mark.parametrize(("changed", "kept"), [
    (lambda more: more[:-10], 5), (lambda more: b"\0" * len(more), 3), (lambda more: more[:50], 3),
    (lambda more: more.replace(b'"seq":5', b'"seq":9'), 4), (lambda more: b"\0" * 40 + more[40:], 3),
    (lambda more: more[:len(more) // 2] + b"\n\n" + more[len(more) // 2:], 4), (lambda more: b"", 3),
    (lambda more: more, 6),
])
def test_what_a_power_cut_leaves_is_no_reason_to_refuse_the_log(torn: Any, path: Path, clock: ManualClock,
                                                                changed: Any, kept: int) -> None:
    """What is whole stays, the rest is set aside beside it and recorded."""
    torn(changed)
    before = path.read_bytes()
    with closing(opened(path, clock)) as ledger:
        ledger.put(CALL)
    found = records(path)
    aside = [one.read_bytes() for one in path.parent.glob(f"{path.name}.torn-*")]
    assert [one.kind for one in found[:kept]] == ["journal.opened", *["call.made"] * (kept - 1)]
    assert [one.kind for one in found[kept:]] == [*["tail.repaired"] * len(aside), "call.made"]
    assert b"".join([segments.whole(path)[:len(before) - sum(map(len, aside))], *aside]) == before


@pytest.mark.parametrize("change", [
    lambda raw: raw.replace(b'"bytes":1234', b'"bytes":1235', 1), lambda raw: raw[:200],
    lambda raw: raw[raw.index(b"\n") + 1:]])
def test_what_was_signed_as_durable_is_held_to(torn: Any, path: Path, clock: ManualClock, change: Any) -> None:
    """A power cut does not take that back: somebody changed the log."""
    torn(lambda more: more)
    path.write_bytes(change(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(StateError):
        opened(path, clock)
    assert path.read_bytes() == before


def test_a_first_line_that_was_never_signed_may_be_torn(path: Path, clock: ManualClock) -> None:
    """Of a log without a signed head nothing is known to be durable."""
    path.write_bytes(b"\0\0\n\0")
    with closing(opened(path, clock)):
        pass
    assert kinds(path) == ["journal.opened", "tail.repaired"]


def test_without_a_key_what_was_sealed_is_durable(path: Path, clock: ManualClock) -> None:
    """The transport's log: a break in today's file is set aside, one in a sealed piece is not."""
    def opening() -> JournalLedger:
        return JournalLedger(Small(path, alone=True, daily=True), clock, program="transport 1")

    with closing(opening()) as ledger:
        for _ in range(2):
            ledger.put(CALL)
            clock.sleep(86_400)
    (piece,) = segments.sealed(path)
    whole = path.read_bytes()
    path.write_bytes(b"\0\n" + whole)
    with closing(opening()):
        pass
    assert kinds(path) == ["journal.opened", "call.made", "tail.repaired"]
    piece.path.write_bytes(piece.path.read_bytes().replace(b'"schema":1', b'"schema":2'))
    with pytest.raises(StateError, match="does not follow line 1"):
        opening()


def test_each_day_is_sealed_with_all_of_it_signed(path: Path, clock: ManualClock) -> None:
    """So that `vanta tidy` can put it away, and only what follows is read again."""
    with closing(opened(path, clock, Small)) as ledger:
        for _ in range(3):
            ledger.put(CALL)
            clock.sleep(86_400)
    pieces = segments.sealed(path)
    assert [segments.seal_of(piece) is not None for piece in pieces[1:]] == [True] * (len(pieces) - 1)
    assert len(pieces) == 2
    assert kinds(path) == ["journal.opened", *["call.made"] * 3]
    with closing(opened(path, clock, Small)) as ledger:
        ledger.put(CALL)
    assert len(records(path)) == 5


def test_a_disk_that_takes_nothing_stops_the_next_call(path: Path, clock: ManualClock) -> None:
    """Nothing is raised into a call that has happened; what was lost is counted."""
    ledger = opened(path, clock)
    os.close(ledger._journal._fd)
    ledger._journal._fd = os.open(path, os.O_RDONLY)
    ledger.put(CALL)
    ledger.put(CALL)
    with pytest.raises(StateError, match="lacks 2 calls"):
        ledger.ready()
    clock.sleep(SETTLE_S)
    ledger.settle()
    with pytest.raises(StateError, match="lacks 2 calls"):
        ledger.close()


def test_a_disk_that_does_not_sync_stops_the_next_call(path: Path, clock: ManualClock) -> None:
    """A line that may not be durable is as good as none."""
    ledger = opened(path, clock)
    ledger.put(CALL)
    reading, writing = os.pipe()  # which takes bytes and cannot be synced
    os.close(ledger._journal._fd)
    ledger._journal._fd = writing
    clock.sleep(SETTLE_S)
    ledger.settle()
    with pytest.raises(StateError, match="could not be made durable"):
        ledger.ready()
    os.close(reading)
    with pytest.raises(StateError):
        ledger.close()


def test_signing_that_fails_stops_the_next_call(path: Path, clock: ManualClock) -> None:
    """What is unsigned could be changed without anybody noticing."""
    ledger = opened(path, clock)
    ledger.put(CALL)
    checkpoints = ledger._journal._checkpoints
    assert checkpoints is not None
    os.close(checkpoints._fd)
    checkpoints._fd = os.open(path, os.O_RDONLY)
    clock.sleep(SETTLE_S)
    ledger.settle()
    with pytest.raises(StateError, match="checkpoints"):
        ledger.ready()
    with pytest.raises(StateError):
        ledger.close()


def test_a_checkpoint_on_demand_is_the_same(path: Path, clock: ManualClock) -> None:
    """`vanta audit checkpoint` opens any log as a plain one; this one too could be asked."""
    with closing(TrailJournal(path, alone=True, signer=SIGNER)) as journal:
        journal.append(Kind.JOURNAL_OPENED, {}, at="2026-11-18T15:00:00.000Z")
        journal.checkpoint(at="2026-11-18T15:00:01.000Z", state="none")
        assert journal.covered == 1
    journal.close()


def test_a_program_that_calls_nobody_leaves_no_file(path: Path, clock: ManualClock) -> None:
    """The log is opened for the first call; a broken one stops it."""
    later = Later(lambda: opened(path, clock))
    later.put(CALL)
    later.settle()
    later.close()
    assert not path.exists()
    later.ready()
    later.ready()
    later.put(CALL)
    later.settle()
    later.close()
    assert kinds(path) == ["journal.opened", "call.made"]
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(StateError):
        Later(lambda: opened(path, clock)).ready()


def test_a_ledger_in_memory_keeps_the_calls() -> None:
    """For tests."""
    ledger = MemoryLedger()
    ledger.ready()
    ledger.put(CALL)
    ledger.settle()
    ledger.close()
    assert ledger.calls == [CALL]
