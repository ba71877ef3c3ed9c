"""The shared rate limit: its arithmetic, and many processes on one file."""

import fcntl
import multiprocessing
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.clock import ManualClock, SystemClock
from vanta.common.errors import StateError, Throttled
from vanta.markets.collectors.ratelimit import Level, Rate, SharedBucket, slot

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
SEC = Rate(per_second=5)


@pytest.mark.parametrize(("level", "now_ms", "rate", "expected"), [
    (None, 0, SEC, (Level(0, 0), 0)),
    (Level(0, 0), 0, SEC, (Level(-1000, 0), 200)),
    (Level(-1000, 0), 0, SEC, (Level(-2000, 0), 400)),
    (Level(-1000, 0), 200, SEC, (Level(-1000, 200), 200)),
    (Level(0, 0), 10_000, SEC, (Level(0, 10_000), 0)),
    (Level(0, 0), 10_000, Rate(per_second=5, burst=3), (Level(2000, 10_000), 0)),
    (Level(3000, 99_999), 5, Rate(per_second=5, burst=3), (Level(-1000, 5), 200)),
    (Level(-299_000, 0), 0, SEC, (Level(-300_000, 0), 60_000)),
    (Level(-300_000, 0), 0, SEC, None),
], ids=["unused", "empty", "queue", "refill of one", "no more than the burst", "burst", "from the future",
        "the longest queue", "longer than that"])
def test_slots(level: Level | None, now_ms: int, rate: Rate, expected: tuple[Level, int] | None) -> None:
    """The bucket's arithmetic, case by case."""
    assert slot(level, now_ms, rate) == expected


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=60), st.integers(1, 20), st.integers(1, 5))
def test_no_second_holds_more_than_the_rate_and_the_burst(gaps: list[int], per_second: int, burst: int) -> None:
    """However requests arrive, the granted moments keep the rate in every window of a second."""
    rate, level, now, granted = Rate(per_second=per_second, burst=burst, max_wait_s=10_000), None, 0, []
    for gap in gaps:
        now += gap
        taken = slot(level, now, rate)
        assert taken is not None
        level, wait = taken
        granted.append(now + wait)
    for at, first in enumerate(granted):
        assert sum(first <= moment < first + 1000 for moment in granted[at:]) <= per_second + burst


def test_buckets_of_one_name_share_and_others_do_not(tmp_path: Path) -> None:
    """Two processes' objects on one file wait for each other; another host is not affected."""
    clock = ManualClock(START)
    one, two = (SharedBucket(tmp_path, "www.sec.gov", SEC, clock) for _ in range(2))
    one.acquire()
    two.acquire()
    one.acquire()
    assert (clock.now() - START).total_seconds() == pytest.approx(0.4)
    SharedBucket(tmp_path, "other.example", SEC, clock).acquire()
    assert (clock.now() - START).total_seconds() == pytest.approx(0.4)


@pytest.mark.parametrize("content", [b"{half", b'{"millitokens": "9", "at_ms": 0}', b"[]", b"\xff\xfe"], ids=repr)
def test_a_damaged_bucket_is_read_as_empty(tmp_path: Path, content: bytes) -> None:
    """A torn file costs one wait and never frees a burst."""
    clock = ManualClock(START)
    (tmp_path / "x.json").write_bytes(content)
    SharedBucket(tmp_path, "x", SEC, clock).acquire()
    assert (clock.now() - START).total_seconds() == pytest.approx(0.2)


def test_a_long_queue_is_refused_at_once(tmp_path: Path) -> None:
    """Nobody waits for more than the bound; the refusal says how long to stay away and takes no slot."""
    clock = ManualClock(START)
    bucket = SharedBucket(tmp_path, "x", Rate(per_second=1, max_wait_s=1), clock)
    (tmp_path / "x.json").write_bytes(b'{"millitokens": -1000, "at_ms": 0}')
    with pytest.raises(Throttled):
        bucket.acquire()
    assert (tmp_path / "x.json").read_bytes() == b'{"millitokens": -1000, "at_ms": 0}'
    assert clock.now() == START


def test_a_folder_that_cannot_be_made_is_our_own_fault(tmp_path: Path) -> None:
    """A file where the folder should be is a state error, not a reason to go on without a limit."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StateError, match="cannot be opened"):
        SharedBucket(tmp_path / "file", "x", SEC, ManualClock(START)).acquire()


def test_a_slot_is_taken_under_the_lock(tmp_path: Path) -> None:
    """While another process holds the bucket's lock, nobody reads or writes its level."""
    (tmp_path / "x.json").write_bytes(b"")
    holder = os.open(tmp_path / "x.json", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    waiting = threading.Thread(target=SharedBucket(tmp_path, "x", SEC, ManualClock(START)).acquire)
    waiting.start()
    waiting.join(timeout=0.2)
    blocked = waiting.is_alive()
    os.close(holder)
    waiting.join()
    assert blocked
    assert (tmp_path / "x.json").read_bytes() == b'{"millitokens": 0, "at_ms": 0}\n'


def _take(folder: str, moments: "multiprocessing.queues.Queue[float]") -> None:
    bucket = SharedBucket(Path(folder), "shared", Rate(per_second=50), SystemClock())
    for _ in range(4):
        bucket.acquire()
        moments.put(time.monotonic())


def test_processes_share_the_rate(tmp_path: Path) -> None:
    """Four processes take sixteen slots of 20 ms: together they need at least fifteen intervals."""
    context = multiprocessing.get_context("spawn")
    moments: multiprocessing.queues.Queue[float] = context.Queue()
    workers = [context.Process(target=_take, args=(str(tmp_path), moments)) for _ in range(4)]
    for worker in workers:
        worker.start()
    taken = sorted(moments.get(timeout=60) for _ in range(16))
    for worker in workers:
        worker.join()
    assert taken[-1] - taken[0] >= 15 * 0.020 - 0.010
