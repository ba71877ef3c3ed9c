"""The hash-chained journal: one JSON object a line, each naming the hash of the line before.

    {"seq":7,"at":"…Z","kind":"fill","dag_id":null,"ids":{…},"payload":{…},"prev":"<sha256 of line 6>"}

- `append` extends the chain in memory, `sync` does one `write` and one `fdatasync` for the whole batch.
- A failed write or sync is final: the journal refuses everything afterwards, because what the disk then
  holds is not known. A second fdatasync is never trusted.
- Opening reads the whole chain; of a log of more than `WHOLE_BYTES` with a checkpoint, what follows that. A torn last
  line is moved to `<name>.torn-<seq>-<hash>` beside the log; any other break raises `StateError` naming the line.
  Whoever opens the log records each piece of `set_aside` in its first batch. A piece stays there until a record names
  it, so that a crash in between leaves none unrecorded.
- What opening has read is made durable before it is handed out: a kill may have left it in the page cache.
- With `checkpoints`, each sync is followed by a signed head, and a log that ends before one or differs is refused.
- With `daily`, what is there is sealed before the first record of another day is written: see `segments.py`. Positions
  are those of the whole log; `_base` is where the written file begins.
"""

import fcntl
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vanta.common.canonical import sha256
from vanta.common.errors import LockHeld, StateError
from vanta.common.events import Kind
from vanta.common.ids import draw_salt
from vanta.common.signatures import Signer
from vanta.common.store import segments
from vanta.common.store.atomic import describe, give_to_owner, read, replace, sync_folder, write_all
from vanta.common.store.chain import chain, decode, encode, peek
from vanta.common.store.checkpoint import STARTS, Checkpoint
from vanta.common.store.checkpoints import Checkpoints
from vanta.common.store.personal import digest, sealed
from vanta.common.store.ports import Head, Record

WHOLE_BYTES = 64 << 20
"""So much of a log is read and checked at every opening, about a second's work; more only since its checkpoint."""

