"""What systemd hears of a service."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from vanta.common.notify import Notifier
from vanta.common.settings import notify_address, watchdog_s, watched_environment


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(2)
        yield receiver


def test_the_messages(inbox: socket.socket) -> None:
    """Ready, alive, a status and stopping arrive as systemd spells them, each in a datagram of its own."""
    notifier = Notifier(inbox.getsockname())
    assert notifier.ready("3 feeds")
    assert notifier.watchdog()
    assert notifier.status("2 feeds")
    assert notifier.stopping()
    assert [inbox.recv(200) for _ in range(4)] == [b"READY=1\nSTATUS=3 feeds", b"WATCHDOG=1", b"STATUS=2 feeds",
                                                   b"STOPPING=1"]


def test_a_status_cannot_forge_a_message(inbox: socket.socket) -> None:
    """A line break in the status text does not become a message of its own."""
    Notifier(inbox.getsockname()).ready("x\nSTOPPING=1")
    assert inbox.recv(200) == b"READY=1\nSTATUS=x STOPPING=1"


def test_an_abstract_address() -> None:
    """`@name` is the abstract namespace, as systemd writes it."""
    name = f"vanta-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{name}")
        receiver.settimeout(2)
        assert Notifier(f"@{name}").watchdog()
        assert receiver.recv(200) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all", "/" + "x" * 300, "\0"])
def test_nobody_listening_is_no_error(address: str | None) -> None:
    """Outside systemd, or with its socket gone, nothing is sent and nothing raised."""
    assert not Notifier(address).ready("x")


def test_a_full_inbox_does_not_block(inbox: socket.socket) -> None:
    """A receiver that does not read cannot stop the sender."""
    notifier = Notifier(inbox.getsockname())
    assert not all(notifier.watchdog() for _ in range(5000))


def test_the_address_comes_from_the_environment() -> None:
    """Absent and empty both mean that nobody listens."""
    assert notify_address({"NOTIFY_SOCKET": "/run/x"}) == "/run/x"
    assert notify_address({"NOTIFY_SOCKET": ""}) is None
    assert notify_address({}) is None


@pytest.mark.parametrize(("environment", "seconds"), [
    ({}, None),
    ({"WATCHDOG_USEC": "30000000"}, 30.0),
    ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "42"}, 0.5),
    ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "43"}, None),
    ({"WATCHDOG_USEC": "0"}, None),
    ({"WATCHDOG_USEC": "soon"}, None),
    ({"WATCHDOG_USEC": "-5"}, None),
    ({"WATCHDOG_USEC": "9" * 5000}, None),
])
def test_the_watchdog_interval(environment: dict[str, str], seconds: float | None) -> None:
    """Only an interval that is meant for this process counts."""
    assert watchdog_s(environment, pid=42) == seconds


def test_a_child_is_told_where_to_speak_and_how_often() -> None:
    """In place of what this program was told itself."""
    told = watched_environment("@x", 30.0, {"PATH": "/bin", "WATCHDOG_PID": "1", "NOTIFY_SOCKET": "/run/y"})
    assert told == {"PATH": "/bin", "NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "30000000"}
    assert (notify_address(told), watchdog_s(told, pid=7)) == ("@x", 30.0)
