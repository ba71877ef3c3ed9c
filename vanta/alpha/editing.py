"""Replacing an operator's file for a command: compare and swap on its bytes, in turn with other commands.

    put(Edit(home, OVERLAY, seen, new), clock)  ->  None, or `Meanwhile` if the file no longer holds what was seen

Two commands never overtake each other: they take a lock for the instant of comparing and replacing. An editor takes
none, so that an instant remains in which one can be overtaken; what it saves after that instant stands. What tightens
is `urgent`: it waits a moment for the lock and then does without.
"""

import contextlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vanta.alpha.facts import node_here
from vanta.common.canonical import sha256
from vanta.common.clock import Clock
from vanta.common.errors import LockHeld, OperatorError, StateError
from vanta.common.exitcodes import Exit
from vanta.common.paths import OVERLAY, SEEN, VAULTS, Home
from vanta.common.store import atomic
from vanta.common.store.lock import FileLock

FILES = (OVERLAY, VAULTS)
WAIT_S = 3.0
_PAUSE_S = 0.02


class Elsewhere(OperatorError):
    """Of several hosts this is none whose file anybody reads: nothing would come of it, a halt least of all."""

    exit_code = Exit.OUTCOME_UNKNOWN


class Meanwhile(OperatorError):
    """Somebody else saved the file while the command was at it."""

    exit_code = Exit.TEMPORARY


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A file of the operator's, what it held when it was looked at, and what it is to hold.

    `before` is `None` where there was no file, or nothing that can be read as one.
    """

    home: Home
    name: str
    before: bytes | None
    after: bytes
    urgent: bool = False

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.home.file(self.name)


def put(edit: Edit, clock: Clock) -> None:
    """Replace the file if it still holds `before`.

    Raises `Meanwhile` if not, `StateError` if it cannot be written, `Elsewhere` if it is another node's.
    """
    assert edit.name in FILES, "only what operators write"
    node = node_here(edit.home)
    if edit.name in SEEN.get(node, {}):  # whoever asks is told before; nothing comes by here all the same
        raise Elsewhere(f"nothing is changed: this is the node {node}, and {edit.name} is Alpha's. Nobody reads one "
                        "that lies here", "Run it on Alpha's host. To halt: `vanta-run kill` there or on the "
                        "executor's.")
    with _alone(edit, clock):
        if bytes_of(edit.home, edit.name) != edit.before:
            raise Meanwhile(f"{edit.name} was saved by somebody else meanwhile; nothing is changed",
                            "Look at it, then run the command again.")
        atomic.replace(edit.path, edit.after, mode=_mode(edit.path))


def _mode(path: Path) -> int:
    """That of the file, without what others may do; of a new one, what all of our documents have."""
    try:
        info = path.lstat()
    except OSError:
        return 0o640
    return info.st_mode & 0o770 if stat.S_ISREG(info.st_mode) else 0o640


def keep_broken(home: Home, name: str) -> Path | None:
    """Keep what lies there beside itself, a file as a copy named by its content; `None` if there is nothing.

    A link, a pipe or a folder is moved aside. Raises `StateError`.
    """
    path, raw = home.file(name), bytes_of(home, name)
    try:
        kept = path.with_name(f"{name}.broken-{sha256(raw)[:12] if raw is not None else path.lstat().st_ino}")
        if raw is None:
            path.rename(kept)
        else:
            atomic.replace(kept, raw)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{path} cannot be moved aside: {atomic.describe(error)}", "Move it away by hand.") from error
    return kept


def bytes_of(home: Home, name: str) -> bytes | None:
    """What the file holds; `None` if there is none, or if it is nothing that can be read."""
    try:
        return atomic.read(home.file(name))
    except StateError:
        return None


@contextlib.contextmanager
def _alone(edit: Edit, clock: Clock) -> Iterator[None]:
    """In turn with other commands. What tightens goes on without the lock rather than not at all."""
    lock = None
    ends = clock.monotonic() + WAIT_S
    while lock is None:
        try:
            lock = FileLock(edit.home.lock("edits"), owner="an edit", now=clock.now())
        except StateError as error:
            if isinstance(error, LockHeld) and clock.monotonic() < ends:
                clock.sleep(_PAUSE_S)
                continue
            if not edit.urgent:
                raise
            break
    with lock or contextlib.nullcontext():
        if lock is not None:
            with contextlib.suppress(OSError):
                atomic.give_to_owner(lock.path)
        yield
