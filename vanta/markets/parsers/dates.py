"""The date that a feed writes → a moment and how well it is known. Pure.

Feed libraries read dates generously: a time without a zone, or in a zone that they do not know, silently
becomes UTC. Here every date is read again from its raw text:

- with an offset, or a zone name that means one thing → `exact`
- without a zone, with one that is unknown or means several (IST, BST, AST), or with a weekday that is not that
  day's → read as UTC (or as the zone says) and `assumed`
- a day without a time → the end of that day, UTC, so that it is never earlier than the truth, and `date`
- anything else, and every year before feeds existed → `None`: no date is better than a wrong one

    when("Fri, 20 Nov 2026 09:00:00 EST")  →  2026-11-20T14:00:00Z, exact
    when("2026-11-20T09:00:00")            →  2026-11-20T09:00:00Z, assumed
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from vanta.common.times import truncate
from vanta.markets.core.us_time import CHICAGO, LOS_ANGELES, NEW_YORK, to_utc

Quality = Literal["exact", "date", "assumed"]

_MONTHS = {name: at for at, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1)}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIRST_YEAR, _LAST_YEAR = 1995, 2099

_HOURS = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "akst": -9, "akdt": -8, "hst": -10,
    "west": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "msk": 3,
    "hkt": 8, "sgt": 8, "awst": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}
_AMERICAN = {"et": NEW_YORK, "ct": CHICAGO, "pt": LOS_ANGELES}

_TIME = (r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
         r"(?:\s*(?P<half>[ap])\.?m\.?)?")
_ZONE = r"(?:\s*(?P<zone>[+-]\d{2}:?\d{2}|[A-Za-z]{1,5}(?![A-Za-z]))(?:\s*\([^()]*\))?)?"
_WEEKDAY = r"(?:(?P<weekday>[A-Za-z]{3})[a-z]*\.?,?\s+)?"
_YEAR_FIRST = rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}})(?:(?:T|\s+){_TIME}{_ZONE})?"
_DAY_FIRST = (rf"{_WEEKDAY}(?P<day>\d{{1,2}})[\s-]+(?P<month>[A-Za-z]{{3}})[a-z]*\.?,?[\s-]+(?P<year>\d{{4}}|\d{{2}})"
              rf"(?:,?\s+{_TIME}{_ZONE})?")
_MONTH_FIRST = (rf"{_WEEKDAY}(?P<month>[A-Za-z]{{3}})[a-z]*\.?\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})"
                rf"(?:,?\s+(?:at\s+)?{_TIME}{_ZONE})?")
_YEAR_LAST = (rf"{_WEEKDAY}(?P<month>[A-Za-z]{{3}})\s+(?P<day>\d{{1,2}})\s+{_TIME}"
              rf"(?:\s+(?P<zone>[A-Za-z]{{2,5}}))?\s+(?P<year>\d{{4}})")
_FORMS = [re.compile(form, re.IGNORECASE) for form in (_YEAR_FIRST, _DAY_FIRST, _MONTH_FIRST, _YEAR_LAST)]


@dataclass(frozen=True, slots=True)
class When:
    """A moment in UTC and how well it is known."""

    moment: datetime
    quality: Quality


def when(raw: str) -> When | None:
    """Read one date; `None` if it cannot be read without guessing."""
    text = " ".join(raw.split())
    if len(text) > 80:
        return None
    for form in _FORMS:
        match = form.fullmatch(text)
        if match:
            try:
                return _moment(match.groupdict())
            except (ValueError, OverflowError):
                return None
    return None


def _moment(part: dict[str, str | None]) -> When | None:
    year, month, day = int(part["year"] or 0), _month(part["month"] or ""), int(part["day"] or 0)
    if len(part["year"] or "") == 2:
        year += 2000 if year < 50 else 1900
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    if part["hour"] is None:
        return When(datetime(year, month, day, 23, 59, 59, tzinfo=UTC), "date")
    fraction = int((part.get("fraction") or "0").ljust(6, "0")[:6])
    local = datetime(year, month, day, _hour(int(part["hour"]), part["half"]), int(part["minute"] or 0),  # noqa: DTZ001 - on the wall
                     min(int(part["second"] or 0), 59), fraction)
    moment, known = _instant(local, part["zone"])
    weekday = part.get("weekday")
    fits = weekday is None or weekday.lower() == _DAYS[local.weekday()]
    return When(truncate(moment), "exact" if known and fits else "assumed")


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.get(text.lower(), 0)


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"hour {hour} of half a day")
    return hour % 12 + (12 if half.lower() == "p" else 0)


def _instant(local: datetime, zone: str | None) -> tuple[datetime, bool]:
    """The instant of a wall-clock time, and whether its zone is known."""
    name = (zone or "").lower()
    if name in _AMERICAN:
        return to_utc(local, _AMERICAN[name]), True
    if name[:1] in ("+", "-"):
        ahead = _offset(name)
    elif name in _HOURS:
        ahead = timedelta(hours=_HOURS[name])
    else:
        return local.replace(tzinfo=UTC), False
    return (local - ahead).replace(tzinfo=UTC), True


def _offset(text: str) -> timedelta:
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        raise ValueError(f"offset {text}")
    return (-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes)
