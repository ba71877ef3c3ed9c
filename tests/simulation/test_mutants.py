"""Each safeguard that is taken out is missed: the simulation finds every mutant, by the promise that it breaks."""

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.simulation import Simulation

MOST = 600
"""Schedules within which each has to be found. Most are found by one of the first dozen."""


@pytest.mark.parametrize("name", MUTANTS)
def test_the_simulation_finds_what_lacks_a_safeguard(name: str) -> None:
    """Schedule after schedule, until the promise that the safeguard is there for is broken."""
    mutant = MUTANTS[name]
    for seed in range(MOST):
        found = Simulation(seed, mutant.assembly, focus=mutant.focus).run().violations
        if any(mutant.breaks in what for what in found):
            return
    pytest.fail(f"{name} went unnoticed in {MOST} schedules")


@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.focus])
def test_the_executor_itself_is_not_found(name: str) -> None:
    """What a mutant is found by is no finding of the schedules that it is looked for in."""
    for seed in range(40):
        assert Simulation(seed, focus=MUTANTS[name].focus).run().violations == []
