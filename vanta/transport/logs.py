"""Pulling one log: checkpoints first, then the records that they cover, piece by piece."""

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.store.checkpoint import Checkpoint
from vanta.common.store.ports import Snapshots
from vanta.transport.core.inputs import MOST, name_of, promised
from vanta.transport.core.replica import Held, Points, Refusal, adopt, after, asked_from, follow
from vanta.transport.core.table import LONGEST_LINE, PIECE, Crossing, checkpoints_of
from vanta.transport.landing import LogReplica
from vanta.transport.port import Remote, WasCut

_POINTS = 4_096
"""So many checkpoints are held before their records are asked for."""


class LogPull:
    """One log of one link. What was fetched and is not covered yet is held in memory, up to `LONGEST_LINE` bytes."""

    def __init__(self, row: Crossing, remote: Remote, replica: LogReplica, snapshots: Snapshots) -> None:
        self._row, self._remote, self._replica, self._snapshots = row, remote, replica, snapshots
        self._points: list[Checkpoint] = []
        self._lines: list[bytes] = []
        self._fetched, self._last = replica.points, replica.point
        self._anew = False
        self._most = PIECE
        self.behind = 0

    @property
    def sound(self) -> bool:
        """Whether the replica is what `held` says; else it has to be opened anew."""
        return self._replica.sound

    def forget(self) -> None:
        """Forget what was fetched and not adopted: after a refusal all of it is looked at again."""
        self._points, self._lines, self._anew = [], [], False
        self._fetched, self._last = self._replica.points, self._replica.point

    @property
    def held(self) -> Held:
        """The end of the replica."""
        return self._replica.held

    def piece(self, trusted: tuple[str, ...]) -> bool:
        """One piece. Returns whether there may be more at once. Raises `Refusal` and what `Remote` raises."""
        row = self._row
        if row.covered:
            self._more_points(trusted)
        held = self._begun()
        try:
            arrived = self._remote.read(row.name, asked_from(held), len(held.line) + self._most)
        except WasCut as error:
            raise Refusal("cut", f"{row.name} ends before byte {held.head.size:,}, which the replica holds: it was cut"
                          ) from error
        new = after(held, arrived, row.name)
        found = adopt(held, new, self._points, name=row.name, covered=row.covered)
        if found.size:
            if row.inputs:  # first, so that no record is there for long whose inputs are not
                self._fetch_inputs(new[:found.size])
            self._replica.append(new[:found.size], found.held)
        self._use(found.points)
        self.behind = len(new) - found.size
        full = len(new) >= self._most
        if full and not found.size:
            self._insist_on_a_bound()
        elif found.size:
            self._most = PIECE
        return full

    def _fetch_inputs(self, lines: bytes) -> None:
        """Get the snapshots that these records state. One that is not there is what replay will say is missing."""
        for digest in dict.fromkeys(promised(lines)):
            if self._snapshots.has(digest):
                continue
            try:
                raw = self._remote.read(name_of(digest), 0, MOST)
            except StateError:
                continue
            if sha256(raw) != digest:
                raise Refusal("broken", f"{name_of(digest)} of {self._row.name} is not what its name says", raw)
            self._snapshots.put(raw)

    def _begun(self) -> Held:
        """The end of the replica; of an empty one, where the log begins at its source."""
        held = self._replica.held
        if held.head.size or held.line:
            return held
        stat = self._remote.stat(self._row.name)
        if stat.first == 1:
            return held
        if not self._points or (self._points[0].seq, self._points[0].size) != (stat.first - 1, stat.start):
            raise Refusal("broken", f"{self._row.name} begins at record {stat.first:,}, and no checkpoint covers what "
                          "came before")
        self._replica.begin(self._points[0], self._lines[0])
        return self._replica.held

    def _insist_on_a_bound(self) -> None:
        """Ask for more at a time: this much holds no end of a line, or of what a checkpoint covers."""
        self._most *= 4
        if self._most > LONGEST_LINE:
            self._most = PIECE
            raise Refusal("broken", f"{self._row.name}: no checkpoint covers any of the {LONGEST_LINE:,} bytes that "
                          f"follow record {self.held.head.seq:,}")

    def _use(self, count: int) -> None:
        """Keep the checkpoints that are adopted with their records."""
        if not count:
            return
        used, self._lines = self._lines[:count], self._lines[count:]
        del self._points[:count]
        if self._anew:
            self._replica.cover_anew(used)
            self._anew = False
        else:
            self._replica.cover(used)

    def _more_points(self, trusted: tuple[str, ...]) -> None:
        if len(self._points) >= _POINTS:
            return
        name, start = checkpoints_of(self._row.name), self._fetched - len(self._last)
        try:
            raw = self._remote.read(name, start, len(self._last) + PIECE)
        except WasCut:
            raw = b""
        if not raw.startswith(self._last):  # a power cut took some there, which are never synced: all are read again
            self._points, self._lines, self._fetched, self._last, self._anew = [], [], 0, b"", True
            raw = self._remote.read(name, 0, PIECE)
        whole = raw[len(self._last):raw.rfind(b"\n") + 1]
        if whole:
            later = not self._last and self._remote.stat(self._row.name).first > 1
            self._take(follow(whole, self._last, trusted, name=self._row.name, later=later))

    def _take(self, points: Points) -> None:
        self._points += points.parsed
        self._lines += points.raw
        self._fetched += sum(map(len, points.raw))
        self._last = points.raw[-1]
