"""The sweep as a real process: beside a daemon that is well, stopped or stuck, and as the one who sends."""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.scenarios.test_executor_process import PYTHON, home, kinds, stage, start, wait_for
from vanta.alpha.wire import ask
from vanta.common.clock import SystemClock
from vanta.common.paths import EXECUTOR_STATE, TRADE_LOG, Home
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock

__all__ = ["home"]

SETTINGS = "[executor]\nheartbeat_s = 0.05\n"
"""A heartbeat may be 0.35 s old then."""


@pytest.fixture
def hurried(home: Home) -> Home:
    """A home whose executor is missed soon."""
    (home.config / "vanta.toml").write_text(SETTINGS)
    return home


def sweep(home: Home, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PYTHON, "sweep", "--home", str(home.root), *options], capture_output=True, text=True,
                          check=False)


@pytest.fixture
def daemon(hurried: Home) -> Iterator["subprocess.Popen[str]"]:
    """One that has carried out what was staged and goes on."""
    running = start(hurried)
    wait_for(hurried, "fill")
    while not hurried.file(EXECUTOR_STATE).exists():
        time.sleep(0.01)
    yield running
    running.send_signal(signal.SIGCONT)
    running.kill()
    running.communicate()


def test_beside_a_daemon_that_is_well_it_says_and_changes_nothing(home: Home) -> None:
    """Status 0, not a word, not a record: cron has nothing to mail."""
    running = start(home)
    try:
        wait_for(home, "fill")
        stage(home, 0)
        before = kinds(home)
        done = sweep(home)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert kinds(home).count("program.started") == before.count("program.started") == 1
        assert json.loads(sweep(home, "--json").stdout)["held_by"].startswith(f"executor pid={running.pid} ")
    finally:
        running.kill()
        running.communicate()


def test_a_daemon_that_stands_still_is_told_in_one_line_and_status_2(hurried: Home,
                                                                     daemon: "subprocess.Popen[str]") -> None:
    """It holds the lock and beats no more: nobody sends, and nobody but a person should change that."""
    daemon.send_signal(signal.SIGSTOP)
    beat = json.loads(hurried.file(EXECUTOR_STATE).read_bytes())["heartbeat_at"]
    while (done := sweep(hurried)).returncode == 0:  # until the heartbeat is old enough
        time.sleep(0.05)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert f"pid={daemon.pid}" in done.stderr
    assert "at most 0 s are allowed" in done.stderr
    assert json.loads(hurried.file(EXECUTOR_STATE).read_bytes())["heartbeat_at"] == beat
    said = json.loads(sweep(hurried, "--json").stdout)
    assert (said["ok"], bool(said["stuck"])) == (False, True)
    daemon.send_signal(signal.SIGCONT)
    while sweep(hurried).returncode:  # it beats again
        time.sleep(0.05)


def test_a_daemon_that_was_stopped_stays_the_only_one_who_sends(home: Home) -> None:
    """After the service was stopped the sweep looks, reconciles and reports; what is staged waits."""
    for _ in range(2):
        done = sweep(home)
        assert (done.returncode, done.stderr) == (0, "")
        assert "nothing is sent, no executor runs" in done.stdout
        assert "1 intents wait, 0 work" in done.stdout
    assert "order.submitting" not in kinds(home)
    assert [kinds(home).count(kind) for kind in ("intent.seen", "verdict", "program.started")] == [1, 0, 2]
    after = start(home)  # and what it left is carried out by the next daemon
    try:
        wait_for(home, "fill")
    finally:
        after.kill()
        after.communicate()


def test_where_cron_was_chosen_the_sweep_carries_out_what_the_daemon_would(home: Home) -> None:
    """The same step: one order, one fill; the next sweep has nothing to do, and the service does not start."""
    (home.config / "vanta.toml").write_text('[executor]\ndispatch = "cron"\n')
    first = sweep(home)
    assert first.returncode == 0, first.stderr
    assert "1 orders accepted" in first.stdout
    assert kinds(home).count("fill") == 1
    second = json.loads(sweep(home, "--json").stdout)
    assert (second["accepted"], second["fills"], second["sends"]) == (0, 0, True)
    service = start(home)
    try:
        out, err = service.communicate(timeout=60)  # it ends by itself
    finally:
        service.kill()
    assert (service.returncode, out) == (78, "")
    assert "executor.dispatch is cron" in err


def test_where_cron_was_chosen_a_kill_stops_the_sweep_as_well(home: Home) -> None:
    """Everything that stops the daemon's orders stops its orders: they are the same step's."""
    (home.config / "vanta.toml").write_text('[executor]\ndispatch = "cron"\n')
    home.file("dispatch.permit").unlink()
    done = sweep(home)
    assert done.returncode == 0, done.stderr
    assert "dispatch is stopped: " in done.stdout or "0 orders accepted" in done.stdout
    assert "order.submitting" not in kinds(home)


def test_another_lock_than_the_executors_is_not_taken_for_one(home: Home) -> None:
    """Somebody holds the log without being an executor: try again, and say who."""
    with contextlib.closing(FileJournal(home.file(TRADE_LOG), alone=True)):
        done = sweep(home)
    assert (done.returncode, done.stdout) == (75, "")
    assert "trade_log.jsonl" in done.stderr


def test_an_executor_that_has_said_nothing_yet_is_believed_for_a_while(hurried: Home) -> None:
    """Its lock says when it started; without any document that is all there is."""
    with FileLock(hurried.lock("executor"), owner="executor", now=SystemClock().now()):
        while (done := sweep(hurried)).returncode == 0:
            time.sleep(0.05)
    assert (done.returncode, done.stdout) == (2, "")


def test_what_cannot_be_said_outside_is_in_the_log(home: Home) -> None:
    """A sweep alarms as a daemon does, and its alarm may fail as one's does."""
    ask(home, {"kind": "flatten"}, by="test", reason="test", now=SystemClock().now())
    (home.config / "vanta.toml").write_text('[executor]\ndispatch = "cron"\nalert_command = ["/nowhere/alarm"]\n')
    assert sweep(home).returncode == 0
    assert "/nowhere/alarm" in (home.logs / "executor.log").read_text()
