"""A running executor and everything to halt it with: stage intents, release, wait for orders, halt, count what left.

The rig is the operator and the promoter; it sees what they see (files) and, as the venue does, when orders left.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.halt import homes
from vanta.common.canonical import sha256
from vanta.common.clock import SystemClock
from vanta.common.paths import OVERLAY, PERMIT, PORTFOLIO, TRADE_LOG, Home
from vanta.common.permit import arm
from vanta.suite.controls import kill

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0
Killer = Callable[[Home], int]


def monotonic_ns() -> int:
    """The clock of the stamps."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def real_kill(home: Home) -> int:
    """`vanta-run kill`, without the time that starting Python takes."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return kill(home=home.root, json=True, reason="trial", by="ann", timeout=PATIENCE_S)


class Tail:
    """What a growing file says since the last mark."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._text = b""

    def text(self) -> bytes:
        """Everything since the mark."""
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self._at)
            more = file.read()
            self._at += len(more)
            self._text += more
        return self._text

    def mark(self) -> None:
        """From here on."""
        self.text()
        self._text = b""

    def lines(self) -> list[bytes]:
        """The whole lines since the mark, which is then behind them."""
        *whole, self._text = self.text().split(b"\n")
        return whole


class Rig:
    """One executor process. Its home is made in `folder`, or at `home`; a file `hold` makes its venues wait."""

    def __init__(self, folder: Path, *, latency_us: int = 0, mutant: str = "none", home: Path | None = None,
                 environment: dict[str, str] | None = None) -> None:
        self.home = homes.found(home or folder / "home")
        self.log = Tail(self.home.file(TRADE_LOG))
        self.hold = folder / "stamps.hold"
        self._venue = Tail(folder / "stamps")
        self._stamps: list[int] = []
        self._keys: dict[str, tuple[str, str]] = {}
        self._round = 0
        command = [sys.executable, "-m", "tests.halt.child", str(self.home.root), str(folder / "stamps"),
                   str(latency_us), mutant]
        self._said = folder / "stderr"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said,
                                            env={**os.environ, **(environment or {})})
        self.until(lambda: b'"kind":"house.day_opened"' in self.log.text() or b'"day.opened"' in self.log.text())

    def __enter__(self) -> "Rig":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        status = self.end()
        if error is None and status != 0:
            raise RuntimeError(f"the executor ended with {status}: {self._said.read_text('utf-8')[-2000:]}")

    def end(self) -> int:
        """Stop the executor, if it still runs. Returns the status with which it ended."""
        self.hold.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that the executor does."""
        ends = time.monotonic() + PATIENCE_S
        while not condition():
            if self.process.poll() is not None:
                raise RuntimeError(f"the executor ended with {self.process.returncode}")
            if time.monotonic() > ends:
                raise TimeoutError("it did not come about")
            time.sleep(0.001)

    # what there is to see

    def stamps(self) -> list[int]:
        """When the orders left, in order."""
        self._stamps += [int(line.split()[1]) for line in self._venue.lines()]
        return self._stamps

    def calm(self) -> dict[str, Any]:
        """Wait until the executor has published everything that it has logged; its portfolio then."""
        portfolio: dict[str, Any] = {}

        def settled() -> bool:
            portfolio.clear()
            with contextlib.suppress(OSError, ValueError, IndexError):
                last = int(self.last_line()["seq"])
                portfolio.update(json.loads(self.home.file(PORTFOLIO).read_bytes()))
                return bool(portfolio["as_of_seq"] == last == int(self.last_line()["seq"]))
            return False

        self.until(settled)
        return portfolio

    def last_line(self) -> dict[str, Any]:
        """The last whole line of the trade log."""
        with self.home.file(TRADE_LOG).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 65_536))
            line: dict[str, Any] = json.loads(file.read().split(b"\n")[-2])
        return line

    # what people do

    def stage(self, most: int = len(homes.KEYS)) -> int:
        """One intent for each key that has none. Returns how many wait then."""
        portfolio = self.calm()
        waiting = {self._keys[one] for one in portfolio["intents"] if one in self._keys}
        free = [key for key in homes.KEYS[:most] if key not in waiting]
        if free:
            self._round += 1
            self.log.mark()
            names = homes.stage(self.home, free, portfolio["basis"], self._round)
            self._keys.update(zip(names, free, strict=True))
            self.until(lambda: names[-1].encode() in self.log.text())
        return len(free) + len(waiting)

    def permit(self) -> None:
        """Give the permission to dispatch."""
        if not self.home.file(PERMIT).exists():
            arm(self.home, by="ann", reason="trial", now=SystemClock().now())

    def seen(self, raw: bytes) -> None:
        """Wait until the executor has recorded that the overlay holds these bytes."""
        self.until(lambda: f'"what":"overlay","sha256":"{sha256(raw)}"'.encode() in self.log.text())

    def gone(self) -> None:
        """Wait until the executor has recorded that the permit is gone."""
        self.until(lambda: b'"what":"permit","sha256":"absent"' in self.log.text())

    @property
    def overlay(self) -> Path:
        """The file that operators save."""
        return self.home.file(OVERLAY)

    @contextlib.contextmanager
    def stopped(self, seconds: float) -> Iterator[None]:
        """The executor is stopped in its tracks, wherever it is, and goes on so many seconds later."""
        self.process.send_signal(signal.SIGSTOP)
        later = threading.Timer(seconds, self.process.send_signal, [signal.SIGCONT])
        later.start()
        try:
            yield
        finally:
            later.join()


class Load:
    """So many processes that do nothing as fast as they can."""

    def __init__(self, processes: int) -> None:
        self._count = processes
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Load":
        command = [sys.executable, "-S", "-c", "while True: pass"]
        self._processes = [subprocess.Popen(command) for _ in range(self._count)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
