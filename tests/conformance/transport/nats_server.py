"""A real NATS server on loopback with the shipped configuration and certificates; and a wire to it that can be cut."""

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT
from vanta.common.models.configuration import NatsSettings, Settings
from vanta.common.outside.out import unwatched
from vanta.common.paths import Home
from vanta.transport.bus import Way
from vanta.transport.core.streams import ADMIN, configurations
from vanta.transport.core.table import NODES
from vanta.transport.wire import bus

WAY = Way(unwatched(), "link:alpha")
SERVER = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")


def why_not() -> str:
    """Why there can be no server here, empty if there can."""
    if SERVER is None or shutil.which("openssl") is None:
        return "no nats-server and openssl here: `scripts/setup.sh dev` installs the first, on Linux"
    return ""


@dataclass
class Nats:
    """A running server; `port` is where it listens."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    def settings(self, user: str, to: str | None = None, port: int | None = None, **more: object) -> Settings:
        """Of a home of the node `user` that reads nothing, with the certificate of `to`."""
        return Settings.model_validate({"node": {"name": user}, "transport": {
            "timeout_s": 5, "nats": self.access(to or user, port).model_dump(), **more}})

    def access(self, user: str, port: int | None = None) -> NatsSettings:
        """How `user` reaches it."""
        certs = self.folder / "certs"
        return NatsSettings(servers=[f"tls://127.0.0.1:{port or self.port}"], ca=str(certs / "ca.crt"),
                            certificate=str(certs / f"{user}.crt"), key_file=str(certs / f"{user}.key"))

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait(10)

    def again(self) -> None:
        """It runs again, on the same store."""
        self.process = _started(self.folder, self.port)

    def make_streams(self, max_age_s: int = 0) -> list[bool]:
        """As the admin does."""
        with closing(bus(Home(self.folder), self.settings("alpha", ADMIN), ADMIN, WAY)) as server:
            return [server.ensure(one) for node in NODES for one in configurations(node, max_age_s=max_age_s)]


@contextmanager
def nats_server(folder: Path) -> Iterator[Nats]:
    """Run one with the shipped configuration, of which only places are others."""
    folder.mkdir(parents=True, exist_ok=True)
    script = ROOT / "deploy" / "nats" / "certificates.sh"
    subprocess.run([script, folder / "certs", "localhost", "127.0.0.1"], check=True)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    shipped = (ROOT / "deploy" / "nats" / "vanta.conf").read_text()
    for theirs, ours in (("0.0.0.0:4222", f"127.0.0.1:{port}"), ("/etc/nats", str(folder / "certs")),
                         ("/var/lib/nats", str(folder / "store"))):
        assert theirs in shipped
        shipped = shipped.replace(theirs, ours)
    (folder / "vanta.conf").write_text(shipped)
    server = Nats(folder, port, _started(folder, port))
    try:
        yield server
    finally:
        server.kill()


def _started(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    assert SERVER is not None
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([SERVER, "-c", folder / "vanta.conf"], stdout=log, stderr=log)
    for _ in range(400):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return process
        assert process.poll() is None, (folder / "log").read_text()
        time.sleep(0.02)
    raise AssertionError("nats-server did not start")


class Wire:
    """A port of ours that leads to another one. `cut_after` bytes towards the server, or from it, both ends are closed.

    Each new connection has so many bytes again, until `heal`; `cuts` counts.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.up: int | None = None
        self.down: int | None = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, *, up: int | None = None, down: int | None = None) -> None:
        """For the connections that follow."""
        self.up, self.down = up, down

    def heal(self) -> None:
        """Cut no more."""
        self.cut_after()

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._server.accept()
                try:
                    theirs = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    ours.close()
                    continue
                for one, other, most in ((ours, theirs, self.up), (theirs, ours, self.down)):
                    threading.Thread(target=self._carry, args=[one, other, most], daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, most: int | None) -> None:
        left = most
        with suppress(OSError):
            while data := one.recv(65536):
                if left is not None and len(data) >= left:
                    other.sendall(data[:left])
                    self.cuts += 1
                    break
                other.sendall(data)
                left = None if left is None else left - len(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
