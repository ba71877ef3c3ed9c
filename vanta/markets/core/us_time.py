"""United States wall-clock time and UTC, by the rule and not by the host's zone files. Pure.

Sources state American times without an offset, and zone files differ between hosts while replay must not. Summer
time runs from the second Sunday of March to the first of November (since 2007), before that from the first
Sunday of April to the last of October (since 1987); both changes happen at 02:00 on the wall. It knows no year
before 1987. The hour that comes twice is read as the later one and the hour that is skipped as standard time,
so that nothing is ever read as earlier than it was.

    to_utc(datetime(2020, 5, 15, 18, 3), NEW_YORK)  →  2020-05-15T22:03Z
"""

from datetime import UTC, date, datetime, timedelta

_HOUR = timedelta(hours=1)
_SUNDAY = 6

NEW_YORK, CHICAGO, LOS_ANGELES = -5, -6, -8
"""Standard time: hours from UTC."""


def to_utc(local: datetime, zone: int) -> datetime:
    """The instant of a naive wall-clock time."""
    standard = local.replace(tzinfo=UTC) - zone * _HOUR
    summer = standard - _HOUR
    return summer if is_summer(standard, zone) and is_summer(summer, zone) else standard


def day_of(moment: datetime, zone: int) -> date:
    """The calendar day of an instant on the wall there."""
    return (moment.astimezone(UTC) + (zone + is_summer(moment, zone)) * _HOUR).date()


def is_summer(moment: datetime, zone: int) -> bool:
    """Whether summer time is in force at an instant."""
    year = moment.astimezone(UTC).year
    if year >= 2007:
        first, last = _sunday(year, 3, 8), _sunday(year, 11, 1)
    else:
        first, last = _sunday(year, 4, 1), _sunday(year, 10, 25)
    return first + (2 - zone) * _HOUR <= moment < last + (1 - zone) * _HOUR


def _sunday(year: int, month: int, earliest: int) -> datetime:
    """The first Sunday of a month from a day on."""
    day = datetime(year, month, earliest, tzinfo=UTC)
    return day + timedelta(days=_SUNDAY - day.weekday())
