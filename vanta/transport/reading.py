"""What this node lets another one see of it: only what the table names, and no more of it than that says."""

import os
from pathlib import Path

from vanta.common.canonical import sha256
from vanta.common.errors import Missing, StateError
from vanta.common.paths import Home
from vanta.common.signatures import KEYS
from vanta.common.store import segments
from vanta.common.store.atomic import describe, read
from vanta.common.store.checkpoint import FOLDER, joined
from vanta.common.store.ports import Snapshots
from vanta.transport.core.inputs import digest_of
from vanta.transport.core.table import checkpoints_of, crossings
from vanta.transport.port import Refused, Stat, TooLarge, WasCut


class HomeReader:
    """The home of node `source`, as `to` may see it: the `Remote` without a link in between."""

    def __init__(self, home: Home, source: str, to: str, snapshots: Snapshots) -> None:
        self._home, self._snapshots = home, snapshots
        rows = crossings(source, to)
        self._documents = {row.name: row.most for row in rows if row.how != "log"}
        self._logs = {row.name for row in rows if row.how == "log"}
        self._points = {checkpoints_of(row.name): row.name for row in rows if row.covered}
        self._sealed: dict[str, tuple[tuple[Path, ...], bytes]] = {}
        self._inputs = any(row.inputs for row in rows)
        self._said = f"{source} does not let {to} see"

    def stat(self, name: str) -> Stat:
        """See `Remote.stat`."""
        if name in self._documents:
            raw = self._document(name)
            return Stat(len(raw), sha256(raw))
        if name in self._points:
            return Stat(len(self._checkpoints(self._points[name])))
        log = self._log(name)
        first, start = segments.begins(log)
        return Stat(self._size(log), None, first, start)

    def read(self, name: str, start: int, most: int) -> bytes:
        """See `Remote.read`."""
        if name in self._documents:
            raw = self._document(name)
            if len(raw) > most:
                raise TooLarge(f"{name} has {len(raw):,} bytes; at most {most:,} are read")
            return raw
        if name in self._points:
            raw = self._checkpoints(self._points[name])
            if start > len(raw):
                raise WasCut(f"{name} has {len(raw):,} bytes, fewer than {start:,}")
            return raw[start:start + most]
        if self._inputs and (digest := digest_of(name)):
            raw = self._snapshots.get(digest)
            if len(raw) > most:
                raise TooLarge(f"{name} has {len(raw):,} bytes; at most {most:,} are read")
            return raw
        log = self._log(name)
        if start > (size := self._size(log)):
            raise WasCut(f"{name} has {size:,} bytes, fewer than {start:,}")
        found = b""
        for block in segments.stream(log, start):
            found += block[:most - len(found)]
            if len(found) >= most:
                break
        return found

    def stale(self) -> str:
        """See `Remote.stale`."""
        return ""

    def close(self) -> None:
        """See `Remote.close`: nothing is held."""

    def _document(self, name: str) -> bytes:
        path = self._home.config / KEYS if name == KEYS else self._home.file(name)
        try:
            return read(path, max_bytes=self._documents[name])
        except Missing:
            raise
        except StateError as error:
            raise (TooLarge if "at most" in error.what else StateError)(error.what) from error

    def _log(self, name: str) -> Path:
        if name not in self._logs:
            raise Refused(f"{self._said} {name[:80]!r}", "See the table in docs/adr/0022-transport.md.")
        return self._home.file(name)

    def _size(self, log: Path) -> int:
        """The end of the whole log. One that is sealed in between has at least so many bytes."""
        before = segments.base(log)
        try:
            written = os.stat(log).st_size
        except FileNotFoundError:
            if not before:
                raise Missing(f"{log} does not exist") from None
            written = 0
        except OSError as error:
            raise StateError(f"{log} cannot be looked at: {describe(error)}") from error
        return written + (before if segments.base(log) == before else 0)

    def _checkpoints(self, name: str) -> bytes:
        """All checkpoints of a log as one stream. Those of sealed pieces do not change and are joined once."""
        log = self._home.file(name)
        pieces = tuple(piece.checkpoints for piece in segments.sealed(log))
        if name not in self._sealed or self._sealed[name][0] != pieces:
            self._sealed[name] = (pieces, joined(segments.checkpoints(log)))
        before = self._sealed[name][1]
        try:
            current = read(log.parent / FOLDER / name)
        except Missing:
            current = b""
        return joined([before, current]) if current else before
