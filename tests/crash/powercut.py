"""A disk whose power can be cut for real: ext4 on a loop device, shut down without flushing its log.

The shutdown ioctl makes the mounted file system refuse everything and forget what it has not written; mounting it again
replays the log, as after a power failure. What it cannot show is a device that reorders what it has acknowledged.
The image may lie in memory: nothing of what the ioctl takes away has reached the device.

Everything happens in a mount namespace of its own (`unshare -m --propagation private`); otherwise a copy of the mount
elsewhere would keep the dead file system alive. `noauto_da_alloc` takes away ext4's kindness to programs that rename
without a sync, `commit` keeps its own timer out of the way.
"""

import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from tests.crash.injector import EXT4_IOC_SHUTDOWN, NOLOGFLUSH, Fault

PRIVATE = ("unshare", "-m", "--propagation", "private")
OPTIONS = "commit=3600,noauto_da_alloc"
SIZE = 48 << 20
_libc = ctypes.CDLL(None, use_errno=True)


class NoPowerCuts(Exception):
    """This machine or this user cannot have them; says why."""


class Disk:
    """Made in `folder` and mounted; inside a private mount namespace only."""

    def __init__(self, folder: Path) -> None:
        self._image, self.mount = folder / "disk.img", folder / "disk"
        self.mount.mkdir()
        with self._image.open("wb") as file:
            file.truncate(SIZE)
        _tool("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self._image))
        _tool("mount", "-o", f"loop,{OPTIONS}", str(self._image), str(self.mount))
        try:
            self._device = _tool("findmnt", "-n", "-o", "SOURCE", str(self.mount)).strip()
            self._hold = os.open(self._device, os.O_RDONLY | os.O_CLOEXEC)  # or umount would detach it
        except BaseException:
            _tool("umount", str(self.mount))
            raise

    def __enter__(self) -> "Disk":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        _check(_libc.umount2(os.fsencode(self.mount), 0), "umount")
        os.close(self._hold)

    def cutting(self, fault: Fault) -> Fault:
        """The fault with the disk that it cuts."""
        return replace(fault, mount=str(self.mount))

    def power_on(self) -> None:
        """Mount again what was shut down: the log is replayed."""
        _check(_libc.umount2(os.fsencode(self.mount), 0), "umount")
        _check(_libc.mount(self._device.encode(), os.fsencode(self.mount), b"ext4", 0, OPTIONS.encode()), "mount")

    def settle(self) -> None:
        """Make everything on the disk durable."""
        fd = os.open(self.mount, os.O_RDONLY)
        try:
            _check(_libc.syncfs(fd), "syncfs")
        finally:
            os.close(fd)


def why_not() -> str:
    """Why there can be no power cuts here, empty if there can."""
    if os.geteuid() != 0:
        return "power cuts need root (mount, loop device, ext4 shutdown)"
    missing = [name for name in ("unshare", "mkfs.ext4", "mount", "umount", "findmnt") if shutil.which(name) is None]
    if missing:
        return f"power cuts need {', '.join(missing)}"
    tried = subprocess.run([*PRIVATE, sys.executable, "-m", "tests.crash.powercut"], cwd=Path(__file__).parents[2],
                           capture_output=True, text=True, check=False)
    words = (tried.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    return f"no power cuts here: {words}" if tried.returncode else ""


def try_it() -> None:
    """Cut the power of a new disk once: what was not synced has to be gone, what was synced has to be there."""
    with tempfile.TemporaryDirectory() as folder, Disk(Path(folder)) as disk:
        for name in ("kept", "lost"):
            with (disk.mount / name).open("wb") as file:
                file.write(b"x")
                if name == "kept":
                    file.flush()
                    os.fsync(file.fileno())
        shut_down(disk.mount)
        disk.power_on()
        found = sorted(path.name for path in disk.mount.iterdir() if path.is_file())
        if found != ["kept"]:
            raise NoPowerCuts(f"the file system kept {found} where it should have kept one file")


def shut_down(mount: Path) -> None:
    """The cut itself: nothing that is not on the disk yet gets there any more."""
    fd = os.open(mount, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
    finally:
        os.close(fd)


def _tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoPowerCuts(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


if __name__ == "__main__":
    try_it()
