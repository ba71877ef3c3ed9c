"""Data files that ship with VANTA (`vanta/common/data`): tables, calendars, the default universe."""

from pathlib import Path
from types import ModuleType

from vanta.common.calendars import ALWAYS_OPEN, CONTINUOUS, Calendar
from vanta.common.canonical import sha256

_DATA = Path(__file__).with_name("data")
_SESSIONS = {"XNYS": "sessions_xnys.json"}


def code_of(*modules: ModuleType) -> str:
    """The hash of all Python source beside and below some modules: what something was made with."""
    folders = [Path(str(module.__file__)).parent for module in modules]
    found = [(path.relative_to(folder).as_posix(), sha256(path.read_bytes()))
             for folder in folders for path in sorted(folder.rglob("*.py"))]
    return sha256(repr(found).encode())


def load(name: str) -> bytes:
    """The bytes of one shipped data file."""
    return (_DATA / name).read_bytes()


def calendar_files() -> dict[str, bytes]:
    """The file of every calendar that ships with VANTA, by name; one that never closes needs none."""
    return {name: load(file) for name, file in _SESSIONS.items()}


def calendars() -> dict[str, Calendar]:
    """Every calendar that ships with VANTA, by name."""
    shipped = {name: Calendar.from_bytes(raw, file=_SESSIONS[name]) for name, raw in calendar_files().items()}
    return {**shipped, CONTINUOUS: ALWAYS_OPEN}
