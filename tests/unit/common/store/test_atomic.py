"""Whole files: never half of one, never a strange one, the old one stays when a write fails."""

import os
import socket
from pathlib import Path

import pytest

from tests.processes import FILES_END_AT, run
from vanta.common.errors import Missing, StateError
from vanta.common.store import atomic


def test_replace_leaves_only_the_file(tmp_path: Path) -> None:
    """After a replace the folder holds the file and nothing else."""
    target = tmp_path / "portfolio.json"
    atomic.replace(target, b"old")
    atomic.replace(target, b"new")
    assert atomic.read(target) == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["portfolio.json"]


def test_replace_makes_a_new_inode(tmp_path: Path) -> None:
    """A reader that has the old file open keeps reading the old bytes: the file is exchanged, not rewritten."""
    target = tmp_path / "portfolio.json"
    atomic.replace(target, b"old")
    with target.open("rb") as reader:
        atomic.replace(target, b"new", durable=False)
        assert reader.read() == b"old"


def test_replace_sets_the_mode(tmp_path: Path) -> None:
    """The new file has the mode that was asked for, whatever the old one had."""
    target = tmp_path / "portfolio.json"
    atomic.replace(target, b"", mode=0o600)
    assert target.stat().st_mode & 0o777 == 0o600


FAILING_WRITE = FILES_END_AT + """
import sys
from pathlib import Path
from vanta.common.errors import StateError
from vanta.common.store import atomic
target = Path(sys.argv[1])
atomic.replace(target, b"old")
files_end_at(100)
try:
    atomic.replace(target, b"n" * 1000)
except StateError as error:
    print(error)
files_end_at(-1)
print(atomic.read(target).decode(), sorted(path.name for path in target.parent.iterdir()))
"""


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """When the new bytes do not fit, the old file stays and no temporary file is left."""
    out = run(FAILING_WRITE, str(tmp_path / "portfolio.json"))
    assert "portfolio.json cannot be written: File too large (EFBIG)" in out
    assert out.endswith("old ['portfolio.json']\n")


FAILING_BATCH = FILES_END_AT + """
import sys
from pathlib import Path
from vanta.common.errors import StateError
from vanta.common.store import atomic
folder = Path(sys.argv[1])
atomic.replace(folder / "a", b"old")
files_end_at(100)
try:
    atomic.replace_all([(folder / "a", b"new"), (folder / "b", b"n" * 1000)])
except StateError as error:
    print(error)
files_end_at(-1)
print(atomic.read(folder / "a").decode(), sorted(path.name for path in folder.iterdir()))
"""


def test_failed_write_keeps_all_old_files_of_a_batch(tmp_path: Path) -> None:
    """Nothing is exchanged before everything is written; the file that did not fit is named."""
    out = run(FAILING_BATCH, str(tmp_path))
    assert "/b cannot be written: File too large (EFBIG)" in out
    assert out.endswith("old ['a']\n")


def test_more_files_than_may_be_open(tmp_path: Path) -> None:
    """However many files there are, all are replaced and few are open at a time."""
    names = [str(number) for number in range(300)]
    out = run("""
import resource, sys
from pathlib import Path
from vanta.common.store import atomic
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
atomic.replace_all(((Path(sys.argv[1]) / str(number), b"%d" % number) for number in range(300)), mode=0o600)
""", str(tmp_path))
    assert out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert all((tmp_path / name).read_text() == name for name in names)


NOTED = """
import os, sys
from pathlib import Path
from vanta.common.store import atomic
def note(name):
    real = getattr(os, name)
    def call(first, *rest):
        path = os.readlink(f"/proc/self/fd/{first}") if isinstance(first, int) else str(rest[0])
        print(name, Path(path).name.partition(f".{os.getpid()}")[0], flush=True)
        return real(first, *rest)
    setattr(os, name, call)
for name in ("write", "fsync", "rename"):
    note(name)
"""
"""Says what is written, synced and renamed, in order."""


@pytest.mark.parametrize(("durable", "syncs"), [("yes", ["fsync .x", "fsync .y", "fsync .z"]), ("", [])])
def test_a_batch_waits_for_the_disk_together(tmp_path: Path, durable: str, syncs: list[str]) -> None:
    """All are written, then synced, then renamed in the order given, then each folder is synced once."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    out = run(NOTED + """
folder = Path(sys.argv[1])
atomic.replace_all([(folder / "a/x", b"1"), (folder / "b/y", b"2"), (folder / "a/z", b"3")], durable=bool(sys.argv[2]))
""", str(tmp_path), durable)
    assert out.splitlines() == ["write .x", "write .y", "write .z", *syncs, "rename x", "rename y", "rename z",
                                *(["fsync a", "fsync b"] if durable else [])]


@pytest.mark.parametrize("durable", [True, False])
def test_unwritable_folder_is_a_state_error(tmp_path: Path, durable: bool) -> None:
    """Where no file can be made at all, the error is ours and names the file."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StateError, match=r"x\.json cannot be written: Not a directory \(ENOTDIR\)"):
        atomic.replace(tmp_path / "file" / "x.json", b"data", durable=durable)


