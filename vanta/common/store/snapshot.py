"""Content-addressed copies of everything a decision used: `snapshots/<aa>/<sha256>.zst`.

A blob is named by the hash of its uncompressed bytes and written once. A large document is cut at line
ends chosen by the lines' own content and stored as a manifest of chunks, so that between two versions of
a document that lists one record a line only the changed chunks are stored again. Each chunk costs a file,
so there are some hundred at the most, however large the document. Readers never see the difference: `get`
gives the bytes and checks them against the name. A blob's time says when somebody stored it last: see `compact.py`.
"""

import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import zstandard

from vanta.common.canonical import sha256
from vanta.common.clock import SystemClock
from vanta.common.errors import Missing, StateError
from vanta.common.store.atomic import describe, make_folders, read, replace_all, sync_folder

CHUNK_ABOVE = 256 * 1024
RENEWED_S = 3600.0
"""How old the mark of a stored blob may be before a writer who stores it again renews it; compaction spares the young
ones, so that it never puts away what somebody is about to name."""

_CUT_MASK = 0x1F  # on average one cut in 32 lines
_MOST_LOOKED_AT = 1 << 20


Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which chunks a large blob is made of, in order."""

    size: int
    chunks: list[Digest]


_decode = msgspec.json.Decoder(Manifest).decode


def is_sound(name: str, stored: bytes) -> bool:
    """Whether a file of a store is whole and what its name says; of the list of a large blob, whether it is one."""
    try:
        data = zstandard.ZstdDecompressor().decompressobj().decompress(stored)
        if name.endswith(".chunks.zst"):
            return bool(_decode(data))
    except (zstandard.ZstdError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return sha256(data) == name.removesuffix(".zst")


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
        if self._kept(digest):
            return digest
        if len(data) <= CHUNK_ABOVE:
            self._store({self._path(digest): data})
        else:
            chunks = [(sha256(chunk), chunk) for chunk in cut(data)]
            self._store({self._path(name): chunk for name, chunk in chunks if not _used(self._path(name))})
            manifest = Manifest(len(data), [name for name, _ in chunks])
            self._store({self._manifest(digest): msgspec.json.encode(manifest)})
        return digest

    def _kept(self, digest: str) -> bool:
        """Whether it is all there, and now known to be used: nothing of it is put away as forgotten."""
        if _used(self._path(digest)):
            return True
        if not _there(self._manifest(digest)):
            return False
        fresh = _age(self._manifest(digest)) < RENEWED_S
        return fresh or (all(_used(self._path(chunk)) for chunk in self._chunks(digest))
                         and _used(self._manifest(digest)))

    def _store(self, blobs: Mapping[Path, bytes | memoryview]) -> None:
        self._make({path.parent for path in blobs})
        compress = zstandard.ZstdCompressor(level=1).compress
        replace_all(((path, compress(blobs[path])) for path in sorted(blobs)), mode=0o440, durable=self._durable)

    def _make(self, folders: set[Path]) -> None:
        """Make those that are not there. What is put into a folder is only as durable as the folder itself."""
        try:
            missing = [folder for folder in folders if not folder.is_dir()]
            for folder in missing:
                make_folders(folder)
            if missing and self._durable:
                sync_folder(self._folder)
        except OSError as error:
            raise StateError(f"{self._folder} cannot be written: {describe(error)}") from error

    def get(self, digest: str) -> bytes:
        """See `Snapshots.get`."""
        if _there(self._manifest(digest)):
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

    def chunks(self, digest: str) -> list[str]:
        """What a blob that is stored in chunks is made of, `[]` for one that is stored whole. Raises `StateError`."""
        return self._chunks(digest) if _there(self._manifest(digest)) else []

    def has(self, digest: str) -> bool:
        """See `Snapshots.has`."""
        return _there(self._path(digest)) or _there(self._manifest(digest))

    def pieces(self, digest: str) -> Iterator[tuple[str, bytes]]:
        """See `Pieces.pieces`."""
        names = [f"{digest}.chunks", *self._chunks(digest)] if _there(self._manifest(digest)) else [digest]
        for name in names:
            yield f"{name[:2]}/{name}", self.piece(f"{name[:2]}/{name}")

    def piece(self, name: str) -> bytes:
        """See `Pieces.piece`."""
        return self._load(self._folder / f"{name}.zst")

    def place(self, name: str, data: bytes) -> None:
        """See `Pieces.place`."""
        self._store({self._folder / f"{name}.zst": data})

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.zst"

    def _manifest(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.chunks.zst"


def _there(path: Path) -> bool:
    """Whether a file exists. One that cannot be looked at is not missing: raises `StateError`."""
    return _age(path) < float("inf")


def _age(path: Path) -> float:
    """Seconds since a file was written or used again, infinity if there is none."""
    try:
        return SystemClock().now().timestamp() - os.stat(path).st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return float("inf")
    except OSError as error:
        raise StateError(f"{path} cannot be looked at: {describe(error)}") from error


def _used(path: Path) -> bool:
    """Whether a file exists; if so, its time says from now on that it is used. Asked seldom enough to cost nothing."""
    age = _age(path)
    if RENEWED_S <= age < float("inf"):
        try:
            os.utime(path)
        except FileNotFoundError:  # put away a moment ago
            return False
        except OSError as error:
            raise StateError(f"{path} cannot be marked as used: {describe(error)}") from error
    return age < float("inf")


def cut(data: bytes) -> Iterator[memoryview]:
    """Split after lines whose checksum says so; the same lines give the same cuts.

    None is looked at before a chunk has a 128th to a 64th of the document: by powers of two, so that a document that
    grows keeps its cuts. After 1 MiB without a cut there is one all the same.
    """
    least = 1 << max(0, len(data).bit_length() - 7)
    view, start = memoryview(data), 0
    while start < len(data):
        end = _line_end(data, start + least)
        while end < min(len(data), start + least + _MOST_LOOKED_AT):
            line, end = end, _line_end(data, end)
            if zlib.crc32(view[line:end]) & _CUT_MASK == 0:
                break
        yield view[start:end]
        start = end


def _line_end(data: bytes, at: int) -> int:
    """Where the line that byte `at` is in ends, line end included."""
    return data.find(b"\n", at) + 1 or len(data)
