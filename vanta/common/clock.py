"""The only place that reads a clock. Everything else is handed a `Clock` or a `now`.

`SystemClock` is the host's; `FixedClock` stands still (a pass over recorded payloads with `--now`);
`ManualClock` is moved by the caller (simulation and tests).
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from vanta.common.errors import Bug
from vanta.common.times import truncate


class Clock(Protocol):
    """Where `now` comes from. `follows_time`: the wall clock moves as `monotonic` does, unless somebody sets it."""

    follows_time: bool

    def now(self) -> datetime:
        """The wall clock, UTC, truncated to milliseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait. A manual clock moves instead of waiting."""
        ...


class SystemClock:
    """The host's clocks."""

    follows_time = True

    def now(self) -> datetime:
        """See `Clock.now`."""
        return truncate(datetime.now(UTC))

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to. Going back is refused."""

    follows_time = True

    def __init__(self, start: datetime) -> None:
        self._now = truncate(start)
        self._elapsed = 0.0

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._now

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Move forward by `seconds`."""
        self.move_to(self._now + timedelta(seconds=seconds))

    def move_to(self, moment: datetime) -> None:
        """Set the clock to `moment`, which must not lie in the past."""
        if moment < self._now:
            raise Bug(f"clock moved back from {self._now} to {moment}")
        self._elapsed += (moment - self._now).total_seconds()
        self._now = truncate(moment)


class FixedClock(ManualClock):
    """A wall clock that stands still while real time passes for timeouts: for `--now`."""

    follows_time = False

    def monotonic(self) -> float:
        """Real elapsed seconds, so that timeouts still end."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Really wait; the wall clock does not move."""
        time.sleep(seconds)


class ShiftedClock(SystemClock):
    """The host's clock moved by a fixed distance: what several processes of a demonstration share."""

    def __init__(self, shift: timedelta) -> None:
        self._shift = shift

    def now(self) -> datetime:
        """The host's time plus the shift."""
        return super().now() + self._shift


def clock_for(now: datetime | None, *, starts_at: datetime | None = None, anchored_at: datetime | None = None) -> Clock:
    """The clock of a command: fixed where `--now` was given, shifted where the settings say so, else the host's."""
    if now is not None:
        return FixedClock(now)
    if starts_at is not None and anchored_at is not None:
        return ShiftedClock(starts_at - anchored_at)
    return SystemClock()
