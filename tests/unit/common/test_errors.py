"""Errors: each says the fact, the cure and the exit status of whoever has to act."""

import pytest

from vanta.common import errors
from vanta.common.exitcodes import MEANING, Check, Exit

STATUS: dict[str, tuple[errors.VantaError, Exit]] = {
    "operator": (errors.OperatorError("x", "y"), Exit.CONFIG),
    "usage": (errors.UsageError("x", "y"), Exit.USAGE),
    "bad input": (errors.BadInput("x", file="f"), Exit.CONFIG),
    "state": (errors.StateError("x"), Exit.CONFIG),
    "missing": (errors.Missing("x"), Exit.CONFIG),
    "untrusted": (errors.Untrusted("x"), Exit.CONFIG),
    "lock held": (errors.LockHeld("x"), Exit.TEMPORARY),
    "outside": (errors.OutsideError("x"), Exit.UNAVAILABLE),
    "outcome unknown": (errors.OutcomeUnknown("x"), Exit.OUTCOME_UNKNOWN),
    "throttled": (errors.Throttled("x", 3.0), Exit.TEMPORARY),
    "credentials": (errors.CredentialsRefused("x"), Exit.CREDENTIALS),
    "bug": (errors.Bug("x"), Exit.FAILED),
}


@pytest.mark.parametrize(("error", "status"), STATUS.values(), ids=STATUS.keys())
def test_each_error_has_an_exit_status(error: errors.VantaError, status: Exit) -> None:
    """A script or systemd learns from the status what to do next."""
    assert error.exit_code is status
    assert isinstance(error, errors.VantaError)


def test_every_error_class_is_in_the_table() -> None:
    """A new error class states its exit status here."""
    def below(kind: type[errors.VantaError]) -> set[type[errors.VantaError]]:
        return {kind}.union(*(below(sub) for sub in kind.__subclasses__() if sub.__module__ == errors.__name__))

    assert below(errors.VantaError) - {errors.VantaError} == {type(error) for error, _ in STATUS.values()}


def test_message_ends_with_the_cure() -> None:
    """What is wrong comes first, what to do about it on the next line."""
    assert str(errors.OperatorError("x is wrong", "Correct x.")) == "x is wrong\n  → Correct x."
    assert str(errors.StateError("x is broken")) == "x is broken"


PLACES = {"file": (errors.BadInput("no", file="f"), "f: no"),
          "line": (errors.BadInput("no", file="f", line=3), "f:3: no"),
          "field": (errors.BadInput("no", file="f", field="a.b"), "f (a.b): no"),
          "all": (errors.BadInput("no", file="f", line=3, field="a.b"), "f:3 (a.b): no")}


@pytest.mark.parametrize(("error", "text"), PLACES.values(), ids=PLACES.keys())
def test_bad_input_says_where(error: errors.BadInput, text: str) -> None:
    """File, line and field stand in front as editors understand them."""
    assert str(error).startswith(text + "\n")
    assert error.reason == "no"


def test_throttled_says_how_long() -> None:
    """A rate limit carries the time to wait, in words too, unless there is a better cure."""
    assert "Wait 30 s" in str(errors.Throttled("slow down", 30.0))
    assert errors.Throttled("slow down", 30.0).retry_after_s == 30.0
    assert errors.Throttled("slow down", 30.0, "Use a key.").cure == "Use a key."


def test_exit_statuses_are_the_published_ones() -> None:
    """Scripts and units depend on these numbers; they never change."""
    assert {status.name: int(status) for status in Exit} == {
        "DONE": 0, "FAILED": 1, "USAGE": 2, "PARTIAL": 3, "CREDENTIALS": 4, "REFUSED": 5, "OUTCOME_UNKNOWN": 6,
        "UNAVAILABLE": 69, "TEMPORARY": 75, "PERMISSION": 77, "CONFIG": 78, "INTERRUPTED": 130}
    assert [int(status) for status in Check] == [0, 1, 2, 3]
    assert set(MEANING) == set(Exit)
