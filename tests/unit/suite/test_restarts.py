"""When a program that ended is started again."""

import pytest

from vanta.common.exitcodes import Exit
from vanta.suite.restarts import FIRST_S, HEALTHY_S, LONGEST_S, Verdict, after, meaning, worst


@pytest.mark.parametrize("status", [1, 2, 75, 69, 0, -9], ids=["failed", "usage", "busy", "outside", "clean", "killed"])
def test_whatever_ended_is_started_again_soon(status: int) -> None:
    """A first end of any kind but one waits for half a second."""
    assert after(status, ran_s=0.1, failures=0) == Verdict(FIRST_S, 1)


def test_a_wrong_configuration_stays_down() -> None:
    """78 is final, however long the program had run."""
    assert after(Exit.CONFIG, ran_s=0.1, failures=0).again_in_s is None
    assert after(Exit.CONFIG, ran_s=10_000, failures=3).again_in_s is None


def test_ends_in_a_row_wait_longer_and_longer_up_to_a_bound() -> None:
    """Each failure doubles the wait, and half a minute is the longest."""
    waits, failures = [], 0
    for _ in range(9):
        verdict = after(1, ran_s=0.1, failures=failures)
        waits.append(verdict.again_in_s)
        failures = verdict.failures
    assert waits == [0.5, 1, 2, 4, 8, 16, LONGEST_S, LONGEST_S, LONGEST_S]


def test_a_program_that_ran_for_a_while_is_healthy_again() -> None:
    """After half a minute of running the count begins anew."""
    assert after(1, ran_s=HEALTHY_S, failures=7) == Verdict(FIRST_S, 1)
    assert after(1, ran_s=HEALTHY_S - 1, failures=7).failures == 8


def test_no_number_of_failures_overflows_the_wait() -> None:
    """A program that fails for years still has a finite wait."""
    assert after(1, ran_s=0, failures=10**9).again_in_s == LONGEST_S


@pytest.mark.parametrize(("statuses", "expected"), [
    ([0, 0], 0), ([0, 3], 3), ([3, 1], 3), ([1, 78], 78), ([-9, 0], 1), ([], 0),
], ids=["all well", "one", "the first", "configuration first", "killed is failed", "none"])
def test_one_status_stands_for_several_programs(statuses: list[int], expected: int) -> None:
    """Configuration wins, else the first that is not 0."""
    assert worst(statuses) == expected


def test_a_status_is_told_in_words() -> None:
    """Ours by their meaning, signals by their number, strangers as such."""
    assert meaning(0) == "0: done"
    assert meaning(-15) == "killed by signal 15"
    assert meaning(42) == "42: no status of ours"
