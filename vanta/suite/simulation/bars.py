"""Price files → bars that open and close at exact moments. Pure.

It decides when the prices of a row became known, and which rows are believed. It refuses to know what is traded on
them. A file has the header `date,open,high,low,close,volume` (any order and case, further columns are ignored):

| date | instrument | opens | closes |
|---|---|---|---|
| a day | on a calendar with sessions | with that day's session | with it, early closes included |
| a day | always open | 00:00Z | the next 00:00Z |
| a time, rows a day apart | on a calendar with sessions | as a day: the one that is written | |
| a time | always open | then | one spacing later, at the latest when the next bar opens |
| a time | on a calendar with sessions | then, if the session is open | the same, at the latest with the session |

A time without an offset is UTC. The spacing is the commonest distance between rows. What cannot be read is an error
that names file, line and field; what can be read but not believed (a price that is not positive or outside its own
bar, a day without a session, a share that trades on weekends) becomes a `Problem` and no bar. Bars have to be
adjusted for splits already: nothing here looks for them.

Example: `2020-11-27,…` of AAPL opens at 14:30Z and closes at 18:00Z, because New York closed early that day.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

from vanta.common.calendars import CONTINUOUS, Calendar
from vanta.common.errors import BadInput
from vanta.common.instruments import Instrument
from vanta.common.money import MOST_PRICE, MOST_VOLUME, ONE, ZERO, decimal
from vanta.common.times import truncate
from vanta.markets.core.records import Problem

DAY = timedelta(days=1)
_NEARLY_A_DAY = timedelta(hours=20)
_COLUMNS = ("date", "open", "high", "low", "close", "volume")
_UNKNOWN = frozenset({"", "null", "nan", "none", "n/a", "na", "-"})
_SLACK = Decimal("0.0001")
"""How far, relatively, open and close may lie outside high and low: adjusted prices are rounded one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Prices per unit. `volume` is in units, `None` where it is not known; `whole_day` says that it is a day's."""

    opens: datetime
    closes: datetime
    open: Decimal
    close: Decimal
    volume: Decimal | None
    whole_day: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One instrument's bars, in order, none reaching into the next."""

    instrument: Instrument
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A believed row. `at` is `None` where only a day is written."""

    day: date
    at: datetime | None
    open: Decimal
    close: Decimal
    volume: Decimal | None


def series(raw: bytes, file: str, instrument: Instrument, calendar: Calendar) -> tuple[Series, list[Problem]]:
    """Read one price file. Raises `BadInput` for what cannot be read."""
    rows, problems = _rows(raw, file)
    left_out: Counter[str] = Counter()
    bars: list[Bar] = []
    if not rows:
        problems.append(Problem(code="no_bars", detail="the file holds no usable bar", where=file))
    elif calendar.name != CONTINUOUS and _on_weekends(rows):
        problems.append(Problem(code="wrong_calendar", where=file, detail=f"{instrument.instrument_id} would trade in "
                                f"the sessions of {calendar.name}, but the file has bars on weekends"))
    elif rows[0].at is None:
        bars = _days(rows, calendar, left_out)
    else:
        bars = _times(rows, calendar, left_out)
    problems += [Problem(code="no_session", detail=f"{count} bars left out: {why}", where=file)
                 for why, count in sorted(left_out.items())]
    return Series(instrument=instrument, bars=tuple(bars)), problems


def _rows(raw: bytes, file: str) -> tuple[list[_Row], list[Problem]]:
    try:
        lines = csv.reader(raw.decode("utf-8-sig").splitlines(), strict=True)
        table = [(number, [cell.strip() for cell in cells]) for number, cells in enumerate(lines, start=1) if cells]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"not a CSV file: {error}", file=file) from error
    names = [cell.lower() for cell in table[0][1]] if table else []
    places = {name: names.index(name) for name in _COLUMNS if names.count(name) == 1}
    if len(places) < len(_COLUMNS):
        raise BadInput(f"the header must be {','.join(_COLUMNS)}", file=file, line=1)
    read: dict[date | datetime, _Row] = {}
    problems = []
    for number, cells in table[1:]:
        where = f"{file}:{number}"
        if len(cells) <= max(places.values()):
            raise BadInput(f"{len(cells)} fields where {len(names)} are expected", file=file, line=number)
        row = _row({name: cells[place] for name, place in places.items()}, (file, number))
        if isinstance(row, str):
            problems.append(Problem(code="no_price", detail=row, where=where))
        elif read.setdefault(row.at or row.day, row) != row:
            raise BadInput(f"a second, different bar for {cells[places['date']]}", file=file, line=number, field="date")
    if len({type(key) for key in read}) > 1:
        raise BadInput("some rows have a day, others a time", file=file, field="date")
    return [read[key] for key in sorted(read)], problems


def _row(cells: dict[str, str], place: tuple[str, int]) -> _Row | str:
    """The row, or why it is not believed. Raises `BadInput`."""
    file, line = place
    day, at = _moment(cells["date"], file, line)
    values: dict[str, Decimal | None] = {}
    for name in _COLUMNS[1:]:
        try:
            values[name] = None if cells[name].lower() in _UNKNOWN else decimal(cells[name])
        except ValueError as error:
            raise BadInput(str(error), file=file, line=line, field=name) from error
        most = MOST_VOLUME if name == "volume" else MOST_PRICE
        if (values[name] or ZERO) > most:
            raise BadInput(f"{cells[name]} is more than {most:,}", file=file, line=line, field=name)
    opened, closed, volume = values["open"], values["close"], values["volume"]
    if opened is None or closed is None or opened <= 0 or closed <= 0:
        return f"open {cells['open']!r} and close {cells['close']!r} are not both prices"
    high, low = values["high"], values["low"]
    if high is not None and max(opened, closed) > high * (ONE + _SLACK):
        return f"open {opened} or close {closed} lies above the high of {high}"
    if low is not None and min(opened, closed) < low * (ONE - _SLACK):
        return f"open {opened} or close {closed} lies below the low of {low}"
    return _Row(day, at, opened, closed, volume if volume is not None and volume >= 0 else None)


def _moment(text: str, file: str, line: int) -> tuple[date, datetime | None]:
    try:
        if len(text) <= 10:
            return date.fromisoformat(text), None
        at = datetime.fromisoformat(text)
        utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return at.date(), truncate(utc)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{text!r} is neither a day (2020-01-31) nor an ISO time", file=file, line=line,
                       field="date") from error


def _on_weekends(rows: Sequence[_Row]) -> bool:
    """More than one row in twenty: a pair of coins under a name that spells none, not a typing error."""
    return sum(row.day.weekday() >= 5 for row in rows) * 20 > len(rows)


def _days(rows: Sequence[_Row], calendar: Calendar, left_out: Counter[str]) -> list[Bar]:
    bars: list[Bar] = []
    for before, row in zip([None, *rows], rows, strict=False):
        if before is not None and before.day == row.day:
            left_out["a second bar of the same day"] += 1
        elif calendar.name == CONTINUOUS:
            opens = datetime.combine(row.day, time(), UTC)
            bars.append(_bar(row, opens, opens + DAY, whole_day=True))
        elif not calendar.first <= row.day <= calendar.last:
            left_out[f"the {calendar.name} calendar covers {calendar.first} to {calendar.last}"] += 1
        elif (session := calendar.session_of(row.day)) is None:
            left_out[f"{calendar.name} had no session on that day"] += 1
        else:
            bars.append(_bar(row, session.opens, session.closes, whole_day=True))
    return bars


def _times(rows: Sequence[_Row], calendar: Calendar, left_out: Counter[str]) -> list[Bar]:
    times = [row.at for row in rows if row.at is not None]
    gaps = Counter(later - earlier for earlier, later in pairwise(times))
    if not gaps:
        left_out["a single time does not tell how long the bar is"] += len(rows)
        return []
    length = min(gaps, key=lambda gap: (-gaps[gap], gap))
    if length >= _NEARLY_A_DAY and calendar.name != CONTINUOUS:
        return _days(rows, calendar, left_out)
    bars = []
    for row, at, following in zip(rows, times, [*times[1:], times[-1] + length], strict=True):
        closes = min(at + length, following)
        if calendar.name != CONTINUOUS:
            session = calendar.session_of(at.date()) if calendar.covers(at) else None
            if session is None or not session.opens <= at < session.closes:
                left_out[f"outside the sessions of {calendar.name}"] += 1
                continue
            closes = min(closes, session.closes)
        bars.append(_bar(row, at, closes, whole_day=length >= _NEARLY_A_DAY))
    return bars


def _bar(row: _Row, opens: datetime, closes: datetime, *, whole_day: bool) -> Bar:
    return Bar(opens=opens, closes=closes, open=row.open, close=row.close, volume=row.volume, whole_day=whole_day)
