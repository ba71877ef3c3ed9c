"""The kernel's own hints that files were touched (inotify), asked for through the C library: no thread, no library.

Folders are watched, because files are replaced; of what happens in them only the names that were asked for count.
Network mounts give no hints: they may shorten a wait or add a look, and nothing may rest on their absence.
"""

import ctypes
import os
import struct
from pathlib import Path

_WRITTEN, _CLOSED, _MOVED_AWAY, _MOVED_HERE, _REMOVED = 0x2, 0x8, 0x40, 0x80, 0x200
_QUEUE_WAS_FULL, _WATCH_ENDED = 0x4000, 0x8000
_EVENT = struct.Struct("iIII")  # watch, kind, cookie, length of the name that follows


class Hints:
    """Which of a few files were touched. `fd` is readable when something has happened in their folders."""

    def __init__(self, paths: list[Path]) -> None:
        """Raises `OSError` where no watch is to be had, `AttributeError` where the system has none at all."""
        library = ctypes.CDLL(None, use_errno=True)
        self.fd = _checked(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._files: dict[tuple[int, bytes], Path] = {}
        kinds = _WRITTEN | _CLOSED | _MOVED_AWAY | _MOVED_HERE | _REMOVED
        try:
            for path in paths:  # watching a folder twice is one watch
                watch = _checked(library.inotify_add_watch(self.fd, os.fsencode(path.parent), kinds))
                self._files[watch, os.fsencode(path.name)] = path
        except OSError:
            self.close()
            raise

    def take(self) -> set[Path]:
        """The files that were touched since the last call; all of them where hints were lost."""
        touched: set[Path] = set()
        while data := self._read():
            at = 0
            while at < len(data):
                watch, kind, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                if kind & (_QUEUE_WAS_FULL | _WATCH_ENDED):
                    touched.update(self._files.values())
                elif (watch, name := data[at - length:at].rstrip(b"\0")) in self._files:
                    touched.add(self._files[watch, name])
        return touched

    def _read(self) -> bytes:
        try:
            return os.read(self.fd, 65_536)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Give the watches up."""
        os.close(self.fd)


def _checked(result: int) -> int:
    """What a call of the C library gave; its failure as Python tells it."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
