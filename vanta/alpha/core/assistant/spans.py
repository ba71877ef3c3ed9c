"""Since when? A time in plain words, as a moment, with the words in which it is said back. Pure.

    since("what changed in the last 3 hours", now)  ->  Since(now - 3 h, "in the last 3 h")
    since("what changed", now)                      ->  Since(now - 24 h, "in the last 24 h")

Hours of the day are UTC, as everywhere; one that is still to come is yesterday's.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from vanta.common.times import parse_iso

DEFAULT = timedelta(hours=24)
_UNITS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3_600,
    "hr": 3_600,
    "hour": 3_600,
    "d": 86_400,
    "day": 86_400,
    "w": 604_800,
    "week": 604_800,
}
_NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "eight": 8,
    "ten": 10,
    "twelve": 12,
    "half": 0.5,
}
_LONGEST_S = 10 * 365 * 86_400
_SPAN = re.compile(
    r"\b(?:(?P<figure>\d{1,6}(?:\.\d{1,3})?)\s*|(?P<word>" + "|".join(_NUMBERS) + r")\s+(?:an?\s+)?|last\s+|past\s+)"
    r"(?P<unit>seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|[smhdw])\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\b(?:since|after|from)\s+(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?!\d)", re.IGNORECASE)
_ISO = re.compile(
    r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?", re.IGNORECASE
)
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}:\d{2})$")
NAMED = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(days=7)}
"""Spans that a brief may be asked for by name."""


class Since(NamedTuple):
    """From `at` on, and how that is said."""

    at: datetime
    said: str


def since(text: str, now: datetime) -> Since:
    """The moment that a question means; the last day where it names none."""
    for reading in (_dated, _clocked, _spanned, _named):
        found = reading(text, now)
        if found is not None:
            return found
    return Since(now - DEFAULT, "in the last 24 h")


def length(text: str) -> timedelta | None:
    """`90min`, `2h`, `3 days` as a span; `None` for anything else."""
    found = _SPAN.fullmatch(text.strip())
    return None if found is None else timedelta(seconds=_seconds(found))


def moment(at: datetime) -> str:
    """`2026-11-20 14:25 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _dated(text: str, now: datetime) -> Since | None:
    found = _ISO.search(text)
    said = "" if found is None else found[0].upper().replace(" ", "T")
    try:
        at = min(parse_iso(f"{said}Z" if "T" in said and not _OFFSET.search(said) else said), now)
    except ValueError:
        return None
    return Since(at, f"since {moment(at)}")


def _clocked(text: str, now: datetime) -> Since | None:
    found = _CLOCK.search(text)
    if found is None:
        return None
    at = now.replace(hour=int(found["hour"]), minute=int(found["minute"]), second=0, microsecond=0)
    at -= timedelta(days=1) if at > now else timedelta()
    return Since(at, f"since {moment(at)}")


def _spanned(text: str, now: datetime) -> Since | None:
    found = _SPAN.search(text)
    if found is None:
        return None
    seconds = _seconds(found)
    shown = (
        f"{seconds / 3600:g} h" if seconds >= 3_600 else f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
    )
    return Since(now - timedelta(seconds=seconds), f"in the last {shown}")


def _named(text: str, now: datetime) -> Since | None:
    said, midnight = text.casefold(), now.replace(hour=0, minute=0, second=0, microsecond=0)
    for word, at in (
        ("yesterday", midnight - timedelta(days=1)),
        ("today", midnight),
        ("overnight", now - timedelta(hours=12)),
        ("tonight", now - timedelta(hours=12)),
        ("this week", midnight - timedelta(days=now.weekday())),
    ):
        if word in said:
            return Since(at, f"since {moment(at)}")
    return None


def _seconds(found: "re.Match[str]") -> float:
    size = float(found["figure"]) if found["figure"] else _NUMBERS.get((found["word"] or "one").casefold(), 1)
    unit = found["unit"].casefold()
    return min(size * _UNITS[unit if unit in _UNITS else unit.removesuffix("s")], _LONGEST_S)
