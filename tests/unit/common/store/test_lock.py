"""The lock: one holder, known by name, gone with its process, void when its file is removed."""

import os
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.processes import FILES_END_AT, run, start
from vanta.common.errors import LockHeld, StateError
from vanta.common.exitcodes import Exit
from vanta.common.store.lock import FileLock, holder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

HOLD = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from vanta.common.store.lock import FileLock
lock = FileLock(Path(sys.argv[1]), owner="executor", now=datetime(2026, 1, 2, tzinfo=UTC))
print("held", flush=True)
sys.stdin.read()
"""


def held_by_child(path: Path) -> "subprocess.Popen[str]":
    """A process that holds the lock until its stdin closes or it is killed."""
    child = start(HOLD, str(path))
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def end(child: "subprocess.Popen[str]") -> None:
    """Kill -9 and reap."""
    child.send_signal(signal.SIGKILL)
    child.communicate()


def test_second_process_is_refused_with_the_holders_stamp(tmp_path: Path) -> None:
    """Who comes second learns at once who holds the lock, and may try later."""
    child = held_by_child(tmp_path / "executor.lock")
    try:
        with pytest.raises(LockHeld, match=f"held by executor pid={child.pid} since=2026-01-02") as caught:
            FileLock(tmp_path / "executor.lock", owner="second", now=NOW)
        assert caught.value.exit_code is Exit.TEMPORARY
        assert holder(tmp_path / "executor.lock") == f"executor pid={child.pid} since=2026-01-02T00:00:00.000Z"
    finally:
        end(child)


def test_second_lock_in_the_same_process_is_refused(tmp_path: Path) -> None:
    """The lock belongs to the object, not to the process."""
    with FileLock(tmp_path / "x.lock", owner="first", now=NOW), pytest.raises(LockHeld, match="held by first"):
        FileLock(tmp_path / "x.lock", owner="second", now=NOW)


def test_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    """After kill -9 the next one gets the lock at once, over the dead one's stamp."""
    end(held_by_child(tmp_path / "executor.lock"))
    assert holder(tmp_path / "executor.lock") is None
    with FileLock(tmp_path / "executor.lock", owner="next", now=NOW):
        assert (tmp_path / "executor.lock").read_text() == f"next pid={os.getpid()} since=2026-01-02T03:04:05.000Z\n"


def test_release_keeps_the_file(tmp_path: Path) -> None:
    """The file stays for the next one: unlinking it would allow two holders."""
    lock = FileLock(tmp_path / "x.lock", owner="first", now=NOW)
    lock.release()
    lock.release()
    assert (tmp_path / "x.lock").exists()
    assert not lock.still_held()
    FileLock(tmp_path / "x.lock", owner="second", now=NOW).release()


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_holder_notices_a_lost_lock_file(tmp_path: Path, replaced: bool) -> None:
    """Whoever holds a lock whose file was removed or replaced holds nothing, and can find out."""
    with FileLock(tmp_path / "x.lock", owner="first", now=NOW) as lock:
        assert lock.still_held()
        (tmp_path / "x.lock").unlink()
        if replaced:
            (tmp_path / "x.lock").write_text("")
        assert not lock.still_held()


class _Raced(FileLock):
    """A lock whose file another process removes between opening and locking it."""

    def _flock(self) -> bool:
        self.path.unlink()
        return super()._flock()


def test_lock_on_a_removed_file_is_no_lock(tmp_path: Path) -> None:
    """A lock that was won on a file that is no longer at its path is refused."""
    with pytest.raises(LockHeld, match="replaced while it was being locked"):
        _Raced(tmp_path / "x.lock", owner="first", now=NOW)
    FileLock(tmp_path / "x.lock", owner="second", now=NOW).release()


SPAWN = """
import subprocess, sys
from datetime import datetime, UTC
from pathlib import Path
from vanta.common.store.lock import FileLock
lock = FileLock(Path(sys.argv[1]), owner="parent", now=datetime(2026, 1, 2, tzinfo=UTC))
child = subprocess.Popen(["sleep", "600"], close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
print(child.pid, flush=True)
"""


