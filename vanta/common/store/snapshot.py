"""Content-addressed copies of everything a decision used: `snapshots/<aa>/<sha256>.zst`.

A blob is named by the hash of its uncompressed bytes and written once. A large document is cut at line
ends chosen by the lines' own content and stored as a manifest of chunks, so that between two versions of
a document that lists one record a line only the changed chunks are stored again. Readers never see the
difference: `get` gives the bytes and checks them against the name.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import zstandard

from vanta.common.canonical import sha256
from vanta.common.errors import Missing, StateError
from vanta.common.store.atomic import read, replace

CHUNK_ABOVE = 256 * 1024
_CUT_MASK = 0x3F  # on average one cut in 64 lines
_MAX_CHUNK = 1 << 20


Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which chunks a large blob is made of, in order."""

    size: int
    chunks: list[Digest]


_decode = msgspec.json.Decoder(Manifest).decode


class FileSnapshots:
    """The store in a folder. Safe for several writers: the same name always means the same bytes.

    `durable=False` leaves out the syncs: only for a run that can be made again from its inputs.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable

    def put(self, data: bytes) -> str:
        """See `Snapshots.put`."""
        digest = sha256(data)
        if self.has(digest):
            return digest
        if len(data) <= CHUNK_ABOVE:
            self._store(self._path(digest), data)
        else:
            chunks = [self._put_chunk(chunk) for chunk in cut(data)]
            self._store(self._manifest(digest), msgspec.json.encode(Manifest(len(data), chunks)))
        return digest

    def _put_chunk(self, chunk: bytes) -> str:
        digest = sha256(chunk)
        if not self._path(digest).exists():
            self._store(self._path(digest), chunk)
        return digest

    def _store(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        replace(path, zstandard.compress(data, 1), mode=0o440, durable=self._durable)

    def get(self, digest: str) -> bytes:
        """See `Snapshots.get`."""
        if self._manifest(digest).exists():
            data = b"".join(self._load(self._path(chunk)) for chunk in self._chunks(digest))
        else:
            data = self._load(self._path(digest))
        if sha256(data) != digest:
            raise StateError(f"snapshot {digest} does not match its name: it was changed on disk")
        return data

    def _chunks(self, digest: str) -> list[str]:
        path = self._manifest(digest)
        try:
            return _decode(self._load(path)).chunks
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(f"snapshot {path} is damaged: {error}") from error

    def _load(self, path: Path) -> bytes:
        try:
            return zstandard.ZstdDecompressor().decompressobj().decompress(read(path))
        except zstandard.ZstdError as error:
            raise StateError(f"snapshot {path} is damaged: {error}") from error
        except Missing as error:
            raise Missing(f"snapshot {path.name} is not in the store") from error

    def has(self, digest: str) -> bool:
        """See `Snapshots.has`."""
        return self._path(digest).exists() or self._manifest(digest).exists()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.zst"

    def _manifest(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.chunks.zst"


def cut(data: bytes) -> Iterator[bytes]:
    """Split at line ends where the line's checksum says so; the same lines give the same cuts."""
    start = at = 0
    for line in data.splitlines(keepends=True):
        at += len(line)
        if zlib.crc32(line) & _CUT_MASK == 0 or at - start >= _MAX_CHUNK:
            yield data[start:at]
            start = at
    if start < len(data):
        yield data[start:]
