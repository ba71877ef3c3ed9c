"""The other node, as a puller sees it: it can be asked what there is of a name, and for bytes of it. Nothing else.

`stat` and `read` raise

`Missing`      there is no such file
`Refused`      the table does not let us see it
`WasCut`       a log has fewer bytes than the position that was asked for
`StateError`   it is there and cannot be read, or is too large
`LinkDown`     nobody answered in time, or nothing that makes sense: tried again later
"""

from typing import Protocol

from vanta.common.errors import Missing, OperatorError, OutsideError, StateError
from vanta.transport.core.frames import Answer, Fault, Stat

__all__ = ["LinkDown", "Refused", "Remote", "Stat", "TooLarge", "WasCut", "fault_of", "raised"]


class Refused(OperatorError):
    """The other node does not let us see it."""


class WasCut(StateError):
    """A log ends before what was read of it."""


class TooLarge(StateError):
    """A document is larger than is taken."""


class LinkDown(OutsideError):
    """The other node does not answer."""


class Remote(Protocol):
    """One other node. After `LinkDown` the next call begins anew."""

    def stat(self, name: str) -> Stat:
        """What there is of a name."""
        ...

    def read(self, name: str, start: int, most: int) -> bytes:
        """Of a log, up to `most` bytes from byte `start` of the whole log on; a document whole, with `start` 0."""
        ...

    def stale(self) -> str:
        """Why what was shown may be old, empty if the other node itself has just answered."""
        ...

    def close(self) -> None:
        """Let go of the link."""
        ...


_KINDS: tuple[tuple[type[StateError] | type[OperatorError], Fault], ...] = (
    (Missing, "missing"), (Refused, "refused"), (WasCut, "cut"), (TooLarge, "too_large"), (StateError, "unreadable"))


def fault_of(error: StateError | Refused) -> Fault:
    """How an error is called between two nodes."""
    return next(kind for one, kind in _KINDS if isinstance(error, one))


def raised(answer: Answer) -> StateError | Refused:
    """The error that an answer stands for."""
    if answer.kind == "refused":
        return Refused(answer.what, "Nothing: what may be seen stands in one table (docs/adr/0022-transport.md).")
    kinds: dict[str, type[StateError]] = {
        "missing": Missing, "cut": WasCut, "too_large": TooLarge, "unreadable": StateError}
    return kinds[answer.kind](answer.what)
