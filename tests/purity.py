"""Core and parsers touch nothing at run time either: an audit hook that is on in every test.

The static check (tests/architecture/test_purity.py) sees names; this sees what really happens, also through a library
or a function of the pure half of common. Importing a library lazily is not what is meant and passes.
"""

import sys
from types import FrameType

EVENTS = frozenset({
    "open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink",
    "os.truncate", "os.chmod", "os.utime", "os.system", "os.putenv", "os.unsetenv", "subprocess.Popen",
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "urllib.Request",
    "sqlite3.connect", "tempfile.mkstemp", "fcntl.flock", "time.sleep"})


class ImpureError(AssertionError):
    """Code that has to be pure reached for the world."""


def watch() -> None:
    """Install the hook. It stays for the life of the process."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event in EVENTS:
        culprit = _pure_caller(sys._getframe(1))
        if culprit is not None:
            raise ImpureError(f"{culprit} reached for {event} {arguments[:1]!r}")


def _pure_caller(frame: FrameType | None) -> str | None:
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("importlib."):
            return None
        pure = name.startswith("vanta.") and (".core." in name or ".parsers." in name)
        if pure and frame.f_code.co_name != "<module>":
            return name
        frame = frame.f_back
    return None
