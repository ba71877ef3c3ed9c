"""The other node as its `vanta transport publish` has left it in the streams of a server.

Nothing there is believed that is not signed by the other node's own keys, of which this host's settings pin the first.
What there is, is what the newest index says. Its pieces of a log are found by halving between the numbers that the
index names, and from there on one after the other; what others may have put between them is passed over. A server can
hold back: an index that grows old is what `stale` tells.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from vanta.common.canonical import sha256
from vanta.common.clock import Clock
from vanta.common.errors import Missing, StateError
from vanta.transport.bus import Bus, Message
from vanta.transport.core import streams
from vanta.transport.core.envelope import Entry, Foreign, Index, Piece, index_of, opened
from vanta.transport.core.frames import Answer
from vanta.transport.core.inputs import digest_of
from vanta.transport.core.table import crossings, names
from vanta.transport.port import LinkDown, Refused, Stat, TooLarge, WasCut, raised

SILENT_S = 15.0
"""A publisher that has said nothing for longer is silent; it speaks every second."""

LOOK_S = 0.1
"""So long an index is the newest one without asking again."""

_TRIES, _MESSAGES, _BATCH = 5, 64, 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Who publishes, who reads, and the fingerprint of the first key of the publisher's home."""

    source: str
    to: str
    pin: str


