"""A venue behind HTTP on this machine: the faults of the way are here, the wire format is the subclass's."""

import json
import threading
from abc import abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.conformance.brokers.faults import Seen, VenueServer

PATIENCE_S = 30.0
"""A silent server hangs up after so long, so that no test can wait for ever."""


class Request(NamedTuple):
    """One request. `query` and `form` have the last value of each name."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Reply(NamedTuple):
    """One answer. `body` is sent as JSON unless it is bytes."""

    status: int
    body: Any
    headers: dict[str, str] = {}


class HttpVenue(VenueServer):
    """Subclasses give `order_in`, `answer`, `refusal`, `unauthorized` and `known_again`."""

    def __init__(self) -> None:
        super().__init__()
        venue = self
        self.answered: list[tuple[int, int]] = []
        """Status and bytes of every answer."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # the second of two writes would wait for the first to be acknowledged

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Say nothing."""

            def _any(self) -> None:
                venue.serve(self)

            do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _any  # noqa: N815 - the library's names

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """See `VenueServer.url`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """See `VenueServer.stop`."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @abstractmethod
    def order_in(self, request: Request) -> Seen | None:
        """The order that a request places; `None` if it places none."""

    @abstractmethod
    def placed(self, request: Request, seen: Seen) -> Reply:
        """Take the order and answer."""

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Answer every request that places no order."""

    @abstractmethod
    def refusal(self, seen: Seen) -> Reply:
        """The venue's definite no to an order."""

    @abstractmethod
    def unauthorized(self) -> Reply:
        """The venue's answer to credentials that it does not accept."""

    def order_body(self, request: Request) -> dict[str, Any]:
        """What to keep of an order's request. Venues that speak JSON keep all of it."""
        found: dict[str, Any] = request.json()
        return found

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Read one request, let go wrong what has to go wrong, answer."""
        parts = urlsplit(handler.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        request = Request(handler.command, parts.path, query,
                          {name.lower(): value for name, value in handler.headers.items()}, body)
        with self.lock:
            self.requests += 1
        reply = self._reply(request)
        if reply is None:
            handler.close_connection = True
            return
        self._send(handler, reply)

    def _reply(self, request: Request) -> Reply | None:
        """The answer with its faults; `None` hangs up without one."""
        faults = self.faults
        seen = self.order_in(request)
        if seen is not None:
            with self.lock:
                self.seen.append(seen)
        if faults.silent:
            self.stopping.wait(PATIENCE_S)
            return None
        self.stopping.wait(faults.latency_s)
        due = faults.status or (faults.order_status if seen is not None else [])
        code, after = due.pop(0) if due else (0, None)
        if code:
            headers = {} if after is None else {"Retry-After": f"{after:g}"}
            return Reply(code, {"message": f"status {code}"}, headers)
        if faults.unauthorized:
            return self.unauthorized()
        if faults.use("redirect"):
            return Reply(307, {}, {"Location": f"{self.url}{request.path}"})
        if seen is None:
            return self.answer(request)
        if faults.refuse:
            return self.refusal(seen)
        if faults.use("late_accept"):
            self.late.append((seen, self.order_body(request)))
            return None
        reply = self.placed(request, seen)
        if faults.use("lose_answer"):
            return None
        return Reply(502, {"message": "bad gateway"}) if faults.use("fail_after_commit") else reply

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        kind = "application/json"
        if self.faults.use("garbage"):
            raw, kind = b"<html><body>We will be back soon.</body></html>", "text/html"
        cut = self.faults.use("truncate")
        self.answered.append((reply.status, len(raw) // 2 if cut else len(raw)))
        try:
            handler.send_response(reply.status)
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Type", kind)
            handler.send_header("Content-Length", str(len(raw)))
            handler.end_headers()
            handler.wfile.write(raw[:len(raw) // 2] if cut else raw)
        except OSError:  # whoever asked has gone
            handler.close_connection = True
        if cut:
            handler.close_connection = True