_LINE = 1 << 20
_OPEN = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class FileJournal:
    """A journal with one writer. `set_aside` are torn pieces beside it that no record names yet.

    A written file of fewer than `least` bytes is not sealed for a new day, so that a log with a line now and then stays
    in one piece; one of more than `most` is sealed within the day.
    """

    least, most, whole = 64 << 10, 256 << 20, WHOLE_BYTES

    def __init__(self, path: Path, *, alone: bool = False, signer: Signer | None = None, daily: bool = False) -> None:
        """Open or create, repair at most one torn line, check the chain, make it durable.

        `alone`: raise `LockHeld` if another writer has it open `alone`, whatever became of the lock file beside it.
        `signer`: the key that signs checkpoints; without one there are none, and none is looked at.
        `daily`: seal what is there when a record of another day comes.
        """
        self.path = path
        self._alone, self._daily = alone, daily
        self.set_aside: list[bytes] = []
        self._failed: str | None = None
        self._pending: list[bytes] = []
        self._checkpoints: Checkpoints | None = None
        self._at = self._next_day = ""
        self._state: str | None = None
        try:
            self._fd = os.open(path, _OPEN | os.O_CREAT, 0o640)
            give_to_owner(path)
        except OSError as error:
            raise StateError(f"journal {path}: {describe(error)}") from error
        try:
            self._claim()
            if signer is not None:
                self._checkpoints = Checkpoints(path, signer)
            covered = self._checkpoints.last if self._checkpoints is not None else None
            self._state = covered.state if covered is not None else None
            self._base = segments.base(path)
            self._head = self._durable = self._recover(covered)
            self._first, self._day = self._begun() if daily else (0, "")
            os.fdatasync(self._fd)
            sync_folder(path.parent)  # always: whoever created the file may have been killed before this
        except BlockingIOError as error:
            self._let_go()
            raise LockHeld(f"journal {path} is being written by another process", "Stop that process first.") from error
        except OSError as error:
            self._let_go()
            raise StateError(f"journal {path}: {describe(error)}") from error
        except StateError:
            self._let_go()
            raise

    def _claim(self) -> None:
        """Keep other writers out of the file that is open, where there may be none."""
        if self._alone:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _begun(self) -> tuple[int, str]:
        """Number and day of the first record in the written file; the next record and no day if it holds none."""
        length, piece = _LINE, os.pread(self._fd, _LINE, 0)
        while len(piece) == length and b"\n" not in piece:
            length *= 4
            piece = os.pread(self._fd, length, 0)
        return peek(piece.partition(b"\n")[0]) if piece else (self._head.seq + 1, "")

    def _recover(self, covered: Checkpoint | None) -> Head:
        self._start = head = segments.begin(self.path)
        if covered is not None and covered.size - head.size > self.whole:
            head = Head(covered.seq, covered.head, covered.size)
            self._insist_on(head)
        recorded, begins = Counter[str](), head
        kind = self._kind_at(head) if head.seq else ""
        for lines in segments.lines(self.path, head.size):
            seq, last = head.seq, head.hash
            for record in chain(lines, name=self.path.name, previous=head):
                if covered is not None and covered.seq == seq == record.seq - 1 and kind == Kind.PROGRAM_STOPPED \
                        and record.kind not in STARTS:
                    raise StateError(f"{self.path.name}: record {record.seq:,} follows an orderly stop, unsigned, and "
                                     "begins no run: it was put in", _TAMPERED)
                seq, last, kind = record.seq, record.hash, record.kind
                if record.kind == Kind.TAIL_REPAIRED:
                    recorded[str(record.payload.get("sha256"))] += 1
                if covered is not None and seq == covered.seq and last != covered.head:
                    raise StateError(f"{self.path.name}: record {seq:,} is not the one that its checkpoint covers: the "
                                     "log was made anew", _TAMPERED)
            head = Head(seq, last, head.size + len(lines))
        if covered is not None and head.seq < covered.seq:
            raise StateError(f"{self.path.name} ends at record {head.seq:,}, its checkpoint covers {covered.seq:,}: "
                             "the log was cut", _TAMPERED)
        torn = read(self.path, start=head.size - self._base)
        if torn:
            # Named by content too: a second tear at the same place must not replace the first.
            replace(self.path.with_name(f"{self.path.name}.torn-{head.seq + 1}-{sha256(torn)[:8]}"), torn)
            os.ftruncate(self._fd, head.size - self._base)
        self.set_aside = list(_unrecorded(self.path, recorded, after=begins.seq))
        return head

    def _kind_at(self, head: Head) -> str:
        line = segments.line_before(self.path, head.size) if head.size > segments.begins(self.path)[1] else b""
        return decode(line[:-1], where=self.path.name).kind if line else ""

    def _insist_on(self, head: Head) -> None:
        """Raise `StateError` unless the line that ends at byte `head.size` is the one that `head` names."""
        line = segments.line_before(self.path, head.size)
        if not line.endswith(b"\n") or digest(line[:-1]) != head.hash:
            raise StateError(f"{self.path.name}: byte {head.size:,} is not the end of record {head.seq:,} as a "
                             "checkpoint has it: the log was changed or cut", _TAMPERED)

    @property
    def covered(self) -> int:
        """The record that the newest checkpoint covers, 0 without one."""
        last = self._checkpoints.last if self._checkpoints is not None else None
        return last.seq if last is not None else 0

    def append(self, kind: str, payload: Mapping[str, Any], *, at: str, dag_id: str | None = None,
               ids: Mapping[str, str] | None = None) -> Record:
        """See `Journal.append`."""
        self._check()
        seq, prev = self._head.seq + 1, self._head.hash
        self._at = at
        if not self._pending:
            self._next_day = at[:10]
        ids = ids or {}
        raw = encode({"seq": seq, "at": at, "kind": kind, "dag_id": dag_id, "ids": ids,
                      "payload": sealed(kind, payload, self._salt), "prev": prev})
        named = digest(raw)
        self._pending.append(raw)
        self._head = Head(seq, named, self._head.size + len(raw) + 1)
        return Record(seq, at, kind, dag_id, ids, payload, prev, named)

    def _salt(self) -> str:
        """What is put beside a personal value, so that its hash says nothing."""
        return draw_salt()

    def sync(self) -> None:
        """See `Journal.sync`."""
        self._check()
        if not self._pending:
            return
        batch = b"\n".join(self._pending) + b"\n"
        try:
            if self._daily:
                self._turn()
            write_all(self._fd, batch)
            self._settle()
        except OSError as error:
            self._failed = describe(error)
            raise StateError(f"journal {self.path} could not be made durable: {self._failed}",
                             "Nothing further is acted on. Repair the disk, then start again.") from error
        except StateError as error:
            self._failed = error.what
            raise
        self._pending.clear()
        self._durable = self._head
        self._cover()

    def _due(self) -> bool:
        """Whether the batch begins another day, or the written file is too large."""
        size, day = self._durable.size - self._base, self._next_day
        if not self._day:
            self._day = day
        return size >= self.least and (day > self._day or size >= self.most)

    def _turn(self) -> None:
        """Seal what is there if the batch begins another day. All of it is durable and, where there is a key, signed.

        The log first, its checkpoints second: after a crash in between, those of this piece lie with the next one.
        """
        if not self._due():
            return
        day = self._next_day
        piece = segments.folder(self.path) / segments.name(self._first, self._base, self._durable.size)
        for one in (piece.parent.parent, piece.parent):
            one.mkdir(mode=0o750, exist_ok=True)
            give_to_owner(one)
            sync_folder(one.parent)
        os.rename(self.path, piece)
        sync_folder(piece.parent)
        before, self._fd = self._fd, os.open(self.path, _OPEN | os.O_CREAT | os.O_EXCL, 0o640)
        os.close(before)
        self._claim()
        give_to_owner(self.path)
        sync_folder(self.path.parent)
        self._base, self._first, self._day = self._durable.size, self._durable.seq + 1, day
        if self._checkpoints is not None:
            self._checkpoints.turn(piece)

    def _cover(self) -> None:
        """Sign what is durable now. A failure is final too: what follows would be unsigned without anybody knowing."""
        if self._checkpoints is not None:
            try:
                self._checkpoints.add(self._head, at=self._at, state=self._state)
            except StateError as error:
                self._failed = error.what
                raise

    def checkpoint(self, *, at: str, state: str | None = None) -> None:
        """See `Journal.checkpoint`."""
        self.sync()
        self._at, self._state = at, state or self._state
        self._cover()

    def _settle(self) -> None:
        """Make what was written durable."""
        os.fdatasync(self._fd)

    def _check(self) -> None:
        if self._failed is not None:
            raise StateError(f"journal {self.path} failed earlier: {self._failed}", "Repair the disk, then restart.")

    def head(self) -> Head:
        """See `Journal.head`."""
        return self._head

    def read(self, from_seq: int = 1) -> Iterator[Record]:
        """See `Journal.read`. Not after a failure: what the disk holds is unknown until it is opened again."""
        self._check()
        return (record for record in self._everything(self._start) if record.seq >= from_seq)

    def read_after(self, head: Head) -> Iterator[Record]:
        """See `Journal.read_after`. Raises `StateError` if another line stands there."""
        self._check()
        if head.seq:
            self._insist_on(head)
        return self._everything(head)

    @property
    def state(self) -> str | None:
        """See `Journal.state`."""
        return self._state

    def _everything(self, head: Head) -> Iterator[Record]:
        """What is durable after `head`, then what is only buffered."""
        pending = b"".join(raw + b"\n" for raw in self._pending)
        for lines in segments.lines(self.path, head.size):
            seq, last = head.seq, head.hash
            for record in chain(lines, name=self.path.name, previous=head):
                seq, last = record.seq, record.hash
                yield record
            head = Head(seq, last, head.size + len(lines))
        yield from chain(pending, name=self.path.name, previous=head)

    def close(self) -> None:
        """See `Journal.close`. A journal that has failed is only closed."""
        if self._fd < 0:
            return
        try:
            if self._failed is None:
                self.sync()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        os.close(self._fd)
        self._fd = -1
        if self._checkpoints is not None:
            self._checkpoints.close()


_TAMPERED = "Keep the whole home as evidence and put the complete log back; `vanta verify` says what does not fit."


def _unrecorded(path: Path, recorded: Counter[str], *, after: int) -> Iterator[bytes]:
    """Pieces of the log at `path` that were set aside, oldest first, less those that `recorded` counts by hash.

    Those before record `after` were recorded: a checkpoint covers the first batch of whoever set them aside.
    """
    pattern = re.compile(rf"{re.escape(path.name)}\.torn-(\d+)-([0-9a-f]{{8}})", re.ASCII)
    named = [(int(match[1]), match[2], match.string) for one in path.parent.iterdir()
             if (match := pattern.fullmatch(one.name)) and int(match[1]) > after]
    for _, start, name in sorted(named):
        piece = read(path.with_name(name))
        digest = sha256(piece)
        if recorded[digest]:
            recorded[digest] -= 1
        elif digest.startswith(start):  # else somebody wrote something else into it, which no record can vouch for
            yield piece
