"""Counts every state-changing call of one process and makes the N-th go wrong, for real.

It replaces functions of the standard library in a process that was made for the purpose; VANTA's code runs as it is.
Counted are calls that may change something below the home, and what is sent to the venue:

    open (with O_CREAT or O_TRUNC) · mkdir · write · pwrite · writev · ftruncate · truncate · fsync · fdatasync
    rename · replace · link · symlink · unlink · rmdir · chmod · utime · send · sendall

| mode | what happens at the N-th call |
|---|---|
| `count` | nothing; the calls are listed |
| `kill`, `killafter` | SIGKILL of this process before the call, or right after it was carried out |
| `torn` | half of the bytes are written or sent, then SIGKILL |
| `short` | the call writes half of the bytes and says so |
| `full` | as `short`, and from then on everything that needs space fails with ENOSPC |
| `errno`, `stuck` | the call is not carried out and fails with an errno; `stuck`: so do all later calls on files |
| `cut`, `cutafter` | power cut: the file system is shut down without flushing its log (ext4), then SIGKILL |
| `pause` | SIGSTOP; goes on when somebody continues the process |

Reading calls (open without O_CREAT, read, stat, lstat, fstat) are counted apart, for `errno` with `reads`.
"""

import errno
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

EXT4_IOC_SHUTDOWN, NOLOGFLUSH = 0x8004587D, 2
TEARABLE = ("write", "pwrite", "writev", "send", "sendall")
VENUE = "venue"
"""Stands where a path would stand for what is sent, with the name of the request after it."""
ERRNOS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EINTR, errno.ESTALE, errno.EMFILE)
_NEEDS_SPACE = ("open", "mkdir", "write", "pwrite", "writev", "symlink", "link")
_BY_PATH = ("mkdir", "truncate", "unlink", "remove", "rmdir", "chmod", "utime")
_BY_TWO = ("rename", "replace", "link", "symlink")
_BY_FD = ("ftruncate", "fsync", "fdatasync")

