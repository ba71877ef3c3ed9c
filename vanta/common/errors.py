"""Errors, split by who has to act on them.

`OperatorError`  a person gave something wrong (file, flag, setting): the message ends with the cure.
`StateError`     our own files are not what they must be: stop, keep the evidence, say which file.
`OutsideError`   a service outside this host misbehaved; `OutcomeUnknown` is the one that must never
                 be retried blindly.
`Bug`            an assumption of this program is wrong.

A refused order is not an error: refusals are values (see `reasons.py`).
"""

from collections.abc import Callable
from typing import TypeVar

from vanta.common.exitcodes import Exit

T = TypeVar("T")


class VantaError(Exception):
    """Base of all errors raised on purpose. `what` states the fact, `cure` the next step."""

    exit_code: Exit = Exit.FAILED

    def __init__(self, what: str, cure: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.what}\n  → {self.cure}" if self.cure else self.what


class OperatorError(VantaError):
    """A person must change an input. Always carries a cure."""

    exit_code = Exit.CONFIG

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what, cure)


class UsageError(OperatorError):
    """The command line asks for something that does not exist."""

    exit_code = Exit.USAGE


class BadInput(OperatorError):
    """Bytes from outside or from an operator that the strict parser refuses.

    `file`, `line` (1-based, `None` when unknown) and `field` (dotted path, `None` when the whole
    document is meant) say where.
    """

    exit_code = Exit.CONFIG

    def __init__(self, what: str, *, file: str, line: int | None = None, field: str | None = None,
                 cure: str = "Correct the file and run the command again.") -> None:
        where = file + (f":{line}" if line is not None else "") + (f" ({field})" if field else "")
        super().__init__(f"{where}: {what}", cure)
        self.reason = what
        self.file, self.line, self.field = file, line, field


class StateError(VantaError):
    """Our own state is broken or missing where it must not be."""

    exit_code = Exit.CONFIG


class Missing(StateError):
    """A document that has to exist does not. Never treated as an empty one."""


class Untrusted(StateError):
    """A log that another program writes is broken. What rests on it waits; whoever only reads it goes on."""


class LockHeld(StateError):
    """Another process owns the lock; the message says which."""

    exit_code = Exit.TEMPORARY


class OutsideError(VantaError):
    """A service outside this host refused, failed or answered nonsense."""

    exit_code = Exit.UNAVAILABLE


class OutcomeUnknown(OutsideError):
    """The request may have been carried out. Ask the venue; never send it again blindly."""

    exit_code = Exit.OUTCOME_UNKNOWN


class Throttled(OutsideError):
    """A rate limit, ours or theirs. `retry_after_s` is how long to wait."""

    exit_code = Exit.TEMPORARY

    def __init__(self, what: str, retry_after_s: float, cure: str = "") -> None:
        super().__init__(what, cure or f"Wait {retry_after_s:.0f} s; the next scheduled run does so by itself.")
        self.retry_after_s = retry_after_s


class CredentialsRefused(OutsideError):
    """The service does not accept our credentials. Never retried."""

    exit_code = Exit.CREDENTIALS


class Bug(VantaError):
    """Something this program relies on is not true."""


def contained(action: Callable[[], T], where: str) -> T:
    """Run code that hostile input may lead astray; what it raises that is no `VantaError` is a `Bug` at that place."""
    try:
        return action()
    except VantaError:
        raise
    except Exception as error:
        raise Bug(f"{where}: {type(error).__name__}: {error}", "Report this with the payload; it is kept.") from error