class StreamRemote:
    """See `Remote`."""

    def __init__(self, bus: Bus, ends: Ends, clock: Clock, *, look_s: float = LOOK_S) -> None:
        self._bus, self._ends, self._clock, self._look_s = bus, ends, clock, look_s
        rows = crossings(ends.source, ends.to)
        self._names = set(names(ends.source, ends.to))
        self._inputs = any(row.inputs for row in rows)
        self._documents = {row.name for row in rows if row.how != "log"}
        self._keys: tuple[str, ...] = ()
        self._index: Index | None = None
        self._looked = float("-inf")
        self._since = 0.0
        self._near: dict[str, tuple[int, int, int]] = {}

    def stat(self, name: str) -> Stat:
        """See `Remote.stat`."""
        entry = self._entry(name)
        return Stat(entry.size, entry.sha256, entry.first, entry.start)

    def read(self, name: str, start: int, most: int) -> bytes:
        """See `Remote.read`."""
        if self._inputs and digest_of(name):
            return self._input(name, most)
        entry = self._entry(name)
        if name in self._documents:
            return self._document(name, entry, most)
        if start > entry.size:
            raise WasCut(f"{name} has {entry.size:,} bytes, fewer than {start:,}")
        found = self._log(name, entry, start, most)
        if entry.there < entry.size and b"\n" not in found:
            raise StateError(f"{name} has {entry.size:,} bytes, and {entry.there:,} of them are published so far")
        return found

    def stale(self) -> str:
        """See `Remote.stale`: by our own clock since the index changed, and by both clocks; the worse one counts."""
        if self._index is None:
            return ""
        said = datetime.fromtimestamp(self._index.at_ms / 1000, UTC)
        old_s = max(self._clock.monotonic() - self._since, (self._clock.now() - said).total_seconds())
        if old_s <= SILENT_S:
            return ""
        return (f"{self._ends.source} has published nothing for {old_s:.0f} s: what the server holds is all there, and "
                "may be old. Does `vanta transport publish` run there?")

    def close(self) -> None:
        """See `Remote.close`."""
        self._index, self._looked = None, float("-inf")
        self._bus.close()

    def _entry(self, name: str, *, anew: bool = False) -> Entry:
        if name not in self._names:
            raise Refused(f"{self._ends.source} does not let {self._ends.to} see {name[:80]!r}",
                          "See the table in docs/adr/0022-transport.md.")
        entry = self._newest(anew=anew).names.get(name)
        if entry is None:
            raise Missing(f"{name} does not exist")
        if entry.fault:
            raise raised(Answer(kind=entry.fault, what=entry.what))
        return entry

    def _newest(self, *, anew: bool) -> Index:
        now = self._clock.monotonic()
        if self._index is not None and not anew and now < self._looked + self._look_s:
            return self._index
        stream = streams.index(self._ends.source, self._ends.to)
        found = self._bus.last(stream)
        if found is None:
            raise LinkDown(f"{self._ends.source} has published nothing for {self._ends.to}: is there a stream, and "
                           "does `vanta transport publish` run there?")
        try:
            index, keys = index_of(found.body, stream.subject, self._ends.pin)
        except Foreign as error:
            raise LinkDown(f"the index on {stream.subject} is refused: {error}") from error
        if self._index is not None and (index.at_ms < self._index.at_ms or len(keys) < len(self._keys)):
            raise LinkDown(f"the index on {stream.subject} went back: the server shows an older one than before")
        if self._index is None or index.at_ms != self._index.at_ms:
            self._since = now
        self._index, self._keys, self._looked = index, keys, now
        return index

    def _document(self, name: str, entry: Entry, most: int) -> bytes:
        """The document that the index names; one that was replaced meanwhile is named by the next index."""
        for _ in range(_TRIES):
            if entry.size > most:
                raise TooLarge(f"{name} has {entry.size:,} bytes; at most {most:,} are read")
            found = self._bus.last(streams.place(self._ends.source, name))
            if found is not None and sha256(found.body) == entry.sha256:
                return found.body
            entry = self._entry(name, anew=True)
        raise LinkDown(f"{name}: the server holds another document than the one that was published")

    def _input(self, name: str, most: int) -> bytes:
        """A snapshot; whether it is what its name says, the puller looks at."""
        found = self._bus.last(streams.place(self._ends.source, name))
        if found is None:
            raise Missing(f"{name} does not exist")
        if len(found.body) > most:
            raise TooLarge(f"{name} has {len(found.body):,} bytes; at most {most:,} are read")
        return found.body

    def _log(self, name: str, entry: Entry, start: int, most: int) -> bytes:
        at, end, parts = start, min(entry.size, entry.there, start + most), list[bytes]()
        seq = self._find(name, entry, start) if start < end else 0
        while at < end:
            found = self._bus.from_seq(streams.place(self._ends.source, name), seq, count=_MESSAGES,
                                       most=min(_BATCH, end - at))
            before = at
            for message in found:
                piece = self._piece(name, message)
                if piece is None or piece.began != entry.began or piece.ends <= at:
                    continue
                if piece.at > at:
                    self._near.pop(name, None)
                    raise StateError(f"{name}: bytes {at:,} to {piece.at:,} are no longer in the stream, which keeps "
                                     "less than this replica needs. Pull them once over ssh or from a shared "
                                     "directory (docs/RUNBOOK.md)")
                parts.append(piece.body[at - piece.at:end - piece.at])
                self._near[name] = (entry.began, piece.at, message.seq)
                at += len(parts[-1])
            if not found or (at == before and found[-1].seq >= entry.last):
                self._near.pop(name, None)
                raise LinkDown(f"{name}: the server does not hold byte {at:,}, which was published")
            seq = found[-1].seq + 1
        return b"".join(parts)

    def _find(self, name: str, entry: Entry, start: int) -> int:
        """The number of the message that holds byte `start`, or of the first one."""
        began, at, near = self._near.get(name, (0, 0, 0))
        if began == entry.began and at <= start:
            return near
        low, high, best = entry.began, entry.last, entry.began
        while low <= high:
            middle = (low + high) // 2
            found = self._first_of(name, entry, middle, high)
            if found is None:
                high = middle - 1
            elif found[1].at <= start:
                best = found[0]
                low = best + 1
            else:
                high = middle - 1
        return best

    def _first_of(self, name: str, entry: Entry, seq: int, last: int) -> tuple[int, Piece] | None:
        """The first piece of this generation among messages `seq` to `last`."""
        while seq <= last:
            found = self._bus.from_seq(streams.place(self._ends.source, name), seq, count=1, most=_BATCH)
            if not found or found[0].seq > last:
                return None
            piece = self._piece(name, found[0])
            if piece is not None and piece.began == entry.began:
                return found[0].seq, piece
            seq = found[0].seq + 1
        return None

    def _piece(self, name: str, message: Message) -> Piece | None:
        """What the other node published, `None` for what somebody else did."""
        try:
            return opened(message.body, streams.place(self._ends.source, name).subject, self._keys)
        except Foreign:
            return None
