"""One line for each request, under the real client libraries against real servers; nothing in it but what may be."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import httpx
import pytest
import requests

from tests.unit.common.outside.servers import LISTED, OTHER, told
from vanta.common.clock import SystemClock
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.outside.allowed import Allowed
from vanta.common.outside.call import Call, NotAllowed, why
from vanta.common.outside.ledger import MemoryLedger, NoLedger
from vanta.common.outside.out import Out, unwatched
from vanta.common.outside.over_httpx import transport
from vanta.common.outside.over_requests import mount

PATH = "/v1/accounts/VA77/orders?token=hunter2"


def over_requests(out: Out, url: str) -> None:
    """A session that follows redirects."""
    with requests.Session() as session:
        session.trust_env = False
        mount(session, out, timeout_s=5.0)
        session.post(url + PATH, data={"key": "hunter2"}, headers={"Authorization": "Bearer hunter2"})


def over_httpx(out: Out, url: str) -> None:
    """A client that follows redirects."""
    with httpx.Client(transport=transport(out), follow_redirects=True, trust_env=False) as client:
        client.post(url + PATH, data={"key": "hunter2"}, headers={"Authorization": "Bearer hunter2"})


WAYS: list[Callable[[Out, str], None]] = [over_requests, over_httpx]


def lines(calls: list[Call]) -> list[tuple[str, ...]]:
    """Without the durations."""
    return [(str(one.kind), str(one.host), one.purpose, str(one.method), one.status, str(one.size)) for one in calls]


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def out(ledger: MemoryLedger) -> Out:
    """Open to the first of this host's addresses. Without a wall: the seam refuses by itself."""
    return Out(Allowed.of([LISTED], here=False), ledger, SystemClock(), purpose="feed:news")


@pytest.mark.parametrize("way", WAYS)
def test_a_request_is_one_line_with_what_came(way: Callable[[Out, str], None], out: Out, ledger: MemoryLedger) -> None:
    """Status and bytes are the server's; no path, no query, no header, no form."""
    with told(LISTED, b"x" * 70_000) as server:
        way(out, server.url)
        assert server.came(1)
    assert lines(ledger.calls) == [("call.made", LISTED, "feed:news", "POST", "200", "70000")]
    assert ledger.calls[0].ms >= 0
    written = str(ledger.calls[0].body())
    assert not any(word in written for word in ("hunter2", "VA77", "orders", str(server.address[1])))


@pytest.mark.parametrize("way", WAYS)
def test_a_host_off_the_list_is_refused_before_any_packet(way: Callable[[Out, str], None], out: Out,
                                                          ledger: MemoryLedger) -> None:
    """By the seam itself: behind a proxy the wall sees the proxy's address only."""
    with told(OTHER) as server:
        with pytest.raises(NotAllowed, match=OTHER):
            way(out, server.url)
        assert server.came(0)
    assert lines(ledger.calls) == [("call.refused", OTHER, "feed:news", "POST", "off_list", "None")]


@pytest.mark.parametrize("way", WAYS)
def test_a_redirect_off_the_list_is_not_followed(way: Callable[[Out, str], None], out: Out,
                                                 ledger: MemoryLedger) -> None:
    """Each hop has its line; the second one was not made."""
    with told(OTHER) as server, told(LISTED, b"", leads_to=server.url) as first:
        with pytest.raises(NotAllowed, match=OTHER):
            way(out, first.url)
        assert first.came(1)
        assert server.came(0)
    assert [(one.host, one.status) for one in ledger.calls] == [(LISTED, "307"), (OTHER, "off_list")]


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_is_cut_is_a_line_that_says_so(way: Callable[[Out, str], None], out: Out,
                                                      ledger: MemoryLedger) -> None:
    """With as many bytes as came."""
    with told(LISTED, b"half", cut=True) as server, suppress(requests.RequestException, httpx.HTTPError):
        way(out, server.url)
    assert [(one.status in ("cut", "failed"), one.size) for one in ledger.calls] == [(True, 4)]


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_is_not_there_is_a_line(way: Callable[[Out, str], None], out: Out, ledger: MemoryLedger) -> None:
    """With the reason, in one of few words."""
    with closing(socket.socket()) as nobody:
        nobody.bind((LISTED, 0))
        url = f"http://{LISTED}:{nobody.getsockname()[1]}"
        with pytest.raises((requests.ConnectionError, httpx.ConnectError)):
            way(out, url)
    assert lines(ledger.calls) == [("call.made", LISTED, "feed:news", "POST", "refused", "None")]


def over_asyncio(out: Out, url: str) -> None:
    """A connection of an event loop, whose names are resolved in a thread."""
    async def ask() -> None:
        call = out.begin("localhost", "POST")
        reading, writing = await asyncio.open_connection("localhost", int(url.rpartition(":")[2]))
        writing.write(b"POST / HTTP/1.0\r\n\r\n")
        size = len((await reading.read()).partition(b"\r\n\r\n")[2])
        writing.close()
        call.ended("200", size)

    asyncio.run(ask())


