"""One home in which everything has run, made once; tests that damage it work on a copy."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.alpha.homes import whole
from vanta.common.paths import Home


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home. Only to be read."""
    return whole(tmp_path_factory.mktemp("lived") / "var")


@pytest.fixture
def copied(lived: Home, tmp_path: Path) -> Home:
    """A copy of it, to be damaged."""
    shutil.copytree(lived.root, tmp_path / "copy")
    return Home(tmp_path / "copy")


@pytest.fixture
def rewrite(copied: Home) -> Callable[[str, bytes, bytes], None]:
    """Replace the first occurrence of some bytes in a file of the copy; it has to be there."""
    def change(name: str, old: bytes, new: bytes) -> None:
        path = copied.file(name)
        raw = path.read_bytes()
        assert old in raw
        path.write_bytes(raw.replace(old, new, 1))

    return change
