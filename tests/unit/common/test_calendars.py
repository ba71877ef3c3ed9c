"""Trading sessions: the shipped data against exchange_calendars, and never "open" where nothing is known."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import exchange_calendars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import make_calendar
from vanta.common.calendars import ALWAYS_OPEN, CONTINUOUS, Calendar, UnknownDay
from vanta.common.errors import BadInput, Bug
from vanta.common.resources import calendars, load

RAW = load("sessions_xnys.json")
NYSE = Calendar.from_bytes(RAW)
DAY = timedelta(days=1)
EXACT = settings(deadline=None, derandomize=True, max_examples=500)
YEARS = [2004, 2007, 2012, 2020, 2024, 2026, 2030]  # two rules for daylight saving, storms, mourning, early closes

OLD_PANDAS_WAYS = pytest.mark.filterwarnings("ignore:Series.values returning")  # inside exchange_calendars


@OLD_PANDAS_WAYS
@pytest.mark.parametrize("year", YEARS)
def test_every_session_of_a_year_is_right(year: int) -> None:
    """Each day of the year is a session with these very hours, or none, as in exchange_calendars."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    truth = exchange_calendars.get_calendar("XNYS", start=str(first), end=str(last)).schedule
    expected = {row.Index.date(): (row.open.to_pydatetime(), row.close.to_pydatetime()) for row in truth.itertuples()}
    ours = {}
    for n in range((last - first).days + 1):
        session = NYSE.session_of(first + n * DAY)
        if session is not None:
            ours[session.day] = (session.opens, session.closes)
    assert len(expected) > 245
    assert ours == expected


@OLD_PANDAS_WAYS
@pytest.mark.parametrize("year", YEARS)
def test_shipped_data_is_what_the_generator_makes(year: int) -> None:
    """The generator, run for one year, gives that year's part of the shipped file."""
    made = make_calendar.compact(date(year, 1, 1), date(year, 12, 31))
    kept = json.loads(RAW)
    prefix = str(year)
    assert made["holidays"] == [day for day in kept["holidays"] if day.startswith(prefix)]
    for field in ("early_closes", "late_opens"):
        assert made[field] == {day: text for day, text in kept[field].items() if day.startswith(prefix)}
    assert make_calendar.render(kept).encode() == RAW


HOURS: dict[str, tuple[str, bool]] = {
    "before the bell, winter": ("2026-01-05T14:29:59.999Z", False),
    "at the bell, winter": ("2026-01-05T14:30:00Z", True),
    "at the bell, summer": ("2026-07-06T13:30:00Z", True),
    "before the bell, summer": ("2026-07-06T13:29:59Z", False),
    "last moment": ("2026-01-05T20:59:59.999Z", True),
    "at the close": ("2026-01-05T21:00:00Z", False),
    "first session after the clocks change": ("2026-03-09T13:30:00Z", True),
    "last session before the clocks change": ("2026-03-06T13:30:00Z", False),
    "weekend": ("2026-01-10T15:00:00Z", False),
    "holiday": ("2026-07-03T15:00:00Z", False),
    "day after Thanksgiving, open": ("2026-11-27T17:59:59Z", True),
    "day after Thanksgiving, closed early": ("2026-11-27T18:00:00Z", False),
    "hurricane Sandy": ("2012-10-29T15:00:00Z", False),
}


@pytest.mark.parametrize(("moment", "is_open"), HOURS.values(), ids=HOURS.keys())
def test_known_moments(moment: str, is_open: bool) -> None:
    """Bells, holidays and clock changes of New York."""
    assert NYSE.is_open(datetime.fromisoformat(moment)) is is_open


MOMENTS = st.datetimes(min_value=datetime(2004, 1, 1), max_value=datetime(2030, 12, 31, 23), timezones=st.just(UTC))


@EXACT
@given(moment=MOMENTS)
def test_open_means_inside_the_session_of_that_day(moment: datetime) -> None:
    """Open is exactly: there is a session that day, it has begun, it has not ended."""
    session = NYSE.session_of(moment.date())
    inside = session is not None and session.opens <= moment < session.closes
    assert NYSE.is_open(moment) is inside
    assert NYSE.close_of(moment.date()) == (session.closes if session else None)
    assert not inside or (moment.weekday() < 5 and 13 <= moment.hour < 21)


