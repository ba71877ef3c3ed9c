"""ONCE under single faults: killed, torn, refused by the operating system, at every call or at a drawn sample of them.

`make torture` carries out all cases; here the first order of a new home is complete for kills and torn writes.
"""

import math
from pathlib import Path

import pytest

from tests.crash.driving import NO_CUTS, carry_out, passes
from tests.crash.stories import STORIES

PLAYED = ",".join(name for name, story in STORIES.items() if not story.reader)
SECOND = "kill" if NO_CUTS else "cut"


@pytest.mark.parametrize("share", ["0/2", "1/2"])
def test_the_first_order_survives_a_kill_and_a_torn_write_at_every_call(share: str, tmp_path: Path) -> None:
    """Complete: before each call, and with half of each write or request done; one order, and everything adds up."""
    passes(carry_out(tmp_path, "single", "order", "--modes", "kill,torn", "--share", share), at_least=80)


@pytest.mark.parametrize(("modes", "at_least"), [("killafter,short,full", 20), ("errno", 100), ("stuck", 40)])
def test_the_first_order_survives_what_the_system_may_refuse(modes: str, at_least: int, tmp_path: Path) -> None:
    """Each errno of `injector.ERRNOS`, once or from then on, at one call of each kind; short writes, a full disk."""
    passes(carry_out(tmp_path, "single", "order", "--modes", modes, "--kinds"), at_least)


def test_the_first_order_survives_what_cannot_be_read(tmp_path: Path) -> None:
    """A reading error of each sort, at a call of each kind, for each file that a start on a torn log reads."""
    passes(carry_out(tmp_path, "single", "torn", "--modes", "reads", "--kinds"), at_least=60)


@pytest.mark.parametrize("modes", ["kill,torn", "killafter,errno,stuck,short,full"])
def test_a_sample_of_every_story_survives(modes: str, tmp_path: Path) -> None:
    """Cancels under a halt, lost and late answers, venues that take an id twice, batches, torn logs."""
    passes(carry_out(tmp_path, "single", PLAYED, "--modes", modes, "--sample", "40"), at_least=40)


def test_on_the_file_system_of_the_repository(tmp_path: Path) -> None:
    """The same on plain files, wherever the homes of the other tests lie."""
    passes(carry_out(tmp_path, "single", "order", "--modes", "kill,torn", "--sample", "12", disk=False), at_least=12)


def test_five_faults_in_a_row_do_not_add_up(tmp_path: Path) -> None:
    """Recovery is killed, torn or cut off again and again; it still converges."""
    report = carry_out(tmp_path, "rows", "order,halt,late", "--sample", "2", "--second", SECOND)
    passes(report, at_least=6)
    assert math.prod(len(modes.split(" + ")) == 5 for modes in report["modes"])


def test_a_second_executor_is_turned_away_wherever_the_first_stands(tmp_path: Path) -> None:
    """The first is stopped before a call, the second refuses without a word to the venue, the first goes on."""
    passes(carry_out(tmp_path, "two", "order", "--sample", "16"), at_least=16)


def test_a_deleted_lock_file_lets_nobody_in(tmp_path: Path) -> None:
    """The log itself is held: whoever deletes the lock of a stopped executor and starts another is turned away."""
    passes(carry_out(tmp_path, "unlocked", "order", "--sample", "12"), at_least=12)


def test_pairs_of_a_kill_and_a_kill_of_the_recovery(tmp_path: Path) -> None:
    """A sample of what `make torture` enumerates; with power cuts in test_power.py."""
    passes(carry_out(tmp_path, "pairs", "order", "--second", "kill", "--sample", "8"), at_least=8)
