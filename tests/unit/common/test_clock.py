"""Clocks: the host's, one that stands, one that is moved by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from vanta.common.clock import FixedClock, ManualClock, ShiftedClock, SystemClock, clock_for
from vanta.common.errors import Bug
from vanta.common.times import truncate

START = datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC)


def test_system_clock_is_utc_in_milliseconds() -> None:
    """The host's clock gives aware UTC times cut to milliseconds, and monotonic time never goes back."""
    clock = SystemClock()
    before = truncate(datetime.now(UTC))
    now = clock.now()
    assert before <= now <= datetime.now(UTC)
    assert now == truncate(now)
    first = clock.monotonic()
    clock.sleep(0)
    assert clock.monotonic() >= first


def test_manual_clock_moves_only_by_hand() -> None:
    """Wall and monotonic time both move by exactly what was asked for."""
    clock = ManualClock(START)
    assert (clock.now(), clock.monotonic()) == (truncate(START), 0.0)
    clock.sleep(1.5)
    assert (clock.now(), clock.monotonic()) == (truncate(START) + timedelta(seconds=1.5), 1.5)
    clock.move_to(clock.now() + timedelta(days=1))
    assert clock.monotonic() == 86_401.5


def test_manual_clock_does_not_go_back() -> None:
    """A simulation that goes back in time is a bug."""
    clock = ManualClock(START)
    with pytest.raises(Bug, match="clock moved back"):
        clock.move_to(START - timedelta(seconds=1))


def test_fixed_clock_stands_while_time_passes() -> None:
    """For `--now`: the wall clock stands still, timeouts still end."""
    clock = FixedClock(START)
    first = clock.monotonic()
    clock.sleep(0.001)
    assert clock.now() == truncate(START)
    assert clock.monotonic() > first


def test_shifted_clock_runs_at_the_hosts_speed() -> None:
    """For demonstrations: the host's time, moved by a fixed distance."""
    clock = clock_for(None, starts_at=START, anchored_at=START + timedelta(days=1000))
    assert isinstance(clock, ShiftedClock)
    before = truncate(datetime.now(UTC))
    assert before <= clock.now() + timedelta(days=1000) <= datetime.now(UTC)


def test_a_command_chooses_its_clock() -> None:
    """Without `--now` it is the host's clock, with it one that stands there."""
    assert isinstance(clock_for(None), SystemClock)
    assert clock_for(START).now() == truncate(START)
