"""Fixtures that every kind of test may use."""

import os
from pathlib import Path

import pytest
from coverage import Coverage

from tests import purity

ROOT = Path(__file__).resolve().parents[1]

purity.watch()


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of recorded payloads: $VANTA_REALDATA, by default `../shared/data` beside the repository."""
    folder = Path(os.environ.get("VANTA_REALDATA", str(ROOT.parent / "shared" / "data")))
    if folder.is_dir():
        return folder
    if os.environ.get("CI"):
        pytest.fail(f"recorded payloads are missing: {folder} (set VANTA_REALDATA)")
    pytest.skip(f"recorded payloads are not at {folder}; set VANTA_REALDATA to run these tests")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Save now what a worker has measured: on a busy machine it may be killed before it has ended by itself."""
    measurement = Coverage.current()
    if measurement is not None and hasattr(session.config, "workerinput"):
        measurement.stop()
        measurement.save()
