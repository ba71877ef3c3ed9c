"""Dates as feeds write them: an exact time, a flagged guess, or nothing; never a silent wrong one."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.times import iso
from vanta.markets.parsers.dates import when

EXACT = {
    "rfc 822 GMT": ("Fri, 20 Nov 2026 14:00:00 GMT", "2026-11-20T14:00:00.000Z"),
    "EST": ("Fri, 20 Nov 2026 09:00:00 EST", "2026-11-20T14:00:00.000Z"),
    "EDT": ("Wed, 26 Aug 2020 09:00:00 EDT", "2020-08-26T13:00:00.000Z"),
    "PST": ("Fri, 20 Nov 2026 09:00:00 PST", "2026-11-20T17:00:00.000Z"),
    "PDT": ("Wed, 26 Aug 2020 09:00:00 PDT", "2020-08-26T16:00:00.000Z"),
    "CET, which the library reads as UTC": ("Fri, 20 Nov 2026 09:00:00 CET", "2026-11-20T08:00:00.000Z"),
    "CEST": ("Wed, 26 Aug 2020 09:00:00 CEST", "2020-08-26T07:00:00.000Z"),
    "JST": ("Fri, 20 Nov 2026 09:00:00 JST", "2026-11-20T00:00:00.000Z"),
    "offset": ("Wed, 6 Apr 2022 21:07:47 +0000", "2022-04-06T21:07:47.000Z"),
    "half-hour offset": ("Fri, 20 Nov 2026 09:00:00 +05:30", "2026-11-20T03:30:00.000Z"),
    "offset with a comment": ("Fri, 20 Nov 2026 09:00:00 -0500 (EST)", "2026-11-20T14:00:00.000Z"),
    "no weekday": ("20 Nov 2026 09:00 GMT", "2026-11-20T09:00:00.000Z"),
    "two-digit year": ("20 Nov 26 09:00 GMT", "2026-11-20T09:00:00.000Z"),
    "last century": ("20 Nov 98 09:00 GMT", "1998-11-20T09:00:00.000Z"),
    "ISO Z": ("2003-12-31T10:14:55Z", "2003-12-31T10:14:55.000Z"),
    "ISO offset": ("2026-11-20T09:00:00-05:00", "2026-11-20T14:00:00.000Z"),
    "ISO fraction": ("2009-07-22T19:02:57.616Z", "2009-07-22T19:02:57.616Z"),
    "ISO with a zone's name": ("2026-11-20 09:00:00 UTC", "2026-11-20T09:00:00.000Z"),
    "American, Eastern in winter": ("Nov 20, 2026 9:00 AM ET", "2026-11-20T14:00:00.000Z"),
    "American, Eastern in summer": ("August 26, 2020 at 9:00 p.m. ET", "2020-08-27T01:00:00.000Z"),
    "midnight": ("Nov 20, 2026 12:05 AM GMT", "2026-11-20T00:05:00.000Z"),
    "noon": ("Nov 20, 2026 12:05 PM GMT", "2026-11-20T12:05:00.000Z"),
    "leap second": ("Sat, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59.000Z"),
}
ASSUMED = {
    "no zone": ("Fri, 20 Nov 2026 09:00:00", "2026-11-20T09:00:00.000Z"),
    "ISO without zone": ("2026-11-20T09:00:00", "2026-11-20T09:00:00.000Z"),
    "IST is three zones": ("Fri, 20 Nov 2026 09:00:00 IST", "2026-11-20T09:00:00.000Z"),
    "BST is two": ("Fri, 20 Nov 2026 09:00:00 BST", "2026-11-20T09:00:00.000Z"),
    "military letters were defined backwards": ("Fri, 20 Nov 2026 09:00:00 A", "2026-11-20T09:00:00.000Z"),
    "American without zone": ("Nov 20, 2026 9:00 AM", "2026-11-20T09:00:00.000Z"),
    "asctime": ("Sat Jan  3 11:02:14 2004", "2004-01-03T11:02:14.000Z"),
    "the weekday is another day's": ("Mon, 20 Nov 2026 09:00:00 GMT", "2026-11-20T09:00:00.000Z"),
}
NOTHING = ["yesterday", "", "1518478934", "2003", "2003-12", "Thu, 31 Feb 2026 09:00:00 GMT", "1970-01-01T00:00:00Z",
           "0001-01-01T00:00:00Z", "2026-13-01", "Fri, 20 Nov 2026 25:00:00 GMT", "Fri, 20 Nov 2026 24:00:00 GMT",
           "13:00 PM", "Nov 20, 2026 13:00 PM GMT", "Fri, 20 Nov 2026 09:00:00 +9900",
           "Fri, 20 Nov 2026 09:00:00 +1500", "2026-11-20T09:00:00+00:75", "20/11/2026 09:00",
           "Fri, 20 Xyz 2026 09:00:00 GMT", "2026-11-20T09:00:00Z (" + "x" * 80 + ")", "2026-W47-5T09:00:00Z"]


@pytest.mark.parametrize(("raw", "expected"), EXACT.values(), ids=EXACT)
def test_a_time_with_a_known_zone_is_exact(raw: str, expected: str) -> None:
    """The zone is applied, whatever the feed library would have made of it."""
    found = when(raw)
    assert found is not None
    assert (iso(found.moment), found.quality) == (expected, "exact")


@pytest.mark.parametrize(("raw", "expected"), ASSUMED.values(), ids=ASSUMED)
def test_a_time_whose_zone_is_not_known_is_assumed(raw: str, expected: str) -> None:
    """Read as UTC, and said to be a guess."""
    found = when(raw)
    assert found is not None
    assert (iso(found.moment), found.quality) == (expected, "assumed")


@pytest.mark.parametrize("raw", ["2026-11-20", "20 Nov 2026", "November 20, 2026", "Fri, 20 Nov 2026"])
def test_a_day_without_a_time_ends_late(raw: str) -> None:
    """The end of the day is never earlier than the truth by more than a zone."""
    found = when(raw)
    assert found is not None
    assert (iso(found.moment), found.quality) == ("2026-11-20T23:59:59.000Z", "date")


@pytest.mark.parametrize("raw", NOTHING)
def test_what_cannot_be_read_without_guessing_is_no_date(raw: str) -> None:
    """An epoch number, an impossible day, a year before feeds: nothing is better than something wrong."""
    assert when(raw) is None


MOMENTS = st.datetimes(datetime(1995, 1, 2), datetime(2099, 12, 30))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@settings(deadline=None, derandomize=True)
@given(MOMENTS, OFFSETS)
def test_what_the_standard_library_writes_is_read_back(moment: datetime, zone: timezone) -> None:
    """Both standard forms, any offset: the same instant, exact."""
    stated = moment.replace(microsecond=0, tzinfo=zone)
    for raw in (format_datetime(stated), stated.isoformat(), stated.isoformat(sep=" ")):
        found = when(raw)
        assert found is not None
        assert (found.moment, found.quality) == (stated, "exact")
        assert found.moment.tzinfo is UTC


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(raw: str) -> None:
    """Total: never an exception."""
    assert when(raw) is None or when(raw) is not None
