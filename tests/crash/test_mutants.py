"""The cases can fail: an executor with one safeguard taken out is noticed, by the kind of fault that is named there."""

from pathlib import Path

import pytest

from tests.crash.driving import carry_out, power
from tests.crash.mutants import MUTANTS

HUNTED = [pytest.param(name, marks=power) if "cut" in mutant.needs else name
          for name, mutant in MUTANTS.items() if not mutant.redundant]


@pytest.mark.parametrize("name", HUNTED)
def test_a_missing_safeguard_is_noticed(name: str, tmp_path: Path) -> None:
    """At least one case near the wound ends in a violation, and its faults fired."""
    report = carry_out(tmp_path, "mutant", name)
    assert report["violations"]
    assert not [line for line in report["violations"] if "NOT FIRED" in line]


def test_mutants_that_survive_say_why() -> None:
    """A safeguard behind another one is kept for a reason."""
    assert {name for name, mutant in MUTANTS.items() if mutant.redundant} == {
        "no sync at the start, executor", "no sync of folders"}
