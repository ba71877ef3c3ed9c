"""The executor as a real process on real files: locks, kill -9, torn logs, stopping."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.executor.world import ALL_CLEAR
from vanta.common import ids
from vanta.common.canonical import document
from vanta.common.clock import SystemClock
from vanta.common.errors import StateError
from vanta.common.paths import EXECUTOR_STATE, MARKET_QUOTES, OVERLAY, QUEUE, TRADE_LOG, VAULTS, Home
from vanta.common.permit import arm
from vanta.common.store.journal import FileJournal
from vanta.common.times import iso

PYTHON = [sys.executable, "-m", "vanta.suite.dispatch", "executor"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a vault, a crypto quote (crypto never closes) and one staged intent."""
    made = Home(tmp_path / "home").prepare()
    now = SystemClock().now()
    made.file(OVERLAY).write_bytes(ALL_CLEAR)
    made.file(VAULTS).write_bytes(document({"vaults": [
        {"vault_id": "V_CORE", "label": "Core", "crypto_enabled": True, "personas": ["Athena"]}]}))
    header = {"schema_version": 1, "revision": 1, "written_at": iso(now), "written_by": "test", "now": iso(now)}
    quote = {"bid": "50000", "ask": "50001", "last": "50000", "size": None, "at": iso(now), "source": "test",
             "average_daily_volume": None}
    made.file(MARKET_QUOTES).write_bytes(document({**header, "quotes": {"crypto:BTC-USD": quote}}))
    arm(made, by="test", reason="test", now=now)
    stage(made, 1)
    return made


def stage(home: Home, count: int) -> None:
    """Write a queue of so many intents for different keys."""
    now = SystemClock().now()
    header = {"schema_version": 1, "revision": 1, "written_at": iso(now), "written_by": "test", "now": iso(now)}
    intents = []
    for index in range(count):
        intents.append({
            "intent_id": ids.intent_id("paper", "V_CORE", "crypto:BTC-USD", 0, index), "account": "paper",
            "vault": "V_CORE", "instrument_id": "crypto:BTC-USD", "side": "buy", "notional": "1000",
            "target_notional": "1000", "close": False, "basis_seq": 0, "created_at": iso(now),
            "expires_at": iso(now + timedelta(minutes=15)), "flip_id": None,
            "exit_plan": {"stop_pct": None, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None},
            "provenance": {"signal_id": "cv1_" + "a" * 26, "dag_id": "dag1_x", "entity": "crypto:BTC",
                           "conviction_bp": 4000, "band": "medium", "personas": {"Athena": 300}, "sources": {},
                           "reasons": [], "inputs": {}}})
    home.file(QUEUE).write_bytes(document({**header, "intents": intents, "withdrawals": []}))


def once(home: Home) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PYTHON, "once", "--home", str(home.root), "--json"], capture_output=True, text=True,
                          check=False)


