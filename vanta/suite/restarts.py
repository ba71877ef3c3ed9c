"""When a program that ended is started again. Pure.

Decides from how it ended, how long it ran and how often it failed in a row. Refuses to know processes and clocks.
A program that says that its configuration or state is wrong (78) stays down: starting it again cannot help, and a
loop would bury the message. Everything else is started again, at first soon, then less and less often; a program
that ran for half a minute counts as healthy again.

    after(1, ran_s=0.2, failures=0)   ->  Verdict(again_in_s=0.5, failures=1)
    after(78, ran_s=40.0, failures=0) ->  Verdict(again_in_s=None, failures=1)
"""

from dataclasses import dataclass

from vanta.common.exitcodes import MEANING, Exit

FIRST_S = 0.5
LONGEST_S = 30.0
HEALTHY_S = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`again_in_s` is None for a program that stays down; `failures` counts the ends in a row, this one included."""

    again_in_s: float | None
    failures: int


def after(status: int, *, ran_s: float, failures: int) -> Verdict:
    """What to do with a program that ended with `status` after `ran_s` seconds and `failures` ends in a row before."""
    if status == Exit.CONFIG:
        return Verdict(None, failures + 1)
    row = 1 if ran_s >= HEALTHY_S else failures + 1
    return Verdict(min(LONGEST_S, FIRST_S * 2 ** min(row - 1, 10)), row)


def meaning(status: int) -> str:
    """An exit status in words. A negative one is the signal that ended the program."""
    if status < 0:
        return f"killed by signal {-status}"
    return f"{status}: {MEANING.get(status, 'no status of ours')}"


def worst(statuses: list[int]) -> int:
    """One status for several programs: wrong configuration before anything else, then the first that is not 0."""
    ended = [Exit.FAILED if status < 0 else status for status in statuses]
    if Exit.CONFIG in ended:
        return Exit.CONFIG
    return next((status for status in ended if status), Exit.DONE)
