"""The shared transport against a local server with the faults of real ones."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.markets.collectors.gates import gate
from tests.unit.markets.collectors.web_server import Reply, Web, running
from vanta import __version__
from vanta.common.clock import Clock, ManualClock, SystemClock
from vanta.common.errors import CredentialsRefused, OutsideError, StateError, Throttled
from vanta.common.exitcodes import Exit
from vanta.markets.collectors.holdoff import Holdoff
from vanta.markets.collectors.http import (
    Answer,
    BudgetSpent,
    Limits,
    Manners,
    Request,
    Transport,
    Validators,
    backoff_s,
    next_hop,
    retry_after_s,
    user_agent,
)
from vanta.markets.collectors.ratelimit import Rate

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
HOST = "127.0.0.1"
QUICK = Limits(connect_s=2, read_s=2, backoff_s=1.0)
RATE = Rate(per_second=1000, burst=100)


@pytest.fixture
def web() -> Iterator[Web]:
    with running() as server:
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def manners(folder: Path, clock: Clock, limits: Limits = QUICK) -> Manners:
    return Manners(agent=user_agent("ops@example.com"), hosts=frozenset({HOST}), gate=gate(folder, clock), rate=RATE,
                   limits=limits)


def get(request: Request, folder: Path, clock: Clock, limits: Limits = QUICK) -> Answer:
    with Transport(manners(folder, clock, limits), clock) as transport:
        return transport.get(request)


def test_an_answer_carries_body_type_validators_and_the_time_of_the_clock(
        web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """A plain 200 is passed on as served, with a name that says who asks."""
    url = web.say("/feed", Reply(body=b"<rss/>", headers={
        "Content-Type": "Application/RSS+xml; charset=utf-8", "ETag": 'W/"a b"', "Last-Modified": "whenever"}))
    answer = get(Request(url=url), tmp_path, clock)
    assert (answer.status, answer.body, answer.media_type) == (200, b"<rss/>", "application/rss+xml")
    assert answer.content_type == "Application/RSS+xml; charset=utf-8"
    assert answer.validators == Validators(etag='W/"a b"', last_modified="whenever")
    assert answer.fetched_at == START
    assert web.header("user-agent") == f"VANTA/{__version__} (+ops@example.com)"
    assert web.header("accept-encoding") == "gzip, deflate"


def test_validators_go_back_byte_for_byte_and_304_is_a_success(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """An ETag is a black box: weak marks, quotes and odd bytes are kept as they are."""
    odd = Validators(etag='W/"\xe9-\\"1"', last_modified="Fri, 20 Nov 2026 14:00:00 gmt")
    url = web.say("/feed", Reply(status=304))
    answer = get(Request(url=url, validators=Validators.parse(odd.text())), tmp_path, clock)
    assert answer.unchanged
    assert answer.body == b""
    assert answer.validators == odd
    assert web.header("if-none-match") == odd.etag
    assert web.header("if-modified-since") == odd.last_modified


def test_304_to_a_request_without_validators_is_nonsense(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """A server that says "unchanged" to a first request has not served the feed."""
    with pytest.raises(OutsideError, match="304"):
        get(Request(url=web.say("/feed", Reply(status=304))), tmp_path, clock)


@pytest.mark.parametrize("text", ["", "{", "3", '["a"]', "[1, 2]", None], ids=repr)
def test_unreadable_validators_only_cost_a_full_answer(text: str | None) -> None:
    """Whatever a cursor holds, the request is made without validators."""
    assert not Validators.parse(text)


@pytest.mark.parametrize(("header", "waited"), [
    ("7", 7.0), ("Fri, 20 Nov 2026 14:00:30 GMT", 30.0), ("Fri, 20 Nov 2026 13:00:00 GMT", 0.0)],
    ids=["seconds", "date", "a date that has passed"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(web: Web, tmp_path: Path, clock: ManualClock,
                                   status: int, header: str, waited: float) -> None:
    """Both forms of Retry-After are honoured before the next try."""
    url = web.say("/feed", Reply(status=status, headers={"Retry-After": header}), Reply(body=b"ok"))
    assert get(Request(url=url), tmp_path, clock).body == b"ok"
    assert (clock.now() - START).total_seconds() == waited
    assert web.asked("/feed") == 2


def test_the_wait_is_remembered_for_the_next_run(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """A Retry-After too long for this pass ends it at once, and the next process does not ask before it is over."""
    url = web.say("/feed", Reply(status=429, headers={"Retry-After": "3600"}), Reply(body=b"ok"))
    with pytest.raises(Throttled) as caught:
        get(Request(url=url), tmp_path, clock)
    assert caught.value.retry_after_s == 3600
    assert caught.value.exit_code == Exit.TEMPORARY
    assert clock.now() == START
    clock.move_to(START + timedelta(seconds=3599))
    with pytest.raises(Throttled, match="asked us to wait"):
        get(Request(url=url), tmp_path, clock)
    assert web.asked("/feed") == 1
    clock.move_to(START + timedelta(seconds=3600))
    assert get(Request(url=url), tmp_path, clock).body == b"ok"


@pytest.mark.parametrize(("seconds", "tries"), [(60, 1), (59, 2)])
def test_nobody_sits_and_waits_for_a_minute(
        web: Web, tmp_path: Path, clock: ManualClock, seconds: int, tries: int) -> None:
    """A long wait is left to the next scheduled run, even where the budget would allow it."""
    url = web.say("/feed", Reply(status=429, headers={"Retry-After": str(seconds)}), Reply(status=404))
    with pytest.raises(OutsideError):
        get(Request(url=url), tmp_path, clock)
    assert web.asked("/feed") == tries


def test_the_environment_does_not_redirect_requests(
        web: Web, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy variable left in a shell neither sees nor breaks what a feed asks."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert get(Request(url=web.say("/feed", Reply(body=b"ok"))), tmp_path, clock).body == b"ok"


def test_an_absurd_retry_after_is_kept_for_a_day(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """A server cannot silence a feed for years with one header."""
    url = web.say("/feed", Reply(status=429, headers={"Retry-After": "9" * 40}))
    with pytest.raises(Throttled):
        get(Request(url=url), tmp_path, clock)
    assert Holdoff(tmp_path / "ratelimit").until(HOST) == START + timedelta(days=1)


def test_an_unreadable_hold_off_stops_with_the_cure(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """Unreadable is not empty: we do not ask a host that may have told us to stay away."""
    Holdoff(tmp_path / "ratelimit").remember(HOST, START, START)
    next((tmp_path / "ratelimit").iterdir()).write_bytes(b"{half")
    with pytest.raises(StateError, match="Remove the file"):
        get(Request(url=web.say("/feed", Reply(body=b"ok"))), tmp_path, clock)
    assert web.asked("/feed") == 0


@pytest.mark.parametrize("reply", [
    Reply(status=429), Reply(status=503), Reply(status=500), Reply(status=502), Reply(status=504),
    Reply(body=b"half", cut=True)], ids=["429", "503", "500", "502", "504", "cut body"])
def test_a_passing_fault_is_tried_again_after_a_fixed_wait(
        web: Web, tmp_path: Path, clock: ManualClock, reply: Reply) -> None:
    """Three tries, with waits that the URL and the attempt decide, so that a replayed run waits the same."""
    url = web.say("/feed", reply, reply, Reply(body=b"ok"))
    assert get(Request(url=url), tmp_path, clock).body == b"ok"
    expected = backoff_s(url, 1, 1.0) + backoff_s(url, 2, 1.0)
    assert (clock.now() - START).total_seconds() == pytest.approx(expected, abs=0.002)


def test_three_tries_are_all(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """A server that stays broken is asked three times and then reported."""
    url = web.say("/feed", Reply(status=500))
    with pytest.raises(OutsideError, match="500"):
        get(Request(url=url), tmp_path, clock)
    assert web.asked("/feed") == 3


@pytest.mark.parametrize(("status", "kind", "code"), [
    (401, CredentialsRefused, Exit.CREDENTIALS), (403, CredentialsRefused, Exit.CREDENTIALS),
    (404, OutsideError, Exit.UNAVAILABLE), (410, OutsideError, Exit.UNAVAILABLE),
    (400, OutsideError, Exit.UNAVAILABLE), (451, OutsideError, Exit.UNAVAILABLE)])
def test_a_refusal_is_never_tried_again(web: Web, tmp_path: Path, clock: ManualClock,
                                        status: int, kind: type[OutsideError], code: Exit) -> None:
    """Asking again would not help and could get us banned."""
    url = web.say("/feed", Reply(status=status), Reply(body=b"ok"))
    with pytest.raises(kind, match=str(status)) as caught:
        get(Request(url=url), tmp_path, clock)
    assert caught.value.exit_code == code
    assert web.asked("/feed") == 1


def test_a_status_that_the_caller_expects_is_an_answer(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """EDGAR's 503 past the end of the list is handed over, and not remembered as a throttle."""
    url = web.say("/feed?start=100", Reply(status=503, body=b"<html>"))
    answer = get(Request(url=url, answers=frozenset({503})), tmp_path, clock)
    assert (answer.status, answer.body) == (503, b"<html>")
    assert web.asked("/feed?start=100") == 1


