"""An endpoint on this host alone that answers with metrics: HTTP, GET only, one look a scrape.

Bounded in everything: one request at a time, each with a few seconds from its first byte to its last, no body, no
threads, no more than one look a second however often it is asked. It reads files and writes nothing. Names of hosts
that are not this one are refused, so that no web page can have a browser ask on its behalf.
"""

import io
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from vanta.alpha.core.exposition import CONTENT_TYPE
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError, UsageError, VantaError
from vanta.common.exitcodes import Exit
from vanta.common.store.atomic import describe

LOOPBACK = ("127.0.0.1", "::1")
PATH = "/metrics"
WITHIN_S = 5.0
KEPT_S = 1.0
_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Occupied(OperatorError):
    """The port cannot be had."""

    exit_code = Exit.UNAVAILABLE


@dataclass(slots=True)
class Kept:
    """The last exposition, made anew once it is `KEPT_S` old."""

    make: Callable[[], str]
    clock: Clock
    _text: str = ""
    _at: float | None = field(default=None)

    def text(self) -> str:
        """The exposition. Raises what `make` raises."""
        now = self.clock.monotonic()
        if self._at is None or now - self._at >= KEPT_S:
            self._text, self._at = self.make(), now
        return self._text


class Endpoint(HTTPServer):
    """Bound when it is made. Raises `UsageError` for an address that others can reach, `Occupied` for a taken port."""

    request_queue_size = 16
    allow_reuse_address = True

    def __init__(self, address: str, port: int, kept: Kept) -> None:
        if address not in LOOPBACK:
            raise UsageError(f"{address} is not this host alone", f"Use {' or '.join(LOOPBACK)}.")
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.kept = kept
        try:
            super().__init__((address, port), _Answer)
        except OSError as error:
            raise Occupied(f"port {port} of {address} cannot be had: {describe(error)}",
                           "Choose another with --port.") from error

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"

    def server_bind(self) -> None:
        """Bind without asking for this host's name, which may take a while."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, _client_address: Any) -> None:
        """A client that went away or took too long is no matter of ours; anything else ends the program."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.shutdown_request(request)
            raise error


class _Within(io.RawIOBase):
    """What a client sends, as long as its time lasts: one that sends a byte now and then is not waited for."""

    def __init__(self, connection: socket.socket, clock: Clock) -> None:
        self._connection, self._clock = connection, clock
        self._ends = clock.monotonic() + WITHIN_S

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._ends - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Endpoint
    timeout = WITHIN_S
    server_version, sys_version = "vanta", ""
    error_message_format, error_content_type = "%(code)d %(message)s\n", "text/plain; charset=utf-8"

    def setup(self) -> None:
        super().setup()
        self.rfile = io.BufferedReader(_Within(self.connection, self.server.kept.clock))

    def do_GET(self) -> None:
        host = self.headers.get("Host", "localhost")
        if (host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host) not in _HOSTS:
            self.send_error(403, "this host alone")
        elif self.path.partition("?")[0] != PATH:
            self.send_error(404, f"there is only {PATH}")
        else:
            self._answer()

    def _answer(self) -> None:
        try:
            body = self.server.kept.text().encode()
        except VantaError as error:
            self.send_error(503, error.what.encode("ascii", "replace").decode())
            return
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refused(self) -> None:
        self.send_response(405)
        self.send_header("Allow", "GET")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refused  # noqa: N815 - the library's names

    def log_message(self, *_words: Any) -> None:
        """A scrape is no event."""
