"""The table of feeds: the very pure halves that the collectors are made of, and what is unknown."""

from typing import Any

import orjson
import pytest

from tests.unit.markets.claims import NOW
from vanta.common.clock import FixedClock
from vanta.common.paths import FEEDS
from vanta.markets.collectors.wire import COLLECTORS, collector_of
from vanta.markets.core.feed import PAYLOADS
from vanta.markets.core.feeds.prices import PricesFeed
from vanta.markets.core.feeds.table import feed_of
from vanta.markets.core.products import QuotesFile, SignalsFile, product_of
from vanta.markets.core.records import NormaliseContext
from vanta.markets.core.sliced import SLICES, Sliced, line_of, slice_of


@pytest.mark.parametrize("name", COLLECTORS)
def test_a_collector_reads_as_the_table_says(name: str) -> None:
    """One truth: what replay asks is what the runner asked."""
    feed, collector = feed_of(name, PAYLOADS), collector_of(name, FixedClock(NOW))
    assert feed is not None
    for hook in ("read", "normalise", "published_at"):
        assert getattr(type(feed), hook) is getattr(type(collector), hook)
    assert (feed.feed, feed.version, feed.history_s, feed.form) == (
        collector.feed, collector.version, collector.history_s, collector.form)


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_feed_has_its_file(name: str) -> None:
    """Claims in one of their own, prices in the quotes."""
    feed = feed_of(name, PAYLOADS)
    assert feed is not None
    assert type(product_of(feed, {})) is (SignalsFile if name in FEEDS else QuotesFile)


def test_an_unknown_feed_or_form_is_none() -> None:
    """Of a later version, for instance."""
    assert feed_of("tea", PAYLOADS) is None
    assert feed_of("news", "tea") is None


def test_slices_of_a_feed_are_normalised_as_the_feed_does() -> None:
    """Their records stand in lines; the place of each is its line."""
    feed = feed_of("prices", SLICES)
    assert isinstance(feed, Sliced)
    record: dict[str, Any] = {"record": "bar", "symbol": "AAPL", "index": 7, "path": "/7"}
    assert orjson.loads(line_of(record)) == {**record, "index": 0, "path": ""}
    reading = feed.read(slice_of([line_of(record), line_of({"record": "bar"})], "file:a", NOW))
    assert reading.records == [{**record, "index": 0, "path": "/0"}, {"record": "bar"}]
    made = feed.normalise(reading.records, NormaliseContext(now=NOW, collector="prices", version="1", run_id="r",
                                                            universe={}))
    assert made.not_signals == 2


def test_a_feed_need_not_say_when_a_record_was_published() -> None:
    """A simulation never shows such a record; prices have their own way."""
    assert PricesFeed().published_at({"record": "bar"}) is None
