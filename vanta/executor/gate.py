"""Reading the kill switches, freshly, every time: the overlay's bytes and whether the permit exists.

A few system calls, no cache of the answer: only the parse of identical bytes is reused. Anything odd about
the file (missing, link, pipe, foreign owner, writable by everybody, too large, unreadable) is a problem, and
a problem halts.

A look that finds the permit takes the gate's lock before it says so, and holds it until the next look: what is sent in
between is sent under the lock, and `vanta-run kill` waits for it to be free (see `store/gatelock.py`).
"""

import os
import stat
from typing import NamedTuple, Protocol

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.paths import OVERLAY, PERMIT, Home
from vanta.common.store.atomic import describe
from vanta.common.store.gatelock import GATE, GateLock
from vanta.common.store.guarded import guarded_read
from vanta.executor.core.controls import MAX_BYTES, Controls, both, read_overlay
from vanta.executor.far import Far, FarControls


class Reading(NamedTuple):
    """What the operator says at this instant. `sha256` is None when the bytes could not be read.

    `far` is what arrived from Alpha on another host, and is part of `controls` then; `None` where all nodes are here.
    """

    controls: Controls
    permit: bool
    sha256: str | None
    raw: bytes | None
    far: Far | None = None


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


def with_far(reading: Reading, far: Far) -> Reading:
    """What is said here and by Alpha together."""
    return reading._replace(controls=both(reading.controls, far.controls, far.lease), far=far)


class FileGate:
    """The gate of a home, for one lane: whoever reads it has done with what the look before permitted.

    With `far`, what came from Alpha has to permit as well.
    """

    def __init__(self, home: Home, far: FarControls | None = None) -> None:
        self._far = far
        self._overlay = home.file(OVERLAY)
        self._permit = os.fspath(home.file(PERMIT))
        try:
            self._owners = {0, os.geteuid(), home.memory.stat().st_uid}
        except OSError as error:
            raise StateError(f"{home.memory} cannot be looked at: {describe(error)}") from error
        self._parser = Parser()
        self._lock = GateLock(home.lock(GATE))

    def read(self) -> Reading:
        """See `Gate.read`."""
        reading = self._read()
        return reading if self._far is None else with_far(reading, self._far.read())

    def _read(self) -> Reading:
        permit = self._permitted()
        raw, problem = guarded_read(self._overlay, owners=self._owners, max_bytes=MAX_BYTES)
        if raw is None:
            return Reading(read_overlay(None, problem=problem), permit, None, None)
        return self._parser.reading(raw, permit=permit)

    def _permitted(self) -> bool:
        """Whether the permit exists, seen under the lock. Who waits for the lock has taken the permit away before."""
        if self._permit_exists() and (self._lock.held or (self._lock.enter() and self._permit_exists())):
            return True
        self._lock.leave()
        return False

    def _permit_exists(self) -> bool:
        try:
            return stat.S_ISREG(os.lstat(self._permit).st_mode)
        except OSError:
            return False