def test_children_do_not_inherit_the_lock(tmp_path: Path) -> None:
    """A program that a dead holder once started does not keep the lock."""
    survivor = int(run(SPAWN, str(tmp_path / "x.lock")))
    try:
        FileLock(tmp_path / "x.lock", owner="next", now=NOW).release()
    finally:
        os.kill(survivor, signal.SIGKILL)


WATCH = """
import sys
from pathlib import Path
from vanta.common.store.lock import holder
print("watching", flush=True)
while True:
    holder(Path(sys.argv[1]))
"""


def test_looking_at_the_holder_keeps_nobody_out(tmp_path: Path) -> None:
    """A status command in a loop never makes a program believe that the lock is taken."""
    FileLock(tmp_path / "x.lock", owner="first", now=NOW).release()
    child = start(WATCH, str(tmp_path / "x.lock"))
    assert child.stdout is not None
    child.stdout.readline()
    try:
        for _ in range(300):
            FileLock(tmp_path / "x.lock", owner="next", now=NOW).release()
    finally:
        end(child)


def test_no_lock_file_has_no_holder(tmp_path: Path) -> None:
    """Asking about a lock that never was creates nothing."""
    assert holder(tmp_path / "x.lock") is None
    assert list(tmp_path.iterdir()) == []


def test_unnamed_holder(tmp_path: Path) -> None:
    """A lock taken by something that leaves no stamp is still held."""
    with FileLock(tmp_path / "x.lock", owner="first", now=NOW):
        (tmp_path / "x.lock").write_text("")
        assert holder(tmp_path / "x.lock") == "an unnamed process"
        with pytest.raises(LockHeld, match="held by an unnamed process"):
            FileLock(tmp_path / "x.lock", owner="second", now=NOW)


def test_holder_of_an_unreadable_lock_is_unknown(tmp_path: Path) -> None:
    """Where the stamp cannot be read (here a pipe stands in its place) the lock still counts as held."""
    os.mkfifo(tmp_path / "x.lock")
    with FileLock(tmp_path / "x.lock", owner="first", now=NOW):
        assert holder(tmp_path / "x.lock") == "an unknown process"
        with pytest.raises(LockHeld, match="held by an unknown process"):
            FileLock(tmp_path / "x.lock", owner="second", now=NOW)


@pytest.mark.parametrize("kind", ["folder", "symlink"])
def test_odd_lock_file_is_a_state_error(tmp_path: Path, kind: str) -> None:
    """Only a regular file can be the lock."""
    if kind == "folder":
        (tmp_path / "x.lock").mkdir()
    else:
        (tmp_path / "x.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="cannot be opened"):
        FileLock(tmp_path / "x.lock", owner="first", now=NOW)
    assert not (tmp_path / "elsewhere").exists()


FULL_DISK = FILES_END_AT + """
import sys
from datetime import datetime, UTC
from pathlib import Path
from vanta.common.store.lock import FileLock
files_end_at(0)
lock = FileLock(Path(sys.argv[1]), owner="kill", now=datetime(2026, 1, 2, tzinfo=UTC))
files_end_at(-1)
print(lock.still_held())
"""


def test_lock_needs_no_space(tmp_path: Path) -> None:
    """Where not a byte can be written the lock still works; only its stamp is missing."""
    assert run(FULL_DISK, str(tmp_path / "x.lock")) == "True\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_lock_that_root_makes_in_somebodys_folder_is_theirs(tmp_path: Path) -> None:
    """Or a command of root's would keep the folder's own programs out for ever."""
    os.chown(tmp_path, 12345, 12346)
    with FileLock(tmp_path / "x.lock", owner="root's", now=datetime(2026, 1, 2, tzinfo=UTC)):
        info = (tmp_path / "x.lock").stat()
    assert (info.st_uid, info.st_gid) == (12345, 12346)
