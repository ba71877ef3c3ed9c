"""A real executor against a venue: its calls are in its log, through a kill; what it may not ask stops its start."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.brokers.setting import PLANTED
from tests.conformance.brokers.tradier_server import ACCOUNT, TradierServer
from tests.unit.executor.world import ALL_CLEAR, vault
from vanta.alpha.core.verification import outcome
from vanta.alpha.explainer import Explainer
from vanta.alpha.verifier import verify_file
from vanta.common.canonical import document
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import CALLS, EXECUTOR_CALLS, OVERLAY, TRADE_LOG, VAULTS, Home
from vanta.common.store.chain import chain
from vanta.common.store.ports import Record

VANTA = [sys.executable, "-m", "vanta.suite.dispatch"]


@pytest.fixture
def venue() -> Iterator[TradierServer]:
    """The venue, which knows the account and its cash."""
    server = TradierServer(PLANTED)
    server.cash("USD", "100000")
    yield server
    server.stop()


@pytest.fixture
def home(tmp_path: Path, venue: TradierServer) -> Home:
    """A home whose account `main` is at the venue, and whose alerts a program takes."""
    made = Home(tmp_path / "home").prepare()
    made.file(OVERLAY).write_bytes(ALL_CLEAR)
    made.file(VAULTS).write_bytes(document({"vaults": [vault()]}))
    secret = made.config / "credentials" / "tradier" / "access_token"
    secret.parent.mkdir(parents=True, mode=0o700)
    secret.parent.parent.chmod(0o700)
    secret.write_text(PLANTED)
    secret.chmod(0o600)
    settings(made, f'url = "{venue.url}"')
    return made


def settings(home: Home, url: str, more: str = "") -> None:
    """The settings, with the account's url and more tables."""
    (home.config / "vanta.toml").write_text(
        '[executor]\nalert_command = ["/bin/sh", "-c", "exit 3"]\nreconcile_s = 1\n'
        f'[executor.accounts.main]\nadapter = "tradier"\n{url}\ncredentials = "tradier"\n'
        f'options = {{ account_id = "{ACCOUNT}", poll_s = 1 }}\n{more}')


def calls(home: Home) -> list[Record]:
    """The whole lines of the log of calls."""
    path = home.file(EXECUTOR_CALLS)
    raw = path.read_bytes() if path.exists() else b""
    return list(chain(raw[:raw.rfind(b"\n") + 1], name=EXECUTOR_CALLS))


def test_the_calls_of_an_executor_outlive_its_kill(home: Home, venue: TradierServer) -> None:
    """As many lines as the venue saw requests, but for the one under way; then the chain goes on, and all verifies."""
    process = subprocess.Popen([*VANTA, "executor", "run", "--home", str(home.root)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    while len(calls(home)) < 6:
        assert process.poll() is None, process.stderr
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before, seen = home.file(EXECUTOR_CALLS).read_bytes(), venue.requests
    asked = [one for one in calls(home) if str(one.payload.get("purpose")).startswith("venue:")]
    assert seen - 1 <= len(asked) <= seen
    done = subprocess.run([*VANTA, "executor", "once", "--home", str(home.root)], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert home.file(EXECUTOR_CALLS).read_bytes().startswith(before)
    made = [one for one in calls(home) if str(one.payload.get("purpose")).startswith("venue:")]
    assert {one.payload["host"] for one in made} == {"127.0.0.1"}
    assert {"venue:holdings", "venue:poll"} <= {one.payload["purpose"] for one in made}
    assert outcome(verify_file(home.file(EXECUTOR_CALLS))) is Check.OK
    assert [name for name in CALLS if home.file(name).exists()] == [EXECUTOR_CALLS]
    said = Explainer(home).explain("calls_executor:2").text
    assert "127.0.0.1 was asked for venue:" in said
    words = (PLANTED, ACCOUNT, f":{venue.url.rpartition(':')[2]}", "/v1")
    everything = b"".join(path.read_bytes() for path in (home.root / "memory").rglob("*.json*") if path.is_file())
    assert not [word for word in words if word.encode() in everything]
    assert b"127.0.0.1" not in home.file(TRADE_LOG).read_bytes()


def test_an_account_off_the_list_stops_the_start(home: Home) -> None:
    """Before anybody is asked: an executor that could not cancel what it has sent must not send."""
    settings(home, "", '[outside]\nhosts = ["api.example.org"]\n')
    done = subprocess.run([*VANTA, "executor", "once", "--home", str(home.root)], capture_output=True, text=True,
                          check=False)
    assert done.returncode == Exit.CONFIG
    assert "account main: sandbox.tradier.com is not among the hosts that this node may ask" in done.stderr
    listed = subprocess.run([*VANTA, "outside", "list", "--json", "--home", str(home.root)], capture_output=True,
                            text=True, check=False)
    rows = {row["host"]: row for row in json.loads(listed.stdout)["rows"]}
    assert (rows["sandbox.tradier.com"]["for"], rows["sandbox.tradier.com"]["permitted"]) == (["account main"], False)


def test_a_log_of_calls_that_was_changed_stops_the_start(home: Home) -> None:
    """Like every log of the home."""
    once = [*VANTA, "executor", "once", "--home", str(home.root)]
    assert subprocess.run(once, capture_output=True, check=False).returncode == 0
    path = home.file(EXECUTOR_CALLS)
    path.write_bytes(path.read_bytes().replace(b'"status":"200"', b'"status":"201"', 1))
    done = subprocess.run(once, capture_output=True, text=True, check=False)
    assert done.returncode == Exit.CONFIG
    assert EXECUTOR_CALLS in done.stderr
