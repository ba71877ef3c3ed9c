"""What befalls files between two runs: logs that vanish or come back old, lost documents, odd ends of a log."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.crash.driving import ROOT, environment


def operated(folder: Path, operation: str) -> dict[str, Any]:
    """What came of a run after the operation. The order before it was carried out in any case."""
    done = subprocess.run([sys.executable, "-m", "tests.crash.surgery", str(folder), operation], cwd=ROOT,
                          env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert (told["first"], told["accepted"]) == (0, 1)
    return told


@pytest.mark.parametrize("operation", ["log gone", "log cut at a line", "last line gone", "another log of that length"])
def test_a_log_that_is_not_the_one_stops_the_start(operation: str, tmp_path: Path) -> None:
    """Deleted, cut cleanly, restored from an older copy, replaced: nothing is sent, and it is said."""
    told = operated(tmp_path, operation)
    assert (told["second"], told["asked"]) == (78, 0)
    assert "its checkpoint covers" in told["said"]


@pytest.mark.parametrize("operation", ["log gone", "log cut at a line", "last line gone", "another log of that length"])
def test_and_so_it_does_without_its_checkpoints(operation: str, tmp_path: Path) -> None:
    """Its documents name records that it does not hold."""
    told = operated(tmp_path, f"{operation}, checkpoints too")
    assert (told["second"], told["asked"]) == (78, 0)
    assert "the log was deleted, cut or replaced" in told["said"]


@pytest.mark.parametrize("operation", ["documents empty", "documents gone", "documents old"])
def test_documents_are_made_anew_from_the_log(operation: str, tmp_path: Path) -> None:
    """A rename that outlived its bytes, or that was itself lost: the folds of the log are the truth."""
    told = operated(tmp_path, operation)
    assert (told["second"], told["violations"]) == (0, [])


@pytest.mark.parametrize("operation", ["tail of NULs", "tail in a character"])
def test_an_odd_end_of_the_log_is_one_piece_that_is_set_aside(operation: str, tmp_path: Path) -> None:
    """Preallocated zeros, and a record that broke off inside a character."""
    told = operated(tmp_path, operation)
    assert (told["second"], told["violations"], told["repaired"]) == (0, [], 1)


def test_what_editors_leave_beside_the_overlay_permits_nothing(tmp_path: Path) -> None:
    """Swap, backup and probe files say "go", the file itself says "halt": nothing leaves."""
    told = operated(tmp_path, "editors")
    assert told["second"] == 0
    assert told["accepted"] == 1
