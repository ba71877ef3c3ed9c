"""The hash-chained journal: one JSON object a line, each naming the hash of the line before.

    {"seq":7,"at":"…Z","kind":"fill","dag_id":null,"ids":{…},"payload":{…},"prev":"<sha256 of line 6>"}

- `append` extends the chain in memory, `sync` does one `write` and one `fdatasync` for the whole batch.
- A failed write or sync is final: the journal refuses everything afterwards, because what the disk then
  holds is not known. A second fdatasync is never trusted.
- Opening reads the whole chain. A torn last line is moved to `<name>.torn-<seq>-<hash>` beside the log; any other
  break raises `StateError` naming the line. Whoever opens the log records each piece of `set_aside`. A piece stays
  there until a record names it, so that a crash in between leaves none unrecorded.
- What opening has read is made durable before it is handed out: a kill may have left it in the page cache.
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
from vanta.common.store.atomic import describe, read, replace, sync_folder, write_all
from vanta.common.store.chain import chain, encode
from vanta.common.store.ports import GENESIS, Head, Record

_OPEN = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class FileJournal:
    """A journal in one file with one writer. `set_aside` are torn pieces beside it that no record names yet."""

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        """Open or create, repair at most one torn line, check the chain, make it durable.

        `alone`: raise `LockHeld` if another writer has it open `alone`, whatever became of the lock file beside it.
        """
        self.path = path
        self.set_aside: list[bytes] = []
        self._failed: str | None = None
        self._pending: list[bytes] = []
        try:
            self._fd = os.open(path, _OPEN | os.O_CREAT, 0o640)
        except OSError as error:
            raise StateError(f"journal {path}: {describe(error)}") from error
        try:
            if alone:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._head = self._recover()
            os.fdatasync(self._fd)
            sync_folder(path.parent)  # always: whoever created the file may have been killed before this
        except BlockingIOError as error:
            os.close(self._fd)
            raise LockHeld(f"journal {path} is being written by another process", "Stop that process first.") from error
        except OSError as error:
            os.close(self._fd)
            raise StateError(f"journal {path}: {describe(error)}") from error
        except StateError:
            os.close(self._fd)
            raise

    def _recover(self) -> Head:
        data = read(self.path)
        complete = data[: data.rfind(b"\n") + 1]
        seq, last, recorded = 0, GENESIS, Counter[str]()
        for record in chain(complete, name=self.path.name):
            seq, last = record.seq, record.hash
            if record.kind == Kind.TAIL_REPAIRED:
                recorded[str(record.payload.get("sha256"))] += 1
        if len(complete) != len(data):
            torn = data[len(complete):]
            # Named by content too: a second tear at the same place must not replace the first.
            replace(self.path.with_name(f"{self.path.name}.torn-{seq + 1}-{sha256(torn)[:8]}"), torn)
            os.ftruncate(self._fd, len(complete))
        self.set_aside = list(_unrecorded(self.path, recorded))
        return Head(seq, last, len(complete))

    @property
    def torn(self) -> bytes | None:
        """The first of `set_aside`, if there is one."""
        return self.set_aside[0] if self.set_aside else None

    def append(self, kind: str, payload: Mapping[str, Any], *, at: str, dag_id: str | None = None,
               ids: Mapping[str, str] | None = None) -> Record:
        """See `Journal.append`."""
        self._check()
        seq, prev = self._head.seq + 1, self._head.hash
        ids = ids or {}
        raw = encode({"seq": seq, "at": at, "kind": kind, "dag_id": dag_id, "ids": ids,
                      "payload": payload, "prev": prev})
        digest = sha256(raw)
        self._pending.append(raw)
        self._head = Head(seq, digest, self._head.size + len(raw) + 1)
        return Record(seq, at, kind, dag_id, ids, payload, prev, digest)

    def sync(self) -> None:
        """See `Journal.sync`."""
        self._check()
        if not self._pending:
            return
        batch = b"\n".join(self._pending) + b"\n"
        try:
            write_all(self._fd, batch)
            self._settle()
        except OSError as error:
            self._failed = describe(error)
            raise StateError(f"journal {self.path} could not be made durable: {self._failed}",
                             "Nothing further is acted on. Repair the disk, then start again.") from error
        self._pending.clear()

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
        data = read(self.path) + b"".join(raw + b"\n" for raw in self._pending)
        return (record for record in chain(data, name=self.path.name) if record.seq >= from_seq)

    def close(self) -> None:
        """See `Journal.close`. A journal that has failed is only closed."""
        if self._fd < 0:
            return
        try:
            if self._failed is None:
                self.sync()
        finally:
            os.close(self._fd)
            self._fd = -1


def _unrecorded(path: Path, recorded: Counter[str]) -> Iterator[bytes]:
    """Pieces of the log at `path` that were set aside, oldest first, less those that `recorded` counts by hash."""
    pattern = re.compile(rf"{re.escape(path.name)}\.torn-(\d+)-([0-9a-f]{{8}})", re.ASCII)
    named = [(int(match[1]), match[2], match.string) for one in path.parent.iterdir()
             if (match := pattern.fullmatch(one.name))]
    for _, start, name in sorted(named):
        piece = read(path.with_name(name))
        digest = sha256(piece)
        if recorded[digest]:
            recorded[digest] -= 1
        elif digest.startswith(start):  # else somebody wrote something else into it, which no record can vouch for
            yield piece
