"""What arrived from Alpha on another host, read afresh at every look at the gate: its overlay, and its word for it.

Only where this node is the executor of several hosts. The replica is this host's own; what may be wrong with it is a
problem in words, never an exception. Of `vault.json` the hash is made anew only when the file is another one.
"""

import os
from collections.abc import Collection
from typing import NamedTuple

from vanta.common import strictjson
from vanta.common.canonical import sha256
from vanta.common.clock import Clock
from vanta.common.errors import BadInput
from vanta.common.models.base import validate
from vanta.common.models.lease import ControlsLease
from vanta.common.paths import CONTROLS_LEASE, OPERATOR_COMMANDS, OVERLAY, VAULTS, Home
from vanta.common.store.guarded import guarded_read
from vanta.executor.core.controls import MAX_BYTES, Controls, read_overlay
from vanta.executor.core.lease import Seen, wrong

_LEASE_BYTES, _VAULT_BYTES = 4 << 10, 4 << 20


class Far(NamedTuple):
    """Alpha's overlay, with its bytes if they could be read, and why its word does not count, empty if it does."""

    controls: Controls
    sha256: str | None
    raw: bytes | None
    lease: str
    counter: int


class FarControls:
    """Alpha's replica below `home`. `limit_s` is how long its word is good."""

    def __init__(self, home: Home, clock: Clock, *, limit_s: float, owners: Collection[int]) -> None:
        place = home.replica("alpha")
        self._overlay, self._vaults = place.file(OVERLAY), place.file(VAULTS)
        self._lease, self._commands = place.file(CONTROLS_LEASE), os.fspath(place.file(OPERATOR_COMMANDS))
        self._clock, self._limit_s, self._owners = clock, limit_s, owners
        self._parsed: tuple[bytes, Controls, str] | None = None
        self._said: tuple[bytes, ControlsLease] | None = None
        self._vaults_as: tuple[tuple[int, ...], str | None] = ((), None)
        self._highest, self._moved_at = 0, float("-inf")

    def read(self) -> Far:
        """Everything again."""
        raw, problem = guarded_read(self._overlay, owners=self._owners, max_bytes=MAX_BYTES)
        if raw is None:
            missing = read_overlay(None, problem=f"of Alpha's: {problem}")
            return Far(missing, None, None, self._word(None), self._highest)
        if self._parsed is None or self._parsed[0] != raw:
            self._parsed = (raw, read_overlay(raw, file="Alpha's vault_overlay.json"), sha256(raw))
        _, controls, digest = self._parsed
        return Far(controls, digest, raw, self._word(digest), self._highest)

    def _word(self, overlay: str | None) -> str:
        """Why Alpha's word does not count."""
        raw, problem = guarded_read(self._lease, owners=self._owners, max_bytes=_LEASE_BYTES)
        if raw is None:
            return f"no word from Alpha: {problem}"
        if self._said is None or self._said[0] != raw:
            try:
                self._said = (raw, validate(ControlsLease, strictjson.loads_object(raw, file=CONTROLS_LEASE),
                                            file=CONTROLS_LEASE))
            except BadInput as error:
                return f"no word from Alpha: {error.what}"
        lease, now = self._said[1], self._clock.monotonic()
        if lease.revision > self._highest:
            self._highest, self._moved_at = lease.revision, now
        seen = Seen(overlay, self._hash_of_vaults(), self._size_of_commands(), self._clock.now(), now - self._moved_at,
                    self._highest)
        return wrong(lease, seen, self._limit_s)

    def _hash_of_vaults(self) -> str | None:
        try:
            info = os.lstat(self._vaults)
        except OSError:
            return None
        stamp = (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        if self._vaults_as[0] != stamp:
            raw, _ = guarded_read(self._vaults, owners=self._owners, max_bytes=_VAULT_BYTES)
            self._vaults_as = (stamp, None if raw is None else sha256(raw))
        return self._vaults_as[1]

    def _size_of_commands(self) -> int:
        try:
            return os.lstat(self._commands).st_size
        except OSError:
            return 0
