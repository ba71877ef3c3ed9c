"""Ticks are round and within, whatever the numbers; labels say as much as the length of time needs."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vanta.alpha.core.report.axes import Scale, clock_label, clock_ticks, labels, moment, share, ticks, told_times
from vanta.common.times import millis_of

DAY = 86_400_000


@given(st.floats(-1e12, 1e12), st.floats(1e-3, 1e12), st.integers(2, 9))
def test_ticks_lie_within(low: float, size: float, most: int) -> None:
    """At most some more than were asked for, and never outside by more than a rounding."""
    found = ticks(low, low + size, most)
    assert len(found) <= most + 2
    assert all(low - size * 1e-6 - abs(low) * 1e-6 <= one <= low + size * (1 + 1e-6) + abs(low) * 1e-6 for one in found)


def test_ticks_are_round() -> None:
    """Ones, twos and fives."""
    assert ticks(101_230, 104_870, 4) == [102_000, 103_000, 104_000]
    assert ticks(0, 1, 2) == [0, 0.5, 1]
    assert ticks(3, 3, 4) == [3]


@given(st.floats(-1e11, 1e11), st.floats(1, 1e11), st.integers(2, 6))
def test_no_two_ticks_are_told_alike(low: float, size: float, most: int) -> None:
    """Where two of them differ by more than a ten-millionth, so do their labels."""
    found = ticks(low, low + size, most)
    if size > abs(low) * 1e-5:
        assert len(set(labels(found))) == len(found)


def test_a_scale_stays_in_its_room() -> None:
    """Outside goes to the edge; one value alone to the middle."""
    assert Scale(0, 100, 20, 220).at(50) == 120
    assert Scale(0, 100, 20, 220).at(900) == 220
    assert Scale(0, 100, 20, 220).at(-1) == 20
    assert Scale(7, 7, 20, 220).at(7) == 120


@given(st.integers(0, 4 * 10**12), st.integers(0, 4 * 10**12), st.integers(3, 9))
def test_clock_ticks_lie_within(start: int, length: int, most: int) -> None:
    """In order, within, and not many more than asked for."""
    found = clock_ticks(start, start + length, most)
    assert found == sorted(found)
    assert all(start <= one <= start + length for one in found)
    assert len(found) <= most + 1 or length > 500 * 365 * DAY / 10


@pytest.mark.parametrize(("low", "high", "first"), [
    ("2026-11-20T15:00:01Z", "2026-11-20T15:00:22Z", "2026-11-20T15:00:05Z"),
    ("2026-11-20T15:00:01Z", "2026-12-20T15:00:22Z", "2026-11-26T00:00:00Z"),
    ("2026-01-20T15:00:01Z", "2026-12-20T15:00:22Z", "2026-03-01T00:00:00Z"),
    ("1990-01-20T15:00:01Z", "2026-12-20T15:00:22Z", "2000-01-01T00:00:00Z"),
])
def test_clock_ticks_are_round(low: str, high: str, first: str) -> None:
    """Seconds, days, beginnings of months, years."""
    assert clock_ticks(millis_of(low), millis_of(high), 6)[0] == millis_of(first)


@pytest.mark.parametrize(("at", "span", "said"), [
    ("2026-11-20T15:00:05Z", 20_000, "15:00:05"), ("2026-11-20T15:00:05Z", 3_600_000, "15:00"),
    ("2026-11-20T00:00:00Z", DAY, "11-20"), ("2026-11-20T15:00:05Z", 30 * DAY, "2026-11-20"),
    ("2026-11-20T15:00:05Z", 900 * DAY, "2026-11")])
def test_labels(at: str, span: int, said: str) -> None:
    """By the length of the whole."""
    assert clock_label(millis_of(at), span) == said


@given(st.integers(0, 2 * 10**12), st.integers(1, 10**12), st.integers(3, 9), st.integers(120, 1_000))
def test_times_never_lie_on_each_other(start: int, length: int, most: int, width: int) -> None:
    """Whatever the span and however narrow the page: each has room for its letters, and none sticks out."""
    x, free = Scale(start, start + length, 46, 46 + width), 0.0
    for place, said, side in told_times(x, (start, start + length), most):
        long = 6 * len(said)
        begins = place - {"e": long, "m": long / 2, "": 0}[side]
        assert free <= begins
        assert x.start - 1 <= begins <= x.end - long + 1
        free = begins + long


def test_numbers_and_moments_for_people() -> None:
    """Short, with a minus that is one."""
    assert labels([0, -2.5, 9_999]) == ["0", "−2.5", "9,999"]
    assert labels([99_900, 100_000]) == ["99.9k", "100k"]
    assert labels([-1.2e6, 0, 3e6]) == ["−1.2M", "0M", "3M"]
    assert labels([4.99994e9, 4.99996e9]) == ["4.99994G", "4.99996G"]
    assert labels([]) == []
    assert [share(Decimal(one)) for one in ("-0.0125", "0", "0.5", "-0.0000123")] == [
        "−1.25 %", "0.00 %", "50.00 %", "−0.0012 %"]
    assert moment(millis_of("2026-11-20T15:00:05.250Z")) == "2026-11-20 15:00:05 UTC"
