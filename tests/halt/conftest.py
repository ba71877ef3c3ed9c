"""A folder outside /tmp: there, editors save otherwise than elsewhere."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.halt.rig import ROOT

STATE = ROOT / ".pytest-state"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """An empty folder of the test's own, on a disk, not below /tmp. It is removed afterwards."""
    if Path("/tmp") not in tmp_path.resolve().parents:
        yield tmp_path
        return
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=STATE, prefix="test-"))
    yield folder
    shutil.rmtree(folder)
