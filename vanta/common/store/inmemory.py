"""Twins of the file adapters that keep everything in memory: for tests, previews and measurements.

They obey the same contracts as the file adapters (tests/conformance runs one suite over both).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vanta.common.canonical import sha256
from vanta.common.errors import Missing, StateError
from vanta.common.store.chain import START, chain, encode
from vanta.common.store.personal import digest, sealed
from vanta.common.store.ports import MAX_BYTES, Head, Record


class MemoryJournal:
    """A journal in a list. `synced` counts the records that a power cut would have kept."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._head = START
        self.synced = 0
        self._state: str | None = None

    def append(self, kind: str, payload: Mapping[str, Any], *, at: str, dag_id: str | None = None,
               ids: Mapping[str, str] | None = None) -> Record:
        """See `Journal.append`."""
        seq, prev, ids = self._head.seq + 1, self._head.hash, ids or {}
        raw = encode({"seq": seq, "at": at, "kind": kind, "dag_id": dag_id, "ids": ids,
                      "payload": sealed(kind, payload, lambda: sha256(prev.encode())[:32]), "prev": prev})
        self._lines.append(raw)
        self._head = Head(seq, digest(raw), self._head.size + len(raw) + 1)
        return Record(seq, at, kind, dag_id, ids, payload, prev, self._head.hash)

    def sync(self) -> None:
        """See `Journal.sync`."""
        self.synced = len(self._lines)

    def checkpoint(self, *, at: str, state: str | None = None) -> None:  # noqa: ARG002 - memory is not signed
        """See `Journal.checkpoint`."""
        self.sync()
        self._state = state or self._state

    def head(self) -> Head:
        """See `Journal.head`."""
        return self._head

    def read(self, from_seq: int = 1) -> Iterator[Record]:
        """See `Journal.read`."""
        return (record for record in chain(self.raw(), name="memory") if record.seq >= from_seq)

    def raw(self) -> bytes:
        """What a file would hold."""
        return b"".join(raw + b"\n" for raw in self._lines)

    def read_after(self, head: Head) -> Iterator[Record]:
        """See `Journal.read_after`."""
        return self.read(head.seq + 1)

    @property
    def state(self) -> str | None:
        """See `Journal.state`."""
        return self._state

    def close(self) -> None:
        """See `Journal.close`."""
        self.sync()


class MemorySnapshots:
    """Blobs in a dict."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        """See `Snapshots.put`."""
        digest = sha256(data)
        self._blobs[digest] = data
        return digest

    def get(self, digest: str) -> bytes:
        """See `Snapshots.get`."""
        if digest not in self._blobs:
            raise Missing(f"snapshot {digest} is not in the store")
        return self._blobs[digest]

    def has(self, digest: str) -> bool:
        """See `Snapshots.has`."""
        return digest in self._blobs


class MemoryFiles:
    """Documents in a dict."""

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        self._contents = dict(contents or {})

    def read(self, name: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        """See `Files.read`."""
        if name not in self._contents:
            raise Missing(f"{name} does not exist")
        data = self._contents[name]
        if len(data) > max_bytes:
            raise StateError(f"{name} has {len(data):,} bytes; at most {max_bytes:,} are read")
        return data

    def read_from(self, name: str, start: int) -> bytes:
        """See `Files.read_from`."""
        data = self.read(name)
        if len(data) < start:
            raise StateError(f"{name} has {len(data):,} bytes, fewer than the {start:,} that were read before")
        return data[start:]

    def replace(self, name: str, data: bytes) -> None:
        """See `Files.replace`."""
        self._contents[name] = data

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        return name in self._contents

    def remove(self, name: str) -> bool:
        """See `Files.remove`."""
        return self._contents.pop(name, None) is not None
