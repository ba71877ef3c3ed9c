"""The one file of a bundle: a zip archive of the plainest kind, written and read strictly.

Any tool reads it. Ours reads only what `Writer` would have written: members in one run without gaps, under names that
`core/bundle.py` knows, with one kind of compression, no links, no encryption and nothing hidden between them, so that
nobody is shown another archive than the one that was checked. The last 64 bytes, the archive's comment, are the SHA-256
of all before them: a byte that was lost or changed on the way is found, whichever it is. Whether the right people wrote
it is the manifest's to say.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from vanta.alpha.core.bundle import CURE, OWN, Member, is_member
from vanta.common.errors import Missing, StateError, UsageError
from vanta.common.store.atomic import describe, sync_folder

MOST_MEMBERS = 2_000_000
MOST_BYTES = 256 << 30
MOST_RATIO = 500
"""A bundle larger than this when unpacked, by size or by ratio, is taken for one that is to fill a disk."""

_BLOCK = 1 << 20
_DIGEST = 64
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error,
           OverflowError, LookupError)
"""What the standard library raises over an archive that is none."""


class Hindered(StateError):
    """This host cannot read or hold the bundle: nothing is said about the bundle itself."""


class Writer:
    """Adds members one after another. `members` are those so far."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members: list[Member] = []

    def add(self, name: str, data: bytes) -> None:
        """One member. Its name has to be new."""
        self._archive.writestr(_info(name), data, compresslevel=6)
        self.members.append(Member(name=name, size=len(data), sha256=sha256(data).hexdigest()))


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A new archive at `path`, gone again if anything fails. Raises `UsageError` if there is a file, `StateError`."""
    try:
        fd = os.open(path, _NEW, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} exists", "Choose another name; nothing is written over.") from error
    except OSError as error:
        raise StateError(f"{path} cannot be made: {describe(error)}") from error
    try:
        with os.fdopen(fd, "w+b") as file:
            with zipfile.ZipFile(file, "w") as archive:
                yield Writer(archive)
                archive.comment = b"0" * _DIGEST
            _seal(file)
        sync_folder(path.parent)
    except OSError as error:
        path.unlink()
        raise StateError(f"{path} cannot be written: {describe(error)}") from error
    except BaseException:
        path.unlink()
        raise


def _seal(file: BinaryIO) -> None:
    end = file.seek(-_DIGEST, os.SEEK_END)
    file.seek(0)
    digest = _digest(file, end)
    file.seek(end)
    file.write(digest)
    file.flush()
    os.fsync(file.fileno())


def _info(name: str) -> zipfile.ZipInfo:
    """The header of a member: nothing of the host, the time or the account that wrote it."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr, info.compress_type = 3, (stat.S_IFREG | 0o444) << 16, zipfile.ZIP_DEFLATED
    return info


class Reader:
    """An archive that is as `Writer` makes them. `sizes` are its members' by name, in order."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._infos = {info.filename: info for info in archive.infolist()}
        self.sizes = {name: info.file_size for name, info in self._infos.items()}

    def blocks(self, name: str) -> Iterator[bytes]:
        """A member's bytes in pieces. Raises `Missing`, or `StateError` if they are broken."""
        if name not in self._infos:
            raise Missing(f"the bundle holds no {name}", CURE)
        try:
            with self._archive.open(self._infos[name]) as member:
                while block := member.read(_BLOCK):
                    yield block
        except _BROKEN as error:
            raise StateError(f"{name} cannot be unpacked: {error}", CURE) from error

    def read(self, name: str) -> bytes:
        """A member's bytes. Raises like `blocks`."""
        return b"".join(self.blocks(name))


@contextmanager
def reading(path: Path, *, most: int = MOST_BYTES) -> Iterator[Reader]:
    """The archive at `path`, unpacked to at most `most` bytes. Raises `StateError` for anything but one of ours."""
    with ExitStack() as held:
        try:
            file = held.enter_context(os.fdopen(os.open(path, _READ), "rb"))
            _insist_on_digest(file)
            archive = held.enter_context(zipfile.ZipFile(file))
            _insist_on_form(file, archive, most)
        except _BROKEN as error:
            raise StateError(f"{path}: {error}", CURE) from error
        except OSError as error:
            raise Hindered(f"{path} cannot be read: {describe(error)}", "It has to be a file.") from error
        yield Reader(archive)


def _insist_on_digest(file: BinaryIO) -> None:
    size = os.fstat(file.fileno()).st_size  # 0 for what is no regular file
    _insist_on(size > _DIGEST, "it is too short for a bundle")
    digest = _digest(file, size - _DIGEST)
    _insist_on(digest == file.read(_DIGEST), "its bytes are not those that were written: it was damaged")


def _insist_on(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - a condition
    if not holds:
        raise zipfile.BadZipFile(otherwise)


def _insist_on_form(file: BinaryIO, archive: zipfile.ZipFile, most: int) -> None:
    infos = archive.infolist()
    size = os.fstat(file.fileno()).st_size
    whole = sum(info.file_size for info in infos)
    _insist_on(len(infos) <= MOST_MEMBERS, f"it has {len(infos):,} members, at most {MOST_MEMBERS:,} are unpacked")
    _insist_on(whole <= min(most, MOST_RATIO * size), f"it would unpack to {whole:,} bytes: more than is unpacked")
    _insist_on(len({info.filename for info in infos}) == len(infos), "it holds two members of one name")
    at = 0
    for info in infos:
        name = info.filename[:100]
        _insist_on(info.orig_filename == info.filename and (is_member(info.filename) or info.filename in OWN),
                   f"{name!r} has no place in a bundle")
        _insist_on(info.header_offset == at and _as_written(info), f"{name} is not as it is written")
        header = _header(info)
        _insist_on(os.pread(file.fileno(), len(header), at) == header, f"{name} has another header than its entry")
        at += len(header) + info.compress_size
    _insist_on(archive.start_dir == at, "something stands between its members and their list")


def _as_written(info: zipfile.ZipInfo) -> bool:
    mine = _info(info.filename)
    return all(getattr(info, name) == getattr(mine, name) for name in (
        "date_time", "create_system", "external_attr", "compress_type", "flag_bits", "comment", "internal_attr",
        "volume", "reserved"))


def _header(info: zipfile.ZipInfo) -> bytes:
    mine = _info(info.filename)
    mine.CRC, mine.compress_size, mine.file_size = info.CRC, info.compress_size, info.file_size
    return mine.FileHeader(info.file_size * 1.05 > zipfile.ZIP64_LIMIT)


def _digest(file: BinaryIO, length: int) -> bytes:
    """The SHA-256 in hex of so many bytes from where the file stands."""
    found, left = sha256(), length
    while left and (block := file.read(min(_BLOCK, left))):
        found.update(block)
        left -= len(block)
    return found.hexdigest().encode()
