"""Twins of the executor's ports that keep everything in memory: for tests and measurements."""

from vanta.executor.core.controls import read_overlay
from vanta.executor.gate import Parser, Reading


class MemoryGate:
    """A gate whose bytes and permit are set by hand. `raw=None` is a file that cannot be read."""

    def __init__(self, raw: bytes | None, *, permit: bool = True) -> None:
        self.raw = raw
        self.permit = permit
        self._parser = Parser()

    def read(self) -> Reading:
        """See `Gate.read`."""
        if self.raw is None:
            return Reading(read_overlay(None, problem="vault_overlay.json does not exist"), self.permit, None, None)
        return self._parser.reading(self.raw, permit=self.permit)
