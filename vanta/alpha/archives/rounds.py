"""A round: a home's journals, as they are now, and what they promise, into its archive; nothing is copied twice.

Every file is kept under its hash first, the manifest that names them all last: a kill, a full disk or a folder that is
gone leaves what was kept for the next round, and the manifest before it as the newest one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vanta.alpha.archives.port import Archive
from vanta.alpha.core.archived import (
    BEGUN,
    KEYS_PATH,
    MANIFESTS,
    SNAPSHOTS,
    Begun,
    File,
    Manifest,
    begun,
    decode,
    encode,
    file_name,
    is_sealed,
    name_of,
    number_of,
)
from vanta.common.canonical import canonical, sha256
from vanta.common.errors import Missing, OperatorError, StateError, UsageError
from vanta.common.paths import JOURNALS, SEGMENTS, Home
from vanta.common.signatures import Signer, keys
from vanta.common.store import segments
from vanta.common.store.atomic import read
from vanta.common.store.checkpoint import FOLDER

_LARGEST = 1 << 40
_AGAIN = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """What a round did: the manifest's name, how many files it names, and how many of them, of which size, were new."""

    name: str
    files: int
    copied: int
    size: int


def begin(home: Home, archive: Archive, at: str) -> None:
    """Say once whose archive this is. Raises `UsageError` if it is somebody's already."""
    first = keys(read(home.root / KEYS_PATH))[0]
    if archive.size(BEGUN) is not None:
        raise UsageError("there is an archive already", "Choose an empty folder, or use it as it is: `vanta tidy`.")
    archive.put(BEGUN, canonical({"key": first, "at": at}))


def owner(archive: Archive) -> Begun:
    """Whose archive this is. Raises `OperatorError` where none was begun."""
    try:
        return begun(archive.get(BEGUN))
    except Missing as error:
        raise OperatorError(f"no archive was begun there: {error.what}", "Is the disk mounted? If this is to be a new "
                            "one: `vanta archive begin`.") from error


def newest(archive: Archive) -> tuple[str, Manifest] | None:
    """The newest manifest with its name. Raises `StateError` for one that cannot be believed."""
    names = [name for name in archive.names(MANIFESTS) if number_of(name)]
    return (names[-1], decode(archive.get(names[-1]), names[-1])) if names else None


class Round:
    """One. The caller holds the home's lock for housekeeping, so that nothing is packed or put away meanwhile."""

    def __init__(self, home: Home, archive: Archive, signer: Signer) -> None:
        self._home, self._archive, self._signer = home, archive, signer
        self._copied = self._size = self._snapshots = 0

    def run(self, at: str) -> Kept:
        """Raises `StateError` for what the archive or the disk does not do, `OperatorError` for another's archive."""
        listed = keys(read(self._home.root / KEYS_PATH))
        if owner(self._archive).key != listed[0]:
            raise OperatorError("this is the archive of another home", "Give each home a folder of its own.")
        before = newest(self._archive)
        if before is not None and before[1].key not in listed:
            raise StateError(f"{before[0]} is signed with a key that is none of this home's")
        known = {one.path: one for one in before[1].files} if before else {}
        files = tuple(sorted(self._files(known), key=lambda one: one.path))
        self._keep_snapshots()  # after the records that promise them were read
        manifest = Manifest(before[1].number + 1 if before else 1, at, before[0] if before else "", files,
                            self._signer.public)
        raw = encode(manifest, self._signer)
        self._archive.put(name_of(manifest.number, raw), raw)
        return Kept(name_of(manifest.number, raw), len(files) + self._snapshots, self._copied, self._size)

    def _keep_snapshots(self) -> None:
        """Each is named by the hash of its content, and signed records promise it: no manifest has to list it."""
        for folder in sorted(self._home.snapshots.glob("[0-9a-f][0-9a-f]")):
            there = set(self._archive.names(f"{SNAPSHOTS}/{folder.name}"))
            for path in sorted(folder.glob("*.zst")):
                self._snapshots += 1
                if (name := f"{SNAPSHOTS}/{folder.name}/{path.name}") not in there:
                    raw = read(path, max_bytes=_LARGEST)
                    self._archive.put(name, raw)
                    self._copied, self._size = self._copied + 1, self._size + len(raw)

    def _files(self, known: dict[str, File]) -> Iterator[File]:
        yield self._keep(KEYS_PATH, read(self._home.root / KEYS_PATH))
        for name in JOURNALS:
            pieces, written = self._journal(name)
            for path in pieces:
                at = f"memory/{SEGMENTS}/{name}/{path.name}"
                before = known.get(at)
                if before is not None and is_sealed(at) and self._archive.size(file_name(before.sha256)) == before.size:
                    yield before
                    continue
                try:
                    yield self._keep(at, read(path, max_bytes=_LARGEST))
                except Missing:  # a piece may do without checkpoints
                    if is_sealed(at):
                        raise
            for at, raw in written.items():
                yield self._keep(at, raw)

    def _journal(self, name: str) -> tuple[list[Path], dict[str, bytes]]:
        """A journal's sealed pieces, and what is written of it and its checkpoints, of one moment, in whole lines.

        Checkpoints are read before the records that they cover, and a turn in between is looked at again.
        """
        log = self._home.file(name)
        for _ in range(_AGAIN):
            before = segments.sealed(log)
            written = {at: raw[:raw.rfind(b"\n") + 1] for at, raw in (
                (f"memory/{FOLDER}/{name}", _read(log.parent / FOLDER / name)), (f"memory/{name}", _read(log)))}
            if segments.sealed(log) == before:
                paths = [path for piece in before for path in (piece.path, piece.checkpoints)]
                return paths, {at: raw for at, raw in written.items() if raw}
        raise StateError(f"{name} turns faster than it can be read")

    def _keep(self, path: str, raw: bytes) -> File:
        one = File(path, len(raw), sha256(raw))
        if self._archive.put(file_name(one.sha256), raw):
            self._copied, self._size = self._copied + 1, self._size + len(raw)
        return one


def _read(path: Path) -> bytes:
    try:
        return read(path, max_bytes=_LARGEST)
    except Missing:
        return b""
