"""Reading an operator's file on which safety rests: its bytes, or in words why they are not to be trusted.

`append_fd` opens a log to write, with the same care not to wait for a pipe that stands in its place.

A few system calls that never wait. Anything odd (missing, link, pipe, folder, foreign owner, writable by everybody,
too large, unreadable, written to meanwhile) is a problem, never an exception and never an empty file. A read is no
atomic thing: while an editor saves in place it may return the beginning of the old file with the end of the new one.
"""

import errno
import os
import stat
from collections.abc import Collection
from pathlib import Path

from vanta.common.store.atomic import describe

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC


def guarded_read(path: Path, *, owners: Collection[int], max_bytes: int,
                 private: bool = False) -> tuple[bytes | None, str]:
    """The bytes and no problem, or `None` and the problem. `owners` are the user ids that may own the file.

    `private`: nobody else may do anything with it.
    """
    try:
        fd = os.open(path, _FLAGS)
    except OSError as error:
        return None, f"{path.name} cannot be opened: {describe(error)}"
    try:
        info = os.fstat(fd)
        problem = _oddity(path.name, info, owners, max_bytes)
        if not problem and private and info.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            problem = f"{path.name} can be read by others"
        return (None, problem) if problem else _whole(fd, path.name, info)
    except OSError as error:
        return None, f"{path.name} cannot be read: {describe(error)}"
    finally:
        os.close(fd)


def _whole(fd: int, name: str, info: os.stat_result) -> tuple[bytes | None, str]:
    """Everything, if the file is afterwards what it was before (`info`)."""
    raw = os.read(fd, info.st_size + 1)
    same = len(raw) == info.st_size and _version(os.fstat(fd)) == _version(info)
    return (raw, "") if same else (None, f"{name} changed while it was read")


def _version(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns


def _oddity(name: str, info: os.stat_result, owners: Collection[int], max_bytes: int) -> str:
    if not stat.S_ISREG(info.st_mode):
        return f"{name} is not a regular file"
    if info.st_uid not in owners:
        return f"{name} belongs to uid {info.st_uid}"
    if info.st_mode & stat.S_IWOTH:
        return f"{name} may be written by everybody"
    if info.st_size > max_bytes:
        return f"{name} has {info.st_size:,} bytes"
    return ""


def append_fd(path: str | Path) -> int:
    """A descriptor that appends to a regular file, which is made if there is none. Raises `OSError`; never waits."""
    fd = os.open(path, _APPEND, 0o666)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return fd
