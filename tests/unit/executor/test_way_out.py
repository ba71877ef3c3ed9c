"""The executor's way out: open to its accounts' hosts, closed to all others, and gone with the executor."""

import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.unit.executor.world import ALL_CLEAR
from vanta.common.clock import SystemClock
from vanta.common.errors import OperatorError, StateError
from vanta.common.models.base import validate
from vanta.common.models.configuration import Settings
from vanta.common.outside.call import NotAllowed
from vanta.common.paths import CALLS, EXECUTOR_CALLS, OVERLAY, Home
from vanta.common.store.storage import DURABLE
from vanta.executor.wire import build, needs, way_out

ACCOUNT = {"adapter": "tradier", "credentials": "tradier", "options": {"account_id": "VA1"}}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a secret; calls are off, so that nobody is asked."""
    made = Home(tmp_path / "home").prepare()
    made.file(OVERLAY).write_bytes(ALL_CLEAR.replace(b'"external_calls_disabled":false',
                                                     b'"external_calls_disabled":true'))
    secret = made.config / "credentials" / "tradier" / "access_token"
    secret.parent.mkdir(parents=True, mode=0o700)
    secret.write_text("x")
    secret.chmod(0o600)
    return made


def settings(*accounts: str, **more: Any) -> Settings:
    return validate(Settings, {"executor": {"accounts": dict.fromkeys(accounts, ACCOUNT)}, **more}, file="settings")


def test_an_executor_with_accounts_stands_behind_the_wall(home: Home) -> None:
    """From its start to its end, in every thread, for every library; its log of calls is open from the start."""
    built = build(home, settings("main"), SystemClock())
    try:
        assert built.out.allowed.permits("sandbox.tradier.com")
        with pytest.raises(NotAllowed):
            socket.getaddrinfo("telemetry.example.org", 443)
        assert home.file(EXECUTOR_CALLS).exists()
    finally:
        built.executor.close()
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("telemetry.invalid", 443)


def test_an_executor_on_paper_calls_nobody_and_leaves_no_log(home: Home) -> None:
    """There is nothing to be told."""
    built = build(home, settings(), SystemClock())
    built.executor.step()
    built.executor.close()
    assert [name for name in CALLS if home.file(name).exists()] == []


def test_what_is_last_is_done_before_the_log_of_calls_is_closed(home: Home) -> None:
    """Programs for alerts that end with the executor leave their lines, and nobody else has started meanwhile."""
    built = build(home, settings("main"), SystemClock())
    built.executor.close(last=lambda: built.out.started("alert").ended("exit 0"))
    assert b'"status":"exit 0"' in home.file(EXECUTOR_CALLS).read_bytes()


@pytest.mark.parametrize("spoil", [
    lambda raw: raw.replace(b'"program"', b'"prograM"'), lambda raw: raw[:40], lambda raw: b"",
])
def test_a_broken_log_of_calls_says_how_to_go_on_without_it(home: Home, spoil: Callable[[bytes], bytes]) -> None:
    """What works at a venue must not wait for a repair of what only tells of calls. Nothing of it is thrown away."""
    way_out(home, settings("main"), SystemClock(), DURABLE).close()
    path = home.file(EXECUTOR_CALLS)
    path.write_bytes(spoil(path.read_bytes()))
    evidence = path.read_bytes()
    with pytest.raises(StateError) as caught:
        way_out(home, settings("main"), SystemClock(), DURABLE)
    assert "memory/calls_executor.jsonl memory/aside/" in caught.value.cure
    subprocess.run(["/bin/sh", "-c", caught.value.cure.partition("in the home: ")[2]], cwd=home.root, check=False,
                   capture_output=True)
    build(home, settings("main"), SystemClock()).executor.close()
    assert (home.memory / "aside" / EXECUTOR_CALLS).read_bytes() == evidence


def test_whatever_goes_wrong_at_the_end_the_lock_is_released(home: Home) -> None:
    """The next executor can start."""
    built = build(home, settings("main"), SystemClock())

    def fails() -> None:
        raise RuntimeError("last")

    with pytest.raises(RuntimeError):
        built.executor.close(last=fails)
    built.out.close()
    again = build(home, settings("main"), SystemClock())
    again.executor.close()


def test_an_account_off_the_list_is_refused_at_the_start(home: Home) -> None:
    """With what to add, and where; no wall is left."""
    with pytest.raises(OperatorError, match=r"account main: sandbox\.tradier\.com is not among the hosts"):
        build(home, settings("main", outside={"hosts": ["api.tradier.com"]}), SystemClock())
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("telemetry.invalid", 443)


def test_a_list_in_the_settings_takes_the_place_of_what_is_needed(home: Home) -> None:
    """However a host is spelled there."""
    built = build(home, settings("main", outside={"hosts": ["Sandbox.Tradier.com"]}), SystemClock())
    with closing(built.executor):
        assert built.out.allowed.permits("sandbox.tradier.com")


def test_hosts_by_account_need_no_secret() -> None:
    """Read back from the very clients."""
    assert needs(settings("a", "b")) == {"a": {"sandbox.tradier.com"}, "b": {"sandbox.tradier.com"}}