@EXACT
@given(moment=st.datetimes(min_value=datetime(2004, 1, 1), max_value=datetime(2030, 12, 30), timezones=st.just(UTC)))
def test_next_open_is_the_first_open_moment(moment: datetime) -> None:
    """The venue is open then, was not open from the moment asked about until then, and opens within five days."""
    opens = NYSE.next_open(moment)
    assert NYSE.is_open(opens)
    assert timedelta(0) <= opens - moment < timedelta(days=5)
    assert opens == moment or not NYSE.is_open(opens - timedelta(milliseconds=1))
    assert opens == moment or not NYSE.is_open(moment)


@pytest.mark.parametrize("day", [date(2003, 12, 31), date(2031, 1, 1), date(1970, 1, 1)])
def test_unknown_days_are_errors(day: date) -> None:
    """Outside the data every question raises; nobody is told "open", and nobody "closed" either."""
    noon = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    assert not NYSE.covers(noon)
    for ask in (lambda: NYSE.is_open(noon), lambda: NYSE.session_of(day), lambda: NYSE.close_of(day)):
        with pytest.raises(UnknownDay, match=f"covers 2004-01-01 to 2030-12-31, not {day}"):
            ask()


def test_no_session_beyond_the_end() -> None:
    """After the last session the next one is unknown."""
    assert NYSE.covers(datetime(2030, 12, 31, 23, tzinfo=UTC))
    with pytest.raises(UnknownDay):
        NYSE.next_open(datetime(2030, 12, 31, 23, tzinfo=UTC))


@EXACT
@given(moment=MOMENTS)
def test_crypto_never_closes(moment: datetime) -> None:
    """The other convention: open at every moment, one session a day."""
    assert ALWAYS_OPEN.name == CONTINUOUS
    assert ALWAYS_OPEN.is_open(moment)
    assert ALWAYS_OPEN.next_open(moment) == moment
    assert ALWAYS_OPEN.close_of(moment.date()) == datetime(moment.year, moment.month, moment.day, tzinfo=UTC) + DAY


def test_shipped_calendars_by_name() -> None:
    """Every calendar that an instrument may name is there."""
    assert {name: calendar.name for name, calendar in calendars().items()} == {"XNYS": "XNYS", "24/7": "24/7"}


def test_naive_times_are_bugs() -> None:
    """A time without a zone has no session."""
    with pytest.raises(Bug, match="naive"):
        NYSE.is_open(datetime(2026, 1, 5, 15))


def test_other_zones_mean_the_same_moment() -> None:
    """The moment counts, not how it is written."""
    assert NYSE.is_open(datetime.fromisoformat("2026-01-05T09:30:00-05:00"))
    assert not NYSE.is_open(datetime.fromisoformat("2026-01-05T09:30:00+00:00"))


BROKEN: dict[str, tuple[str, Any]] = {
    "no offsets": ("utc_offset_min", {}),
    "offsets that start late": ("utc_offset_min", {"2004-01-02": -300}),
    "offsets out of order": ("utc_offset_min", {"2004-01-01": -300, "2003-01-01": -240}),
    "ends before it starts": ("last", "2003-01-01"),
    "an hour that does not exist": ("open", "25:00"),
    "closes before it opens": ("close", "09:00"),
    "an early close before the opening": ("early_closes", {"2026-11-27": "09:00"}),
    "a session over midnight": ("utc_offset_min", {"2004-01-01": -600}),
    "a session of the day before": ("utc_offset_min", {"2004-01-01": 600}),
    "a day that does not exist": ("holidays", ["2026-02-30"]),
}


@pytest.mark.parametrize(("field", "value"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_data_is_refused(field: str, value: object) -> None:
    """Data that could answer wrongly does not load."""
    with pytest.raises(BadInput, match=r"sessions\.json"):
        Calendar.from_bytes(json.dumps({**json.loads(RAW), field: value}).encode(), file="sessions.json")
