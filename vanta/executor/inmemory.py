"""Twins of the executor's ports that keep everything in memory: for tests and measurements."""

from vanta.common.canonical import sha256
from vanta.executor.core.controls import read_overlay
from vanta.executor.gate import Reading


class MemoryGate:
    """A gate whose bytes and permit are set by hand. `raw=None` is a file that cannot be read."""

    def __init__(self, raw: bytes | None, *, permit: bool = True) -> None:
        self.raw = raw
        self.permit = permit

    def read(self) -> Reading:
        """See `Gate.read`."""
        digest = None if self.raw is None else sha256(self.raw)
        return Reading(read_overlay(self.raw, problem="vault_overlay.json does not exist"), self.permit, digest, self.raw)
