"""Each safeguard that is taken out is missed: the simulation finds every mutant, by the promise that it breaks."""

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.simulation import Simulation

MOST = 1_500
"""Schedules within which each has to be found. Most are found by one of the first."""

BREAKS = {
    "no sync before a request": "I1: ", "no look-up after a lost answer": "I1: ", "a blind resend": "accepted",
    "executions are not de-duplicated": "I7: executions differ", "no last look": "I3: ", "one look for a batch": "I3: ",
    "not found counts at once": "I2: ", "what is in flight is not counted": "I8: ",
    "a restart forgets latches": "I3: ", "a failed write is forgiven": "", "a torn record stays": "StateError",
}
"""Words of the finding that each has to end in; none where any will do."""


@pytest.mark.parametrize("name", MUTANTS)
def test_the_simulation_finds_what_lacks_a_safeguard(name: str) -> None:
    """Schedule after schedule, until the promise that the safeguard is there for is broken."""
    for seed in range(MOST):
        found = Simulation(seed, MUTANTS[name]).run().violations
        if any(BREAKS[name] in what for what in found):
            return
    pytest.fail(f"{name} went unnoticed in {MOST} schedules")


def test_every_mutant_is_expected_to_break_something() -> None:
    """The two tables name the same mutants."""
    assert set(BREAKS) == set(MUTANTS)
