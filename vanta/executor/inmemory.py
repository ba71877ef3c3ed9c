"""Twins of the executor's ports that keep everything in memory: for tests and measurements."""

from vanta.executor.core.controls import read_overlay
from vanta.executor.core.notices import Notice
from vanta.executor.far import Far
from vanta.executor.gate import Parser, Reading, with_far


class MemoryAlarm:
    """Keeps what was said. `wrong` is what the next look finds."""

    def __init__(self) -> None:
        self.said: list[Notice] = []
        self.problem = ""
        self.busy = False
        self.wrong: list[str] = []

    def say(self, notice: Notice) -> None:
        """See `Alarm.say`."""
        self.said.append(notice)

    def look(self) -> list[str]:
        """See `Alarm.look`."""
        wrong, self.wrong = self.wrong, []
        return wrong

    def close(self) -> list[str]:
        """See `Alarm.close`."""
        return self.look()


class MemoryGate:
    """A gate whose bytes and permit are set by hand. `raw=None` is a file that cannot be read.

    `far` is what came from Alpha on another host, `None` where there is none.
    """

    def __init__(self, raw: bytes | None, *, permit: bool = True) -> None:
        self.raw = raw
        self.far: Far | None = None
        self.permit = permit
        self._parser = Parser()

    def read(self) -> Reading:
        """See `Gate.read`."""
        reading = self._read()
        return reading if self.far is None else with_far(reading, self.far)

    def _read(self) -> Reading:
        if self.raw is None:
            return Reading(read_overlay(None, problem="vault_overlay.json does not exist"), self.permit, None, None)
        return self._parser.reading(self.raw, permit=self.permit)
