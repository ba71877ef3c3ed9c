"""When a feed is due again. Pure: times are seconds of any clock that never goes back.

Decides from the last start, the last end and how many passes in a row have failed; refuses to know what a feed is.
A success is followed one interval after it *started*, so that slow passes do not thin out the schedule, but never
before it has ended. Failures wait from their end, twice as long each time, an hour at the longest.

Example: every 60 s; started at 100, ended well at 104 → due at 160. Failed for the third time at 104 → due at 584.
"""

from dataclasses import dataclass, replace

LONGEST_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One feed's place in the schedule. `started_at` is `None` while nothing runs."""

    feed: str
    every_s: float
    due_at: float
    started_at: float | None = None
    failures: int = 0


def due(slot: Slot, now: float) -> bool:
    """Whether it should be started now. Never while it runs."""
    return slot.started_at is None and now >= slot.due_at


def started(slot: Slot, now: float) -> Slot:
    """The slot while its pass runs."""
    return replace(slot, started_at=now)


def ended(slot: Slot, now: float, *, well: bool) -> Slot:
    """The slot after its pass."""
    begun = now if slot.started_at is None else slot.started_at
    if well:
        return replace(slot, started_at=None, failures=0, due_at=max(begun + slot.every_s, now))
    failures = slot.failures + 1
    wait = min(slot.every_s * 2.0 ** min(failures, 16), max(LONGEST_S, slot.every_s))
    return replace(slot, started_at=None, failures=failures, due_at=now + wait)
