"""A local HTTP server that says what a test scripted, with the faults that real servers have."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer. `cut` promises more bytes than are sent; `silent` never answers; `drip` sends a byte at a time."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    silent: bool = False
    drip: bool = False
    no_length: bool = False


@dataclass
class Web:
    """The running server: scripted replies by path (the last one repeats) and the requests it saw."""

    url: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def say(self, path: str, *replies: Reply) -> str:
        """Script the answers for a path (query included) and return its URL."""
        self.replies[path] = list(replies)
        return self.url + path

    def asked(self, path: str) -> int:
        """How many requests for a path arrived."""
        return self.counts[path]

    def header(self, name: str, at: int = -1) -> str | None:
        """A header of one of the requests, `None` if it was not sent."""
        return self.seen[at][1].get(name.lower())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web

    def log_message(self, *_: object) -> None:
        """Tests assert what was seen; nothing is printed."""

    def do_GET(self) -> None:
        web = self.web
        web.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        web.counts[self.path] += 1
        script = web.replies.get(self.path, [Reply(status=404)])
        reply = script[min(web.counts[self.path], len(script)) - 1]
        if reply.silent:
            web.closing.wait(5)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.no_length:
            self.send_header("Connection", "close")
            self.close_connection = True
        elif reply.status != 304:
            self.send_header("Content-Length", str(len(reply.body) + (100 if reply.cut else 0)))
        self.end_headers()
        self._send(reply)
        if reply.cut:
            self.close_connection = True

    def _send(self, reply: Reply) -> None:
        pieces = [reply.body[at:at + 1] for at in range(len(reply.body))] if reply.drip else [reply.body]
        for piece in pieces:
            try:
                self.wfile.write(piece)
                self.wfile.flush()
            except OSError:
                self.close_connection = True
                return
            if reply.drip and self.web.closing.wait(0.02):
                return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def running() -> Iterator[Web]:
    """A server on a free port of this host."""
    web = Web()
    handler = type("Handler", (_Handler,), {"web": web})
    server = _Server(("127.0.0.1", 0), handler)
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
