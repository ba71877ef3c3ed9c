"""Who may have edited a file: its owner as the system tells it, when, and at which terminals that account is.

A hint and no proof. An editor that saves by rename leaves its own account as owner; one that writes into the file
leaves the owner as it was, and root may be anybody. Nothing here raises, and it looks at no more than `MOST_PROCESSES`:
what cannot be told is `None`.

    editor(path, digest)  ->  Editor("1000", "ann", 1795000000123, "pts/1 pts/3")
"""

import os
import pwd
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from vanta.common.canonical import sha256
from vanta.executor.core.inputs import UNREADABLE

PROCESSES = Path("/proc")
MOST_PROCESSES = 2048
MOST_TERMINALS = 8
_MOST_BYTES = 64 * 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TTY, _PTS = 4, range(136, 144)


class Editor(NamedTuple):
    """As far as the host knows. `mtime` in milliseconds since 1970 (UTC)."""

    uid: str | None = None
    user: str | None = None
    mtime: int | None = None
    terminals: str | None = None


def nobody(name: str, digest: str) -> Editor:
    """Where no host is to be asked: simulations and tests."""
    del name, digest
    return Editor()


def editor(path: Path, digest: str, processes: Path = PROCESSES) -> Editor:
    """Whoever owns the file, if it still holds the bytes of that hash (or could not be read then)."""
    try:
        info = os.lstat(path) if digest.startswith(UNREADABLE) else _version(path, digest)
    except OSError:
        return Editor()
    if info is None:
        return Editor()
    return Editor(str(info.st_uid), _name(info.st_uid), info.st_mtime_ns // 1_000_000,
                  _terminals(info.st_uid, processes))


def _version(path: Path, digest: str) -> os.stat_result | None:
    """What the system says of the version of that hash; `None` if it is another by now, which has a record of its own.

    Raises `OSError`.
    """
    fd = os.open(path, _FLAGS)
    try:
        info = os.fstat(fd)
        return info if sha256(os.read(fd, min(info.st_size + 1, _MOST_BYTES))) == digest else None
    finally:
        os.close(fd)


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _terminals(uid: int, processes: Path) -> str | None:
    """Terminals of the account's processes, in order; `None` if there are none or the host does not tell."""
    found: set[str] = set()
    try:
        with os.scandir(processes) as listed:
            for entry in islice((one for one in listed if one.name.isdecimal()), MOST_PROCESSES):
                try:
                    if entry.stat().st_uid == uid:
                        found.add(_terminal(Path(entry.path, "stat").read_bytes()))
                except (OSError, ValueError, IndexError):  # it has just ended
                    continue
    except OSError:
        return None
    return " ".join(sorted(found - {""})[:MOST_TERMINALS]) or None


def _terminal(stat: bytes) -> str:
    """The controlling terminal by the kernel's words about a process; empty without one."""
    number = int(stat.rpartition(b")")[2].split()[4])
    major, minor = os.major(number), os.minor(number)
    if major in _PTS:
        return f"pts/{minor + (major - _PTS.start) * 256}"
    return f"tty{minor}" if major == _TTY else ""
