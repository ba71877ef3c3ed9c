"""Whether somebody is on the way: the lock between those who send under a permit and those who take the permit away.

Whoever sends holds it, shared, from a look that found the permit until the next look that does not. So an order that is
past its last look is always sent under the lock. Whoever has taken the permit away waits until the lock is free: from
then on nothing can leave, because every later look finds no permit.

    lock.enter()  and then look at the permit once more  ->  send
    lock.leave()                                         <-  the permit is gone

`enter` never waits, and the kernel frees the lock of a process that ends. The file is never unlinked; one that was
replaced is entered anew.
"""

import contextlib
import fcntl
import os
from pathlib import Path

from vanta.common.errors import StateError
from vanta.common.store.atomic import describe, give_to_owner

GATE = "gate"
"""The name of the lock, as that of a program, for `Home.lock`."""

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class GateLock:
    """One sender's side. A sender does one thing after the other: each lane that sends has a lock object of its own."""

    def __init__(self, path: Path) -> None:
        """Make the file, so that a missing one means that somebody took it away. Raises `StateError`."""
        self._path = os.fspath(path)
        self._fd = -1
        self._file = (0, 0)
        try:
            os.close(os.open(self._path, _FLAGS, 0o640))
            give_to_owner(path)
        except OSError as error:
            raise StateError(f"lock {path} cannot be opened: {describe(error)}") from error

    @property
    def held(self) -> bool:
        """Whether this object holds the lock and the path still names it."""
        return self._fd >= 0 and _identity(self._path) == self._file

    def enter(self) -> bool:
        """Hold the lock. `False` while somebody waits for it to be free, or where it cannot be opened."""
        self.leave()
        with contextlib.suppress(OSError):
            fd = os.open(self._path, _FLAGS, 0o640)
            try:
                fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                os.close(fd)
                raise
            info = os.fstat(fd)
            self._fd, self._file = fd, (info.st_dev, info.st_ino)
        return self.held

    def leave(self) -> None:
        """Let go of it, if it is held."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        """A sender that is gone sends nothing."""
        self.leave()


def _identity(path: str) -> tuple[int, int] | None:
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino


def is_free(path: Path) -> bool | None:
    """Whether nobody holds the lock now. `None` if that cannot be told: the file is missing or cannot be opened."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if isinstance(error, BlockingIOError) else None
    else:
        return True
    finally:
        os.close(fd)
