"""Checkpoints on demand: the ends of logs that lie open are signed, such as what was recorded while there was no key.

A program that runs signs at each of its syncs; its log is left to it. Nothing is signed that does not hold together:
opening a log checks its chain and holds it to the checkpoints that there are.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from vanta.alpha.wire import any_log
from vanta.common.errors import LockHeld
from vanta.common.paths import JOURNALS, Home
from vanta.common.signing_key import signer_of
from vanta.common.store import segments
from vanta.common.times import iso


class Sealed(NamedTuple):
    """One log: the record that its newest checkpoint covers, and what was done."""

    journal: str
    seq: int
    done: str


def seal(home: Home, now: datetime) -> Iterator[Sealed]:
    """Every log that there is. Raises `StateError` for one that does not hold together, or where there is no key."""
    signer_of(home)  # before anything: two of the logs would be opened without
    for name in JOURNALS:
        path = home.file(name)
        if not path.exists() and not segments.sealed(path):
            continue
        try:
            with any_log(home, name, now) as journal:
                covered, seq = journal.covered, journal.head().seq
                if seq > covered:
                    journal.checkpoint(at=iso(now))
                yield Sealed(name, seq, f"signed {seq - covered:,} records" if seq > covered else "was signed")
        except LockHeld:
            yield Sealed(name, 0, "is being written: its program signs at each sync")

