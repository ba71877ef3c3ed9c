"""`vanta-diagnostics --watch` on real terminals, dumb ones and pipes, ended by Ctrl-C and SIGTERM; `serve` likewise."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.halt.terminal import PATIENCE_S, Typist
from tests.unit.alpha.core.test_exposition import read
from vanta.alpha.cli import serve as serving
from vanta.alpha.cli.diagnostics import with_seconds
from vanta.alpha.metrics import Endpoint, Kept
from vanta.alpha.watching import ENTER, LEAVE, Watching, drawn, until_ended
from vanta.common.cli import main
from vanta.common.clock import ManualClock, SystemClock
from vanta.common.errors import OperatorError, UsageError
from vanta.common.exitcodes import Check
from vanta.common.paths import Home
from vanta.common.times import parse_iso

ROOT = Path(__file__).resolve().parents[4]
NOW = "2026-11-18T15:02:10Z"
_OWN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
TYPED = (sys.executable, "-c", _OWN)
"""Makes the terminal the one whose Ctrl-C the program gets, as a shell would have."""

PROGRAM = (sys.executable, "-m", "vanta.alpha.cli.diagnostics")
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def anywhere(monkeypatch: Patch) -> None:
    """Programs that are started find the package from any folder."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def start(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([*PROGRAM, *words], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_number_of_seconds_may_be_left_out() -> None:
    """Before another option, at the end, and where something else follows."""
    assert with_seconds(["--watch"]) == ["--watch", "2"]
    assert with_seconds(["--watch", "--json"]) == ["--watch", "2", "--json"]
    assert with_seconds(["--watch", "5", "--home", "x"]) == ["--watch", "5", "--home", "x"]
    assert with_seconds(["--watch", ".5"]) == ["--watch", ".5"]
    assert with_seconds(["check", "--home", "--watch"]) == ["check", "--home", "--watch", "2"]


@pytest.mark.parametrize(("number", "key"), [(signal.SIGINT, b"\x03"), (signal.SIGTERM, None)])
def test_a_live_terminal_is_drawn_over_and_given_back(lived: Home, number: int, key: bytes | None) -> None:
    """Two looks and more on a screen of its own; at the end the last look is left and the status is 0."""
    person = Typist(*TYPED, *PROGRAM, "--home", str(lived.root), "--now", NOW, "--watch", "0.1", folder=lived.root)
    person.wait(ENTER.encode())
    for _ in range(2):
        person.wait(b"\x1b[H")
        person.wait(b"dispatch")
    if key is None:
        person.process.send_signal(number)
    else:
        person.type(key)
    person.wait(LEAVE.encode())
    person.wait(b"vanta-diagnostics, 2026-11-18 15:02:10 UTC, every 0.1 s")
    assert person.end() == 0


def test_a_dumb_terminal_gets_one_look_after_another(lived: Home) -> None:
    """Without a single escape."""
    person = Typist(*TYPED, "env", "TERM=dumb", *PROGRAM, "--home", str(lived.root), "--now", NOW, "--watch", "0.1",
                    folder=lived.root)
    for _ in range(3):
        person.wait(b"every 0.1 s; Ctrl-C ends it")
        assert b"\x1b" not in person._shown
    person.type(b"\x03")
    assert person.end() == 0


def test_json_is_one_line_a_look(lived: Home) -> None:
    """Each a whole document, into a pipe, until SIGTERM."""
    process = start("--home", str(lived.root), "--now", NOW, "--watch", "0.1", "--json")
    assert process.stdout is not None
    lines = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert {line["schema"] for line in lines} == {"vanta.diagnostics/1"}
    assert all(line["checks"] for line in lines)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=PATIENCE_S)[1] == ""
    assert process.returncode == 0


