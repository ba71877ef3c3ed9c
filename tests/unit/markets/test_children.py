"""The daemon's child processes: bounded in time, ended with all they started. Times are handed in."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vanta.markets.children import GRACE_S, Children, Ended

PATIENCE_S = 20.0
READY = "import pathlib, sys; pathlib.Path(sys.argv[1], 'ready').touch()\n"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY + "import time; time.sleep(60)"
PATIENT = READY + "import time; time.sleep(60)"

Make = Callable[[str], Children]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made = []

    def children(code: str) -> Children:
        made.append(Children(lambda feed: [sys.executable, "-c", code, str(tmp_path), feed], tmp_path, timeout_s=100))
        return made[-1]

    yield children
    for one in made:
        one.stop()


def gone(children: Children, now: float) -> list[Ended]:
    """Reap until something is gone."""
    ends = time.monotonic() + PATIENCE_S
    while not (found := children.reap(now)):
        assert time.monotonic() < ends, "it never ends"
        time.sleep(0.01)
    return found


def ready(folder: Path) -> None:
    """Wait until the child has come far enough."""
    ends = time.monotonic() + PATIENCE_S
    while not (folder / "ready").exists():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.parametrize("status", [0, 3, 78])
def test_the_status_is_handed_on(make: Make, status: int) -> None:
    """A child that ends by itself is reported once, with its status."""
    children = make(f"import sys; sys.exit({status})")
    children.start("sec", 0)
    assert gone(children, 1) == [Ended("sec", status, overdue=False)]
    assert children.reap(2) == []
    assert children.next_look() is None


def test_one_child_per_feed(make: Make, tmp_path: Path) -> None:
    """Starting a feed that runs does nothing."""
    children = make("import os, sys; open(os.path.join(sys.argv[1], 'n'), 'a').write(sys.argv[2])")
    children.start("sec", 0)
    children.start("sec", 0)
    children.start("news", 0)
    ended = gone(children, 1)
    while len(ended) < 2:
        ended += gone(children, 1)
    assert {one.feed for one in ended} == {"sec", "news"}
    assert sorted((tmp_path / "n").read_text()) == sorted("secnews")


def test_an_overdue_child_is_told_to_end(make: Make, tmp_path: Path) -> None:
    """At its time, not before; it is reported as overdue."""
    children = make(PATIENT)
    children.start("sec", 0)
    ready(tmp_path)
    assert children.next_look() == 100
    assert children.reap(99.9) == []
    assert gone(children, 100) == [Ended("sec", -15, overdue=True)]


def test_a_child_that_will_not_end_is_ended(make: Make, tmp_path: Path) -> None:
    """After the grace period it is killed."""
    children = make(STUBBORN)
    children.start("sec", 0)
    ready(tmp_path)
    assert children.reap(100) == []
    assert children.next_look() == 100 + GRACE_S
    assert gone(children, 100 + GRACE_S) == [Ended("sec", -9, overdue=True)]


def test_stop_ends_all_of_them_with_what_they_started(make: Make, tmp_path: Path) -> None:
    """Grandchildren too, whether they want to or not."""
    children = make(f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}, sys.argv[1]]);"
                    "open(sys.argv[1] + '/pid', 'w').write(str(p.pid)); p.wait()")
    children.start("sec", 0)
    ready(tmp_path)
    pid = tmp_path / "pid"
    while not (pid.exists() and pid.read_text()):
        time.sleep(0.01)
    grandchild = int(pid.read_text())
    children.stop()
    assert children.next_look() is None
    ends = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{grandchild}/stat").exists() and " Z " not in Path(f"/proc/{grandchild}/stat").read_text():
        assert time.monotonic() < ends, "the grandchild lives on"
        time.sleep(0.01)


def test_what_a_child_says_is_kept(make: Make, tmp_path: Path) -> None:
    """Its stderr is appended to the feed's log; stdout is not."""
    children = make("import sys; print('out'); print('err', file=sys.stderr)")
    for _ in range(2):
        children.start("sec", 0)
        gone(children, 1)
    assert (tmp_path / "sec.log").read_text() == "err\nerr\n"


def test_it_gives_way_to_the_loop(make: Make, tmp_path: Path) -> None:
    """A collector runs at a lower priority than the daemon."""
    children = make(PATIENT)
    children.start("sec", 0)
    ready(tmp_path)
    (child,) = children._running.values()
    assert os.getpriority(os.PRIO_PROCESS, child.process.pid) > os.getpriority(os.PRIO_PROCESS, 0)


def test_a_command_that_does_not_exist_is_an_os_error(tmp_path: Path) -> None:
    """The caller decides what a failed start means."""
    children = Children(lambda feed: ["/nowhere/at/all"], tmp_path, timeout_s=1)
    with pytest.raises(OSError, match="nowhere"):
        children.start("sec", 0)
    assert children.next_look() is None


@pytest.mark.parametrize("target", ["/dev/null", "pipe"])
def test_a_log_that_is_no_plain_file_is_an_os_error(make: Make, tmp_path: Path, target: str) -> None:
    """Nothing is started, and nobody waits for whoever reads a pipe in its place."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "sec.log").symlink_to(tmp_path / target)
    children = make(PATIENT)
    with pytest.raises(OSError, match=r"regular|No such device"):
        children.start("sec", 0)
    assert children.next_look() is None
