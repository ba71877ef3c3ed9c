"""`vanta-run up` as a real process over a real home: it supervises the real daemons."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT
from vanta.common.clock import SystemClock
from vanta.common.paths import FEEDS, PERMIT, TRADE_LOG, Home
from vanta.common.permit import arm
from vanta.common.store.lock import holder
from vanta.suite.fixtures import fixtures
from vanta.suite.stage import prepare

PATIENCE_S = 60
STAMP = re.compile(r"pid=(\d+)")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The demonstration's tree before anything ran in it, without feeds: the daemons themselves are what matters."""
    made = Home(tmp_path / "var")
    prepare(made, fixtures("demo"), SystemClock().now())
    (made.config / "vanta.toml").write_text("".join(
        f"[markets.feeds.{feed}]\nenabled = false\n" for feed in (*FEEDS, "prices")))
    return made


class Up:
    """A running `vanta-run up`."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.process = subprocess.Popen([sys.executable, "-m", "vanta.suite.run", "up", "--home", str(home.root)],
                                        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def pid(self, program: str) -> int | None:
        """Who holds the program's lock."""
        match = STAMP.search(holder(self.home.lock(program)) or "")
        return int(match[1]) if match else None

    def stop(self) -> tuple[int, str]:
        """SIGTERM, then the status and everything that was said."""
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said


@pytest.fixture
def up(home: Home) -> Iterator[Up]:
    running = Up(home)
    yield running
    if running.process.poll() is None:
        running.stop()


def vanta_run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "vanta.suite.run", *arguments], cwd=ROOT, text=True,
                          capture_output=True, check=False)


def ended(lock: Path) -> bool:
    """Whether the process whose stamp is in the lock file has ended, be it still a zombie."""
    match = STAMP.search(lock.read_text("utf-8")) if lock.exists() else None
    if match is None:
        return False
    try:
        return Path(f"/proc/{match[1]}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.05)


def test_sigterm_stops_both_daemons_cleanly(up: Up) -> None:
    """Both run, then both are told to stop, markets first, and the status is 0."""
    until(lambda: up.pid("executor") is not None and up.pid("markets") is not None)
    status, said = up.stop()
    assert status == 0
    assert [line.split()[1] for line in said.splitlines() if " stopped (0" in line] == ["markets", "executor"]
    assert up.pid("executor") is None
    assert up.pid("markets") is None


def test_a_killed_daemon_is_started_again_and_goes_on_with_its_log(up: Up) -> None:
    """Kill -9 of the executor: a new process takes the lock, and the log holds two starts."""
    log = up.home.file(TRADE_LOG)

    def starts() -> int:
        return log.read_bytes().count(b'"program.started"') if log.exists() else 0

    until(lambda: starts() == 1)
    first = up.pid("executor")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: starts() == 2)
    assert up.pid("executor") not in (None, first)
    assert up.stop()[0] == 0


def test_a_daemon_that_cannot_trust_its_state_stays_down_while_the_other_runs(home: Home) -> None:
    """A broken trade log ends the executor with 78, once; markets runs on; the whole ends with 78."""
    home.file(TRADE_LOG).write_bytes(b'{"not": "a record"}\n')
    running = Up(home)
    log = home.logs / "reflector_meta.log"
    until(lambda: ended(home.lock("executor")) and log.exists() and "trade_log.jsonl:1" in log.read_text("utf-8"))
    assert running.pid("markets") is not None
    status, said = running.stop()
    assert status == 78
    assert said.count("executor started") == 1
    assert "executor stopped (78" in said or "it stays down" in said  # seen while stopping, or before


def test_daemons_do_not_outlive_a_killed_supervisor(up: Up) -> None:
    """Kill -9 of the supervisor: nobody is left to stop the daemons, so they stop by themselves."""
    until(lambda: up.pid("executor") is not None and up.pid("markets") is not None)
    up.process.kill()
    up.process.communicate()
    until(lambda: up.pid("executor") is None and up.pid("markets") is None)


def test_a_second_up_is_refused(up: Up) -> None:
    """One supervisor a home: the second one ends with 75 and names the first."""
    until(lambda: up.pid("up") is not None)
    second = vanta_run("up", "--home", str(up.home.root))
    assert second.returncode == 75
    assert f"pid={up.process.pid}" in second.stderr


def test_kill_is_acknowledged_by_the_running_executor(up: Up) -> None:
    """`vanta-run kill` returns 0 once the executor has looked again; its log says that the permit is gone."""
    arm(up.home, by="test", reason="test", now=SystemClock().now())
    log = up.home.file(TRADE_LOG)
    until(lambda: log.exists() and b'"what":"permit","sha256":"present"' in log.read_bytes())
    done = vanta_run("kill", "--home", str(up.home.root), "--reason", "drill", "--timeout", str(PATIENCE_S))
    assert done.returncode == 0, done.stderr
    assert "has seen it" in done.stdout
    assert not up.home.file(PERMIT).exists()
    until(lambda: b'"what":"permit","sha256":"absent"' in log.read_bytes())


def test_kill_tells_when_nobody_answers(up: Up) -> None:
    """An executor that is stopped in its tracks cannot answer: the permit is gone, and the status is 6."""
    arm(up.home, by="test", reason="test", now=SystemClock().now())
    log = up.home.file(TRADE_LOG)
    until(lambda: log.exists() and b'"what":"permit","sha256":"present"' in log.read_bytes())
    executor = up.pid("executor")
    assert executor is not None
    os.kill(executor, signal.SIGSTOP)
    try:
        done = vanta_run("kill", "--home", str(up.home.root), "--timeout", "0.2")
    finally:
        os.kill(executor, signal.SIGCONT)
    assert done.returncode == 6
    assert "did not answer" in done.stderr
    assert not up.home.file(PERMIT).exists()


def test_once_is_refused_while_the_daemons_work(up: Up) -> None:
    """A full pass beside running daemons ends with 75: their locks hold."""
    until(lambda: up.pid("markets") is not None)
    done = vanta_run("once", "--home", str(up.home.root))
    assert done.returncode == 75
