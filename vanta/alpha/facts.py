"""A quick look at a home: what `summary.py` judges, gathered offline, reading no more than is needed.

Feed files may be large, so only the lines above their records are read; of a journal, only the last line. Nothing is
validated beyond what a check uses, nothing is written, and no program has to run.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import orjson

from vanta.alpha.core.latches import latches
from vanta.alpha.core.permission import permission
from vanta.alpha.core.sights import Disk, Doc, Facts, FeedSight, Head, LockSight
from vanta.alpha.operators import known, open_ways, owners
from vanta.alpha.recent import last_records
from vanta.common.errors import StateError
from vanta.common.models.configuration import Settings
from vanta.common.paths import (
    CONTROL_LOG,
    EXECUTOR_STATE,
    FEEDS,
    JOURNALS,
    MARKET_QUOTES,
    OVERLAY,
    PERMIT,
    PORTFOLIO,
    QUEUE,
    TRADE_LOG,
    TRADE_SIGNALS,
    Home,
    signals_file,
)
from vanta.common.store import segments
from vanta.common.store.atomic import describe
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.guarded import guarded_read
from vanta.common.store.lock import holder
from vanta.common.store.personal import digest
from vanta.executor.core.controls import MAX_BYTES, read_overlay

HEADER_BYTES = 64 * 1024
"""Where the records of a document begin, at the latest, for its header to be found."""

WHOLE_BYTES = 32 * 1024 * 1024
"""Documents that are read whole may have this size; a larger queue is not looked into."""

_BLOCK = 64 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def gather(home: Home, settings: Settings, now: datetime, problems: tuple[str, ...] = ()) -> Facts:
    """Everything, as of `now`. `problems` are what was wrong with the settings."""
    raw, problem = guarded_read(home.file(OVERLAY), owners=owners(home), max_bytes=MAX_BYTES)
    controls = read_overlay(raw, problem=problem)
    said = permission(controls, known(home, controls), now=now, ways=open_ways(home, controls))
    feeds = [*((name, signals_file(name)) for name in FEEDS), ("prices", MARKET_QUOTES)]
    executor = whole(home.file(EXECUTOR_STATE))
    return Facts(
        now=now, feeds=tuple(FeedSight(name=name, doc=header(home.file(file)),
                                       stale_after_s=settings.markets.feed(name).stale_after_s)
                             for name, file in feeds if settings.markets.feed(name).enabled),
        reflection=header(home.file(TRADE_SIGNALS)), executor=executor,
        latches=latches(executor, _since(home.file(TRADE_LOG), executor)), portfolio=whole(home.file(PORTFOLIO)),
        queue=whole(home.file(QUEUE)), stops=said.stops, scoped=said.scoped,
        unreadable=controls.problem or "", permit=_permit(home), locks=tuple(locks(home)), disk=_disk(home),
        heads=tuple(replace(head(home.file(name)), covered=_covered(home.memory / FOLDER / name))
                    for name in JOURNALS), problems=problems)


def given_or_taken(home: Home, *, permit: bool) -> str:
    """Who permitted or stopped dispatch last, when and why; empty if nobody is on record.

    `permit` is whether there is one now.
    """
    if permit:
        doc = whole(home.file(PERMIT))
        return (f"permitted by {doc.text('by') or 'an unknown person'} at {doc.text('at') or 'an unknown time'}: "
                f"{doc.text('reason') or 'no reason recorded'}")
    for record in last_records(home.file(CONTROL_LOG)):
        said = record["payload"]
        if record["kind"] == "control.changed" and said.get("after") == "absent" and said.get("what") == "permit":
            return f"stopped by {said.get('by')} at {record['at']}: {said.get('reason')}"
    return ""


def _since(log: Path, fold: Doc) -> list[dict[str, Any]]:
    """The records near the end of a log that its fold does not know yet, in order."""
    known = fold.number("as_of_seq") or 0
    newer = takewhile(lambda record: isinstance(record.get("seq"), int) and record["seq"] > known, last_records(log))
    return list(newer)[::-1]


def whole(path: Path) -> Doc:
    """A small document."""
    raw, problem = _read(path, 0, WHOLE_BYTES + 1)
    if raw is None:
        return Doc(None, problem)
    if len(raw) > WHOLE_BYTES:
        return Doc(None, f"{path.name} is larger than {WHOLE_BYTES:,} bytes")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return Doc(None, f"{path.name} is not JSON: {error}")
    return Doc(value) if isinstance(value, dict) else Doc(None, f"{path.name} is not a JSON object")


def header(path: Path) -> Doc:
    """The fields above the records of a document that a program wrote: one key a line."""
    raw, problem = _read(path, 0, HEADER_BYTES)
    if raw is None:
        return Doc(None, problem)
    fields = _fields(raw)
    if fields:
        return Doc(fields)
    return whole(path) if raw.lstrip().startswith(b"{") else Doc(None, f"{path.name} is not a JSON object")


def _fields(raw: bytes) -> Mapping[str, Any]:
    """Keys whose value ends on their own line, up to the first that does not."""
    lines = raw.split(b"\n")
    fields: dict[str, Any] = {}
    for line in lines[1:-1] if lines[0] == b"{" else []:
        try:
            fields |= orjson.loads(b"{" + line.removesuffix(b",") + b"}")
        except orjson.JSONDecodeError:
            break
    return fields


def head(path: Path) -> Head:
    """The last complete line of a journal or of its checkpoints, and how many bytes lie behind it."""
    try:
        fd = os.open(path, _FLAGS)
    except FileNotFoundError:
        line = _sealed_line(path)
        return _head(path, line, 0) if line else Head(name=path.name, missing=True)
    except OSError as error:
        return Head(name=path.name, problem=describe(error))
    try:
        line, torn = _last_line(fd)
    except OSError as error:
        return Head(name=path.name, problem=describe(error))
    finally:
        os.close(fd)
    return _head(path, line or _sealed_line(path), torn)


def _sealed_line(path: Path) -> bytes:
    """The last line of a log whose written file holds none yet, because it was sealed a moment ago."""
    try:
        return segments.tail(path, _BLOCK).rstrip(b"\n").rpartition(b"\n")[2] if segments.base(path) else b""
    except StateError:
        return b""


def _head(path: Path, line: bytes, torn: int) -> Head:
    try:
        if not line:
            return Head(name=path.name, torn=torn)
        value = orjson.loads(line)
        return Head(name=path.name, seq=int(value["seq"]), hash=digest(line), torn=torn, kind=str(value.get("kind")),
                    at=str(value["at"]))
    except (ValueError, LookupError, TypeError) as error:
        return Head(name=path.name, problem=f"its last line is no record: {error}")


def _covered(path: Path) -> int:
    """The record that the last line of a checkpoint file names; 0 if that cannot be told."""
    said = head(path)
    return said.seq if not said.problem else 0


def _last_line(fd: int) -> tuple[bytes, int]:
    """The last line that has an end, without it, and the bytes behind; read backwards in blocks."""
    at, tail = os.fstat(fd).st_size, b""
    while at > 0 and tail.count(b"\n") < 2:
        size = min(_BLOCK, at)
        at -= size
        tail = os.pread(fd, size, at) + tail
    end = tail.rfind(b"\n")
    if end < 0:
        return b"", len(tail)
    return tail[tail.rfind(b"\n", 0, end) + 1:end], len(tail) - end - 1


def _read(path: Path, at: int, most: int) -> tuple[bytes | None, str]:
    """At most so many bytes of a regular file; no problem if there is none."""
    try:
        fd = os.open(path, _FLAGS)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path.name} cannot be opened: {describe(error)}"
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None, f"{path.name} is not a regular file"
        return os.pread(fd, most, at), ""
    except OSError as error:
        return None, f"{path.name} cannot be read: {describe(error)}"
    finally:
        os.close(fd)


def locks(home: Home) -> list[LockSight]:
    """Every lock file of the home and who holds it."""
    found = []
    for path in sorted(home.memory.glob("*.lock")):
        visible = os.access(path, os.R_OK)
        found.append(LockSight(path.stem, holder(path) if visible else None, visible))
    return found


def _permit(home: Home) -> bool:
    try:
        return stat.S_ISREG(os.lstat(home.file(PERMIT)).st_mode)
    except OSError:
        return False


def _disk(home: Home) -> Disk | None:
    try:
        info = os.statvfs(home.memory)
    except OSError:
        return None
    return Disk(free=info.f_bavail * info.f_frsize, size=info.f_blocks * info.f_frsize, free_files=info.f_favail,
                files=info.f_files)
