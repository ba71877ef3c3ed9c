"""Every request of a feed is one line in its log of calls, under the real libraries; a host off the list sees none."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.unit.common.outside.servers import OTHER, told
from tests.unit.markets.collectors.exchange_server import exchange_server
from tests.unit.markets.collectors.gates import gate
from tests.unit.markets.collectors.reddit_server import NOW_S, Answer, listing, post, reddit_server
from tests.unit.markets.collectors.web_server import Reply, running
from vanta.alpha.core.verification import outcome
from vanta.alpha.verifier import verify_file
from vanta.common.clock import ManualClock
from vanta.common.errors import OperatorError, OutsideError
from vanta.common.events import Kind
from vanta.common.exitcodes import Check, Exit
from vanta.common.models.configuration import FeedSettings, MarketsSettings, OutsideSettings, Settings
from vanta.common.outside.allowed import Allowed
from vanta.common.outside.ledger import MemoryLedger
from vanta.common.outside.out import Out
from vanta.common.paths import Home, calls_of
from vanta.common.store.chain import chain
from vanta.markets.collectors.news import NewsCollector
from vanta.markets.collectors.port import FetchContext, Problem, RawPayload
from vanta.markets.collectors.wire import build, collector_of

NOW = datetime.fromtimestamp(NOW_S, UTC) + timedelta(minutes=5)
FEED = b"<?xml version='1.0'?><rss version='2.0'><channel><title>x</title></channel></rss>"


class Asked(NamedTuple):
    """A feed's options, and how many requests its server saw."""

    feed: str
    options: dict[str, Any]
    seen: Callable[[], int]


@contextmanager
def news(_: Path) -> Iterator[Asked]:
    """A feed that moved, and one that is gone."""
    with running() as web:
        one, two = web.say("/a?token=hunter2", Reply(status=301, headers={"Location": "/b"})), web.url + "/gone"
        web.say("/b", Reply(body=FEED))
        yield Asked("news", {"feeds": [one, two]}, lambda: len(web.seen))


@contextmanager
def sec(_: Path) -> Iterator[Asked]:
    """The list of filings cannot be had: three tries."""
    with running() as web:
        yield Asked("sec", {"contact": "a@example.org", "base_url": web.url}, lambda: len(web.seen))


@contextmanager
def reddit(folder: Path) -> Iterator[Asked]:
    """A token, and a page."""
    for name in ("id", "secret"):
        (folder / name).write_text("hunter2")
        (folder / name).chmod(0o600)
    with reddit_server() as server:
        server.answers["/r/wallstreetbets/new"] = [Answer(listing([post("b")]))]
        yield Asked("reddit", {
            "client_id_file": str(folder / "id"), "client_secret_file": str(folder / "secret"), "contact": "/u/x",
            "subreddits": ["wallstreetbets"], "reddit_url": server.url, "oauth_url": server.url},
            lambda: len(server.requests))


@contextmanager
def crypto(_: Path) -> Iterator[Asked]:
    """Markets, tickers, rates and a book."""
    with exchange_server() as server:
        yield Asked("crypto", {"exchanges": ["bybit"], "assets": ["BTC"], "rounds": 1, "urls": {"bybit": server.url}},
                    lambda: len(server.requests))


FEEDS = [news, sec, reddit, crypto]


@pytest.fixture(params=FEEDS, ids=lambda one: str(one.__name__))
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    """Each feed in turn."""
    with request.param(tmp_path) as found:
        yield found


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def fetch(asked: Asked, out: Out, folder: Path) -> None:
    """One pass of the collector, by a way out."""
    clock = ManualClock(NOW)
    (folder / "state").mkdir(exist_ok=True)
    context = FetchContext(now=NOW, cursor={}, state_dir=folder / "state", options=asked.options,
                           gate=replace(gate(folder, clock), out=out))
    list(collector_of(asked.feed, clock).fetch(context))


def test_each_request_is_one_line(asked: Asked, ledger: MemoryLedger, tmp_path: Path) -> None:
    """As many as the server saw; no path, no query, no secret."""
    with suppress(OutsideError):
        fetch(asked, Out(Allowed.of(["127.0.0.1"], here=False), ledger, ManualClock(NOW), purpose=f"feed:{asked.feed}"),
              tmp_path)
    assert len(ledger.calls) == asked.seen() > 0
    assert {(str(one.kind), one.host, one.purpose) for one in ledger.calls} == {
        ("call.made", "127.0.0.1", f"feed:{asked.feed}")}
    assert all(one.size is not None for one in ledger.calls)
    written = json.dumps([one.body() for one in ledger.calls])
    assert not [word for word in ("hunter2", "/r/", "/v5", "cgi-bin", "?", "example.org") if word in written]


def test_a_host_off_the_list_is_not_asked(asked: Asked, ledger: MemoryLedger, tmp_path: Path) -> None:
    """Whichever library asks; each attempt is a line."""
    out = Out(Allowed.of(["www.sec.gov"], here=False), ledger, ManualClock(NOW), purpose=f"feed:{asked.feed}")
    with pytest.raises(OutsideError, match="not among the hosts"):
        fetch(asked, out, tmp_path)
    assert asked.seen() == 0
    assert {(str(one.kind), one.host, one.status) for one in ledger.calls} == {
        ("call.refused", "127.0.0.1", "off_list")}