def test_a_reader_that_went_away_ends_it(lived: Home) -> None:
    """As with every command, and without a word."""
    with start("--home", str(lived.root), "--now", NOW, "--watch", "0.1", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr.read() == ""


@pytest.mark.parametrize("words", [("--watch", "0"), ("--watch", "-1"), ("--watch", "nan"), ("--watch=x",)])
def test_a_wrong_interval_is_3(lived: Home, words: tuple[str, ...]) -> None:
    """As every mistyped command line of a check."""
    process = start("--home", str(lived.root), *words)
    assert process.wait(PATIENCE_S) == Check.UNKNOWN
    process.communicate()


class _OutOfViews(Exception):
    pass


def test_what_goes_wrong_gives_the_terminal_back() -> None:
    """Before the first look and after it; handlers of signals are what they were."""
    clock, shown = ManualClock(parse_iso(NOW)), list[str]()
    views = iter(["one", "two"])

    def view() -> str:
        try:
            return next(views)
        except StopIteration:
            raise _OutOfViews from None

    before = signal.getsignal(signal.SIGTERM)
    watching = Watching(show=shown.append, clock=clock, live=True)
    with pytest.raises(_OutOfViews):
        watching.run(view, 5)
    assert shown == [ENTER, drawn("one"), drawn("two"), f"{LEAVE}two\n"]
    shown.clear()
    with pytest.raises(_OutOfViews):
        watching.run(view, 5)
    assert shown == [ENTER, LEAVE]
    shown.clear()
    with pytest.raises(_OutOfViews):
        Watching(show=shown.append, clock=clock, live=False).run(view, 5)
    assert shown == []
    assert signal.getsignal(signal.SIGTERM) is before
    assert (clock.now() - parse_iso(NOW)).total_seconds() == 10


def test_a_look_is_cut_to_the_terminal(monkeypatch: Patch) -> None:
    """In width and in height, and says how much is missing."""
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setenv("LINES", "3")
    assert drawn("a" * 12 + "\nb\nc\nd") == (
        "\x1b[H" + "a" * 10 + "\x1b[K\nb\x1b[K\n… and 2 mo\x1b[K\x1b[J")
    assert drawn("a\nb\nc").count("\n") == 2


def test_a_signal_ends_a_block_wherever_it_is() -> None:
    """Both of them, without an error."""
    for number in (signal.SIGINT, signal.SIGTERM):
        reached: list[int] = []
        with until_ended():
            os.kill(os.getpid(), number)
            for _ in range(6_000):
                time.sleep(0.01)
            reached.append(number)
        assert reached == []


# serve

@pytest.fixture
def served(lived: Home) -> Iterator[tuple[str, int]]:
    """A running endpoint on a port of its own."""
    process = start("serve", "--port", "0", "--home", str(lived.root), "--now", NOW)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("metrics at http://127.0.0.1:"), line
    port = int(line.partition("127.0.0.1:")[2].partition("/")[0])
    yield "127.0.0.1", port
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    assert process.communicate()[1] == ""


def ask(where: tuple[str, int], path: str = "/metrics", method: str = "GET", **headers: str) -> tuple[int, str, str]:
    """One request: its status, type and body."""
    connection = http.client.HTTPConnection(*where, timeout=PATIENCE_S)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type") or "", answer.read().decode()
    finally:
        connection.close()


def raw(where: tuple[str, int], sent: bytes) -> bytes:
    """Bytes as they are, and everything that comes back."""
    with socket.create_connection(where, timeout=PATIENCE_S) as connection:
        connection.sendall(sent)
        parts = []
        try:
            while part := connection.recv(65_536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


def test_metrics_over_http(served: tuple[str, int], lived: Home) -> None:
    """The format's own type; every line by its grammar; the lived home's orders counted; again within the second."""
    status, kind, body = ask(served)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = {(name, *labels.values()): value for name, labels, value in read(body)}
    assert found["vanta_dispatch_open",] == 1
    assert found["vanta_submit_total", "accepted"] > 0
    assert found["vanta_log_records", "trade_log"] > 0
    assert found["vanta_feed_signals", "sec"] > 0
    assert ask(served)[2] == body
    assert ask(served, "/metrics?x=1")[0] == 200
    files = {path: path.stat().st_mtime_ns for path in lived.root.rglob("*")}
    ask(served)
    assert {path: path.stat().st_mtime_ns for path in lived.root.rglob("*")} == files


def test_anything_but_get_metrics_of_this_host_is_refused(served: tuple[str, int]) -> None:
    """Other paths, methods, hosts, and what is no HTTP; it answers on."""
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        assert ask(served, method=method)[0] == 405
    assert ask(served, method="BREW")[0] == 501
    for path in ("/", "/metrics/", "/../etc/passwd", "/metricsx"):
        assert ask(served, path)[0] == 404
    assert ask(served, Host="evil.example")[0] == ask(served, Host="evil.example:80")[0] == 403
    for host in ("localhost", "localhost:9", "127.0.0.1:9", "[::1]", "[::1]:9"):
        assert ask(served, Host=host)[0] == 200
    assert b" 414 " in raw(served, b"GET /" + b"a" * 70_000 + b" HTTP/1.0\r\n\r\n")
    assert b" 431 " in raw(served, b"GET /metrics HTTP/1.0\r\n" + b"a: b\r\n" * 200 + b"\r\n")
    assert b"400" in raw(served, b"nonsense\r\n\r\n")
    raw(served, b"")[:0]
    assert ask(served)[0] == 200


def test_a_client_that_says_nothing_does_not_keep_others_waiting_for_ever(served: tuple[str, int]) -> None:
    """Its time ends; whoever comes after it is answered."""
    with socket.create_connection(served, timeout=PATIENCE_S) as silent:
        silent.sendall(b"GET /metr")
        assert ask(served)[0] == 200
        assert silent.recv(100) == b""


class _Hurrying(ManualClock):
    """Two seconds pass whenever somebody looks at it."""

    def monotonic(self) -> float:
        self.sleep(2)
        return super().monotonic()


def test_a_client_that_takes_too_long_is_not_waited_for_though_it_goes_on_sending() -> None:
    """Its time counts from the first byte, not from the last: a long request in three reads is not answered."""
    long = b"GET /metrics HTTP/1.0\r\n" + b"".join(b"a%d: %s\r\n" % (n, b"x" * 8_000) for n in range(4)) + b"\r\n"
    for clock, answered in ((_Hurrying(parse_iso(NOW)), False), (ManualClock(parse_iso(NOW)), True)):
        with Endpoint("127.0.0.1", 0, Kept(lambda: "", clock)) as endpoint, \
                socket.create_connection(("127.0.0.1", endpoint.server_port), timeout=PATIENCE_S) as slow:
            slow.sendall(long)
            endpoint.handle_request()
            assert (b" 200 " in slow.recv(100)) is answered


def test_an_exposition_is_kept_for_a_second() -> None:
    """However often it is asked for, also where the first try failed."""
    clock, made = ManualClock(parse_iso(NOW)), list[int]()

    def make() -> str:
        made.append(1)
        if len(made) == 1:
            raise OperatorError("not now", "later")
        return str(len(made))

    kept = Kept(make, clock)
    with pytest.raises(OperatorError):
        kept.text()
    assert [kept.text(), kept.text()] == ["2", "2"]
    clock.sleep(0.9)
    assert kept.text() == "2"
    clock.sleep(0.2)
    assert kept.text() == "3"


def test_a_home_that_is_gone_is_unavailable_and_a_fault_ends_the_program(tmp_path: Path) -> None:
    """503 with the reason; what nobody foresaw is not swallowed."""
    def gone() -> str:
        raise OperatorError("the home is gone: café", "look")

    def faulty() -> str:
        raise ZeroDivisionError

    for make, error in ((gone, None), (faulty, ZeroDivisionError)):
        with Endpoint("127.0.0.1", 0, Kept(make, SystemClock())) as endpoint:
            client = http.client.HTTPConnection("127.0.0.1", endpoint.server_port, timeout=PATIENCE_S)
            client.request("GET", "/metrics")
            if error is None:
                endpoint.handle_request()
                answer = client.getresponse()
                assert (answer.status, answer.read()) == (503, b"503 the home is gone: caf?\n")
            else:
                with pytest.raises(error):
                    endpoint.handle_request()
            client.close()


def test_only_this_host_is_served() -> None:
    """Any other address is refused before a socket is opened; a taken port is said."""
    for address in ("0.0.0.0", "::", "localhost", "192.0.2.1", ""):
        with pytest.raises(UsageError, match="is not this host alone"):
            Endpoint(address, 0, Kept(str, SystemClock()))
    with Endpoint("::1", 0, Kept(str, SystemClock())) as six:
        assert six.url.startswith("http://[::1]:")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OperatorError, match="cannot be had"):
            Endpoint("127.0.0.1", taken.getsockname()[1], Kept(str, SystemClock()))


def test_a_wrong_command_line_of_serve_is_3(lived: Home, tmp_path: Path) -> None:
    """As for every check."""
    for words in (["--port", "x"], ["--port", "70000"], [], ["--port", "0", "--address", "0.0.0.0"]):
        assert main(serving.app, program="x", arguments=[*words, "--home", str(lived.root)], check=True) == 3
    assert main(serving.app, program="x", arguments=["--port", "0", "--home", str(tmp_path / "no")], check=True) == 3
