"""Data files that ship with VANTA (`vanta/common/data`): tables, calendars, the default universe."""

from importlib.resources import files


def load(name: str) -> bytes:
    """The bytes of one shipped data file."""
    return files("vanta.common.data").joinpath(name).read_bytes()
