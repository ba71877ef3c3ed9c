"""Reading and replacing whole files so that nobody ever sees half of one.

`replace` writes a temporary file in the same folder, syncs it, renames it over the target and syncs the
folder: after it returns, the new bytes survive a power cut; before that, the old ones do. `read` opens
without following links or blocking, insists on a regular file of bounded size, and reads it once.
A write that fails leaves the old file in place and no temporary file behind.
"""

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from vanta.common.errors import Missing, StateError
from vanta.common.store.ports import MAX_BYTES

_BATCH = 64  # files that are open at a time
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TEMP = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read(path: Path, *, start: int = 0, max_bytes: int = MAX_BYTES, most: int | None = None) -> bytes:
    """The file from byte `start` on. Raises `Missing` if there is none, `StateError` if it is not a plain, sane file.

    A file that has fewer than `start` bytes was cut: that is a `StateError` too. With `most`, a file may be as large as
    it is, and at most so many bytes are read.
    """
    try:
        fd = os.open(path, _READ)
    except FileNotFoundError as error:
        raise Missing(f"{path} does not exist") from error
    except OSError as error:
        raise StateError(f"{path} cannot be opened: {describe(error)}", "It must be a regular file.") from error
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise StateError(f"{path} is not a regular file", "Replace it by a regular file.")
        if info.st_size < start:
            raise StateError(f"{path} has {info.st_size:,} bytes, fewer than the {start:,} that were read before")
        if most is None and info.st_size - start > max_bytes:
            raise StateError(f"{path} has {info.st_size:,} bytes; at most {max_bytes:,} are read")
        os.lseek(fd, start, os.SEEK_SET)
        return read_all(fd, info.st_size - start) if most is None else os.read(fd, most)
    except OSError as error:
        raise StateError(f"{path} cannot be read: {describe(error)}") from error
    finally:
        os.close(fd)


def read_all(fd: int, size_hint: int) -> bytes:
    """Read a descriptor to its end."""
    parts = []
    while part := os.read(fd, max(size_hint + 1, 65536)):
        parts.append(part)
    return b"".join(parts)


def replace(path: Path, data: bytes, *, mode: int = 0o640, durable: bool = True) -> None:
    """Put `data` at `path` atomically. `durable=False` skips the syncs: only for what may be lost and remade.

    Raises `StateError`. The old file is then untouched, unless only the folder's sync failed: then either the old
    or the new one survives a power cut, whole.
    """
    replace_all([(path, data)], mode=mode, durable=durable)


def replace_all(files: Iterable[tuple[Path, bytes]], *, mode: int = 0o640, durable: bool = True) -> None:
    """Like `replace` for each file, in order, but a batch waits for the disk together: each folder is synced once.

    Raises `StateError`; the files of earlier batches are then in place, and those of its own as far as it came.
    """
    waiting = iter(files)
    while batch := dict(islice(waiting, _BATCH)):
        _replace_batch(batch, mode, durable=durable)


def _replace_batch(files: Mapping[Path, bytes], mode: int, *, durable: bool) -> None:
    temps = {path: path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}.tmp") for path in files}
    path = next(iter(files))
    try:
        with contextlib.ExitStack() as opened:
            fds = {}
            for path, data in files.items():
                fds[path] = _create(temps[path], mode)
                opened.callback(os.close, fds[path])
                write_all(fds[path], data)
            for fd in fds.values() if durable else ():
                os.fsync(fd)
        for path, temp in temps.items():
            os.rename(temp, path)
        for folder in dict.fromkeys(path.parent for path in files) if durable else ():
            sync_folder(folder)
    except OSError as error:
        for temp in temps.values():
            with contextlib.suppress(OSError):
                temp.unlink()
        cure = "Free some space, then run again." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise StateError(f"{path} cannot be written: {describe(error)}", cure) from error


def _create(temp: Path, mode: int) -> int:
    """Open a new file; one of the same name is what a process with our id has left behind."""
    temp.unlink(missing_ok=True)
    fd = os.open(temp, _TEMP, mode)
    try:
        give_to_owner(temp)
    except OSError:
        os.close(fd)
        raise
    return fd


def write_all(fd: int, data: bytes) -> None:
    """Write everything; a short write is continued, an error is raised."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def sync_folder(folder: Path) -> None:
    """Make creations, renames and removals in `folder` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def remove(path: Path) -> bool:
    """Unlink durably. Returns whether there was something. Works on a full disk."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


def describe(error: OSError) -> str:
    """`No space left on device (ENOSPC)`."""
    code = errno.errorcode.get(error.errno or 0, "?")
    return f"{error.strerror or error} ({code})"


def give_to_owner(path: Path) -> None:
    """What root makes in somebody's folder is theirs, or their programs could not go on with it. Raises `OSError`."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        if owner.st_uid != path.lstat().st_uid:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def make_folders(path: Path, mode: int = 0o750) -> None:
    """Make a folder and those above it that are missing; each is its parent's owner's. Raises `OSError`."""
    for folder in reversed([one for one in (path, *path.parents) if not one.exists()]):
        folder.mkdir(mode=mode, exist_ok=True)
        give_to_owner(folder)
