"""Housekeeping of a home while its programs run: pack sealed logs, put away what is old, say what it all takes.

    pack      every sealed piece of a log is compressed; it reads as before
    retire    old pieces of logs that no book is folded from go to the archive, each first recorded in the control log
    compact   snapshots that nothing mentions any more go there too
    usage     bytes of logs and snapshots, by day

What and when is decided in `core/retention.py`. Order makes a crash harmless: the record before the move, the newer
form of a piece before the older goes. Nothing is ever deleted that has no copy.
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from vanta.alpha.core.retention import RETIRABLE, due, mentioned
from vanta.alpha.wire import control_log, pieces
from vanta.common.errors import Missing, StateError
from vanta.common.events import Kind
from vanta.common.models.configuration import RetentionSettings
from vanta.common.paths import CALLS, JOURNALS, STATE, Home
from vanta.common.store import compact, segments
from vanta.common.store.atomic import describe, read, sync_folder
from vanta.common.store.chain import peek
from vanta.common.store.segments import Segment
from vanta.common.times import iso

YOUNG = timedelta(days=1)
"""Snapshots that somebody stored later than this ago are spared: their record may not have been written yet."""


@dataclass(slots=True)
class Done:
    """What one round did: pieces packed, records put away by log, snapshots moved, and problems that were met."""

    packed: int = 0
    saved: int = 0
    retired: dict[str, int] = field(default_factory=dict)
    moved: compact.Moved = field(default_factory=lambda: compact.Moved(0, 0))
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who asked for a round, when by the home's clock and by the host's, and what is kept."""

    now: datetime
    real: datetime
    by: str
    retention: RetentionSettings


class Housekeeping:
    """One round over one home. The caller holds the lock."""

    def __init__(self, home: Home, order: Order) -> None:
        self._home = home
        self._order = order
        archive = order.retention.archive
        self._archive = Path(archive) if archive else home.root / "archive"
        self.done = Done()

    def run(self) -> Done:
        """Everything. What cannot be done is a problem and hinders nothing else."""
        for name in JOURNALS:
            self._guarded(lambda: self._pack(self._home.file(name)))  # noqa: B023 - called at once
        keep_days = self._order.retention.keep_days
        for name in RETIRABLE:
            days = self._order.retention.calls_days if name in CALLS else keep_days
            if days:
                self._guarded(lambda: self._retire(name, days))  # noqa: B023 - called at once
        if keep_days:
            self._guarded(self._compact)
        return self.done

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except StateError as error:
            self.done.problems.append(error.what)

    def _pack(self, log: Path) -> None:
        for piece in segments.sealed(log):
            if not piece.packed:
                self.done.saved += segments.pack(piece)
                self.done.packed += 1
            elif (plain := segments.plain_of(piece)).exists():  # a crash came in between
                if segments.unpacked(piece) != segments.content(piece):
                    raise StateError(f"{piece.path} is not what {plain.name} holds", "`vanta verify` says whether the "
                                     "latter is right; then remove the other.")
                segments.drop(plain)

    def _retire(self, name: str, keep_days: int) -> None:
        log = self._home.file(name)
        pieces = segments.sealed(log)
        count = due([*map(_day_of, pieces), _written_day(log)] if pieces else [],
                    keep_days=keep_days, today=self._order.now.date())
        while count and segments.seal_of(pieces[count]) is None:  # a crash left its checkpoints with the next piece
            count -= 1
        if not count:
            return
        head = segments.seal_of(pieces[count])
        assert head is not None
        to = self._archive / segments.FOLDER / name
        _reachable(to, pieces[0].path)
        self._record({"journal": name, "seq": head.seq, "head": head.hash, "size": head.size,
                      "pieces": [one.path.name for one in pieces[:count]]})
        for piece in pieces[:count]:  # oldest first: what stays has no gap at any moment
            _move(piece.path, to)
            _move(piece.checkpoints, to)
        self.done.retired[name] = head.seq

    def _record(self, said: Mapping[str, object]) -> None:
        with control_log(self._home, self._order.now) as journal:
            journal.append(Kind.LOG_RETIRED, {**said, "by": self._order.by}, at=iso(self._order.now))

    def _compact(self) -> None:
        store, names = pieces(self._home), self._named()
        for digest in {blob.digest for blob in compact.blobs(self._home.snapshots) if blob.is_list} & names:
            names.update(store.chunks(digest))
        before = self._order.real - YOUNG
        self.done.moved = compact.put_away(self._home.snapshots, self._archive / "snapshots",
                                           compact.known(names), before=before.timestamp())

    def _named(self) -> set[str]:
        """Every hash that anything mentions which stays, and that kept JSON snapshots mention, to the end."""
        store, found = pieces(self._home), set[str]()
        waiting = set[str]().union(*map(mentioned, self._roots()))
        while waiting:
            digest = waiting.pop()
            found.add(digest)
            with contextlib.suppress(StateError):  # not there, or damaged: what it said is not known, nor needed
                raw = store.get(digest)
                if raw[:1] in (b"{", b"["):
                    waiting |= mentioned(raw) - found
        return found

    def _roots(self) -> list[bytes]:
        """Everything that stays and may mention a snapshot. Raises `StateError` if any of it cannot be read."""
        found = []
        logs = [name for name in JOURNALS if name not in CALLS]  # those of calls name no snapshot, and are large
        for name in (*logs, *(row.name for row in STATE if row.model is not None)):
            path = self._home.file(name)
            try:
                found.append(segments.whole(path, segments.begins(path)[1]) if name in JOURNALS else read(path))
            except Missing:
                continue
        return found


