"""One process per state tree: an advisory lock that says who holds it.

`flock` on a file that is never unlinked. The holder's stamp inside is for people; the kernel is the truth,
so a killed holder frees the lock at once. After locking, and again whenever `still_held` is asked, the
descriptor is compared with the path: a lock file that was deleted or replaced is no lock.
"""

import contextlib
import fcntl
import os
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType

from vanta.common.errors import LockHeld, StateError
from vanta.common.store.atomic import describe, give_to_owner, write_all
from vanta.common.times import iso

_ATTEMPTS, _PAUSE_S = 200, 0.01  # `holder` below holds the lock for an instant, longer where the machine is busy
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class FileLock:
    """Held from construction until `release` (or the end of the process)."""

    def __init__(self, path: Path, *, owner: str, now: datetime) -> None:
        """Take the lock or raise `LockHeld` with the holder's stamp, at once. `owner` is a program name."""
        self.path = path
        self._name = os.fspath(path)
        try:
            self._fd = os.open(path, _FLAGS, 0o640)
            give_to_owner(path)
        except OSError as error:
            raise StateError(f"lock {path} cannot be opened: {describe(error)}") from error
        try:
            info = os.fstat(self._fd)
            self._file = info.st_dev, info.st_ino
            self._acquire(f"{owner} pid={os.getpid()} since={iso(now)}\n")
        except OSError as error:
            os.close(self._fd)
            raise StateError(f"lock {path} cannot be looked at: {describe(error)}") from error
        except BaseException:
            os.close(self._fd)
            raise

    def _acquire(self, stamp: str) -> None:
        if not self._flock():
            raise LockHeld(f"{self.path} is held by {_stamp(self._fd)}", "Stop that process, or let it do the work.")
        if not self.still_held():
            raise LockHeld(f"{self.path} was replaced while it was being locked", "Run the command again.")
        with contextlib.suppress(OSError):  # the stamp is for people; a full disk must not keep us from locking
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
            write_all(self._fd, stamp.encode())

    def _flock(self) -> bool:
        """Whether it could be taken. Held by somebody who only looks, it is tried again."""
        try:
            for _ in range(_ATTEMPTS):
                if _took(self._fd, fcntl.LOCK_EX):
                    return True
                if not _took(self._fd, fcntl.LOCK_SH):
                    return False
                fcntl.flock(self._fd, fcntl.LOCK_UN)
                time.sleep(_PAUSE_S)
        except OSError as error:
            raise StateError(f"lock {self.path}: {describe(error)}",
                             "State has to lie on a local file system.") from error
        return False

    def still_held(self) -> bool:
        """Whether the path still names the file we locked. False means: stop, somebody removed the lock."""
        try:
            on_disk = os.lstat(self._name)
        except OSError:
            return False
        return self._fd >= 0 and self._file == (on_disk.st_dev, on_disk.st_ino)

    def release(self) -> None:
        """Give the lock up. The file stays."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.release()


def _took(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holder(path: Path) -> str | None:
    """The stamp of whoever holds the lock now, or `None` if nobody does. Keeps nothing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _stamp(fd)
    else:
        return None
    finally:
        os.close(fd)


def _stamp(fd: int) -> str:
    try:
        return os.pread(fd, 200, 0).decode("utf-8", "replace").strip() or "an unnamed process"
    except OSError:
        return "an unknown process"
