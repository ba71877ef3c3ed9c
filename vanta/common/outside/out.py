"""The way out of one program: it asks the list before a call, times the call, and leaves the line when it has ended.

    with Out(Allowed.of(["www.sec.gov"]), ledger, clock, purpose="feed:sec") as out:
        call = out.begin("www.sec.gov", "GET")      # raises NotAllowed, which leaves its line too
        call.ended("200", 1234)

As a context manager it also puts up the wall, so that whatever does not come by here is refused all the same.
"""

from contextlib import suppress
from threading import local
from typing import Self

from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.outside import wall
from vanta.common.outside.allowed import Allowed, same
from vanta.common.outside.call import CLOSED, OFF_LIST, OPENED, OTHER, Call, NotAllowed, why
from vanta.common.outside.ledger import Ledger, NoLedger


class Out:
    """See the module. `allowed` is set once more by a composition root that learns it from what it has built."""

    def __init__(self, allowed: Allowed, ledger: Ledger, clock: Clock, *, purpose: str = OTHER) -> None:
        self.allowed = allowed
        self.ledger = ledger
        self._clock = clock
        self._purpose = purpose
        self._now = local()

    def doing(self, purpose: str) -> "Doing":
        """What calls of this thread are for, while this lasts."""
        return Doing(self, purpose)

    def calls_are_for(self, purpose: str) -> None:
        """What calls of this thread are for, from now on."""
        self._now.purpose = purpose

    @property
    def purpose(self) -> str:
        """What a call of this thread is for now."""
        return str(getattr(self._now, "purpose", self._purpose))

    def begin(self, host: str, method: str | None = None, purpose: str | None = None) -> "Asking":
        """A call is about to be made. Raises `NotAllowed`, or `StateError` if it could leave no line: send nothing."""
        self.ledger.ready()
        plain, what = same(host), purpose or self.purpose
        if not self.allowed.permits(plain):
            self.ledger.put(Call(Kind.CALL_REFUSED, plain, what, OFF_LIST, method))
            raise NotAllowed(plain)
        return Asking(self.ledger, self._clock, Call(Kind.CALL_MADE, plain, what, "failed", method))

    def started(self, purpose: str) -> "Asking":
        """A program of the operator's is about to be started, to tell somebody: it is, even if it leaves no line."""
        with suppress(StateError):
            self.ledger.ready()
        return Asking(self.ledger, self._clock, Call(Kind.CALL_MADE, None, purpose, "failed"))

    def refused(self, host: str) -> None:
        """Something that did not come by here was refused. See `Wall.refused`. Raises `StateError`."""
        self.ledger.ready()
        self.ledger.put(Call(Kind.CALL_REFUSED, host, self.purpose, OFF_LIST))

    def up(self) -> None:
        """Put up the wall."""
        wall.raise_around(self)

    def close(self) -> None:
        """Take the wall down and make the lines durable. Raises `StateError` if some were lost."""
        wall.lower(self)
        self.ledger.close()

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Doing:
    """See `Out.doing`. On the path of every order, so it is no generator."""

    __slots__ = ("_before", "_out", "_purpose")

    def __init__(self, out: Out, purpose: str) -> None:
        self._out, self._purpose, self._before = out, purpose, ""

    def __enter__(self) -> None:
        self._before = self._out.purpose
        self._out.calls_are_for(self._purpose)

    def __exit__(self, *_: object) -> None:
        self._out.calls_are_for(self._before)


class Asking:
    """One call that is under way. Its line is left once, by whichever of the methods comes first."""

    def __init__(self, ledger: Ledger, clock: Clock, call: Call) -> None:
        self._ledger, self._clock, self._call = ledger, clock, call
        self._began = clock.monotonic()
        self._over = self._open = False

    def ended(self, status: str, size: int | None = None) -> None:
        """There was an answer, of which `size` bytes were read."""
        self._leave(Kind.CALL_MADE, status, size)

    def failed(self, error: BaseException, size: int | None = None) -> None:
        """There was none. What the wall has refused has its line already."""
        if isinstance(error, NotAllowed):
            self._over = True
        else:
            self._leave(Kind.CALL_MADE, why(error), size)

    def opened(self) -> None:
        """It is a connection that stays: this is its first line, `closed` leaves the second."""
        self._leave(Kind.CALL_OPENED, OPENED, None)
        self._over, self._open = False, True

    def closed(self, size: int | None = None) -> None:
        """The connection ended. Nothing is said of one that was never opened: `failed` does that."""
        if self._open:
            self._leave(Kind.CALL_CLOSED, CLOSED, size)

    def _leave(self, kind: Kind, status: str, size: int | None) -> None:
        if not self._over:
            self._over = True
            took = round((self._clock.monotonic() - self._began) * 1000)
            self._ledger.put(self._call._replace(kind=kind, status=status, size=size, ms=max(0, took)))


def unwatched() -> Out:
    """A way out without list and lines: for tests of what goes out by it, and for programs that never do."""
    return Out(Allowed(None), NoLedger(), SystemClock())