def _reachable(to: Path, path: Path) -> None:
    """Insist that what lies at `path` can be renamed into `to`, before anything is said of it."""
    try:
        to.mkdir(mode=0o750, parents=True, exist_ok=True)
        if to.stat().st_dev == path.stat().st_dev:
            return
        problem = "it lies on another file system"
    except OSError as error:
        problem = describe(error)
    raise StateError(f"nothing can be put away in {to}: {problem}",
                     "The archive has to lie on the home's own file system.")


def _move(path: Path, to: Path) -> None:
    try:
        os.rename(path, to / path.name)
        sync_folder(to)
        sync_folder(path.parent)
    except FileNotFoundError:
        return  # checkpoints that a crash left with the next piece
    except OSError as error:
        raise StateError(f"{path} cannot be put away: {describe(error)}",
                         "The archive has to lie on the same file system.") from error


def _day_of(piece: Segment) -> str:
    return peek(segments.content(piece).partition(b"\n")[0])[1]


def _written_day(log: Path) -> str:
    first = next(segments.lines(log, segments.base(log)), b"").partition(b"\n")[0]
    return peek(first)[1] if first else ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of one kind of history: now, and added on each of the last days that have any."""

    what: str
    size: int
    days: Mapping[str, int]

    def per_day(self, last: int = 7) -> int:
        """The mean over the newest `last` whole days that are known, 0 if none is."""
        newest = [self.days[day] for day in sorted(self.days)][-last:]
        return sum(newest) // len(newest) if newest else 0


def usage(home: Home, today: date) -> list[Usage]:
    """What a home's history takes on disk. A day's share of a log is that of its sealed pieces, as they lie there."""
    found = []
    for name in JOURNALS:
        log, size, days = home.file(name), 0, dict[str, int]()
        for piece in segments.sealed(log):
            here = sum(_size(path) for path in (piece.path, piece.checkpoints))
            size += here
            with contextlib.suppress(StateError):  # a damaged one has its size all the same
                days[_day_of(piece)] = days.get(_day_of(piece), 0) + here
        size += _size(log) + _size(log.parent / "checkpoints" / name)
        found.append(Usage(name, size, days))
    stored: dict[str, int] = {}
    for blob in compact.blobs(home.snapshots):
        day = datetime.fromtimestamp(blob.used_at, UTC).date().isoformat()
        stored[day] = stored.get(day, 0) + blob.size
    total = sum(stored.values())
    stored.pop(today.isoformat(), None)
    return [*found, Usage("snapshots", total, stored)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
