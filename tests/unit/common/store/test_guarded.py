"""Reading what safety rests on: the bytes of a sound file, or the reason why there are none."""

import os
from pathlib import Path

import pytest

from vanta.common.store.guarded import guarded_read

ME = (os.getuid(),)


def test_sound_file_gives_its_bytes(tmp_path: Path) -> None:
    """A regular file of ours is read whole, an empty one too."""
    (tmp_path / "x").write_bytes(b"{}")
    (tmp_path / "y").write_bytes(b"")
    assert guarded_read(tmp_path / "x", owners=ME, max_bytes=2) == (b"{}", "")
    assert guarded_read(tmp_path / "y", owners=ME, max_bytes=2) == (b"", "")


@pytest.mark.parametrize(("kind", "problem"), [
    ("missing", "cannot be opened: No such file"), ("symlink", "ELOOP"), ("fifo", "is not a regular file"),
    ("folder", "is not a regular file"), ("large", "has 3 bytes"), ("everybody's", "may be written by everybody"),
])
def test_anything_odd_is_a_problem(tmp_path: Path, kind: str, problem: str) -> None:
    """Whatever is not a plain file of ours gives no bytes, names itself, and blocks nobody."""
    path = tmp_path / "x"
    if kind == "symlink":
        (tmp_path / "target").write_bytes(b"{}")
        path.symlink_to(tmp_path / "target")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"{} " if kind == "large" else b"{}")
        path.chmod(0o646 if kind == "everybody's" else 0o644)
    raw, said = guarded_read(path, owners=ME, max_bytes=2)
    assert raw is None
    assert said.startswith("x ")
    assert problem in said


def test_foreign_owner_is_a_problem(tmp_path: Path) -> None:
    """A file of an account that may not own it is not believed."""
    (tmp_path / "x").write_bytes(b"{}")
    others = (os.getuid() + 1,)
    assert guarded_read(tmp_path / "x", owners=others, max_bytes=2) == (None, f"x belongs to uid {os.getuid()}")


def test_read_error_is_a_problem() -> None:
    """A file that cannot be read is not empty: /proc/self/mem cannot be read from its start."""
    raw, said = guarded_read(Path("/proc/self/mem"), owners=ME, max_bytes=2)
    assert raw is None
    assert "cannot be read" in said
