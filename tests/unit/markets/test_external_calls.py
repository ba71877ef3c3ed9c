"""`external_calls_disabled` stops feeds: no request arrives anywhere, and what was known stays."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.unit.markets.collectors.reddit_server import RedditServer, reddit_server
from tests.unit.markets.collectors.web_server import Reply, Web, running
from tests.unit.markets.payloads import NOW, rss
from vanta.common.clock import Clock, ManualClock
from vanta.common.exitcodes import Exit
from vanta.common.models.configuration import FeedSettings, MarketsSettings, Settings
from vanta.common.paths import COLLECTION_LOG, FEEDS, OVERLAY, VAULTS, Home, signals_file
from vanta.common.times import parse_iso
from vanta.markets.wire import Markets, build

CLEAR = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False}
PAGE = rss(("Acme", "Apple (NASDAQ: AAPL) beats forecast", -60))
EVERY = [*FEEDS, "prices"]


@pytest.fixture
def web() -> Iterator[Web]:
    with running() as server:
        yield server


@pytest.fixture
def reddit() -> Iterator[RedditServer]:
    with reddit_server() as server:
        yield server


class Node:
    """A markets node whose feeds are all asked at local servers."""

    def __init__(self, root: Path, web: Web, reddit: RedditServer) -> None:
        self.home = Home(root / "home").prepare()
        self.web, self.reddit = web, reddit
        for name in ("id", "secret"):
            (root / name).write_text(name)
            (root / name).chmod(0o600)
        exchange = {"exchanges": ["bybit"], "assets": ["BTC"], "urls": {"bybit": web.url}}
        self.options: dict[str, dict[str, Any]] = {
            "sec": {"base_url": web.url}, "news": {"feeds": [web.say("/feed", Reply(body=PAGE))]},
            "crypto": exchange, "prices": exchange,
            "reddit": {"client_id_file": str(root / "id"), "client_secret_file": str(root / "secret"),
                       "subreddits": ["stocks"], "reddit_url": reddit.url, "oauth_url": reddit.url}}

    def markets(self, clock: Clock | None = None) -> Markets:
        """The node, as settings make it."""
        feeds = {name: FeedSettings(options=options) for name, options in self.options.items()}
        settings = Settings(markets=MarketsSettings(contact="ops@example.org", feeds=feeds))
        return build(self.home, settings, clock or ManualClock(parse_iso(NOW)))

    def save(self, raw: bytes | None) -> None:
        """Save the overlay, or take it away, in a home that has vaults."""
        self.home.file(VAULTS).write_text('{"vaults": []}')
        self.home.file(OVERLAY).unlink(missing_ok=True)
        if raw is not None:
            self.home.file(OVERLAY).write_bytes(raw)

    def asked(self) -> int:
        """How many requests arrived."""
        return len(self.web.seen) + len(self.reddit.requests)

    def said(self) -> dict[str, Any]:
        """The last record of the collection log."""
        return dict(orjson.loads(self.home.file(COLLECTION_LOG).read_bytes().splitlines()[-1])["payload"])


@pytest.fixture
def node(tmp_path: Path, web: Web, reddit: RedditServer) -> Node:
    return Node(tmp_path, web, reddit)


ON = json.dumps(CLEAR | {"external_calls_disabled": {"enabled": True, "reason": "drill", "by": "ops"}}).encode()


@pytest.mark.parametrize("raw", [ON, json.dumps(CLEAR).encode()[:-9], b"", None],
                         ids=["on", "half saved", "empty", "taken away"])
@pytest.mark.parametrize("feed", EVERY)
def test_no_feed_makes_a_call(node: Node, feed: str, raw: bytes | None) -> None:
    """It ends with 5, says why in its file and in the log, and asks nobody."""
    node.save(raw)
    report = node.markets().collect(feed)
    assert (report.exit, report.result.status) == (Exit.REFUSED, "error")
    assert "no feed may be called" in report.result.reason
    assert node.said()["status_reason"] == report.result.reason
    assert "overlay check" in report.cure
    if feed != "prices":
        assert json.loads(node.home.file(signals_file(feed)).read_text())["status_reason"] == report.result.reason
    assert node.asked() == 0


@pytest.mark.parametrize("feed", EVERY)
def test_the_same_feeds_do_ask_when_they_may(node: Node, feed: str) -> None:
    """What the test above counts would be seen."""
    node.save(json.dumps(CLEAR).encode())
    node.markets().collect(feed)
    assert node.asked() > 0


def test_a_feed_without_its_settings_is_refused_all_the_same(node: Node) -> None:
    """The switch comes first: nobody has to correct a setting to be told that nothing may be asked."""
    node.save(ON)
    node.options["reddit"] = {}
    assert node.markets().collect("reddit").exit == Exit.REFUSED


def test_the_last_good_signals_stay(node: Node) -> None:
    """They were collected before the switch was set, and so was the cursor."""
    node.save(json.dumps(CLEAR).encode())
    assert node.markets().collect("news").exit == Exit.DONE
    before = json.loads(node.home.file("news_signals.json").read_text())
    node.save(ON)
    assert node.markets(ManualClock(parse_iso(NOW) + timedelta(hours=1))).collect("news").exit == Exit.REFUSED
    after = json.loads(node.home.file("news_signals.json").read_text())
    assert before["signals"]
    assert (after["signals"], after["last_success_at"]) == (before["signals"], before["last_success_at"])
    assert after["status"] == "error"


def test_recorded_payloads_are_read_all_the_same(node: Node, tmp_path: Path) -> None:
    """They call nobody."""
    node.save(ON)
    (tmp_path / "page.xml").write_bytes(PAGE)
    assert node.markets().collect("news", tmp_path / "page.xml").exit == Exit.DONE
    assert node.asked() == 0


class Saving(ManualClock):
    """The operator saves the switch while a collector waits for its turn."""

    def __init__(self, node: Node) -> None:
        super().__init__(parse_iso(NOW))
        self._node = node

    def sleep(self, seconds: float) -> None:
        self.move_to(self.now() + timedelta(seconds=seconds))
        self._node.save(ON)


def test_a_pass_that_is_under_way_stops_at_its_next_request(node: Node, web: Web) -> None:
    """What was fetched counts; the rest is not asked for, the cursor stays, and the command ends with 5."""
    node.save(json.dumps(CLEAR).encode())
    node.options["news"]["feeds"] = [web.say(f"/{number}", Reply(body=PAGE, headers={"ETag": '"1"'}))
                                     for number in range(5)]
    report = node.markets(Saving(node)).collect("news")
    assert (report.exit, report.result.status) == (Exit.REFUSED, "partial")
    assert report.result.counts.signals_new == 1
    assert node.asked() == 2
    assert not (node.home.collector_state("news") / "cursor.json").exists()


@pytest.mark.parametrize(("feed", "bucket"), [
    ("crypto", "ccxt-bybit"), ("prices", "ccxt-bybit"), ("sec", "127.0.0.1"), ("news", "127.0.0.1"),
    ("reddit", "reddit-" + hashlib.sha256(b"id").hexdigest()[:12])])
def test_a_switch_saved_before_the_very_first_request_stops_it(node: Node, feed: str, bucket: str) -> None:
    """Libraries that make requests by themselves wait for their turn like all others, and look again when it comes."""
    node.save(json.dumps(CLEAR).encode())
    shared = node.home.collector_state("ratelimit")
    shared.mkdir(parents=True)
    (shared / f"{bucket}.json").write_text('{"millitokens": 0, "at_ms": 0}')
    assert node.markets(Saving(node)).collect(feed).exit == Exit.REFUSED
    assert node.asked() == 0
