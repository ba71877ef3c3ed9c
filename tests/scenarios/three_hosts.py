"""Three homes on one machine with their real programs: nothing is shared but what the transport carries."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.conformance.transport.sshd import Sshd, forced_serve, sshd
from tests.processes import ROOT
from vanta.common.clock import SystemClock
from vanta.common.paths import EXECUTOR_STATE, OVERLAY, TRADE_LOG, VAULTS, Home
from vanta.common.permit import arm
from vanta.common.settings import clock_from, load
from vanta.common.store.atomic import replace
from vanta.suite.stage import prepare, serve
from vanta.transport.core.table import NODES, crossings

DEMO = ROOT / "memory_fixtures" / "demo"
VANTA = [sys.executable, "-m", "vanta.suite.dispatch"]
PULLERS = tuple(f"{node}/transport pull" for node in NODES)
PROGRAMS = ("alpha/transport lease", *PULLERS, "executor/executor run", "markets/markets run")
LEASE_S, LATCH_S = 6, 3
BOUND_S = 120.0


class Hosts:
    """The three, their programs by `node/words`, and their links."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.homes = {node: Home(folder / node) for node in NODES}
        self.kind = kind
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.servers: dict[str, Sshd] = {}
        self._held = ExitStack()
        self._logs = self._held.enter_context((folder / "programs.log").open("ab"))

    def make(self) -> None:
        """Each home with what belongs to it, and how it reaches the others."""
        now = SystemClock().now()
        for node, home in self.homes.items():
            prepare(home, DEMO, now)
            if node != "alpha":
                home.file(VAULTS).unlink()
            if node == "markets":
                home.file(OVERLAY).unlink()
        for node, home in self.homes.items():
            path = home.config / "vanta.toml"
            words = [f'[node]\nname = "{node}"', f"[transport]\nlease_s = {LEASE_S}\nlatch_s = {LATCH_S}\nlogs_s = 0.3",
                     *(self._link(source, node) for source in NODES if crossings(source, node))]
            calm = path.read_text().replace("every_s = 3\n", "every_s = 30\n")  # a wave at a time is all they find
            path.write_text(calm + "\n" + "\n".join(words) + "\n")
        executor = self.homes["executor"]
        arm(executor, by="ann", reason="test", now=clock_from(load(executor)).now())
        self.wave(1)

    def _link(self, source: str, to: str) -> str:
        if self.kind == "shared":
            return f'[transport.{source}]\nkind = "shared"\npath = "{self.homes[source].root}"'
        server = self._held.enter_context(sshd(self.folder / f"ssh-{source}-{to}",
                                               forced_serve(self.homes[source].root, source, to)))
        self.servers[f"{source}-{to}"] = server
        link = server.link().model_dump(exclude_none=True)
        return f"[transport.{source}]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in link.items())

    def wave(self, number: int) -> None:
        """Let the feeds find so much of the recorded day."""
        wave = sorted((DEMO / "feeds").iterdir())[number - 1]
        serve(self.homes["markets"], wave)

    def start(self, name: str) -> None:
        """Start a program."""
        node, _, words = name.partition("/")
        self.running[name] = subprocess.Popen([*VANTA, *words.split(), "--home", str(self.homes[node].root)], cwd=ROOT,
                                              stdin=subprocess.DEVNULL, stdout=self._logs, stderr=self._logs)

    def kill(self, name: str) -> None:
        """`kill -9`."""
        self.running[name].kill()
        self.running.pop(name).wait()

    def cut(self) -> None:
        """Nothing more comes from Alpha to the executor."""
        if self.kind == "ssh":
            self.servers["alpha-executor"].cut()
        else:
            self.running["executor/transport pull"].send_signal(signal.SIGSTOP)

    def heal(self) -> None:
        """It does again."""
        if self.kind == "ssh":
            self.servers["alpha-executor"].again()
        else:
            self.running["executor/transport pull"].send_signal(signal.SIGCONT)

    def stop(self, name: str) -> int:
        """End a program in good order. Returns its status."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(BOUND_S)

    def close(self) -> None:
        """End everything."""
        for process in self.running.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(BOUND_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._held.close()

    def log(self) -> list[dict[str, Any]]:
        """The executor's records."""
        path = self.homes["executor"].file(TRADE_LOG)
        raw = path.read_bytes() if path.exists() else b""
        return [json.loads(line) for line in raw.split(b"\n")[:-1]]

    def count(self, kind: str) -> int:
        """How many records of a kind the executor has."""
        return sum(record["kind"] == kind for record in self.log())

    def state(self) -> dict[str, Any]:
        """What the executor says of itself."""
        try:
            found: dict[str, Any] = json.loads(self.homes["executor"].file(EXECUTOR_STATE).read_bytes())
        except FileNotFoundError:
            return {"dispatch": "", "latches": []}
        return found

    def replica(self, node: str, name: str = TRADE_LOG, source: str = "executor") -> bytes:
        """What a node holds of another one's file."""
        path = self.homes[node].replica(source).file(name)
        return path.read_bytes() if path.exists() else b""

    def status(self, node: str, source: str) -> dict[str, Any]:
        """What a node says of a link."""
        try:
            found: dict[str, Any] = json.loads((self.homes[node].replica(source).root / "status.json").read_bytes())
        except FileNotFoundError:
            return {"witness": "", "files": {}}
        return found

    def overlay(self, **switches: object) -> None:
        """The operator saves Alpha's overlay."""
        path = self.homes["alpha"].file(OVERLAY)
        replace(path, json.dumps({**json.loads(path.read_bytes()), **switches}).encode())

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition, generously; a program that ended meanwhile fails the test."""
        ends = time.monotonic() + BOUND_S
        while not condition():
            for name, process in self.running.items():
                assert process.poll() is None, f"{name} ended with {process.returncode}: {self.said()}"
            assert time.monotonic() < ends, f"not within {BOUND_S} s: {what}; {self.said()}"
            time.sleep(0.05)

    def said(self) -> str:
        """The last words of all programs."""
        logs = [self.folder / "programs.log", *self.folder.glob("*/logs/*.log")]
        return "\n".join(f"{path}: {path.read_text()[-1500:]}" for path in logs) + json.dumps(self.state())[:2000]


@contextmanager
def hosts(folder: Path, kind: str) -> Iterator[Hosts]:
    """Three hosts whose programs run."""
    made = Hosts(folder, kind)
    try:
        made.make()
        for name in PROGRAMS:
            made.start(name)
        yield made
    finally:
        made.close()


def measure(edits: int = 20) -> list[float]:
    """Seconds from a save of Alpha's overlay to the executor's record of it, one for each edit."""
    found = []
    with tempfile.TemporaryDirectory() as folder, hosts(Path(folder), "shared") as three:
        three.until(lambda: three.count("fill"), "an order is filled")
        for number in range(edits):
            before, began = three.count("control.seen"), time.monotonic()
            three.overlay(full_halt={"enabled": True, "reason": f"edit {number}", "by": "ann"})
            three.until(lambda before=before: three.count("control.seen") > before, "it is recorded")  # type: ignore[misc]
            found.append(time.monotonic() - began)
            three.overlay(full_halt=False, reason="go on", by="ann")
            three.until(lambda: three.state()["dispatch"] == "open", "the halt is over")
    return sorted(found)


if __name__ == "__main__":
    seconds = measure()
    print(f"{len(seconds)} edits: {seconds[0]:.2f} to {seconds[-1]:.2f} s, median {seconds[len(seconds) // 2]:.2f} s")
