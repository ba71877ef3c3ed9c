"""A local server that speaks Reddit's wire format well enough for the real praw: OAuth, listings, limits, faults."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NOW_S = 1_763_650_000


def post(name: str, **fields: Any) -> dict[str, Any]:
    """A `t3` thing as the API serves it."""
    data = {
        "id": name, "name": f"t3_{name}", "title": "GME", "selftext": "", "subreddit": "wallstreetbets",
        "author": f"author_{name}", "created_utc": float(NOW_S), "edited": False, "score": 1, "upvote_ratio": 0.9,
        "num_comments": 3, "permalink": f"/r/wallstreetbets/comments/{name}/x/", "url": f"https://example.org/{name}",
        "link_flair_text": None, "distinguished": None, "removed_by_category": None}
    return {"kind": "t3", "data": data | fields}


def listing(children: list[dict[str, Any]], after: str | None = None) -> bytes:
    """A Listing body as the API serves it."""
    data = {"after": after, "before": None, "dist": len(children), "modhash": None, "geo_filter": "",
            "children": children}
    return json.dumps({"kind": "Listing", "data": data}).encode()


@dataclass
class Answer:
    """One prepared answer. `headers` are added to the usual ones."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json; charset=UTF-8"


@dataclass
class RedditServer:
    """Answers by path; the last answer of a path is repeated. `requests` records what came."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    token_status: int = 200
    remaining: float = 595.0
    reset: str = "590"
    requests: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        """The listing paths that were asked for, in order."""
        return [path for method, path, _, _ in self.requests if method == "GET"]


@contextmanager
def reddit_server() -> Iterator[RedditServer]:
    """Serve until the block ends."""
    state = RedditServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            head = {"Content-Type": answer.media_type, "Content-Length": str(len(answer.body)),
                    "x-ratelimit-remaining": f"{state.remaining}", "x-ratelimit-used": "5",
                    "x-ratelimit-reset": state.reset}
            for name, value in (head | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            user = base64.b64decode(self.headers["Authorization"].split()[1]).decode()
            state.requests.append(("POST", self.path, {"form": raw, "basic": user}, dict(self.headers)))
            token = {"access_token": "tok-SECRET", "token_type": "bearer", "expires_in": 86400, "scope": "*"}
            body = token if state.token_status == 200 else {"message": "Unauthorized", "error": 401}
            self._send(Answer(json.dumps(body).encode(), state.token_status))

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            state.requests.append(("GET", parts.path, query, dict(self.headers)))
            prepared = state.answers.get(parts.path, [Answer(b'{"message": "Not Found", "error": 404}', 404)])
            self._send(prepared.pop(0) if len(prepared) > 1 else prepared[0])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
