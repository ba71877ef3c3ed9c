"""Halts at random moments against a real executor under load, and products without a safeguard, which are found out."""

from pathlib import Path

import pytest

from tests.halt.rig import Load
from tests.halt.trials import SEED, Plan, Tally, Trials
from vanta.common.paths import Home
from vanta.common.permit import disarm

COUNT, COMMANDS = 100, 2


def run(plan: Plan, load: int = 1) -> Tally:
    with Load(load):
        return Trials(plan).run()


def test_at_most_one_order_after_a_save_and_none_after_a_kill(outside: Path,
                                                              capsys: pytest.CaptureFixture[str]) -> None:
    """Whichever editor saves, whenever, and however busy the machine is."""
    tally = run(Plan(count=COUNT, seed=SEED, folder=outside, commands=COMMANDS), load=1)
    with capsys.disabled():
        print(f"\n  halts, seed {SEED}: {tally}")
    assert tally.violations == []
    assert tally.missing() == []
    assert tally.commands == COMMANDS
    assert not list(outside.iterdir())


@pytest.mark.parametrize("mutant", ["no_last_look", "cached_gate"])
def test_without_a_fresh_last_look_more_orders_leave(outside: Path, mutant: str) -> None:
    """An executor that does not read the switches again before each order is found out."""
    tally = run(Plan(count=40, seed=SEED, folder=outside, mutant=mutant, modes=("save",), until_violated=True))
    assert any("orders left afterwards" in one for one in tally.violations)


def hasty(home: Home) -> int:
    """A kill that does not wait for what is on its way."""
    disarm(home)
    return 0


def test_a_kill_that_does_not_wait_tells_a_lie(outside: Path) -> None:
    """Taking the permit away is not enough: an order that is past its last look still leaves."""
    tally = run(Plan(count=60, seed=SEED, folder=outside, killer=hasty, modes=("kill",), until_violated=True))
    assert any("kill: 1 orders left afterwards" in one or "stopped executor: 1" in one for one in tally.violations)
