"""Reading what safety rests on: the bytes of a sound file, or the reason why there are none."""

import os
from pathlib import Path

import pytest

from vanta.common.store.guarded import append_fd, guarded_read

ME = (os.getuid(),)


def test_sound_file_gives_its_bytes(tmp_path: Path) -> None:
    """A regular file of ours is read whole, an empty one too."""
    (tmp_path / "x").write_bytes(b"{}")
    (tmp_path / "y").write_bytes(b"")
    assert guarded_read(tmp_path / "x", owners=ME, max_bytes=2) == (b"{}", "")
    assert guarded_read(tmp_path / "y", owners=ME, max_bytes=2) == (b"", "")


def test_a_file_that_gives_other_bytes_than_its_size_has_changed(tmp_path: Path) -> None:
    """What grows or shrinks while it is read is not trusted; the kernel's own files are of that kind, too."""
    raw, said = guarded_read(Path("/proc/self/status"), owners=ME, max_bytes=1 << 20)
    assert raw is None
    assert said == "status changed while it was read"


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


@pytest.mark.parametrize("kind", ["fifo", "read fifo", "folder"])
def test_a_log_is_never_a_pipe(tmp_path: Path, kind: str) -> None:
    """Where a pipe or a folder stands in place of a log, opening fails at once, whether somebody reads or not."""
    path = tmp_path / "x.log"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK) if kind == "read fifo" else None
    with pytest.raises(OSError, match=r"ENXIO|No such device|not a regular file|Is a directory"):
        append_fd(path)
    if reader is not None:
        os.close(reader)


def test_a_log_is_made_and_appended_to(tmp_path: Path) -> None:
    """What stands in it stays."""
    for text in (b"one\n", b"two\n"):
        with open(append_fd(tmp_path / "x.log"), "ab") as file:
            file.write(text)
    assert (tmp_path / "x.log").read_bytes() == b"one\ntwo\n"
