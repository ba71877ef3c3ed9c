"""The two services as systemd would start them: they say that they are ready, that they get on, and that they stop."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.test_executor_process import home
from vanta.common.paths import FEEDS, Home, signals_file

__all__ = ["home"]

PATIENCE_S = 60.0
SERVICES = {"executor-router.service": ["executor", "run"],
            "markets-reflector.service": ["markets", "run", "--no-collect"]}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_how_it_is_doing(name: str, home: Home, tmp_path: Path) -> None:
    """Ready once, then signs of life for as long as it gets on, and a last word; nobody outside is asked."""
    address = f"vanta-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + address)
        systemd.settimeout(PATIENCE_S)
        service = subprocess.Popen(
            [sys.executable, "-m", "vanta.suite.dispatch", *SERVICES[name], "--home", str(home.root)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": f"@{address}", "WATCHDOG_USEC": "400000"})
        try:
            heard = [systemd.recv(400).split(b"\n")[0] for _ in range(4)]
            service.send_signal(signal.SIGTERM)
            while (last := systemd.recv(400).split(b"\n")[0]) == b"WATCHDOG=1":
                pass
            assert service.wait(PATIENCE_S) == 0
        finally:
            service.kill()
            service.wait()
    assert heard[0] == b"READY=1"
    assert b"WATCHDOG=1" in heard[1:]
    assert last == b"STOPPING=1"


def test_a_reflector_that_does_not_collect_leaves_the_feeds_alone(home: Home) -> None:
    """It writes its own log under the name that operators look for, and no feed's lock, file or log."""
    service = subprocess.Popen(
        [sys.executable, "-m", "vanta.suite.dispatch", "markets", "run", "--no-collect", "--home", str(home.root)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert service.stderr is not None
        assert b'"feeds":' in service.stderr.readline().replace(b" ", b"")
    finally:
        service.terminate()
        service.wait()
        service.communicate()
    assert (home.logs / "reflector_meta.log").exists()
    assert not list(home.memory.glob("collect-*"))
    assert not [feed for feed in FEEDS if home.file(signals_file(feed)).exists()]
