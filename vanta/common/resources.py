"""Data files that ship with VANTA (`vanta/common/data`): tables, calendars, the default universe."""

from pathlib import Path

from vanta.common.calendars import ALWAYS_OPEN, CONTINUOUS, Calendar

_DATA = Path(__file__).with_name("data")
_SESSIONS = {"XNYS": "sessions_xnys.json"}


def load(name: str) -> bytes:
    """The bytes of one shipped data file."""
    return (_DATA / name).read_bytes()


def calendars() -> dict[str, Calendar]:
    """Every calendar that ships with VANTA, by name."""
    shipped = {name: Calendar.from_bytes(load(file), file=file) for name, file in _SESSIONS.items()}
    return {**shipped, CONTINUOUS: ALWAYS_OPEN}