def start(home: Home) -> subprocess.Popen[str]:
    return subprocess.Popen([*PYTHON, "run", "--home", str(home.root)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def kinds(home: Home) -> list[str]:
    path = home.file(TRADE_LOG)
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""  # the last one may be being written
    return [json.loads(line)["kind"] for line in whole.splitlines()]


def wait_for(home: Home, kind: str) -> None:
    """Until the log has a record of that kind; the test's own time limit is the bound."""
    while kind not in kinds(home):
        time.sleep(0.01)


def test_once_fills_a_crypto_intent_and_a_second_pass_changes_nothing(home: Home) -> None:
    """One pass sends and fills; the next finds nothing to do."""
    first, second = once(home), once(home)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert json.loads(first.stdout)["fills"] == 1
    assert json.loads(second.stdout)["accepted"] == 0
    assert kinds(home).count("fill") == 1


def test_a_second_executor_is_refused_and_told_who_holds_the_tree(home: Home) -> None:
    """While the daemon runs, another start exits with 75 and names its pid."""
    daemon = start(home)
    try:
        wait_for(home, "fill")
        other = once(home)
        assert other.returncode == 75
        assert f"pid={daemon.pid}" in json.loads(other.stdout)["error"]
    finally:
        daemon.terminate()
        assert daemon.wait(10) == 0
        daemon.communicate()
    assert kinds(home)[-1] == "program.stopped"


def until_it_sleeps(home: Home, pid: int) -> None:
    """Until it has published what it did and waits for something to happen."""
    while not home.file(EXECUTOR_STATE).exists() or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] != "S":
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_wait_at_once(home: Home, number: int) -> None:
    """However seldom it looks by itself: it would have looked again in an hour."""
    (home.config / "vanta.toml").write_text("[executor]\npoll_s = 3600.0\n")
    daemon = start(home)
    try:
        wait_for(home, "fill")
        until_it_sleeps(home, daemon.pid)
        daemon.send_signal(number)
        assert daemon.wait(20) == 0
    finally:
        daemon.kill()
        daemon.communicate()
    assert kinds(home)[-1] == "program.stopped"


def test_kill_minus_nine_frees_the_lock_and_the_next_start_goes_on(home: Home) -> None:
    """A killed daemon leaves a log that the next start folds; the order is not sent again."""
    daemon = start(home)
    wait_for(home, "fill")
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait()
    daemon.communicate()
    after = once(home)
    assert after.returncode == 0, after.stderr
    assert "folded" in json.loads(after.stdout)["recovered"]
    assert kinds(home).count("order.submitting") == 1


def test_a_torn_last_record_is_set_aside_and_said(home: Home) -> None:
    """Half a line at the end goes into a file beside the log; the start records and says it."""
    once(home)
    path = home.file(TRADE_LOG)
    path.write_bytes(path.read_bytes() + b'{"seq":999,"at":"2026')
    after = once(home)
    assert after.returncode == 0, after.stderr
    assert "torn last record of 21 bytes" in json.loads(after.stdout)["recovered"]
    assert "tail.repaired" in kinds(home)
    assert list(home.memory.glob("trade_log.jsonl.torn-*"))


def test_a_changed_line_in_the_middle_stops_the_start(home: Home) -> None:
    """A log that was edited is not folded; the message names the line."""
    once(home)
    path = home.file(TRADE_LOG)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"amount":"100000"', b'"amount":"900000"')
    path.write_bytes(b"".join(lines))
    after = once(home)
    assert after.returncode == 78
    assert "trade_log.jsonl:5" in json.loads(after.stdout)["error"]
    with pytest.raises(StateError):
        FileJournal(path)


def test_a_removed_lock_file_stops_the_daemon(home: Home) -> None:
    """Somebody deletes the lock of a running daemon: it stops with a status that is not restarted."""
    daemon = start(home)
    wait_for(home, "fill")
    home.lock("executor").unlink()
    assert daemon.wait(30) == 78
    daemon.communicate()


def test_an_edit_of_the_overlay_stops_the_daemon_from_sending(home: Home) -> None:
    """After the operator's save no new order leaves; after the release it does."""
    home.file(QUEUE).unlink()
    daemon = start(home)
    try:
        wait_for(home, "day.opened")
        home.file(OVERLAY).write_bytes(ALL_CLEAR.replace(b'"full_halt": false', b'"full_halt": true'))
        stage(home, 1)
        wait_for(home, "intent.held")
        assert "order.submitting" not in kinds(home)
        home.file(OVERLAY).write_bytes(ALL_CLEAR)
        wait_for(home, "fill")
    finally:
        daemon.terminate()
        daemon.wait(10)
        daemon.communicate()


def test_live_mode_refuses_to_start_with_only_the_paper_broker(home: Home) -> None:
    """A mode that cannot be honoured is a configuration error with the cure."""
    (home.config / "vanta.toml").write_text('[executor]\nmode = "live"\n', "utf-8")
    refused = once(home)
    assert refused.returncode == 78
    assert "paper" in json.loads(refused.stdout)["cure"]


def test_a_broken_instruments_file_is_reported_and_nothing_is_traded(home: Home) -> None:
    """Instruments that nobody can vouch for are unknown; the problem names the file."""
    (home.config / "instruments.json").write_text("{", "utf-8")
    done = once(home)
    assert done.returncode == 0, done.stderr
    assert "instruments.json" in json.loads(done.stdout)["problems"]["config/instruments.json"]
    assert "order.submitting" not in kinds(home)
