"""What the programs need of storage, and nothing of how it is done.

Each port has a file adapter and an in-memory twin (`inmemory.py`) under one conformance suite
(tests/conformance). Programs name ports; only `wire.py` names adapters.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

GENESIS = "0" * 64
MAX_BYTES = 1 << 30
"""No file is larger than this, unless it is read in pieces."""


class Record(NamedTuple):
    """One journal line. `ids` holds the linking ids that apply, `prev` the hash of the line before."""

    seq: int
    at: str
    kind: str
    dag_id: str | None
    ids: Mapping[str, str]
    payload: Mapping[str, Any]
    prev: str
    hash: str


class Head(NamedTuple):
    """The end of a journal: last sequence number, hash of the last line, bytes."""

    seq: int
    hash: str
    size: int


class Journal(Protocol):
    """An append-only, hash-chained log. `append` buffers; nothing may be acted on before `sync`."""

    def append(self, kind: str, payload: Mapping[str, Any], *, at: str, dag_id: str | None = None,
               ids: Mapping[str, str] | None = None) -> Record:
        """Add a record to the current batch and return it. Not durable until `sync`."""
        ...

    def sync(self) -> None:
        """Make every appended record durable: one write, one fdatasync. A failure is final."""
        ...

    def checkpoint(self, *, at: str, state: str | None = None) -> None:
        """Sync and sign the end, where the journal is signed.

        `state` names a snapshot of what the journal folds to, here or at an earlier head; later checkpoints repeat it.
        """
        ...

    def head(self) -> Head:
        """The end of the journal, counting what is only buffered."""
        ...

    def read(self, from_seq: int = 1) -> Iterator[Record]:
        """Records from `from_seq` on, the durable ones and the buffered ones."""
        ...

    def read_after(self, head: Head) -> Iterator[Record]:
        """Records after a known head. What stands before it is not looked at, but for the line that it names."""
        ...

    @property
    def state(self) -> str | None:
        """The snapshot that the newest checkpoint names, if there is one."""
        ...

    def close(self) -> None:
        """Sync and let go."""
        ...


class Snapshots(Protocol):
    """Content-addressed, write-once blobs."""

    def put(self, data: bytes) -> str:
        """Store and return the SHA-256 of the uncompressed bytes. Storing twice is one copy."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes. Raises `Missing`, or `StateError` if they no longer match their name."""
        ...

    def has(self, digest: str) -> bool:
        """Whether `get` would find it."""
        ...


class Pieces(Snapshots, Protocol):
    """Snapshots as they are kept: each blob whole, or its chunks and the list of them."""

    def pieces(self, digest: str) -> Iterator[tuple[str, bytes]]:
        """Names (`ab/<sha256>`, `ab/<sha256>.chunks`) and bytes of what a blob is made of. Raises like `get`."""
        ...

    def chunks(self, digest: str) -> list[str]:
        """What a blob that is stored in chunks is made of, `[]` for one that is stored whole. Raises `StateError`."""
        ...

    def place(self, name: str, data: bytes) -> None:
        """Keep a piece under its name, which the caller has checked."""
        ...

    def piece(self, name: str) -> bytes:
        """The bytes of one piece. Raises `Missing` or `StateError`."""
        ...


class Files(Protocol):
    """Whole documents by name, replaced atomically."""

    def read(self, name: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        """The bytes of `name`. Raises `Missing` or `StateError`, also if there are more; never an empty default."""
        ...

    def read_from(self, name: str, start: int) -> bytes:
        """The bytes of `name` from byte `start` on, those of a log that were sealed since among them.

        Raises like `read`, and `StateError` if there are fewer.
        """
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Put `data` there, durably and all at once."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is such a file. A dangling or odd one counts as existing: reading it will say."""
        ...

    def remove(self, name: str) -> bool:
        """Remove durably; returns whether there was something."""
        ...
