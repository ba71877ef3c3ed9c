"""Where what arrived lies: a replica on this host's disk, below `memory/replica/<node>/`, for the one puller.

A document is replaced atomically. A log's replica is one file that only grows, of whole lines that were verified
before, each batch synced; its checkpoints follow. A kill between any two of these leaves a shorter log, or fewer
checkpoints: what is missing is asked for again, and a torn last line is cut off first, so that nothing is lost or there
twice.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from vanta.common.canonical import sha256
from vanta.common.errors import Missing, StateError
from vanta.common.paths import Home
from vanta.common.signatures import KEYS
from vanta.common.store import segments
from vanta.common.store.atomic import (
    describe,
    give_to_owner,
    make_folders,
    read,
    remove,
    replace,
    sync_folder,
    write_all,
)
from vanta.common.store.chain import START, chain
from vanta.common.store.checkpoint import FOLDER, Checkpoint, decode
from vanta.common.store.personal import digest
from vanta.common.store.ports import Head, Snapshots
from vanta.transport.core.replica import Held

REFUSED = "refused"
_OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_EVIDENCE, _PIECES = 1 << 20, 64


class Landing:
    """The replica of one node. `place` is a home whose `memory/` and `config/` hold what arrived."""

    def __init__(self, place: Home, snapshots: Snapshots) -> None:
        """Raises `StateError` if it cannot be prepared. `snapshots` is the replica's own store."""
        self.place, self.snapshots = place, snapshots
        try:
            for folder in (place.memory, place.config):
                make_folders(folder)
        except OSError as error:
            raise StateError(f"{place.root} cannot be prepared: {describe(error)}") from error

    def document(self, name: str) -> bytes:
        """What is held of a document, empty if nothing is."""
        try:
            return read(self._path(name))
        except Missing:
            return b""

    def put(self, name: str, raw: bytes) -> None:
        """Replace a document, durably."""
        replace(self._path(name), raw)

    def say(self, name: str, raw: bytes) -> None:
        """Write what is only for people and may be lost, beside what arrived."""
        replace(self.place.root / name, raw, durable=False)

    def drop(self, name: str) -> None:
        """Take a document away, durably: what rests on it stops."""
        remove(self._path(name))

    def log(self, name: str) -> "LogReplica":
        """Open a log's replica. Raises `StateError` if what lies there is no log of ours."""
        return LogReplica(self._path(name))

    def refuse(self, name: str, evidence: bytes) -> bool:
        """Keep the beginning of what was refused, once, and no more than some pieces. Returns whether it is new."""
        folder = self.place.root / REFUSED
        piece = folder / f"{name}-{sha256(evidence)[:16]}"
        try:
            make_folders(folder)
            if piece.exists() or len(os.listdir(folder)) >= _PIECES:
                return False
            replace(piece, evidence[:_EVIDENCE])
        except (OSError, StateError):
            return True  # a full disk does not make it any better
        return True

    def _path(self, name: str) -> Path:
        return self.place.config / name if name == KEYS else self.place.file(name)


class LogReplica:
    """One log. `held` is its end; `point` the last line of its checkpoints and `points` how many bytes these have.

    After a failed write it is not `sound`: what the disk holds is known again when it is opened anew.
    """

    def __init__(self, path: Path) -> None:
        """Find the end and cut off what is torn. Raises `StateError`."""
        self.path = path
        self.sound = True
        self._points = path.parent / FOLDER / path.name
        self.begins = segments.begin(path)
        self.points, self.point = self._last_point()
        self.held = self._found(self._covered())

    def _last_point(self) -> tuple[int, bytes]:
        try:
            raw = read(self._points)
        except Missing:
            return 0, b""
        whole = raw.rfind(b"\n") + 1
        _cut(self._points, whole)
        return whole, raw[raw.rfind(b"\n", 0, max(0, whole - 1)) + 1:whole]

    def _covered(self) -> Held:
        """The end that the newest checkpoint covers: what stands before it was verified when it was adopted."""
        if not self.point:
            return Held(self.begins, b"")
        one = decode(self.point[:-1], where=self._points.name)
        line = segments.line_before(self.path, one.size) if one.size > self.begins.size else b""
        if line and digest(line[:-1]) != one.head:
            raise StateError(f"{self.path}: byte {one.size:,} is not the end of record {one.seq:,} as its checkpoint "
                             "has it", "Put the replica aside as evidence: it is pulled anew.")
        return Held(Head(one.seq, one.head, one.size), line)

    def _found(self, held: Held) -> Held:
        head, line = held
        for lines in segments.lines(self.path, head.size):
            last = head
            for record in chain(lines, name=self.path.name, previous=head):
                last = Head(record.seq, record.hash, 0)
            line = lines[lines.rfind(b"\n", 0, -1) + 1:]
            head = Head(last.seq, last.hash, head.size + len(lines))
        _cut(self.path, head.size - segments.base(self.path))
        return Held(head, line)

    def begin(self, seal: Checkpoint, line: bytes) -> None:
        """Note that the log begins after `seal`: what came before was put away at its source. Only an empty replica."""
        assert self.held.head == START
        piece = segments.folder(self.path) / segments.name(seal.seq + 1, seal.size, seal.size)
        try:
            make_folders(piece.parent)
        except OSError as error:
            raise StateError(f"{piece.parent}: {describe(error)}") from error
        replace(piece.with_suffix(segments.CHECKPOINTS), line)
        replace(piece, b"")
        self.begins = Head(seal.seq, seal.head, seal.size)
        self.held = Held(self.begins, b"")

    def append(self, lines: bytes, held: Held) -> None:
        """Add verified lines, durably. Raises `StateError`."""
        self._add(self.path, lines, durable=True)
        self.held = held

    def cover(self, lines: Sequence[bytes]) -> None:
        """Add verified checkpoints."""
        if lines:
            self._add(self._points, b"".join(lines), durable=False)
            self.points, self.point = self.points + sum(map(len, lines)), lines[-1]

    def cover_anew(self, lines: Sequence[bytes]) -> None:
        """Put other verified checkpoints in the place of those from the first of them on."""
        try:
            before = read(self._points)
        except Missing:
            before = b""
        at = (b"\n" + before).find(b"\n" + lines[0])
        raw = before[:max(0, at)] + b"".join(lines)
        replace(self._points, raw)
        self.points, self.point = len(raw), lines[-1]

    def _add(self, path: Path, data: bytes, *, durable: bool) -> None:
        self.sound = False
        try:
            make_folders(path.parent)
            new = not path.exists()
            fd = os.open(path, _OPEN, 0o640)
            try:
                write_all(fd, data)
                if durable:
                    os.fdatasync(fd)
            finally:
                os.close(fd)
            if new:
                give_to_owner(path)
                sync_folder(path.parent)
        except OSError as error:
            raise StateError(f"{path} cannot be written: {describe(error)}") from error
        self.sound = True


def _cut(path: Path, size: int) -> None:
    """Cut off what follows the last whole line, if anything does."""
    try:
        if path.exists() and path.stat().st_size > size:
            os.truncate(path, size)
    except OSError as error:
        raise StateError(f"{path} cannot be cut to whole lines: {describe(error)}") from error
