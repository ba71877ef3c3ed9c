"""The simulated clock: time that passes when the schedule says so, and a wall clock that somebody may set."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, New York is open


class SimClock:
    """Milliseconds since the start. `jump` sets the wall clock, time itself goes on; `jumps` counts how often."""

    follows_time = True

    def __init__(self) -> None:
        self._ms = 0
        self._offset_ms = 0
        self._now = START
        self.jumps = 0

    def now(self) -> datetime:
        """The wall clock."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._ms / 1000

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._ms += round(seconds * 1000)
        self._set()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self._offset_ms += round(seconds * 1000)
        self.jumps += 1
        self._set()

    def _set(self) -> None:
        self._now = START + timedelta(milliseconds=self._ms + self._offset_ms)
