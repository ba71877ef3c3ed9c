"""Publishes what other nodes may see of this home: documents that changed, and what is new of logs.

It only reads here, and only what the table names. Where a log goes on is what its stream says, asked for anew after
every error; a message is taken only if it is the next one. A kill or a cut link in the middle of a batch therefore
leaves nothing out and nothing twice. Only what a checkpoint covers is published of a log that has them, so that no
power cut at this host can take back what others have. A log that no longer ends as it was published was cut or made
anew: it is published from its beginning, as another generation, for every reader to refuse; what was published before
stays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from vanta.common.canonical import sha256
from vanta.common.clock import Clock
from vanta.common.errors import Missing, StateError
from vanta.common.signatures import Signer
from vanta.common.signatures import keys as listed
from vanta.common.store.checkpoint import decode
from vanta.common.times import millis
from vanta.transport.bus import Bus, NotTaken
from vanta.transport.core import streams
from vanta.transport.core.envelope import Entry, Foreign, Index, Piece, index_message, opened, sealed
from vanta.transport.core.inputs import MOST, name_of, promised
from vanta.transport.core.table import LONGEST_LINE, Crossing, checkpoints_of, names
from vanta.transport.port import LinkDown, Remote, TooLarge, WasCut, fault_of

PIECE = 512 << 10
"""Bytes of a log in a message; a server takes a megabyte unless it is told otherwise."""

SAID_S = 1.0
_SLICE_S = 1.0
_BACK, _TAIL = 20, 4096


@dataclass(frozen=True, slots=True)
class End:
    """Where a log ends in its stream: which generation, at which byte, after which message; and its last bytes."""

    began: int
    last: int
    at: int = 0
    tail: bytes = b""


@dataclass(slots=True)
class Done:
    """What a turn published, by name how much; what is wrong, by name; whether there is more to do at once."""

    news: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """This node: its name, what each other node may see of it, and who signs, with the public list of its keys."""

    node: str
    readers: Mapping[str, Remote]
    identity: Callable[[], tuple[Signer, bytes]]


class Publisher:
    """`turn` raises `LinkDown`, and what keeps this home from signing."""

    def __init__(self, source: Source, bus: Bus, clock: Clock) -> None:
        self._source, self._bus, self._clock = source, bus, clock
        self._rows = streams.rows(source.node)
        self._signer, self._keys = source.identity()
        self._forget()
        self._at_ms = 0
        self._anew: dict[str, str] = {}

    def _forget(self) -> None:
        """After an error the server alone knows what it holds."""
        self._ends: dict[str, End] = {}
        self._shown: dict[str, Entry] = {}
        self._said: dict[str, tuple[dict[str, Entry], float]] = {}
        self._complete = False

    def turn(self) -> Done:
        """Look at everything once; of a long log only a part, so that no kill switch waits for it."""
        done, self._anew = Done(), dict[str, str]()
        self._signer, self._keys = self._source.identity()
        try:
            for urgent in (True, False):
                ends = self._clock.monotonic() + _SLICE_S
                for row in (one for one in self._rows if one.urgent == urgent):
                    self._try(row.name, done, partial(self._one, row, done, ends))
                self._complete |= not urgent
                if self._complete:  # before everything was looked at once, what is not named would seem to be gone
                    self._try("index", done, self._tell)
        except LinkDown:
            self._forget()
            raise
        done.problems |= self._anew
        return done

    def close(self) -> None:
        """Let go of the link."""
        self._bus.close()

    def _try(self, name: str, done: Done, work: Callable[[], int]) -> None:
        try:
            count = work()
        except StateError as error:
            self._ends.pop(name, None)
            self._ends.pop(checkpoints_of(name), None)
            done.problems[name] = error.what
        else:
            if count:
                done.news[name] = done.news.get(name, 0) + count

    def _one(self, row: Crossing, done: Done, ends: float) -> int:
        if row.how != "log":
            return self._document(row)
        try:
            points, rest = self._stream(checkpoints_of(row.name), row, None, ends) if row.covered else (0, False)
            count, more = self._stream(row.name, row, self._bound(row), ends)
        except Missing:
            return 0
        done.more |= more or rest
        return points + count

    def _reader(self, name: str) -> Remote:
        return next(reader for to, reader in self._source.readers.items() if name in names(self._source.node, to))

    def _document(self, row: Crossing) -> int:
        """Publish a document if it is another one than before."""
        stream, before = streams.place(self._source.node, row.name), self._shown.pop(row.name, None)
        try:
            raw = self._reader(row.name).read(row.name, 0, row.most)
            if len(raw) > self._bus.most():
                raise TooLarge(f"{row.name} has {len(raw):,} bytes, and this server takes {self._bus.most():,} in a "
                               "message: raise its max_payload, or link these hosts over ssh")
        except Missing:
            return 0
        except StateError as error:
            self._shown[row.name] = Entry(fault=fault_of(error), what=error.what[:1000])
            raise
        now = Entry(len(raw), sha256(raw))
        there = self._bus.last(stream) if before is None or before.fault else None
        fresh = now != before and (there is None or there.body != raw)
        if fresh:
            self._bus.publish(stream, raw)
        self._shown[row.name] = now
        return int(fresh)

    def _bound(self, row: Crossing) -> int | None:
        """The byte up to which a published checkpoint covers a log; `None` where it may lie open."""
        if not row.covered:
            return None
        name = checkpoints_of(row.name)
        lines = self._ends[name].tail.split(b"\n")
        return decode(lines[-2], where=name).size if len(lines) > 1 else 0

    def _stream(self, name: str, row: Crossing, bound: int | None, ends: float) -> tuple[int, bool]:
        """Publish a log, or its checkpoints, up to `bound`. Returns how many messages, and whether there is more."""
        end, reader, count = self._end(name), self._reader(name), 0
        if not self._goes_on(name, end):
            begin = reader.stat(name).start
            if end.at:
                self._anew[name] = (f"{name} does not go on from what was published of it: from byte {begin:,} on it "
                                    "is published anew, behind what is there")
            end = self._ends[name] = End(end.last + 1, end.last, begin)
        while True:
            lines = self._lines(name, end, bound)
            if not lines:
                return count, False
            if row.inputs and name == row.name:
                self._inputs(end, lines)
            for start in range(0, len(lines), self._piece()):
                self._put(name, lines[start:start + self._piece()])
                count += 1
            end = self._ends[name]
            if self._clock.monotonic() >= ends:
                return count, True

    def _piece(self) -> int:
        return min(PIECE, self._bus.most() - 1024)

    def _goes_on(self, name: str, end: End) -> bool:
        """Whether the log here still ends where its stream does, or goes on from there."""
        reader = self._reader(name)
        start = reader.stat(name).start
        if end.at < start:
            return False
        seen = min(len(end.tail), end.at - start)
        try:
            return reader.read(name, end.at - seen, seen) == end.tail[len(end.tail) - seen:]
        except WasCut:
            return False

    def _lines(self, name: str, end: End, bound: int | None) -> bytes:
        """What comes next, in whole lines; of a line that is longer than any a part."""
        most = PIECE
        while True:
            limit = most if bound is None else min(most, bound - end.at)
            raw = self._reader(name).read(name, end.at, limit) if limit > 0 else b""
            whole = raw[:raw.rfind(b"\n") + 1]
            if whole or len(raw) < most or most > LONGEST_LINE:
                return whole
            most *= 4

    def _inputs(self, end: End, lines: bytes) -> None:
        """First the snapshots that these records rest on; what this server does not take, replay will miss."""
        if end.tail and not end.tail.endswith(b"\n"):
            lines = lines[lines.find(b"\n") + 1:]  # a kill left a part of a line there, after its inputs
        for digest in dict.fromkeys(promised(lines)):
            name = name_of(digest)
            try:
                raw = self._reader_of_inputs().read(name, 0, MOST)
                self._bus.publish(streams.place(self._source.node, name), raw, name=name)
            except (Missing, NotTaken, TooLarge):
                continue

    def _reader_of_inputs(self) -> Remote:
        return self._reader(next(row.name for row in self._rows if row.inputs))

    def _put(self, name: str, body: bytes) -> None:
        """One piece, at the end."""
        end, stream = self._ends[name], streams.place(self._source.node, name)
        piece = Piece(stream.subject, end.began, end.at, body)
        seq = self._bus.publish(stream, sealed(piece, self._signer), after=end.last,
                                name=f"{stream.subject}/{end.began}/{end.at}")
        self._ends[name] = replace(end, at=piece.ends, last=seq, tail=(end.tail + body)[-_TAIL:])

    def _end(self, name: str) -> End:
        if name not in self._ends:
            self._ends[name] = self._found(name)
        return self._ends[name]

    def _found(self, name: str) -> End:
        """Where a log ends in its stream: after the last message of ours, if there is one not far before its end."""
        stream = streams.place(self._source.node, name)
        message = self._bus.last(stream)
        last = message.seq if message else 0
        for _ in range(_BACK):
            if message is None:
                break
            try:
                piece = opened(message.body, stream.subject, listed(self._keys))
            except Foreign:
                seq = message.seq - 1
                found = self._bus.from_seq(stream, seq, count=1, most=PIECE) if seq else []
                message = found[0] if found and found[0].seq == seq else None
                continue
            return End(piece.began, last, piece.ends, piece.body[-_TAIL:])
        if last:
            self._anew[name] = (f"{name}: the last messages of {stream.name} are not signed with a key of this home; "
                                "it is published anew behind them. If its keys are no new ones, somebody else has its "
                                "certificate")
        return End(last + 1, last)

    def _tell(self) -> int:
        """Say what there is, if it is something else or time to."""
        count = 0
        for to, reader in self._source.readers.items():
            entries = ((name, self._entry(name, reader)) for name in names(self._source.node, to))
            now, found = self._clock.monotonic(), {name: entry for name, entry in entries if entry is not None}
            before, at = self._said.get(to, ({}, float("-inf")))
            if found == before and now < at + SAID_S:
                continue
            stream = streams.index(self._source.node, to)
            before_us = 0 if to in self._said else self._told(stream)
            self._at_ms = max(self._at_ms + 1, millis(self._clock.now()), before_us)
            index = Index(self._at_ms, self._keys.decode(), found)
            self._bus.publish(stream, index_message(index, stream.subject, self._signer))
            self._said[to] = (found, now)
            count += 1
        return count

    def _told(self, stream: streams.Stream) -> int:
        """Later than what was said before this program was started: whoever reads takes no older word."""
        message = self._bus.last(stream)
        try:
            return opened(message.body, stream.subject, listed(self._keys)).at + 1 if message else 0
        except Foreign:
            return 0

    def _entry(self, name: str, reader: Remote) -> Entry | None:
        """What there is of a name to be read in the streams, `None` for nothing."""
        if not streams.place(self._source.node, name).log:
            return self._shown.get(name)
        try:
            stat = reader.stat(name)
        except Missing:
            return None
        except StateError as error:
            return Entry(fault=fault_of(error), what=error.what[:1000])
        end = self._ends.get(name)
        if end is None:
            return Entry(fault="unreadable", what=f"{name} cannot be published at the moment; its host's log says why")
        return Entry(stat.size, None, stat.first, stat.start, end.at, end.began, end.last)
