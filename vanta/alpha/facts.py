"""A quick look at a home: what `summary.py` judges, gathered offline, reading no more than is needed.

Feed files may be large, so only the lines above their records are read; of a journal, only the last line. Nothing is
validated beyond what a check uses, nothing is written, and no program has to run.
"""

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import orjson

from vanta.alpha.core.latches import latches
from vanta.alpha.core.permission import permission
from vanta.alpha.core.sights import Disk, Doc, Facts, FarSight, FeedSight, Head, LinkSight, LockSight, since
from vanta.alpha.operators import known, open_ways, owners
from vanta.alpha.recent import last_records
from vanta.common.canonical import sha256
from vanta.common.errors import BadInput, OperatorError, StateError
from vanta.common.models.base import validate
from vanta.common.models.configuration import Settings
from vanta.common.models.lease import ControlsLease
from vanta.common.paths import (
    ARCHIVE_STATE,
    CONTROL_LOG,
    CONTROLS_LEASE,
    EXECUTOR_STATE,
    FEEDS,
    JOURNALS,
    MARKET_QUOTES,
    OPERATOR_COMMANDS,
    OVERLAY,
    PERMIT,
    PORTFOLIO,
    QUEUE,
    TRADE_LOG,
    TRADE_SIGNALS,
    VAULTS,
    Home,
    NodeHome,
    signals_file,
)
from vanta.common.settings import load
from vanta.common.store import segments
from vanta.common.store.atomic import describe, read
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.guarded import guarded_read
from vanta.common.store.lock import holder
from vanta.common.store.personal import digest
from vanta.common.times import parse_iso
from vanta.executor.core.controls import MAX_BYTES, read_overlay
from vanta.executor.core.lease import Seen, wrong

HEADER_BYTES = 64 * 1024
"""Where the records of a document begin, at the latest, for its header to be found."""

WHOLE_BYTES = 32 * 1024 * 1024
"""Documents that are read whole may have this size; a larger queue is not looked into."""

UNITS = Path("/etc/systemd/system")
_MAIN_UNITS = ("executor-router.service", "markets-reflector.service", "vanta-alpha-lease.service")
_BLOCK = 64 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def gather(home: Home, settings: Settings, now: datetime, problems: tuple[str, ...] = ()) -> Facts:
    """Everything, as of `now`. `problems` are what was wrong with the settings."""
    home = shown(home, settings)
    raw, problem = guarded_read(home.file(OVERLAY), owners=owners(home), max_bytes=MAX_BYTES)
    controls = read_overlay(raw, problem=problem)
    said = permission(controls, known(home, controls), now=now, ways=open_ways(home, controls))
    feeds = [*((name, signals_file(name)) for name in FEEDS if home.node in ("", "markets")),
             *((name, MARKET_QUOTES) for name in ("prices",) if home.node != "alpha")]
    executor = whole(home.file(EXECUTOR_STATE))
    return Facts(
        now=now, feeds=tuple(FeedSight(name=name, doc=header(home.file(file)),
                                       stale_after_s=settings.markets.feed(name).stale_after_s)
                             for name, file in feeds if settings.markets.feed(name).enabled),
        reflection=header(home.file(TRADE_SIGNALS)), executor=executor,
        latches=latches(executor, _since(home.file(TRADE_LOG), executor)), portfolio=whole(home.file(PORTFOLIO)),
        queue=whole(home.file(QUEUE)), stops=said.stops, scoped=said.scoped,
        unreadable=controls.problem or "", permit=_permit(home), locks=tuple(locks(home)), disk=_disk(home),
        heads=tuple(replace(head(home.file(name)), covered=_covered(home.file(name).parent / FOLDER / name))
                    for name in JOURNALS), problems=problems, node=home.node,
        archive=whole(home.file(ARCHIVE_STATE)) if settings.archive.folder else None,
        lease_s=settings.transport.lease_s,
        far=far(home, settings, now) if home.node == "executor" else None, links=tuple(links(home, settings)),
        units=serves(home.root))


def serves(root: Path, folder: Path = UNITS) -> bool:
    """Whether `vanta install` has laid out units for the programs of this home."""
    for name in _MAIN_UNITS:
        with contextlib.suppress(StateError):
            if f" --home {root}\n" in read(folder / name, max_bytes=_BLOCK).decode(errors="replace"):
                return True
    return False


def shown(home: Home, settings: Settings) -> NodeHome:
    """The home as people are to be shown it at this node."""
    return NodeHome(home.root, settings.node.name if settings.node else "")


def unread(home: Home) -> Settings:
    """What a look at a home goes by while its settings cannot be read: the defaults, and the node that lies here."""
    name = node_here(home)
    return Settings.model_validate({"node": {"name": name}} if name else {})


def node_here(home: Home) -> str:
    """Which node of several hosts this home is, empty where there is one host.

    Where the settings cannot be read, or the file is gone, what lies here tells: nobody who halts may have to repair
    them first, and on Alpha's host nobody may hear that no executor runs here, as if that were the only one.
    """
    with contextlib.suppress(OperatorError):
        said = load(home).node
        if said is not None or (home.config / "vanta.toml").exists():
            return said.name if said else ""
    if home.file(CONTROLS_LEASE).exists():
        return "alpha"
    if home.replica("alpha").file(CONTROLS_LEASE).exists():
        return "executor"
    return "markets" if home.replica("executor").root.exists() else ""


def far(home: Home, settings: Settings, now: datetime) -> FarSight:
    """Alpha's controls as the executor has them. How long it has waited is the executor's to know: her clock counts."""
    place = home.replica("alpha")
    raw, problem = guarded_read(place.file(OVERLAY), owners=owners(home), max_bytes=MAX_BYTES)
    controls = read_overlay(raw, problem=problem, file="Alpha's vault_overlay.json")
    said = permission(controls, known(home, controls), now=now, ways=open_ways(home, controls))
    doc = whole(place.file(CONTROLS_LEASE))
    word = _word(place, doc, sha256(raw) if raw else None, (now, settings.transport.lease_s))
    return FarSight(stops=() if controls.problem else said.stops, scoped=said.scoped, lease=word,
                    unreadable=controls.problem or "", said_at=doc.time("written_at"))


def _word(place: Home, doc: Doc, overlay: str | None, good: tuple[datetime, float]) -> str:
    """Why Alpha's word does not count at this time, for so long."""
    if doc.value is None:
        return f"there is no word from Alpha{doc.problem and f': {doc.problem}'}"
    try:
        lease = validate(ControlsLease, dict(doc.value), file=CONTROLS_LEASE)
    except BadInput as error:
        return f"there is no word from Alpha: {error.what}"
    try:
        vaults: str | None = sha256(read(place.file(VAULTS), max_bytes=WHOLE_BYTES))
    except StateError:
        vaults = None
    try:
        commands = place.file(OPERATOR_COMMANDS).stat().st_size
    except OSError:
        commands = 0
    now, limit_s = good
    waited_s = since(parse_iso(lease.written_at), now)
    return wrong(lease, Seen(overlay, vaults, commands, now, waited_s, lease.revision), limit_s)


def links(home: Home, settings: Settings) -> Iterator[LinkSight]:
    """What the transport says of each node that this one pulls from."""
    for node in ("alpha", "markets", "executor"):
        if getattr(settings.transport, node) is not None:
            yield LinkSight(node, whole(home.replica(node).root / "status.json"))


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
