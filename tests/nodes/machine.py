"""One host: a real systemd as PID 1 in a container, on a disk of its own, in a network namespace of its own."""

import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.nodes.image import LONGEST_S, mount, run, unmount

BOOT_S = 60.0


class Machine:
    """`disk` is its root, which outlives a power cut. Commands run in all of its namespaces."""

    def __init__(self, name: str, folder: Path, space: str, below: list[Path]) -> None:
        self.name, self._space = name, space
        self.disk = folder / name
        self._console = folder / f"{name}.console"
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = ""
        mount(self.disk, folder / f"{name}.upper", below)

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of root's on its disk."""
        there = self.disk / path.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(text)
        there.chmod(mode)

    def key(self, path: str) -> str:
        """Make an ssh key there. Returns its public half."""
        self.does("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
        return self.text(f"{path}.pub").strip()

    def on_disk(self, *command: str) -> None:
        """Run a command on its disk while it is off."""
        run("chroot", self.disk, *command)

    def text(self, path: str) -> str:
        """What a file on its disk holds."""
        return (self.disk / path.lstrip("/")).read_text()

    def boot(self) -> None:
        """Switch it on and wait until systemd says that it runs."""
        with self._console.open("ab") as console:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "-D", self.disk,
                 "-M", f"vanta-{self.name}", f"--hostname=vanta-{self.name}",
                 f"--network-namespace-path={self._space}", "--bind=/dev/fuse",
                 "--console=pipe", "--boot"], stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self._leader = ""
        self.until(self._booted, "it boots", BOOT_S)

    def _booted(self) -> bool:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, self._console.read_text()[-3000:]
        found = subprocess.run(["pgrep", "-P", str(self._nspawn.pid)], capture_output=True, text=True, check=False)
        leader = found.stdout.strip()  # the first child lays out the disk, and is gone when systemd runs
        if not leader.isdigit() or _processes_of(leader) in ("", _processes_of("self")):
            return False
        self._leader = leader
        return self.tries("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def tries(self, *command: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command on it as root would after logging in."""
        words = ["nsenter", "-t", self._leader, "-a", "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                 "HOME=/root", "LANG=C.UTF-8", "USER=root", *command]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=LONGEST_S, input=text)

    def does(self, *command: str, text: str | None = None) -> str:
        """The same, and it has to succeed. Returns what it prints."""
        done = self.tries(*command, text=text)
        assert done.returncode == 0, f"{self.name}: {command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def shell(self, words: str) -> str:
        """A line as one types it."""
        return self.does("bash", "-c", f"export PATH=$PATH:/opt/vanta-venv/bin; {words}")

    def until(self, condition: Callable[[], object], what: str, bound_s: float = 120.0) -> None:
        """Wait for a condition, generously."""
        ends = time.monotonic() + bound_s
        while not condition():
            assert time.monotonic() < ends, f"{self.name}: not within {bound_s:.0f} s: {what}\n{self.said()}"
            time.sleep(0.05)

    def said(self) -> str:
        """The last words of its services."""
        units = ("-u", "vanta*", "-u", "executor*", "-u", "markets-r*")
        found = self.tries("journalctl", "--no-pager", "-q", "-n", "40", *units) if self._leader else None
        return (found.stdout if found else "") + self._console.read_text()[-1000:]

    def power_cut(self) -> None:
        """`kill -9` of its PID 1: every process ends at once, nobody is told."""
        if self._nspawn is not None:
            if self._leader:
                subprocess.run(["kill", "-9", self._leader], check=False, capture_output=True)
            else:  # it has not come so far
                self._nspawn.kill()
            self._nspawn.wait(BOOT_S)
        self._nspawn = None
        self._leader = ""

    def close(self) -> None:
        """Switch it off and take its disk away."""
        with suppress(subprocess.TimeoutExpired):
            self.power_cut()
        unmount(self.disk)
        for one in (self.disk.with_name(f"{self.name}.upper"), self.disk.with_name(f"{self.name}.upper.work")):
            shutil.rmtree(one, ignore_errors=True)


def _processes_of(pid: str) -> str:
    """The namespace of processes that a process is in, empty if it is gone."""
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""
