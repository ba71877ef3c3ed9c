"""The composition root: which adapters, which settings, which locks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.markets.payloads import NOW, rss
from vanta.common.clock import FixedClock
from vanta.common.errors import LockHeld, OperatorError, StateError, UsageError
from vanta.common.models.configuration import FeedSettings, MarketsSettings, Settings
from vanta.common.paths import COLLECTION_LOG, FEEDS, PROMOTION_LOG, REFLECTION_LOG, Home
from vanta.common.settings import load
from vanta.common.store.journal import FileJournal
from vanta.common.times import parse_iso
from vanta.markets.collectors.port import (
    Collector,
    FetchContext,
    NormaliseContext,
    Normalised,
    Problem,
    RawPayload,
    Reading,
)
from vanta.markets.wire import COLLECTORS, Markets, build

PAGE = rss(("Acme", "Apple (NASDAQ: AAPL) beats forecast", -60))


class Listening(Collector):
    """A feed that remembers what it is given."""

    feed = "news"

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}
        self.state_dir = Path()
        self.universe: dict[str, str] = {}

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        self.options, self.state_dir = context.options, context.state_dir
        return iter(())

    def read(self, payload: RawPayload) -> Reading:
        raise NotImplementedError

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        self.universe = context.universe
        return Normalised(signals=[])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def markets(home: Home, settings: MarketsSettings | None = None) -> Markets:
    return build(home, Settings(markets=settings or MarketsSettings()), FixedClock(parse_iso(NOW)))


def kinds(home: Home, name: str) -> list[str]:
    journal = FileJournal(home.file(name))
    try:
        return [record.kind for record in journal.read()]
    finally:
        journal.close()


def test_every_feed_has_its_collector(home: Home) -> None:
    """The feeds that make signals, and prices; each under its own name."""
    assert sorted(COLLECTORS) == sorted([*FEEDS, "prices"])
    for feed in COLLECTORS:
        assert markets(home).collector(feed).feed == feed


def test_an_unknown_feed_is_named_with_what_was_meant(home: Home) -> None:
    """A mistyped feed is a usage error."""
    with pytest.raises(UsageError) as caught:
        markets(home).collect("redit")
    assert "Did you mean reddit?" in caught.value.cure


@pytest.mark.parametrize(("contact", "options", "given"), [
    (None, {}, {}),
    ("ops@example.org", {}, {"contact": "ops@example.org"}),
    ("ops@example.org", {"contact": "feed@example.org", "pages": 2}, {"contact": "feed@example.org", "pages": 2}),
])
def test_the_nodes_contact_is_the_feeds_unless_it_has_its_own(home: Home, contact: str | None, options: dict[str, Any],
                                                              given: dict[str, Any]) -> None:
    """One line in the settings introduces all collectors; a feed may say otherwise."""
    collector = Listening()
    markets(home, MarketsSettings(contact=contact, feeds={"news": FeedSettings(options=options)})) \
        .collect_with(collector, None)
    assert collector.options == given


def test_a_collector_gets_a_folder_of_its_own(home: Home) -> None:
    """Below `memory/collectors`, made on first use; its cursor lies there."""
    collector = Listening()
    markets(home).collect_with(collector, None)
    assert collector.state_dir == home.memory / "collectors" / "news"
    assert collector.state_dir.is_dir()


def test_the_universe_is_what_can_be_traded(home: Home) -> None:
    """The shipped names, what an operator added, and what has a quote; the latter two by symbol alone."""
    (home.config / "instruments.json").write_text(json.dumps({"instruments": [
        {"instrument_id": "equity:ZZZT", "entity": "equity:ZZZT", "asset_class": "equity", "symbol": "ZZZT",
         "currency": "USD", "calendar": "XNYS", "lot": "1", "tick": "0.01"},
        {"instrument_id": "option:ZZZU261218C00200000", "entity": "equity:ZZZU", "asset_class": "option",
         "symbol": "ZZZU", "currency": "USD", "calendar": "XNYS", "lot": "1", "tick": "0.01"}]}))
    home.file("market_quotes.json").write_text('{"quotes": {"crypto:PEPE-USD": {}}}')
    collector = Listening()
    markets(home).collect_with(collector, None)
    assert collector.universe["AAPL"].startswith("Apple")
    assert (collector.universe["ZZZT"], collector.universe["crypto:PEPE"]) == ("", "")
    assert "ZZZU" not in collector.universe, "an option alone makes nobody talk of its underlying"
    assert not [key for key in collector.universe if key.startswith(("equity:", "option:"))]


def test_prices_make_quotes(home: Home, tmp_path: Path) -> None:
    """The prices feed writes `market_quotes.json`, through the same steps and the same log."""
    (tmp_path / "BTC-USD.csv").write_text("date,open,high,low,close,volume\n2026-03-02,5,6,4,5.5,100\n")
    report = markets(home).collect("prices", tmp_path / "BTC-USD.csv")
    assert (report.result.status, report.result.reason) == ("ok", "1 quotes: 1 new, 0 renewed")
    document = json.loads(home.file("market_quotes.json").read_text())
    assert document["quotes"]["crypto:BTC-USD"]["last"] == "5.5"
    assert kinds(home, COLLECTION_LOG) == ["journal.opened", "collected"]


def test_a_failed_prices_pass_leaves_the_quotes_alone(home: Home, tmp_path: Path) -> None:
    """Bytes and all: a quote's own time says how old it is; the log says what happened."""
    (tmp_path / "BTC-USD.csv").write_text("date,open,high,low,close,volume\n2026-03-02,5,6,4,5.5,100\n")
    node = markets(home)
    node.collect("prices", tmp_path / "BTC-USD.csv")
    before = home.file("market_quotes.json").read_bytes()
    (tmp_path / "ETH-USD.csv").write_text("not a price file\n")
    report = node.collect("prices", tmp_path / "ETH-USD.csv")
    assert (report.result.status, int(report.exit)) == ("error", 78)
    assert home.file("market_quotes.json").read_bytes() == before
    assert kinds(home, COLLECTION_LOG) == ["journal.opened", "collected", "collected"]


