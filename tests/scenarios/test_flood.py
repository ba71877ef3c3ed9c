"""The bound of the queue, in a process of its own. `make torture` writes a million entries."""

import os
from pathlib import Path

import pytest

from tests.scenarios import flood
from vanta.common.clock import SystemClock
from vanta.common.models.intent import MOST_BYTES, MOST_ENTRIES
from vanta.common.paths import QUEUE, Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a quote for everything and nothing staged."""
    return flood.prepare(tmp_path / "home", SystemClock().now())


def test_a_queue_as_large_as_a_million_entries_is_refused_unread(home: Home) -> None:
    """A gigabyte: the problem is named, nothing is taken, and memory stays what it is without a queue."""
    flood.write(home, 1, SystemClock().now())
    os.truncate(home.file(QUEUE), 10**9)
    found = flood.run(home)
    assert found.status == 0, found.items
    assert found.items["seen"] == 0
    assert found.items["problems"] == {QUEUE: f"{home.file(QUEUE)} has 1,000,000,000 bytes; at most {MOST_BYTES:,} are "
                                              "read"}
    assert found.peak < flood.MEMORY_REFUSED


def test_more_entries_than_are_read_are_refused_whole(home: Home) -> None:
    """One entry too many, though they would fit: not even the first is taken."""
    assert flood.refused(home, MOST_ENTRIES + 1) == []


def test_a_long_queue_passes_the_throttles(home: Home) -> None:
    """Dozens of entries for each vault and coin: as many leave as each vault may send in a minute."""
    assert flood.throttled(home, 2_000) == []


def test_the_campaign_can_fail(home: Home) -> None:
    """A queue that is read is not refused, and one that is refused is not read; times tell how many were too many."""
    assert "some of it was taken" in flood.refused(home, 100)
    assert "not everything was read" in flood.throttled(home, MOST_ENTRIES + 1)
    assert flood.most_in_a_minute([0, 10, 60_000, 60_009]) == 3