def test_a_silent_server_ends_in_time(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """A server that accepts and says nothing costs the read timeout, not for ever."""
    url = web.say("/feed", Reply(silent=True))
    with pytest.raises(OutsideError, match="did not answer in time"):
        get(Request(url=url), tmp_path, clock, replace(QUICK, read_s=0.1, tries=1))


def test_a_dripping_server_is_cut_off(web: Web, tmp_path: Path) -> None:
    """Every single read is fast enough; the whole is not."""
    url = web.say("/feed", Reply(body=b"x" * 500, drip=True))
    with pytest.raises(OutsideError, match="too slow"):
        get(Request(url=url), tmp_path, SystemClock(), replace(QUICK, request_s=0.2))
    assert web.asked("/feed") == 1


def test_an_address_that_is_none_is_reported(tmp_path: Path, clock: ManualClock) -> None:
    """A port that is no number is refused by the client library; the feed hears an outside error."""
    with pytest.raises(OutsideError, match="is not a URL"):
        get(Request(url="http://127.0.0.1:abc/feed"), tmp_path, clock)


def test_a_refused_connection_is_reported_after_its_tries(tmp_path: Path, clock: ManualClock) -> None:
    """Nothing listens: an outside error that names the address."""
    with pytest.raises(OutsideError, match=r"http://127\.0\.0\.1:9/feed failed"):
        get(Request(url="http://127.0.0.1:9/feed"), tmp_path, clock)


def test_a_body_over_the_limit_is_not_read_to_its_end(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """The limit counts decoded bytes, so that a small compressed body cannot fill the memory."""
    limits = replace(QUICK, max_bytes=1000)
    assert len(get(Request(url=web.say("/1", Reply(body=b"x" * 1000))), tmp_path, clock, limits).body) == 1000
    bomb = gzip.compress(b"x" * 10_000_000)
    for path, reply in {"/2": Reply(body=b"x" * 1001), "/3": Reply(body=b"x" * 5000, no_length=True),
                        "/4": Reply(body=bomb, headers={"Content-Encoding": "gzip"})}.items():
        with pytest.raises(OutsideError, match="more than 1,000 bytes"):
            get(Request(url=web.say(path, reply)), tmp_path, clock, limits)
        assert web.asked(path) == 1


@pytest.mark.parametrize(("encoding", "body"), [
    ("gzip", gzip.compress(b"hello" * 100)), ("x-gzip", gzip.compress(b"hello" * 100)),
    ("deflate", zlib.compress(b"hello" * 100)), ("deflate", zlib.compress(b"hello" * 100)[2:-4]),
    ("identity", b"hello" * 100)], ids=["gzip", "x-gzip", "zlib", "raw deflate", "identity"])
def test_content_encodings_are_undone(web: Web, tmp_path: Path, clock: ManualClock,
                                      encoding: str, body: bytes) -> None:
    """All encodings that we ask for, and the headerless deflate that some servers send, arrive whole."""
    url = web.say("/feed", Reply(body=body, headers={"Content-Encoding": encoding}))
    assert get(Request(url=url), tmp_path, clock).body == b"hello" * 100


@pytest.mark.parametrize(("encoding", "body"), [
    ("gzip", gzip.compress(b"hello" * 100)[:-9]), ("gzip", b"not gzip"), ("br", b"hello")],
    ids=["cut gzip", "no gzip", "an encoding nobody asked for"])
def test_a_body_that_cannot_be_decoded_whole_is_a_failure(
        web: Web, tmp_path: Path, clock: ManualClock, encoding: str, body: bytes) -> None:
    """A compressed stream that stops early is cut even where the length agrees."""
    url = web.say("/feed", Reply(body=body, headers={"Content-Encoding": encoding}))
    with pytest.raises(OutsideError, match="failed"):
        get(Request(url=url), tmp_path, clock)
    assert web.asked("/feed") == 3


def test_a_redirect_is_followed_to_a_listed_host_only(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """A foreign host is not asked, whatever the server says; the message names it."""
    web.say("/new", Reply(body=b"here"))
    near = web.say("/near", Reply(status=301, headers={"Location": "/new"}))
    assert get(Request(url=near), tmp_path, clock).url == f"{web.url}/new"
    far = web.say("/far", Reply(status=302, headers={"Location": web.url.replace(HOST, "localhost") + "/new"}))
    with pytest.raises(OutsideError, match="localhost"):
        get(Request(url=far), tmp_path, clock)
    assert web.asked("/new") == 1


@pytest.mark.parametrize(("location", "target"), [
    ("/b", "https://x.example/b"), ("//y.example/b", "https://y.example/b"), ("https://x.example/c", "https://x.example/c")])
def test_a_redirect_may_be_relative(location: str, target: str) -> None:
    """As servers write them."""
    assert next_hop("https://x.example/a", location) == target


@pytest.mark.parametrize("location", ["http://x.example/a", "ftp://x.example/a", "http://[bad"])
def test_a_redirect_never_leaves_https(location: str) -> None:
    """What was asked for in private is not fetched in public."""
    with pytest.raises(OutsideError, match="redirects"):
        next_hop("https://x.example/a", location)


def test_redirects_end(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """A loop is given up after five hops."""
    url = web.say("/loop", Reply(status=307, headers={"Location": "/loop"}))
    with pytest.raises(OutsideError, match="redirects more than 5 times"):
        get(Request(url=url), tmp_path, clock)
    assert web.asked("/loop") == 6


@pytest.mark.parametrize("url", ["https://example.org/feed", "ftp://127.0.0.1/feed", "file:///etc/passwd", "feed",
                                 "http://[bad"])
def test_only_listed_hosts_are_asked(tmp_path: Path, clock: ManualClock, url: str) -> None:
    """An address outside the list is refused before anything is sent."""
    with pytest.raises(OutsideError, match="not on a host that this feed may ask"):
        get(Request(url=url), tmp_path, clock)


def test_the_budget_of_a_pass_is_not_exceeded(web: Web, tmp_path: Path, clock: ManualClock) -> None:
    """A wait that does not fit is not begun, and once the time is used up nothing more is asked."""
    slow = web.say("/slow", Reply(status=429, headers={"Retry-After": "31"}))
    fine = web.say("/fine", Reply(body=b"ok"))
    with Transport(manners(tmp_path, clock, replace(QUICK, budget_s=30)), clock) as transport:
        with pytest.raises(Throttled):
            transport.get(Request(url=slow))
        assert clock.now() == START
        clock.move_to(START + timedelta(seconds=31))
        with pytest.raises(BudgetSpent, match="used up"):
            transport.get(Request(url=fine))
    assert web.asked("/slow") == 1
    assert web.asked("/fine") == 0


def test_the_backoff_is_a_function_of_url_and_attempt() -> None:
    """Same URL, same waits; different URLs spread; each lies between half of and the whole doubling base."""
    waits = {backoff_s(f"http://x/{n}", 2, 1.0) for n in range(50)}
    assert len(waits) > 40
    assert all(1.0 <= wait <= 2.0 for wait in waits)
    assert backoff_s("http://x/", 3, 1.0) == backoff_s("http://x/", 3, 1.0)


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "1e3", "٣", "Fri, 20 Nov 2026 14:00:30"], ids=repr)
def test_a_retry_after_that_says_nothing_is_no_wait(value: str | None) -> None:
    """Garbage, and a date without a zone, leave the wait to the backoff."""
    assert retry_after_s(value, START) is None


def test_without_a_contact_the_user_agent_says_so_honestly() -> None:
    """No contact is invented."""
    assert user_agent(None) == f"VANTA/{__version__}"
