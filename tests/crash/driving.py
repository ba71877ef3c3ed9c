"""For the tests: start a worker, wait for its report, skip with a reason where power cuts cannot be had."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.crash.powercut import PRIVATE, why_not

ROOT = Path(__file__).resolve().parents[2]
NO_CUTS = why_not()
power = pytest.mark.skipif(bool(NO_CUTS), reason=NO_CUTS or "-")
"""For tests that need a disk whose power can be cut."""


def carry_out(folder: Path, *words: str, disk: bool = not NO_CUTS) -> dict[str, Any]:
    """A campaign's report. Homes lie on the disk where there can be one (its syncs cost little), else in `folder`."""
    command = [*(PRIVATE if disk else ()), sys.executable, "-m", "tests.crash.worker", *words,
               "--folder", str(folder), *(["--disk"] if disk else [])]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if report["unavailable"]:
        pytest.skip(f"no power cuts here: {report['unavailable']}")
    print(f"{report['campaign']}: {report['done']} of {report['planned']} cases, {report['fired']} fired, on "
          f"{report['place']}, {report['cpu']} s of CPU")
    return report


def environment() -> dict[str, str]:
    """Without the measurement of coverage, which would follow every fork."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
            "PYTHONHASHSEED": "0"}


def passes(report: dict[str, Any], at_least: int) -> None:
    """Every case was carried out, its fault fired, and nothing was violated."""
    assert not report["violations"], "\n".join(report["violations"][:20])
    assert report["planned"] == report["done"] == report["fired"] >= at_least
