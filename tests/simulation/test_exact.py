"""The same seed is the same schedule, to the byte: what was found can be looked at again."""

import os
import subprocess
import sys
from hashlib import sha256

import pytest

from tests.architecture.source import ROOT
from tests.simulation.run import one
from tests.simulation.simulation import Simulation

SEEDS = range(300, 312)


def digests() -> list[str]:
    """Hashes of the logs of some schedules, made in this process."""
    return [f"{seed} {sha256(Simulation(seed).run().log).hexdigest()}" for seed in SEEDS]


def test_the_same_seed_makes_the_same_log() -> None:
    """Twice in one process: nothing is carried over from one schedule to the next."""
    assert digests() == digests()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_seed_makes_the_same_log_under_another_hash_seed(hash_seed: str) -> None:
    """No set or dictionary decides in which order things happen."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation.run", "--from-seed", str(SEEDS.start), "--digests", str(len(SEEDS))],
        cwd=ROOT, capture_output=True, check=True, text=True, env={**os.environ, "PYTHONHASHSEED": hash_seed})
    assert told.stdout.splitlines() == digests()


def test_a_trace_tells_the_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    """What people did, what was recorded, where the process died, and whether promises were kept."""
    assert one(300, trace=True) == 0
    told = capsys.readouterr().out
    assert "journal.opened" in told
    assert "promoter wants" in told
    assert "calm" in told
    assert "every promise was kept" in told
