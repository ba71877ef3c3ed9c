"""Times as VANTA writes them: UTC, milliseconds, `2026-11-20T14:25:00.123Z`. Pure; reads no clock.

Aware datetimes are the only kind that exists here: a naive one is an error, never a guess.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from vanta.common.errors import Bug

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def iso(moment: datetime) -> str:
    """Format an aware datetime as UTC with milliseconds, truncated. Raises `Bug` on a naive one."""
    if moment.tzinfo is None:
        raise Bug(f"naive datetime {moment!r}")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_iso(text: str) -> datetime:
    """Read an ISO 8601 time that carries an offset (or `Z`). Raises `ValueError` if it does not.

    A bare date is read as midnight UTC, which is what `--from 2020-01-02` means.
    """
    if len(text) == 10:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset; write it as 2026-01-02T03:04:05Z")
    try:
        return truncate(moment.astimezone(UTC))
    except OverflowError as error:
        raise ValueError(f"time {text!r} is outside the calendar") from error


def truncate(moment: datetime) -> datetime:
    """Drop everything below a millisecond, so that a time equals itself after a round trip."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def millis(moment: datetime) -> int:
    """Whole milliseconds since 1970-01-01 UTC."""
    return (moment - EPOCH) // _MILLISECOND


@lru_cache(maxsize=1024)
def millis_of(text: str) -> int:
    """`millis` of what `parse_iso` reads. Remembers a few: what is written together carries the same times."""
    return millis(parse_iso(text))


def from_millis(value: int) -> datetime:
    """The inverse of `millis`."""
    return EPOCH + timedelta(milliseconds=value)
