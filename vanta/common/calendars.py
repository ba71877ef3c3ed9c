"""When a venue trades: sessions by day, from data that ships with VANTA. Pure; knows no time zones and no clock.

A calendar is compact data (`vanta/common/data/sessions_*.json`): the regular local hours, the periods of the
offset to UTC, holidays, early closes and late opens between a first and a last day. Outside those days nothing
is known, and nothing is guessed: every question raises `UnknownDay`, never "open".

A session is half open: at its opening moment the venue is open, at its closing moment it is closed. It belongs
to the day that the venue's own clock shows, and lies within that day in UTC too (loading refuses other data).

    >>> nyse = Calendar.from_bytes(data)                      # 27 November 2026 is the day after Thanksgiving
    >>> nyse.close_of(date(2026, 11, 27))
    datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import Field, model_validator

from vanta.common import strictjson
from vanta.common.errors import Bug, StateError
from vanta.common.models.base import Day, Model, validate

CONTINUOUS = "24/7"
_DAY = timedelta(days=1)

LocalTime = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


class UnknownDay(StateError):
    """The calendar does not reach that day. Whoever asks has to refuse, not to guess."""


@dataclass(frozen=True, slots=True)
class Session:
    """One trading session: open from `opens` until just before `closes`, both UTC."""

    day: date
    opens: datetime
    closes: datetime


class CalendarData(Model):
    """The file. Times are the venue's own clock; `utc_offset_min` gives its offset from a day on, in minutes."""

    name: str
    source: str = Field(description="what it was generated with")
    first: Day
    last: Day
    open: LocalTime
    close: LocalTime
    trading_weekdays: list[int] = Field(description="0 is Monday")
    utc_offset_min: dict[Day, int]
    holidays: list[Day]
    early_closes: dict[Day, LocalTime]
    late_opens: dict[Day, LocalTime]

    @model_validator(mode="after")
    def _sane(self) -> "CalendarData":
        periods = list(self.utc_offset_min)
        if not periods or periods != sorted(periods) or periods[0] > self.first or self.last < self.first:
            raise ValueError("utc_offset_min must be in order and reach back to the first day")
        opens = [_minutes(text) for text in (self.open, *self.late_opens.values())]
        closes = [_minutes(text) for text in (self.close, *self.early_closes.values())]
        offsets = self.utc_offset_min.values()
        if max(opens) >= min(closes) or min(opens) < max(offsets) or max(closes) - min(offsets) > 24 * 60:
            raise ValueError("every session must open before it closes, within one UTC day")
        return self


class Calendar:
    """The sessions of one venue."""

    def __init__(self, data: CalendarData) -> None:
        self.name, self.first, self.last = data.name, data.first, data.last
        self._regular = _minutes(data.open), _minutes(data.close)
        self._weekdays, self._holidays = frozenset(data.trading_weekdays), frozenset(data.holidays)
        self._late = {day: _minutes(text) for day, text in data.late_opens.items()}
        self._early = {day: _minutes(text) for day, text in data.early_closes.items()}
        self._periods, self._offsets = list(data.utc_offset_min), list(data.utc_offset_min.values())

    @classmethod
    def from_bytes(cls, data: bytes, *, file: str = "calendar") -> "Calendar":
        """Read a calendar file. Raises `BadInput`; `file` is only for the message."""
        return cls(validate(CalendarData, strictjson.loads_object(data, file=file), file=file))

    def covers(self, moment: datetime) -> bool:
        """Whether the calendar knows anything about the UTC day of `moment`."""
        return self.first <= _utc_day(moment) <= self.last

    def session_of(self, day: date) -> Session | None:
        """The session of a day, or `None` if the venue stays closed on it. Raises `UnknownDay`."""
        if not self.first <= day <= self.last:
            raise UnknownDay(f"the {self.name} calendar covers {self.first} to {self.last}, not {day}",
                             "Update VANTA; calendars ship with it.")
        if day.weekday() not in self._weekdays or day in self._holidays:
            return None
        offset = self._offsets[bisect_right(self._periods, day) - 1]
        opens, closes = self._late.get(day, self._regular[0]), self._early.get(day, self._regular[1])
        midnight = datetime.combine(day, time(), UTC)
        return Session(day, midnight + timedelta(minutes=opens - offset), midnight + timedelta(minutes=closes - offset))

    def is_open(self, moment: datetime) -> bool:
        """Whether the venue trades at `moment`. Raises `UnknownDay`."""
        session = self.session_of(_utc_day(moment))
        return session is not None and session.opens <= moment < session.closes

    def next_open(self, moment: datetime) -> datetime:
        """`moment` itself if the venue is open then, else when it opens next. Raises `UnknownDay` past the end."""
        day = _utc_day(moment)
        while True:
            session = self.session_of(day)
            if session is not None and moment < session.closes:
                return max(moment, session.opens)
            day += _DAY

    def close_of(self, day: date) -> datetime | None:
        """When the session of `day` ends, or `None` if there is none. Raises `UnknownDay`."""
        session = self.session_of(day)
        return None if session is None else session.closes


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _utc_day(moment: datetime) -> date:
    if moment.tzinfo is None:
        raise Bug(f"naive datetime {moment!r}")
    return moment.astimezone(UTC).date()


ALWAYS_OPEN = Calendar(CalendarData(
    name=CONTINUOUS, source="by definition", first=date.min, last=date.max - _DAY, open="00:00", close="24:00",
    trading_weekdays=list(range(7)), utc_offset_min={date.min: 0}, holidays=[], early_closes={}, late_opens={}))
"""A venue that never closes: one session a day, from midnight to midnight UTC."""
