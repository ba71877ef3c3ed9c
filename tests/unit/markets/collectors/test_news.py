"""The news feeds' transport against local servers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.markets.collectors.gates import gate
from tests.unit.markets.collectors.web_server import Reply, Web, running
from vanta.common.clock import ManualClock
from vanta.common.errors import CredentialsRefused, OperatorError, OutsideError
from vanta.markets.collectors.news import NewsCollector
from vanta.markets.collectors.port import FetchContext, Problem, RawPayload

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
FEED = (b'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><item><title>a</title><guid>1</guid>'
        b"<pubDate>Fri, 20 Nov 2026 14:00:00 GMT</pubDate></item></channel></rss>")
TAGGED = Reply(body=FEED, headers={"Content-Type": "application/rss+xml", "ETag": 'W/"abc"',
                                   "Last-Modified": "Fri, 20 Nov 2026 14:00:00 GMT"})


@pytest.fixture
def web() -> Iterator[Web]:
    with running() as server:
        yield server


class Pass:
    """One pass, and the cursor after it as the runner would store it."""

    def __init__(self, folder: Path, feeds: list[str], cursor: dict[str, str] | None = None, **options: Any) -> None:
        clock = ManualClock(NOW)
        collector = NewsCollector(clock)
        context = FetchContext(now=NOW, cursor=cursor or {}, state_dir=folder, options={"feeds": feeds} | options,
                               gate=gate(folder, clock))
        got = list(collector.fetch(context))
        self.waited_s = clock.monotonic()
        self.payloads = [one for one in got if isinstance(one, RawPayload)]
        self.problems = [one for one in got if isinstance(one, Problem)]
        self.readings = [collector.read(payload) for payload in self.payloads]
        whole = [payload for payload in self.payloads if collector.read(payload).complete]
        self.cursor = collector.next_cursor(whole, context)


def test_a_feed_is_asked_again_only_for_what_is_new(web: Web, tmp_path: Path) -> None:
    """Validators go back byte for byte; 304 is a success without a payload and keeps them."""
    url = web.say("/feed", TAGGED, Reply(status=304))
    first = Pass(tmp_path, [url])
    assert [len(reading.records) for reading in first.readings] == [1]
    second = Pass(tmp_path, [url], first.cursor)
    assert (second.payloads, second.problems) == ([], [])
    assert web.header("if-none-match") == 'W/"abc"'
    assert web.header("if-modified-since") == "Fri, 20 Nov 2026 14:00:00 GMT"
    assert second.cursor == first.cursor == {url: json.dumps(['W/"abc"', "Fri, 20 Nov 2026 14:00:00 GMT"])}


@pytest.mark.parametrize("body", [FEED[:-30], b"<html>busy</html>", b""], ids=["cut", "error page", "empty"])
def test_validators_of_a_damaged_payload_are_not_kept(web: Web, tmp_path: Path, body: bytes) -> None:
    """Otherwise a 304 would hide the items for as long as the feed stands still."""
    url = web.say("/feed", Reply(body=body, headers=TAGGED.headers))
    done = Pass(tmp_path, [url])
    assert [reading.complete for reading in done.readings] == [False]
    assert done.cursor == {}


def test_validators_that_the_feed_no_longer_sends_are_forgotten(web: Web, tmp_path: Path) -> None:
    """And so are those of a feed that is no longer listed."""
    url = web.say("/feed", Reply(body=FEED))
    assert Pass(tmp_path, [url], {url: '["x", null]', "https://gone.example/": '["y", null]'}).cursor == {}


def test_one_failing_feed_does_not_stop_the_others(web: Web, tmp_path: Path) -> None:
    """It is named, and the pass is partial."""
    feeds = [web.say("/gone", Reply(status=404)), web.say("/feed", TAGGED)]
    done = Pass(tmp_path, feeds)
    assert [(problem.code, problem.where) for problem in done.problems] == [("not_fetched", feeds[0])]
    assert [payload.url for payload in done.payloads] == [feeds[1]]


@pytest.mark.parametrize(("replies", "kind"), [
    ([Reply(status=404), Reply(status=500)], OutsideError), ([Reply(status=403)], CredentialsRefused)])
def test_if_every_feed_fails_the_pass_fails(web: Web, tmp_path: Path, replies: list[Reply],
                                            kind: type[OutsideError]) -> None:
    """With the first failure's status."""
    feeds = [web.say(f"/{at}", reply) for at, reply in enumerate(replies)]
    with pytest.raises(kind):
        Pass(tmp_path, feeds)


def test_each_host_is_asked_twice_a_second_at_the_most(web: Web, tmp_path: Path) -> None:
    """However many of the feeds are its; a redirect is a request as well, and another host is not affected."""
    web.say("/there", TAGGED)
    moved = web.say("/moved", Reply(status=301, headers={"Location": "/there"}))
    feeds = [moved, *(web.say(f"/{number}", TAGGED) for number in range(4))]
    elsewhere = web.url.replace("127.0.0.1", "localhost") + "/there"
    assert Pass(tmp_path, [*feeds, elsewhere, elsewhere + "?2"]).waited_s == pytest.approx((6 - 2) / 2)


def test_a_wrong_content_type_is_no_obstacle(web: Web, tmp_path: Path) -> None:
    """Many feeds are served as HTML or plain text."""
    done = Pass(tmp_path, [web.say("/feed", Reply(body=FEED, headers={"Content-Type": "text/html; charset=utf-8"}))])
    assert [reading.complete for reading in done.readings] == [True]


def test_a_redirect_leads_to_listed_hosts_only(web: Web, tmp_path: Path) -> None:
    """A feed that moves to another host is followed once the operator has listed it; validators stay with the feed."""
    web.say("/new", TAGGED)
    elsewhere = web.url.replace("127.0.0.1", "localhost") + "/new"
    url = web.say("/feed", Reply(status=301, headers={"Location": elsewhere}))
    with pytest.raises(OutsideError, match="localhost"):
        Pass(tmp_path, [url])
    done = Pass(tmp_path, [url], allow_hosts=["localhost"])
    assert [payload.url for payload in done.payloads] == [elsewhere]
    assert list(done.cursor) == [url]


def test_an_oversized_feed_is_a_problem(web: Web, tmp_path: Path) -> None:
    """It is cut off and named."""
    big = web.say("/big", Reply(body=b"x" * (16 * 1024 * 1024 + 1)))
    done = Pass(tmp_path, [big, web.say("/feed", TAGGED)])
    assert ["more than" in problem.detail for problem in done.problems] == [True]


def test_a_feed_listed_twice_is_asked_once(web: Web, tmp_path: Path) -> None:
    """Twice the load would be nobody's gain."""
    url = web.say("/feed", TAGGED)
    Pass(tmp_path, [url, url])
    assert web.asked("/feed") == 1


@pytest.mark.parametrize(("options", "cure"), [
    ({"feeds": []}, "feeds"), ({"feeds": "https://x"}, "feeds"), ({"feeds": ["x.example"]}, "https"),
    ({"feed": ["https://x"]}, "feeds"), ({"feeds": ["https://x"], "contact": 5}, "contact")], ids=str)
def test_wrong_options_say_what_to_do(tmp_path: Path, options: dict[str, Any], cure: str) -> None:
    """Nothing is asked before they are right."""
    rest = {name: value for name, value in options.items() if name != "feeds"}
    with pytest.raises(OperatorError) as caught:
        Pass(tmp_path, options.get("feeds", []), **rest)
    assert cure in caught.value.cure