def test_full_disk_says_what_to_do() -> None:
    """The cure for a full disk is named."""
    with pytest.raises(OSError, match="No space left") as caught, open("/dev/full", "wb", buffering=0) as full:
        atomic.write_all(full.fileno(), b"x")
    assert atomic.describe(caught.value) == "No space left on device (ENOSPC)"


def test_short_writes_are_continued() -> None:
    """A pipe takes less than it is given; everything arrives all the same."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child
        os.close(reader)
        atomic.write_all(writer, b"x" * 1_000_000)
        os._exit(0)
    os.close(writer)
    try:
        assert len(atomic.read_all(reader, 10)) == 1_000_000
    finally:
        os.close(reader)
        os.waitpid(child, 0)


def test_missing_file_is_missing(tmp_path: Path) -> None:
    """A missing file is its own error, so that nobody takes it for an empty one."""
    with pytest.raises(Missing):
        atomic.read(tmp_path / "none")


def test_fifo_is_refused_without_blocking(tmp_path: Path) -> None:
    """A FIFO without a writer would block a plain open for ever."""
    os.mkfifo(tmp_path / "x")
    with pytest.raises(StateError, match="not a regular file"):
        atomic.read(tmp_path / "x")


def test_symlink_is_refused(tmp_path: Path) -> None:
    """A link may point anywhere; it is not followed."""
    (tmp_path / "target").write_bytes(b"{}")
    (tmp_path / "x").symlink_to(tmp_path / "target")
    with pytest.raises(StateError, match="ELOOP"):
        atomic.read(tmp_path / "x")


def test_folder_and_socket_are_refused(tmp_path: Path) -> None:
    """Other kinds of file are no documents."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(StateError, match="not a regular file"):
        atomic.read(tmp_path / "folder")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    with pytest.raises(StateError, match="cannot be opened"):
        atomic.read(tmp_path / "s")
    server.close()


def test_unreadable_content_is_a_state_error() -> None:
    """An error while reading is not an empty file: /proc/self/mem cannot be read from its start."""
    with pytest.raises(StateError, match=r"cannot be read: .* \(EIO\)"):
        atomic.read(Path("/proc/self/mem"))


def test_oversize_is_refused_unread(tmp_path: Path) -> None:
    """A file over the limit is refused by its size (here a sparse one)."""
    with (tmp_path / "x").open("wb") as file:
        file.truncate(101)
    with pytest.raises(StateError, match="101 bytes; at most 100"):
        atomic.read(tmp_path / "x", max_bytes=100)


def test_reading_from_a_known_place(tmp_path: Path) -> None:
    """Whoever has read the beginning reads on from there; the limit counts what is read; a shorter file was cut."""
    (tmp_path / "x").write_bytes(b"0123456789")
    assert atomic.read(tmp_path / "x", start=4) == b"456789"
    assert atomic.read(tmp_path / "x", start=10) == b""
    assert atomic.read(tmp_path / "x", start=8, max_bytes=2) == b"89"
    with pytest.raises(StateError, match="fewer than the 11 that were read before"):
        atomic.read(tmp_path / "x", start=11)


def test_remove_is_idempotent(tmp_path: Path) -> None:
    """The first removal says there was something, the second that there was not."""
    (tmp_path / "x").write_bytes(b"")
    assert atomic.remove(tmp_path / "x") is True
    assert atomic.remove(tmp_path / "x") is False


def test_unknown_error_number_is_described() -> None:
    """An error without a number still reads as a sentence."""
    assert atomic.describe(OSError("odd")) == "odd (?)"


MANY_THREADS = """
import sys, threading
from pathlib import Path
from vanta.common.store import atomic
target, faults = Path(sys.argv[1]), []
bodies = [bytes([65 + n]) * 2_000_000 for n in range(4)]
def write(body):
    try:
        for _ in range(25):
            atomic.replace(target, body, durable=False)
            if atomic.read(target) not in bodies:
                faults.append("a mixture")
    except Exception as error:
        faults.append(repr(error))
threads = [threading.Thread(target=write, args=(body,)) for body in bodies]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(faults, [path.name for path in target.parent.iterdir()])
"""


def test_threads_do_not_share_a_temporary_file(tmp_path: Path) -> None:
    """Several threads that replace one file never make a mixture, and all of them succeed."""
    assert run(MANY_THREADS, str(tmp_path / "x")) == "[] ['x']\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_what_root_replaces_in_somebodys_folder_is_theirs(tmp_path: Path) -> None:
    """Or their programs could not go on with it."""
    os.chown(tmp_path, 12345, 12346)
    atomic.replace(tmp_path / "file", b"x")
    info = (tmp_path / "file").stat()
    assert (info.st_uid, info.st_gid) == (12345, 12346)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root acts in somebody's place")
def test_folders_that_root_makes_are_the_owners(tmp_path: Path) -> None:
    """Each that was missing, and none that was there."""
    (tmp_path / "mine").mkdir()
    os.chown(tmp_path / "mine", 12_345, 12_345)
    atomic.make_folders(tmp_path / "mine" / "a" / "b", 0o700)
    atomic.make_folders(tmp_path / "mine" / "a" / "b")
    for name in ("mine/a", "mine/a/b"):
        info = (tmp_path / name).stat()
        assert (info.st_uid, info.st_gid, info.st_mode & 0o777) == (12_345, 12_345, 0o700)
    assert tmp_path.stat().st_uid == 0
