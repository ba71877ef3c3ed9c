"""Servers of this host at several of its own addresses, so that one can be on a list and another one off it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

LISTED, OTHER = "127.0.0.1", "127.0.0.2"
"""Both are this host. With `here=False` only the first is permitted."""


class Told:
    """A server that answers `body` to everything. `seen` are the connections that were made to it."""

    def __init__(self, host: str, body: bytes = b"hello", *, leads_to: str = "", cut: bool = False) -> None:
        self.seen: list[str] = []
        told = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def server_bind(self) -> None:
                """Without asking anybody for its name, which a wall would refuse."""
                TCPServer.server_bind(self)
                self.server_name, self.server_port = host, int(self.server_address[1])

            def verify_request(self, request: object, client_address: object) -> bool:
                told.seen.append(str(client_address))
                return True

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Say nothing."""

            def _any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(307 if leads_to else 200)
                if leads_to:
                    self.send_header("Location", leads_to)
                self.send_header("Content-Length", str(len(body) + cut))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _any  # noqa: N815 - the library's names

        self._server = Server((host, 0), Handler)
        self.url = f"http://{host}:{self._server.server_port}"
        self.address = (host, self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def came(self, count: int) -> bool:
        """Whether so many connections were made and no more: one of our own, the last, is accepted after all others."""
        with closing(socket.create_connection(self.address)) as last:
            mine = str(last.getsockname())
            ends = time.monotonic() + 20
            while mine not in self.seen:
                assert time.monotonic() < ends
                time.sleep(0.005)
        return len(self.seen) == count + 1

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def told(host: str, body: bytes = b"hello", *, leads_to: str = "", cut: bool = False) -> Iterator[Told]:
    """A running server."""
    server = Told(host, body, leads_to=leads_to, cut=cut)
    try:
        yield server
    finally:
        server.stop()