@pytest.mark.parametrize("way", [*WAYS, over_asyncio])
def test_libraries_reach_a_permitted_name_through_the_wall(way: Callable[[Out, str], None],
                                                           ledger: MemoryLedger) -> None:
    """By the addresses that it was resolved to; none of them is on the list itself."""
    with told(LISTED) as server, Out(Allowed.of(["localhost"], here=False), ledger, SystemClock()) as out:
        way(out, server.url.replace(LISTED, "localhost"))
    assert lines(ledger.calls) == [("call.made", "localhost", "other", "POST", "200", "5")]


def test_what_the_wall_refuses_beneath_a_seam_has_one_line(ledger: MemoryLedger) -> None:
    """A name that is permitted, resolved by a way that nobody remembers."""
    with Out(Allowed.of(["here.test"], here=False), ledger, SystemClock(), purpose="feed:news") as out:
        call = out.begin("here.test", "GET")
        with pytest.raises(NotAllowed) as refused, closing(socket.socket()) as one:
            one.connect((OTHER, 80))
        call.failed(refused.value)
        call.ended("200")
    assert lines(ledger.calls) == [("call.refused", OTHER, "feed:news", "None", "off_list", "None")]


def test_an_answer_that_is_streamed_is_a_line_without_bytes(out: Out, ledger: MemoryLedger) -> None:
    """Nobody knows how much of it will be read."""
    with told(LISTED) as server, requests.Session() as session:
        mount(session, out)
        with session.get(server.url, stream=True) as answer:
            assert answer.content == b"hello"
    assert [(one.status, one.size) for one in ledger.calls] == [("200", None)]


def test_an_answer_that_is_not_read_to_its_end_counts_what_was(out: Out, ledger: MemoryLedger) -> None:
    """As a collector does that gives up on a body."""
    with told(LISTED, b"x" * 200_000) as server, httpx.Client(transport=transport(out), trust_env=False) as client, \
            client.stream("GET", server.url) as answer:
        got = len(next(answer.iter_raw()))
    assert [one.size for one in ledger.calls] == [got]
    assert 0 < got < 200_000


def test_purposes_belong_to_their_threads_and_end(ledger: MemoryLedger) -> None:
    """An adapter says what it is about; afterwards the program's own purpose is back."""
    out = Out(Allowed(None), ledger, SystemClock())
    with out.doing("venue:submit"), out.doing("venue:poll"):
        out.begin("a.org").ended("200")
    out.begin("a.org").ended("200")
    assert [one.purpose for one in ledger.calls] == ["venue:poll", "other"]


def test_a_connection_leaves_two_lines(ledger: MemoryLedger) -> None:
    """And one that was never made leaves one."""
    out = Out(Allowed(None), ledger, SystemClock())
    call = out.begin("gw.org", None, "venue:gateway")
    call.closed(7)
    call.opened()
    call.closed(7)
    call.closed(8)
    out.begin("gw.org", None, "venue:gateway").failed(TimeoutError())
    assert [(str(one.kind), one.status, one.size) for one in ledger.calls] == [
        ("call.opened", "opened", None), ("call.closed", "closed", 7), ("call.made", "timeout", None)]


def test_nothing_goes_out_that_could_leave_no_line() -> None:
    """A request, or even a refusal; but for a program that tells somebody."""
    class Full(NoLedger):
        def ready(self) -> None:
            raise StateError("the disk is full")

    out = Out(Allowed(None), Full(), SystemClock())
    with pytest.raises(StateError):
        out.begin("a.org")
    out.started("alert").ended("exit 0")
    with pytest.raises(StateError):
        out.refused("a.org")


def test_a_way_out_that_nobody_watches_is_open() -> None:
    """For tests of everything else."""
    out = unwatched()
    out.begin("evil.org").ended("200")
    out.close()


@pytest.mark.parametrize(("error", "word"), [
    (TimeoutError(), "timeout"), (requests.ReadTimeout(), "timeout"), (ConnectionRefusedError(), "refused"),
    (ConnectionResetError(), "cut"), (socket.gaierror(), "no_name"), (ssl.SSLCertVerificationError(), "no_tls"),
    (requests.ConnectionError(socket.gaierror()), "no_name"), (ValueError("https://hunter2"), "failed"),
])
def test_what_kept_an_answer_away_is_one_word(error: BaseException, word: str) -> None:
    """Of what the library wrapped, never its text."""
    assert why(error) == word


@pytest.mark.parametrize(("changed", "field", "written"), [
    ({"host": "hunter2/../x"}, "host", "(odd)"), ({"host": None}, "host", None), ({"purpose": "x"}, "purpose", "other"),
    ({"status": "Bearer hunter2"}, "status", "failed"), ({"method": "hunter2"}, "method", None),
    ({"status": "exit -9"}, "status", "exit -9"), ({"status": "999"}, "status", "999"),
])
def test_only_words_of_the_lists_are_written(changed: dict[str, Any], field: str, written: str | None) -> None:
    """Whatever a library or a setting hands in."""
    call = Call(Kind.CALL_MADE, "a.org", "alert", "200", "GET")._replace(**changed)
    assert call.body()[field] == written
