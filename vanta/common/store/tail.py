"""Noticing that a file changed: polling is the truth, hints only shorten the wait.

`changed()` compares inode, size and both times with the last look and is what correctness rests on. A file that was
written twice within one tick of a coarse clock can look the same all the same, so one that was hinted at counts as
changed too: once more than needed now and then, never once too few. `wait()` returns as soon as one of the files is
hinted at; where hints do not exist (network mounts) or get lost, after the poll interval. Never used for the kill
switch.
"""

import contextlib
import os
import select
from pathlib import Path

from vanta.common.clock import SystemClock
from vanta.common.store.hints import Hints

_LONGEST_S = 86_400.0


class FileTail:
    """Watches a few files. `wake_fd` is for `signal.set_wakeup_fd`: a signal then ends a wait as `wake` does."""

    def __init__(self, paths: list[Path], *, hints: bool = True) -> None:
        self._paths = paths
        self._seen: dict[Path, tuple[int, ...] | None] = dict.fromkeys(paths)
        self._hinted: set[Path] = set()
        self._woken_fd, self.wake_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._hints = _hints(paths) if hints else None
        self._poll = select.poll()
        self._poll.register(self._woken_fd, select.POLLIN)
        if self._hints is not None:
            self._poll.register(self._hints.fd, select.POLLIN)

    def changed(self) -> list[Path]:
        """The files that differ from the last call or may, in the order given at construction."""
        self._take()  # before looking: what happens in between is seen by the look or hinted at for the next one
        result = []
        for path in self._paths:
            stamp = _stamp(path)
            if stamp != self._seen[path] or path in self._hinted:
                self._seen[path] = stamp
                result.append(path)
        self._hinted.clear()
        return result

    def wait(self, seconds: float) -> bool:
        """Sleep until one of the files is hinted at, `wake`, or for `seconds`. Returns whether it ended early."""
        clock = SystemClock()
        ends = clock.monotonic() + min(seconds, _LONGEST_S)
        while (left := ends - clock.monotonic()) > 0:
            self._poll.poll(left * 1000)
            if self._take() or self._was_woken():
                return True
        return False

    def _take(self) -> bool:
        touched = self._hints.take() if self._hints is not None else set()
        self._hinted |= touched
        return bool(touched)

    def _was_woken(self) -> bool:
        try:
            return bool(os.read(self._woken_fd, 4096))
        except BlockingIOError:
            return False

    def wake(self) -> None:
        """End a wait from another thread."""
        with contextlib.suppress(BlockingIOError):  # enough of them are waiting to be read
            os.write(self.wake_fd, b"\0")

    def close(self) -> None:
        """Let go of everything."""
        if self.wake_fd < 0:
            return
        os.close(self._woken_fd)
        os.close(self.wake_fd)
        self.wake_fd = -1
        if self._hints is not None:
            self._hints.close()


def _hints(paths: list[Path]) -> Hints | None:
    try:
        return Hints(paths)
    except (OSError, AttributeError):  # no watches left, or none on this system: polling goes on
        return None


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns
