"""Reading the kill switches, freshly, every time: the overlay's bytes and whether the permit exists.

A few system calls, no cache of the answer: only the parse of identical bytes is reused. Anything odd about
the file (missing, link, pipe, foreign owner, writable by everybody, too large, unreadable) is a problem, and
a problem halts.
"""

import os
import stat
from typing import NamedTuple, Protocol

from vanta.common.canonical import sha256
from vanta.common.paths import OVERLAY, PERMIT, Home
from vanta.common.store.atomic import describe, read_all
from vanta.executor.core.controls import MAX_BYTES, Controls, read_overlay

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Reading(NamedTuple):
    """What the operator says at this instant. `sha256` is None when the bytes could not be read."""

    controls: Controls
    permit: bool
    sha256: str | None
    raw: bytes | None


class Gate(Protocol):
    """Where the executor asks before every order."""

    def read(self) -> Reading:
        """Read everything again."""
        ...


class Parser:
    """Parses overlay bytes; the parse of identical bytes is reused, never an answer."""

    def __init__(self) -> None:
        self._last: tuple[bytes, Controls, str] | None = None

    def reading(self, raw: bytes, *, permit: bool) -> Reading:
        """What these bytes say."""
        if self._last is None or self._last[0] != raw:
            self._last = (raw, read_overlay(raw), sha256(raw))
        return Reading(self._last[1], permit, self._last[2], raw)


class FileGate:
    """The gate of a home."""

    def __init__(self, home: Home) -> None:
        self._overlay = home.file(OVERLAY)
        self._permit = home.file(PERMIT)
        self._owners = {0, os.geteuid(), home.memory.stat().st_uid}
        self._parser = Parser()

    def read(self) -> Reading:
        """See `Gate.read`."""
        permit = self._permit_exists()
        raw, problem = self._bytes()
        if raw is None:
            return Reading(read_overlay(None, problem=problem), permit, None, None)
        return self._parser.reading(raw, permit=permit)

    def _permit_exists(self) -> bool:
        try:
            return stat.S_ISREG(os.lstat(self._permit).st_mode)
        except OSError:
            return False

    def _bytes(self) -> tuple[bytes | None, str]:
        try:
            fd = os.open(self._overlay, _FLAGS)
        except OSError as error:
            return None, f"vault_overlay.json cannot be opened: {describe(error)}"
        try:
            info = os.fstat(fd)
            problem = self._oddity(info)
            return (None, problem) if problem else (read_all(fd, info.st_size), "")
        except OSError as error:
            return None, f"vault_overlay.json cannot be read: {describe(error)}"
        finally:
            os.close(fd)

    def _oddity(self, info: os.stat_result) -> str:
        if not stat.S_ISREG(info.st_mode):
            return "vault_overlay.json is not a regular file"
        if info.st_uid not in self._owners:
            return f"vault_overlay.json belongs to uid {info.st_uid}"
        if info.st_mode & stat.S_IWOTH:
            return "vault_overlay.json may be written by everybody"
        if info.st_size > MAX_BYTES:
            return f"vault_overlay.json has {info.st_size:,} bytes"
        return ""
