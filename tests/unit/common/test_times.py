"""Times: UTC, milliseconds, always aware."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common import times
from vanta.common.errors import Bug

MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))
EXACT = settings(deadline=None, derandomize=True, max_examples=300)


@EXACT
@given(moment=MOMENTS)
def test_round_trip(moment: datetime) -> None:
    """Text and milliseconds both bring back the moment, cut to milliseconds."""
    cut = times.truncate(moment)
    assert times.parse_iso(times.iso(moment)) == cut
    assert times.from_millis(times.millis(moment)) == cut
    assert times.iso(cut) == times.iso(moment)


@EXACT
@given(moment=MOMENTS, other=MOMENTS)
def test_text_sorts_as_time(moment: datetime, other: datetime) -> None:
    """Times as text sort as they do as times, also in the first centuries."""
    assert (times.iso(moment) < times.iso(other)) == (times.truncate(moment) < times.truncate(other))


READ = {
    "zulu": ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
    "offset": ("2026-01-02T03:04:05.678+05:30", "2026-01-01T21:34:05.678Z"),
    "bare date": ("2026-01-02", "2026-01-02T00:00:00.000Z"),
    "microseconds are cut": ("2026-01-02T03:04:05.999999Z", "2026-01-02T03:04:05.999Z"),
    "first occurrence of a repeated hour": ("2025-11-02T01:30:00-04:00", "2025-11-02T05:30:00.000Z"),
    "second occurrence of a repeated hour": ("2025-11-02T01:30:00-05:00", "2025-11-02T06:30:00.000Z"),
}


@pytest.mark.parametrize(("text", "utc"), READ.values(), ids=READ.keys())
def test_reading(text: str, utc: str) -> None:
    """Any offset is understood and becomes UTC."""
    assert times.iso(times.parse_iso(text)) == utc


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-02T03:04:05", "2026-13-01", "2026-02-30T00:00:00Z",
                                  "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "1700000000"])
def test_refused(text: str) -> None:
    """A time without an offset, or none at all, is an error and no guess."""
    with pytest.raises(ValueError, match=r"no offset|outside the calendar|Invalid isoformat|out of range|must be"):
        times.parse_iso(text)


def test_naive_times_do_not_exist() -> None:
    """Writing a naive time is a bug of the program."""
    with pytest.raises(Bug, match="naive"):
        times.iso(datetime(2026, 1, 2))


def test_other_zones_are_written_as_utc() -> None:
    """What an aware time says is kept, not how it says it."""
    east = timezone(timedelta(hours=9))
    assert times.iso(datetime(2026, 1, 2, 3, tzinfo=east)) == "2026-01-01T18:00:00.000Z"


def test_milliseconds_before_the_epoch() -> None:
    """Negative milliseconds count back from 1970."""
    assert times.millis(datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)) == -1
