"""What a look at a home brings back, and what a check says about it: plain records. Pure.

A `Doc` is the part of a document that was read. Exactly one of three holds: there is a value, or the file does not
exist, or there is a problem with it. Nothing here has a default that looks healthy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vanta.common.exitcodes import Check
from vanta.common.times import parse_iso


@dataclass(frozen=True, slots=True)
class Doc:
    """`value` is None when the file is missing, or when `problem` says why it could not be read."""

    value: Mapping[str, Any] | None
    problem: str = ""

    def time(self, field: str) -> datetime | None:
        """A time in it, `None` where there is none or it is not one."""
        try:
            return parse_iso((self.value or {})[field])
        except (KeyError, TypeError, ValueError):
            return None

    def text(self, field: str) -> str:
        """A text in it, empty where there is none."""
        value = (self.value or {}).get(field)
        return value if isinstance(value, str) else ""

    def table(self, field: str) -> Mapping[str, Any]:
        """A table in it, empty where there is none."""
        value = (self.value or {}).get(field)
        return value if isinstance(value, dict) else {}

    def rows(self, field: str) -> list[Mapping[str, Any]]:
        """The records of a list in it."""
        value = (self.value or {}).get(field)
        return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []

    def texts(self, field: str) -> list[str]:
        """The texts of a list in it."""
        value = (self.value or {}).get(field)
        return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []

    def number(self, field: str) -> int | None:
        """A whole number in it, `None` where there is none."""
        value = (self.value or {}).get(field)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSight:
    """A feed's file: its header, and after how many seconds without success it is stale. `prices` has no status."""

    name: str
    doc: Doc
    stale_after_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a journal. `seq` is 0 for a file without a record; `torn` counts bytes behind the last line's end.

    `covered` is the record that its newest checkpoint names, 0 without one; nobody has looked at the signature.
    """

    name: str
    seq: int = 0
    hash: str = ""
    kind: str = ""
    at: str = ""
    torn: int = 0
    missing: bool = False
    problem: str = ""
    covered: int = 0


@dataclass(frozen=True, slots=True)
class LockSight:
    """A lock file. `holder` is the holder's stamp, `None` if nobody holds it, or if it is not `known`."""

    name: str
    holder: str | None
    known: bool = True


@dataclass(frozen=True, slots=True)
class LatchSight:
    """A halt that the executor put on itself, and whether it stops everything or only a vault."""

    latch_id: str
    detail: str
    everything: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FarSight:
    """Alpha's controls as they arrived here: what they stop, or why they cannot be read, and whether her word counts.

    `lease` is why it does not, empty if it does; `said_at` is when it was said.
    """

    stops: tuple[str, ...] = ()
    scoped: tuple[str, ...] = ()
    unreadable: str = ""
    lease: str = ""
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LinkSight:
    """What the transport last said of another node."""

    node: str
    doc: Doc


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that holds the state: bytes and file slots, free to us and in all."""

    free: int
    size: int
    free_files: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One look. `stops` are what holds all orders back by the overlay, `unreadable` why it could not be read.

    `node` is which of several hosts this is, empty where there is one; then there are no `links`. `far` is what the
    executor has of Alpha, whose word is good for `lease_s`. `archive` is what the last round said, `None` without one.
    `units` tells whether this home's programs are services of this host.
    """

    now: datetime
    feeds: tuple[FeedSight, ...]
    reflection: Doc
    executor: Doc
    portfolio: Doc
    queue: Doc
    stops: tuple[str, ...]
    scoped: tuple[str, ...]
    unreadable: str
    permit: bool
    latches: tuple[LatchSight, ...]
    heads: tuple[Head, ...]
    locks: tuple[LockSight, ...]
    disk: Disk | None
    problems: tuple[str, ...] = ()
    node: str = ""
    far: FarSight | None = None
    links: tuple[LinkSight, ...] = ()
    archive: Doc | None = None
    lease_s: float = 10.0
    units: bool = False

    def running(self, program: str) -> bool | None:
        """Whether a program holds its lock; `None` if that cannot be told."""
        lock = next((one for one in self.locks if one.name == program), None)
        if lock is None:
            return False
        return lock.holder is not None if lock.known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on a check warns or fails. Seconds and bytes."""

    heartbeat_warn_s: float = 15
    heartbeat_s: float = 30
    reflection_warn_s: int = 120
    reflection_fail_s: int = 900
    uncleared_s: int = 900
    disk_warn: int = 1 << 30
    disk_fail: int = 200 << 20
    ahead_s: int = 120
    archive_s: int = 49 * 3600


def nothing_known(facts: Facts) -> str:
    """Why nothing is known of the executor: it may have run for long on its own host."""
    return ("nothing of the executor has arrived here" if facts.node in ("alpha", "markets") else
            "the executor has not run here yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One check: its level, what was found in a sentence, and the command that helps (empty if none is needed)."""

    name: str
    level: Check
    text: str
    fix: str = ""


def span(seconds: float) -> str:
    """`41 min`: how long, in the largest unit that fits."""
    whole = int(abs(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def one_line(text: str) -> str:
    """Printable text on one line: sentences may carry words from outside."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def since(moment: datetime, now: datetime) -> float:
    """Seconds from `moment` to `now`; negative if it lies ahead."""
    return (now - moment) / timedelta(seconds=1)
