"""Alpha's word, said anew every second: these are the controls, and somebody is here. See `models/lease.py`.

The counter is the document's revision and goes on where the file ends, over restarts. A lease is not said of a command
log that does not hold together, nor of a file that cannot be read: without one the executor halts.
"""

from vanta.common.canonical import sha256
from vanta.common.clock import Clock
from vanta.common.errors import Missing, StateError
from vanta.common.models.lease import ControlsLease
from vanta.common.paths import CONTROLS_LEASE, OPERATOR_COMMANDS, OVERLAY, VAULTS
from vanta.common.store.chain import START, chain
from vanta.common.store.document import Stamp, load_if_any, save
from vanta.common.store.ports import Files, Head
from vanta.common.times import iso


class LeaseWriter:
    """Writes the lease of one home; the caller holds the lock. Raises `StateError` or `BadInput` if ours is broken."""

    def __init__(self, files: Files, clock: Clock, *, by: str) -> None:
        self._files, self._clock, self._by = files, clock, by
        before = load_if_any(files, CONTROLS_LEASE, ControlsLease)
        self.counter = before.value.revision if before else 0
        self._commands = START
        self._said: tuple[object, float] = (None, float("-inf"))

    def beat(self, every_s: float) -> bool:
        """Say it if it is time, or if the controls are others. Returns whether it was said; raises `StateError`."""
        now, said = self._clock.monotonic(), self._controls()
        if said == self._said[0] and now - self._said[1] < every_s:
            return False
        save(self._files, CONTROLS_LEASE, said,
             Stamp(revision=self.counter + 1, at=iso(self._clock.now()), by=self._by))
        self.counter += 1
        self._said = (said, now)
        return True

    def _controls(self) -> dict[str, object]:
        head = self._commands = self._end_of_commands()
        return {"overlay": self._hash(OVERLAY), "vaults": self._hash(VAULTS),
                "commands": {"seq": head.seq, "size": head.size, "hash": head.hash}}

    def _hash(self, name: str) -> str | None:
        try:
            return sha256(self._files.read(name))
        except Missing:
            return None

    def _end_of_commands(self) -> Head:
        known = self._commands
        try:
            raw = self._files.read_from(OPERATOR_COMMANDS, known.size)
        except Missing:
            if known.size:
                raise StateError(f"{OPERATOR_COMMANDS} is gone", "Put it back; see `vanta verify`.") from None
            return START
        whole = raw[:raw.rfind(b"\n") + 1]
        seq, last = known.seq, known.hash
        for record in chain(whole, name=OPERATOR_COMMANDS, previous=known):
            seq, last = record.seq, record.hash
        return Head(seq, last, known.size + len(whole))