def test_a_redirect_to_a_host_that_is_not_the_feeds_is_a_line(ledger: MemoryLedger, tmp_path: Path) -> None:
    """Refused before anything is sent, as it always was; now it shows."""
    with told(OTHER) as other, running() as web:
        asked = Asked("news", {"feeds": [web.say("/a", Reply(status=302, headers={"Location": other.url}))]}, int)
        out = Out(Allowed.of([], here=True), ledger, ManualClock(NOW), purpose="feed:news")
        with pytest.raises(OutsideError, match="not on a host that this feed may ask"):
            fetch(asked, out, tmp_path)
        assert other.came(0)
    assert [(one.host, one.status) for one in ledger.calls] == [("127.0.0.1", "302"), (OTHER, "off_list")]


@pytest.mark.parametrize(("feed", "options", "hosts"), [
    ("sec", {}, {"www.sec.gov"}), ("reddit", {}, {"www.reddit.com", "oauth.reddit.com"}),
    ("news", {"feeds": ["https://a.org/x"], "allow_hosts": ["b.org"]}, {"a.org", "www.a.org", "b.org"}),
    ("crypto", {}, {"api.bybit.com", "api.coinbase.com"}),
    ("prices", {"exchanges": ["kraken"]}, {"api.kraken.com"}),
    ("crypto", {"exchanges": ["bybit"], "urls": {"bybit": "https://a.org/v5"}, "proxy": "https://p.org:3128"},
     {"a.org", "p.org"}),
])
def test_a_feed_says_whom_it_asks(feed: str, options: dict[str, Any], hosts: set[str]) -> None:
    """From its options and from what its client library knows."""
    assert hosts <= collector_of(feed, ManualClock(NOW)).hosts(options)


@pytest.mark.parametrize(("feed", "options"), [
    ("news", {}), ("news", {"feeds": ["nothing"]}), ("crypto", {"exchanges": ["nosuch"]}), ("sec", {"base_url": "x"})])
def test_options_that_do_not_say_whom_are_refused(feed: str, options: dict[str, Any]) -> None:
    """As the pass itself refuses them."""
    with pytest.raises(OperatorError):
        collector_of(feed, ManualClock(NOW)).hosts(options)


def test_a_pass_leaves_its_lines_in_the_home(tmp_path: Path) -> None:
    """Opened for the first request, signed at the end, one log a feed; without requests there is none."""
    home, clock = Home(tmp_path / "home").prepare(), ManualClock(NOW)
    with news(tmp_path) as asked:
        settings = Settings(markets=MarketsSettings(feeds={"news": FeedSettings(options=asked.options)}))
        with build(home, settings, clock) as harvest:
            assert harvest.hosts("news") == {"127.0.0.1", "www.127.0.0.1"}
            assert harvest.collect("news").exit == Exit.PARTIAL
            assert harvest.collect("sec").exit == Exit.CONFIG  # no contact: nobody is asked
        assert asked.seen() == 3
        refused = settings.model_copy(update={"outside": OutsideSettings(hosts=["www.sec.gov"])})
        with build(home, refused, clock) as harvest:
            harvest.collect("news")
    found = list(chain(home.file(calls_of("news")).read_bytes(), name="calls"))
    assert [one.payload["status"] for one in found if one.kind == Kind.CALL_MADE] == [
        "301", "200", "404", "301", "200", "404"]  # this host itself is permitted, whatever the list says
    assert outcome(verify_file(home.file(calls_of("news")))) is Check.OK
    assert not home.file(calls_of("sec")).exists()


class Straying(NewsCollector):
    """A feed whose library asks for somebody by itself."""

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """See `Collector.fetch`."""
        socket.create_connection(("telemetry.example.org", 443))
        yield from super().fetch(context)


def test_a_pass_stands_behind_the_wall_until_it_ends(tmp_path: Path) -> None:
    """Whatever a library does beside the requests that it was asked for is refused, shows, and ends the pass."""
    home, clock = Home(tmp_path / "home").prepare(), ManualClock(NOW)
    with build(home, Settings(), clock) as harvest:
        report = harvest.collect_with(Straying(clock), None)
    assert "telemetry.example.org is not among the hosts" in report.result.reason
    (line,) = [one for one in chain(home.file(calls_of("news")).read_bytes(), name="calls")
               if one.kind == Kind.CALL_REFUSED]
    assert (line.payload["host"], line.payload["purpose"]) == ("telemetry.example.org", "feed:news")
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("telemetry.invalid", 443)  # nobody refuses to ask any more


def test_a_list_in_the_settings_counts_instead(tmp_path: Path) -> None:
    """What the feed needs and the list lacks is refused before it is resolved, and the pass says so."""
    home, clock = Home(tmp_path / "home").prepare(), ManualClock(NOW)
    settings = Settings(
        markets=MarketsSettings(feeds={"news": FeedSettings(options={"feeds": ["https://feeds.example.org/x"]})}),
        outside=OutsideSettings(hosts=["www.sec.gov"]))
    with build(home, settings, clock) as harvest:
        report = harvest.collect("news")
    assert "feeds.example.org is not among the hosts that this node may ask" in report.result.reason
    (line,) = [one for one in chain(home.file(calls_of("news")).read_bytes(), name="calls")
               if one.kind == Kind.CALL_REFUSED]
    assert line.payload["host"] == "feeds.example.org"
