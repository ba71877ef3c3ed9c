"""Alpha's witness looks at what arrived of logs: in a process of its own, so that no pull waits for it.

What it finds is `vanta audit witness`'s to say; here only whether it does, and its status.
"""

import subprocess
from collections.abc import Callable, Sequence

from vanta.common.exitcodes import Check
from vanta.common.settings import plain_environment

EVERY_S = 5.0
LONGEST_S = 600.0
_SAID = {Check.OK: "sound", Check.CRITICAL: "something was changed, cut or made anew"}


class Witness:
    """One child at a time for one link. `said` is empty before the first look has ended."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._child: subprocess.Popen[bytes] | None = None
        self._wanted = True
        self._began = float("-inf")
        self.said = ""

    def looks(self) -> bool:
        """Whether a look is under way."""
        return self._child is not None

    def want(self) -> None:
        """Something new has arrived."""
        self._wanted = True

    def turn(self, now: float, log: Callable[[str], object]) -> None:
        """Start a look that is due, or take note of one that has ended. `log` is told what is not sound."""
        if self._child is not None:
            status = self._child.poll()
            if status is None and now - self._began < LONGEST_S:
                return
            self.close()
            said = _SAID.get(status, f"it could not be told (status {status})")  # type: ignore[call-overload]
            if said != self.said and status != Check.OK:
                log(said)
            self.said = said
        if self._wanted and now - self._began >= EVERY_S:
            self._wanted, self._began = False, now
            try:
                self._child = subprocess.Popen(  # noqa: S603 - fixed words, no shell
                    self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env=plain_environment())
            except OSError as error:
                self.said = f"it could not be told: {error.strerror}"

    def close(self) -> None:
        """End the look that is under way."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None