def test_prices_too_old_for_any_quote_say_so(home: Home, tmp_path: Path) -> None:
    """A recording of another year is no error, and no silence either."""
    (tmp_path / "BTC-USD.csv").write_text("date,open,high,low,close,volume\n2020-03-02,5,6,4,5.5,100\n")
    report = markets(home).collect("prices", tmp_path / "BTC-USD.csv")
    assert report.result.reason == "0 quotes: 0 new, 0 renewed; 1 records are too old, 0 are not known yet"


def test_reflecting_holds_the_nodes_lock_until_closed(home: Home) -> None:
    """A second node in the same home is refused until then; collecting is not concerned."""
    first, second = markets(home), markets(home)
    first.reflect()
    first.promote()
    with pytest.raises(LockHeld):
        second.reflect()
    with pytest.raises(LockHeld):
        second.promote()
    second.collect_with(Listening(), None)
    first.close()
    first.close()
    with second:
        second.hold()
        assert kinds(home, REFLECTION_LOG)[0] == "journal.opened"
        assert kinds(home, PROMOTION_LOG) == ["journal.opened"]


def test_a_broken_log_leaves_the_lock_free(home: Home) -> None:
    """What cannot be opened is said, and does not lock the home for the one who repairs it."""
    home.file(PROMOTION_LOG).write_bytes(b"{}\n")
    node = markets(home)
    with pytest.raises(StateError, match=PROMOTION_LOG):
        node.promote()
    home.file(PROMOTION_LOG).unlink()
    with markets(home) as other:
        other.hold()


def test_a_torn_log_is_repaired_and_says_so(home: Home) -> None:
    """A half-written last line is set aside and recorded in the log that it stood in."""
    node = markets(home)
    node.collect_with(Listening(), None)
    with home.file(COLLECTION_LOG).open("ab") as log:
        log.write(b'{"seq":3,"at"')
    node.collect_with(Listening(), None)
    assert kinds(home, COLLECTION_LOG) == ["journal.opened", "collected", "tail.repaired", "collected"]
    (aside,) = home.memory.glob(f"{COLLECTION_LOG}.torn*")
    assert aside.read_bytes() == b'{"seq":3,"at"'


def test_nothing_at_the_source_is_refused_before_anything_is_done(home: Home) -> None:
    """Neither a lock nor a log nor a file is made for a mistyped path."""
    with pytest.raises(OperatorError):
        markets(home).collect("news", Path("/nowhere"))
    assert list(home.memory.iterdir()) == []


def test_settings_of_the_home_reach_the_feed(home: Home, tmp_path: Path) -> None:
    """The window of `vanta.toml` is the one that counts."""
    (tmp_path / "page.xml").write_bytes(PAGE)
    (home.config / "vanta.toml").write_text("[markets.feeds.news]\nwindow_s = 60\n")
    node = build(home, load(home, {}), FixedClock(parse_iso(NOW)))
    assert node.collect("news", tmp_path / "page.xml").result.counts.expired == 1
