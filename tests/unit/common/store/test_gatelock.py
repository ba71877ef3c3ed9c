"""The lock between those who send and those who take the permit away."""

import fcntl
import os
from pathlib import Path

import pytest

from vanta.common.errors import StateError
from vanta.common.store.gatelock import GateLock, is_free


def test_it_is_free_unless_somebody_is_on_the_way(tmp_path: Path) -> None:
    """Entered by several, left by each; then it is free again."""
    path = tmp_path / "gate.lock"
    one, other = GateLock(path), GateLock(path)
    assert is_free(path) is True
    assert one.enter()
    assert other.enter()
    assert (one.held, is_free(path)) == (True, False)
    one.leave()
    assert (one.held, is_free(path)) == (False, False)
    other.leave()
    assert is_free(path) is True
    other.leave()
    assert path.exists()


def test_a_sender_that_is_gone_leaves(tmp_path: Path) -> None:
    """Nobody has to remember to close it."""
    path = tmp_path / "gate.lock"
    sender: GateLock | None = GateLock(path)
    assert sender is not None
    assert sender.enter()
    sender = None
    assert is_free(path) is True


def test_nobody_enters_while_it_is_held_exclusively(tmp_path: Path) -> None:
    """`enter` says no at once; it can be tried again."""
    path = tmp_path / "gate.lock"
    sender = GateLock(path)
    fd = os.open(path, os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert not sender.enter()
    os.close(fd)
    assert sender.enter()


def test_a_lock_that_was_taken_away_or_replaced_is_no_lock(tmp_path: Path) -> None:
    """Whoever holds the old file holds nothing; it enters the new one, which is made if there is none."""
    path = tmp_path / "gate.lock"
    sender = GateLock(path)
    assert sender.enter()
    path.unlink()
    assert not sender.held
    assert is_free(path) is None
    assert sender.enter()
    assert is_free(path) is False
    path.rename(tmp_path / "elsewhere")
    path.write_bytes(b"")
    assert not sender.held
    assert sender.enter()
    assert is_free(path) is False


@pytest.mark.parametrize("kind", ["folder", "link", "no folder"])
def test_where_there_can_be_no_lock_nobody_enters(tmp_path: Path, kind: str) -> None:
    """Making one is an error that names it, entering says no, and nobody can tell that it is free."""
    path = tmp_path / "sub" / "gate.lock"
    path.parent.mkdir()
    sender = GateLock(path)
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.parent.rmdir()
    assert not sender.enter()
    assert is_free(path) is None
    with pytest.raises(StateError, match=r"gate\.lock"):
        GateLock(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_gate_that_root_makes_in_somebodys_folder_is_theirs(tmp_path: Path) -> None:
    """An executor that root ran once leaves a gate through which the service can go."""
    os.chown(tmp_path, 12345, 12346)
    GateLock(tmp_path / "gate.lock")
    info = (tmp_path / "gate.lock").stat()
    assert (info.st_uid, info.st_gid) == (12345, 12346)
