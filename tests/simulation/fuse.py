"""Where a simulated process can die: every boundary to the world is counted, and the process ends at a chosen one.

A boundary is an instant at which something outside the process has or has not happened yet: before and after a write,
a flush, a request, an answer. Other people's acts (an operator's save) can be put at a boundary too, so that they land
in the middle of a step.
"""

from collections import Counter
from collections.abc import Callable


class Crash(BaseException):
    """The process is gone. No handler of the program may catch it, so it is no `Exception`."""


class Fuse:
    """Counts boundaries. `met` and `died` count pairs of neighbouring boundaries, over the whole simulation."""

    def __init__(self) -> None:
        self.met: Counter[tuple[str, str]] = Counter()
        self.died: Counter[tuple[str, str]] = Counter()
        self.count = 0
        self._last = "start"
        self._left = -1
        self._aim, self._pass = "", 0
        self._between: tuple[str, str] | None = None
        self._acts: dict[int, Callable[[], None]] = {}
        self._named: dict[str, Callable[[], None]] = {}

    def begin(self, where: str) -> None:
        """A process begins a start or a step."""
        self._last, self.count, self._left, self._aim, self._between = where, 0, -1, "", None
        self._acts.clear()
        self._named.clear()

    def light(self, boundaries: int) -> None:
        """Die at the boundary after so many more."""
        self._left = boundaries

    def aim(self, name: str, *, after: int) -> None:
        """Die at a boundary of that name, after so many others of that name."""
        self._aim, self._pass = name, after

    def between(self, pair: tuple[str, str]) -> None:
        """Die where these two are neighbours."""
        self._between = pair

    def later(self, boundaries: int, act: Callable[[], None]) -> None:
        """Let somebody act at the boundary after so many more."""
        self._acts[self.count + boundaries] = act

    def when(self, name: str, act: Callable[[], None]) -> None:
        """Let somebody act at the next boundary of that name."""
        self._named[name] = act

    def reach(self, name: str) -> None:
        """The process is at a boundary. Raises `Crash` if this is where it dies."""
        pair = (self._last, name)
        self._last = name
        self.met[pair] += 1
        act = self._acts.pop(self.count, None) if self._acts else None
        if self._named:
            act = self._named.pop(name, act)
        self.count += 1
        if act is not None:
            act()
        if self._left == 0 or (name == self._aim and self._pass == 0) or pair == self._between:
            self._left, self._aim, self._between = -1, "", None
            self.died[pair] += 1
            raise Crash(name)
        self._left -= 1
        self._pass -= name == self._aim
