"""A real sshd on loopback for one test run: its own host key, one account key with a forced command."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT
from vanta.common.models.configuration import LinkSettings

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


def why_not() -> str:
    """Why there can be no sshd here, empty if there can."""
    if SSHD is None or shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
        return "no OpenSSH server and client here: install openssh-server"
    return ""


@dataclass
class Sshd:
    """A running server. `serves` is what its one key may do."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    def link(self, **more: object) -> LinkSettings:
        """How it is reached."""
        return LinkSettings.model_validate({
            "kind": "ssh", "host": "127.0.0.1", "port": self.port, "user": pwd.getpwuid(os.getuid()).pw_name,
            "identity": str(self.folder / "key"), "known_hosts": str(self.folder / "known_hosts"), **more})

    def cut(self) -> None:
        """Nobody answers any more, and the talks that went on end."""
        for pid in [self.process.pid, *_below(self.process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def again(self) -> None:
        """It answers again, at the same place."""
        self.process = _started(self.folder, self.port)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def sshd(folder: Path, forced: str, port: int | None = None) -> Iterator[Sshd]:
    """Run one whose key may run `forced` and nothing else."""
    folder.mkdir(exist_ok=True, parents=True)
    port = port or _free_port()
    for name in ("host", "key"):
        if not (folder / name).exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "authorized").write_text(f'command="{forced}",restrict {(folder / "key.pub").read_text()}')
    Path("/run/sshd").mkdir(exist_ok=True)
    server = Sshd(folder, port, _started(folder, port))
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.cut()


def _below(pid: int) -> list[int]:
    """Whoever a process has started, and so on: each talk is one of its own."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found, front = list[int](), {pid}
    while front := {child for child, parent in parents.items() if parent in front}:
        found += front
    return found


def _started(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(_words(folder, port), stderr=log)
    _await(port)
    return process


def _words(folder: Path, port: int) -> list[str]:
    assert SSHD is not None
    return [
        SSHD, "-D", "-e", "-f", "/dev/null", "-p", str(port), "-h", str(folder / "host"),
        "-o", "ListenAddress=127.0.0.1",
        "-o", f"AuthorizedKeysFile={folder / 'authorized'}", "-o", "StrictModes=no", "-o", "PasswordAuthentication=no",
        "-o", "UsePAM=no", "-o", f"PidFile={folder / 'pid'}"]


def _await(port: int) -> None:
    for _ in range(400):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("sshd did not start")


def forced_serve(home: Path, node: str, to: str) -> str:
    """The words of a forced command that lets `to` see the home of `node`."""
    words = f"transport serve --node {node} --to {to} --home {home}"
    return f"cd {ROOT} && {sys.executable} -m vanta.suite.dispatch {words}"