Call = Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong, and at which call (counted from 1). `mount` is the file system that a `cut` shuts down."""

    mode: str = "count"
    at: int = 0
    code: int = 0
    reads: bool = False
    mount: str = ""

    @property
    def kills(self) -> bool:
        """Whether the process does not survive it."""
        return self.mode in ("kill", "killafter", "torn", "cut", "cutafter")

    def __str__(self) -> str:
        name = f" {errno.errorcode[self.code]}" if self.code else ""
        return f"{self.mode}{name} at {'reading ' if self.reads else ''}call {self.at}"


class Injector:
    """Installed once in a process. `tell` is called with a line when the fault fires."""

    def __init__(self, fault: Fault, home: str, tell: Callable[[str], None]) -> None:
        self.fault = fault
        self.points: list[str] = []
        self.readings: list[str] = []
        self._home = home
        self._tell = tell
        self._broken = 0
        self._readlink, self._write, self._kill = os.readlink, os.write, os.kill
        self._open, self._abspath = os.open, os.path.abspath

    def install(self) -> None:
        """Replace the functions. There is no way back: the process ends with it."""
        for name in _BY_PATH:
            setattr(os, name, self._of_path(name, getattr(os, name)))
        for name in _BY_TWO:
            setattr(os, name, self._of_two(name, getattr(os, name)))
        for name in _BY_FD:
            setattr(os, name, self._of_fd(name, getattr(os, name)))
        for name in ("stat", "lstat", "fstat", "read"):
            setattr(os, name, self._of_reading(name, getattr(os, name)))
        for name in ("write", "pwrite"):
            setattr(os, name, self._of_write(name, getattr(os, name)))
        for name in ("send", "sendall"):
            setattr(socket.socket, name, self._of_send(name, getattr(socket.socket, name)))
        setattr(os, "writev", self._of_writev(os.writev))  # noqa: B010 - the same form as the others
        setattr(os, "open", self._of_open(os.open))  # noqa: B010

    def _where(self, target: Any) -> str | None:
        """The path below the home that a path or descriptor names, `None` for anything else."""
        try:
            path = (self._readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else
                    self._abspath(os.fsdecode(target)))
        except OSError:
            return None
        path = path.removesuffix(" (deleted)")
        return path[len(self._home):] or "/" if path == self._home or path.startswith(self._home + "/") else None

    def _pass(self, name: str, where: str, do: Call, half: Call | None = None) -> Any:
        """One state-changing call."""
        self.points.append(f"{name} {where}")
        fault = self.fault
        if self._broken and not where.startswith(VENUE) and (fault.mode == "stuck" or name in _NEEDS_SPACE):
            raise OSError(self._broken, os.strerror(self._broken))
        if fault.reads or len(self.points) != fault.at or fault.mode == "count":
            return do()
        return self._fire(name, where, do, half)

    def _fire(self, name: str, where: str, do: Call, half: Call | None) -> Any:
        mode = self.fault.mode
        self._tell(f"fired {self.fault.at} {name} {where}")
        if mode in ("kill", "cut"):
            self._die()
        if mode == "pause":
            self._kill(os.getpid(), signal.SIGSTOP)
            return do()
        if mode in ("errno", "stuck"):
            self._broken = self.fault.code if mode == "stuck" else 0
            raise OSError(self.fault.code, os.strerror(self.fault.code))
        if mode in ("short", "full") and half is not None:
            self._broken = errno.ENOSPC if mode == "full" else 0
            return half()
        if mode == "torn" and half is not None:
            half()
            self._die()
        try:
            do()
        finally:  # also where the call fails, as an unlink of nothing does
            self._die()
        return None

    def _die(self) -> None:
        if self.fault.mode.startswith("cut"):
            mount = self._open(self.fault.mount, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.ioctl(mount, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        self._kill(os.getpid(), signal.SIGKILL)
        signal.pause()

    def _read(self, name: str, where: str, do: Call) -> Any:
        """One reading call."""
        self.readings.append(f"{name} {where}")
        if self.fault.reads and len(self.readings) == self.fault.at and self.fault.mode == "errno":
            self._tell(f"fired {self.fault.at} {name} {where}")
            raise OSError(self.fault.code, os.strerror(self.fault.code))
        return do()

    def _of_path(self, name: str, real: Any) -> Any:
        def call(path: Any, *rest: Any, **more: Any) -> Any:
            where = self._where(path)
            return real(path, *rest, **more) if where is None else self._pass(
                name, where, lambda: real(path, *rest, **more))
        return call

    def _of_two(self, name: str, real: Any) -> Any:
        def call(source: Any, target: Any, **more: Any) -> Any:
            where = self._where(target) or self._where(source)
            return real(source, target, **more) if where is None else self._pass(
                name, where, lambda: real(source, target, **more))
        return call

    def _of_fd(self, name: str, real: Any) -> Any:
        def call(fd: Any, *rest: Any) -> Any:
            where = self._where(fd)
            return real(fd, *rest) if where is None else self._pass(name, where, lambda: real(fd, *rest))
        return call

    def _of_write(self, name: str, real: Any) -> Any:
        def call(fd: int, data: Any, *offset: int) -> Any:
            where = self._where(fd)
            if where is None:
                return real(fd, data, *offset)
            return self._pass(name, where, lambda: real(fd, data, *offset),
                              lambda: real(fd, bytes(data)[: len(data) // 2], *offset))
        return call

    def _of_writev(self, real: Any) -> Any:
        def call(fd: int, buffers: Any) -> Any:
            where = self._where(fd)
            if where is None:
                return real(fd, buffers)
            whole = b"".join(buffers)
            return self._pass("writev", where, lambda: real(fd, buffers), lambda: real(fd, [whole[: len(whole) // 2]]))
        return call

    def _of_send(self, name: str, real: Any) -> Any:
        def call(connection: Any, data: bytes, *flags: int) -> Any:
            op = data[:40].decode("utf-8", "replace").split('"')[3:4]
            return self._pass(name, f"{VENUE} {''.join(op)}", lambda: real(connection, data, *flags),
                              lambda: real(connection, data[: len(data) // 2], *flags))
        return call

    def _of_open(self, real: Any) -> Any:
        def call(path: Any, flags: int, *mode: Any, **more: Any) -> Any:
            where = self._where(path)
            if where is None:
                return real(path, flags, *mode, **more)
            changes = flags & (os.O_CREAT | os.O_TRUNC)
            return (self._pass if changes else self._read)("open", where, lambda: real(path, flags, *mode, **more))
        return call

    def _of_reading(self, name: str, real: Any) -> Any:
        def call(target: Any, *rest: Any, **more: Any) -> Any:
            where = self._where(target)
            return real(target, *rest, **more) if where is None else self._read(
                name, where, lambda: real(target, *rest, **more))
        return call
