"""Writes vanta/common/data/sessions_xnys.json from exchange_calendars: `python scripts/make_calendar.py`.

Only this script needs exchange_calendars (and pandas); VANTA reads the compact file that it makes. Run it when a
holiday is announced or the covered years run out, and read the diff: a changed past session is a finding.
"""

import json
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import exchange_calendars

FIRST, LAST = date(2004, 1, 1), date(2030, 12, 31)
TARGET = Path(__file__).resolve().parents[1] / "vanta" / "common" / "data" / "sessions_xnys.json"
OPEN, CLOSE = "09:30", "16:00"


def compact(first: date, last: date) -> dict[str, Any]:
    """The file's content for New York from `first` to `last`."""
    calendar = exchange_calendars.get_calendar("XNYS", start=str(first), end=str(last))
    zone = calendar.tz
    sessions = {day.date(): (row["open"].tz_convert(zone), row["close"].tz_convert(zone))
                for day, row in calendar.schedule.iterrows()}
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {
        "name": "XNYS", "source": f"exchange_calendars {version('exchange_calendars')}",
        "first": str(first), "last": str(last), "open": OPEN, "close": CLOSE, "trading_weekdays": [0, 1, 2, 3, 4],
        "utc_offset_min": _offsets(days, sessions),
        "holidays": [str(day) for day in days if day.weekday() < 5 and day not in sessions],
        "early_closes": _unusual({day: f"{close:%H:%M}" for day, (_, close) in sessions.items()}, CLOSE),
        "late_opens": _unusual({day: f"{start:%H:%M}" for day, (start, _) in sessions.items()}, OPEN),
    }


def _unusual(times: dict[date, str], usual: str) -> dict[str, str]:
    return {str(day): time for day, time in times.items() if time != usual}


def _offsets(days: list[date], sessions: dict[date, Any]) -> dict[str, int]:
    """The offset of each session, as the first session of every period; the first period starts with the file."""
    periods: dict[str, int] = {}
    last: int | None = None
    for day in days:
        if day in sessions:
            offset = int(sessions[day][0].utcoffset().total_seconds()) // 60
            if offset != last:
                periods[str(day) if periods else str(days[0])] = last = offset
    return periods


def render(content: dict[str, Any]) -> str:
    """JSON with one line per field, so that a new holiday is a readable diff."""
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(render(compact(FIRST, LAST)), encoding="utf-8")
    print(f"wrote {TARGET}")
