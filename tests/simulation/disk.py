"""The simulated disk: what is written is there, what is flushed stays, and a crash in between leaves any part of it.

The journal's twin obeys the contract of the file journal: records wait in the process until `sync` writes and flushes
them in one go; a crash or a fault in the middle leaves a prefix, down to half a record; a failure is final; opening
sets a torn last line aside and makes the rest durable. Documents and blobs are replaced at once or not at all.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from tests.simulation.fuse import Crash, Fuse
from vanta.common.errors import Missing, StateError
from vanta.common.store.chain import START, chain, encode
from vanta.common.store.ports import MAX_BYTES, Head, Record


class Disk:
    """What outlives the process. `fails` is how likely a write fails; `failed` says that one did."""

    def __init__(self, chance: Random, fuse: Fuse) -> None:
        self.chance = chance
        self.fuse = fuse
        self.log: list[bytes] = []
        self.tail = b""
        self.aside: list[bytes] = []
        self.files: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.state: str | None = None
        self.fails = 0.0
        self.failed = False

    def refuse(self, what: str) -> None:
        """Raise `StateError` now and then, as a full or broken disk does."""
        if self.fails and self.chance.random() < self.fails:
            self.failed = True
            raise StateError(f"{what}: Input/output error (EIO)", "Repair the disk.")

    def keep_part(self, batch: list[bytes]) -> None:
        """A write that was never flushed: some records whole, and perhaps a part of the next one, are on the disk."""
        whole = self.chance.randrange(len(batch) + 1)
        verdicts = [at for at, raw in enumerate(batch, 1) if b'"intent.approved"' in raw[:120]]
        if verdicts and self.chance.random() < 0.3:
            whole = self.chance.choice(verdicts)  # the verdict stays and what it announced is lost
        self.log += batch[:whole]
        if whole < len(batch):
            rest = batch[whole]
            self.tail = rest[: self.chance.choice((0, len(rest) // 2, len(rest)))]


class SimJournal:
    """One process's view of the log. `set_aside` are torn last lines that no record names; `lines` all records."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._pending: list[bytes] = []
        self._failed = False
        disk.fuse.reach("journal.open")
        self._found = list(chain(b"".join(raw + b"\n" for raw in disk.log), name="trade_log.jsonl"))
        self._head = START
        if self._found:
            last = self._found[-1]
            self._head = Head(last.seq, last.hash, sum(map(len, disk.log)) + len(disk.log))
        if disk.tail:
            disk.aside.append(disk.tail)
            disk.fuse.reach("journal.aside")
            disk.tail = b""
        named = Counter(record.payload["sha256"] for record in self._found if record.kind == "tail.repaired")
        self.set_aside = list(_unnamed(disk.aside, named))
        disk.fuse.reach("journal.opened")

    @property
    def lines(self) -> list[bytes]:
        """Every record, the durable ones first."""
        return self._disk.log + self._pending

    @property
    def durable(self) -> int:
        """How many of them a power cut would keep."""
        return len(self._disk.log)

    def append(self, kind: str, payload: Mapping[str, Any], *, at: str, dag_id: str | None = None,
               ids: Mapping[str, str] | None = None) -> Record:
        """See `Journal.append`."""
        self._check()
        self._disk.fuse.reach("journal.append")
        seq, prev, ids = self._head.seq + 1, self._head.hash, ids or {}
        raw = encode({"seq": seq, "at": at, "kind": kind, "dag_id": dag_id, "ids": ids, "payload": payload,
                      "prev": prev})
        digest = hashlib.sha256(raw).hexdigest()
        self._pending.append(raw)
        self._head = Head(seq, digest, self._head.size + len(raw) + 1)
        return Record(seq, at, kind, dag_id, ids, payload, prev, digest)

    def sync(self) -> None:
        """See `Journal.sync`."""
        self._check()
        if not self._pending:
            return
        disk = self._disk
        disk.fuse.reach("journal.write")
        try:
            disk.refuse("journal")
            disk.fuse.reach("journal.flush")
        except (Crash, StateError):
            self._failed = True
            disk.keep_part(self._pending)
            raise
        disk.log += self._pending
        self._pending = []
        disk.fuse.reach("journal.synced")

    def _check(self) -> None:
        if self._failed:
            raise StateError("the journal failed earlier", "Repair the disk, then restart.")

    def head(self) -> Head:
        """See `Journal.head`."""
        return self._head

    def read(self, from_seq: int = 1) -> Iterator[Record]:
        """See `Journal.read`. Start-up reads what opening found; nobody else reads."""
        self._check()
        assert self._head.seq == len(self._found), "read after the first record was appended"
        return (record for record in self._found if record.seq >= from_seq)

    def read_after(self, head: Head) -> Iterator[Record]:
        """See `Journal.read_after`."""
        assert not head.seq or self._found[head.seq - 1].hash == head.hash, "another line stands there"
        return self.read(head.seq + 1)

    def checkpoint(self, *, at: str, state: str | None = None) -> None:
        """See `Journal.checkpoint`. A crash may leave the checkpoint before."""
        self.sync()
        self._disk.fuse.reach("journal.checkpoint")
        self._disk.state = state or self._disk.state

    @property
    def state(self) -> str | None:
        """See `Journal.state`."""
        return self._disk.state

    def close(self) -> None:
        """See `Journal.close`."""
        if not self._failed:
            self.sync()


def _unnamed(pieces: list[bytes], named: Counter[str]) -> Iterator[bytes]:
    for piece in pieces:
        digest = hashlib.sha256(piece).hexdigest()
        if named[digest] > 0:
            named[digest] -= 1
        else:
            yield piece


class SimFiles:
    """Documents: replaced whole. Reading fails now and then."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def read(self, name: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        """See `Files.read`."""
        if self._disk.fails and self._disk.chance.random() < self._disk.fails:
            raise StateError(f"{name} cannot be read: Input/output error (EIO)")
        if name not in self._disk.files:
            raise Missing(f"{name} does not exist")
        if len(self._disk.files[name]) > max_bytes:
            raise StateError(f"{name} has {len(self._disk.files[name]):,} bytes; at most {max_bytes:,} are read")
        return self._disk.files[name]

    def read_from(self, name: str, start: int) -> bytes:
        """See `Files.read_from`."""
        data = self.read(name)
        if len(data) < start:
            raise StateError(f"{name} has {len(data):,} bytes, fewer than the {start:,} that were read before")
        return data[start:]

    def replace(self, name: str, data: bytes) -> None:
        """See `Files.replace`."""
        disk = self._disk
        disk.fuse.reach("files.replace")
        disk.refuse(name)
        disk.files[name] = data
        disk.fuse.reach("files.replaced")

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        return name in self._disk.files

    def remove(self, name: str) -> bool:
        """See `Files.remove`."""
        return self._disk.files.pop(name, None) is not None


class SimSnapshots:
    """Blobs by hash, written once."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def put(self, data: bytes) -> str:
        """See `Snapshots.put`."""
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._disk.blobs:
            self._disk.fuse.reach("snapshot.put")
            self._disk.refuse("snapshot")
            self._disk.blobs[digest] = data
            self._disk.fuse.reach("snapshot.stored")
        return digest

    def get(self, digest: str) -> bytes:
        """See `Snapshots.get`."""
        if digest not in self._disk.blobs:
            raise Missing(f"snapshot {digest} is not in the store")
        return self._disk.blobs[digest]

    def has(self, digest: str) -> bool:
        """See `Snapshots.has`."""
        return digest in self._disk.blobs
