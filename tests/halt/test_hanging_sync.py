"""A disk that does not answer: nothing is sent meanwhile, and whoever watches the service hears nothing of it."""

import socket
import time
from pathlib import Path

import pytest

from tests.halt.rig import PATIENCE_S, Rig

WATCHDOG_S = 0.4
READY, ALIVE, STOPPING = b"READY=1", b"WATCHDOG=1", b"STOPPING=1"


class Inbox:
    """Where the executor sends what systemd would hear."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)

    def wait(self, word: bytes) -> None:
        """Until a message with that line comes."""
        ends = time.monotonic() + PATIENCE_S
        while word not in self.take(1.0):
            assert time.monotonic() < ends, f"{word!r} did not come"

    def take(self, seconds: float) -> list[bytes]:
        """The lines of the next message; none if there is none for so long."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(4096).splitlines()
        except (TimeoutError, BlockingIOError):
            return []

    def close(self) -> None:
        """No more."""
        self._socket.close()


def test_while_a_sync_hangs_nothing_is_sent_and_no_sign_of_life_comes(outside: Path, monkeypatch: pytest.MonkeyPatch
                                                                      ) -> None:
    """The outbox record is on its way to the disk: for many times the watchdog's interval it stays silent."""
    monkeypatch.chdir(outside)
    inbox, hang = Inbox(Path("notify")), outside / "stamps.hang"
    try:
        with Rig(outside, mutant="hanging_sync", environment={
                "NOTIFY_SOCKET": f"/proc/{_pid()}/cwd/notify", "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}) as rig:
            inbox.wait(READY)
            inbox.wait(ALIVE)
            rig.permit()
            rig.until(lambda: b'"what":"permit","sha256":"present"' in rig.log.text())
            rig.calm()
            hang.touch()
            rig.stage(most=3)
            rig.until((outside / "stamps.hanging").exists)
            while inbox.take(0.0):
                pass  # what was said before it hung
            assert inbox.take(5 * WATCHDOG_S) == []
            assert b'"kind":"order.submitting"' in rig.log.text()
            assert rig.stamps() == []
            hang.unlink()
            inbox.wait(ALIVE)
            rig.until(lambda: len(rig.stamps()) == 3)
        inbox.wait(STOPPING)
    finally:
        hang.unlink(missing_ok=True)
        inbox.close()


def test_an_idle_executor_is_alive_all_the_same(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that find nothing to do are progress too, and the wait between them is shorter than the interval."""
    monkeypatch.chdir(outside)
    inbox = Inbox(Path("notify"))
    try:
        with Rig(outside, environment={"NOTIFY_SOCKET": f"/proc/{_pid()}/cwd/notify",
                                       "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}):
            inbox.wait(READY)
            for _ in range(5):
                inbox.wait(ALIVE)
    finally:
        inbox.close()


def _pid() -> int:
    return int(Path("/proc/self").resolve().name)  # a socket's path is short, the folders of tests are not
