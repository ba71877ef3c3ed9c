"""Who says what, when, under which identity."""

from datetime import UTC, datetime
from typing import Any

import pytest

from vanta.markets.core.news_item import Item, canonical_url, identity, item, outlet_of, unwrapped

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def record(**fields: Any) -> dict[str, Any]:
    return {"record": "item", "index": 0, "guid": None, "link": "https://example.com/a", "title": "Acme beats",
            "summary": "", "published": "2026-11-20T14:00:00.000Z", "time_quality": "exact", "date_raw": "x",
            "tags": [], "feed": "F", "_url": "https://feeds.example.org/rss", "_sha256": "0" * 64,
            "_media_type": "application/rss+xml", "_fetched_at": "2026-11-20T15:00:00.000Z"} | fields


def read(**fields: Any) -> Item:
    found = item(record(**fields), NOW)
    assert isinstance(found, Item)
    return found


@pytest.mark.parametrize(("url", "canonical"), [
    ("https://www.example.com/a/?utm_source=rss&utm_medium=x#top", "example.com/a"),
    ("http://Example.COM/a", "example.com/a"), ("https://m.example.com/a?mod=rss&siteid=1", "example.com/a"),
    ("https://example.com/a?id=2&b=1", "example.com/a?b=1&id=2"), ("https://example.com/a?b=1&id=2&fbclid=9",
                                                                   "example.com/a?b=1&id=2"),
    ("https://finance.yahoo.com/news/x.html?.tsrc=rss", "finance.yahoo.com/news/x.html"),
    ("https://example.com", "example.com"), ("no address", ""), ("", ""), ("http://[bad", "")])
def test_addresses_are_compared_without_what_varies(url: str, canonical: str) -> None:
    """Scheme, www, fragment, order and tracking parameters are not part of an address."""
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(("guid", "link", "key"), [
    ("", "https://example.com/a?utm_source=x", "url:example.com/a"),
    ("https://example.com/a?time=1598483701", "https://example.com/a", "url:example.com/a"),
    ("https://example.com/?p=123", "https://example.com/2026/a", "url:example.com?p=123"),
    ("108293642", "https://example.com/a", "guid:example.com:108293642"),
    ("tag:example.com,2026:1", "https://example.com/a", "guid:tag:example.com,2026:1"),
    ("urn:uuid:1", "", "guid:urn:uuid:1")],
    ids=["link", "a guid that changes at every fetch", "a stable guid behind a changing link", "a bare number", "tag",
         "urn"])
def test_identity(guid: str, link: str, key: str) -> None:
    """The guid where it can be trusted, else the address."""
    assert identity(guid, link, "example.com", "t") == key


def test_without_guid_and_link_the_title_and_day_are_the_identity() -> None:
    """The same headline on another day is another article."""
    one, same, other = (read(link=None, published=day) for day in (
        "2026-11-20T14:00:00.000Z", "2026-11-20T14:30:00.000Z", "2026-11-19T14:00:00.000Z"))
    assert one.key == same.key != other.key
    assert one.key.startswith("text:")


@pytest.mark.parametrize(("url", "outlet"), [
    ("https://www.reuters.com/x", "reuters.com"), ("https://finance.yahoo.com/x", "yahoo.com"),
    ("https://www.bbc.co.uk/x", "bbc.co.uk"),
    ("http://127.0.0.1:80/x", "127.0.0.1"), ("http://localhost/x", "localhost"),
    ("http://feedproxy.google.com/~r/TypePadNews/~3/0BN9/x", "feedburner:typepadnews"), ("nothing", ""),
    ("http://[bad", "")])
def test_outlets(url: str, outlet: str) -> None:
    """The registered domain; a syndication service is not the publisher."""
    assert outlet_of(url) == outlet


def test_a_search_engines_redirect_is_unwrapped() -> None:
    """The article's outlet is not the search engine."""
    link = "https://www.google.com/url?rct=j&sa=t&url=https://www.example.com/a&ct=ga"
    assert unwrapped(link) == "https://www.example.com/a"
    assert (read(link=link).outlet, read(link=link).key) == ("example.com", "url:example.com/a")
    assert unwrapped("https://www.google.com/url") == "https://www.google.com/url"
    assert unwrapped("http://[bad") == ""


@pytest.mark.parametrize(("stated", "quality", "expected"), [
    ("2026-11-20T14:00:00.000Z", "exact", ("2026-11-20T14:00:00.000Z", "exact", ())),
    ("2026-11-20T14:00:00.000Z", "assumed", ("2026-11-20T14:00:00.000Z", "assumed", ("assumed_tz",))),
    ("2026-11-20T15:10:00.000Z", "exact", ("2026-11-20T15:00:00.000Z", "exact", ())),
    ("2026-11-20T15:10:00.001Z", "exact", ("2026-11-20T15:00:00.000Z", "assumed", ("future_date",))),
    ("2026-11-20T23:59:59.000Z", "date", ("2026-11-20T15:00:00.000Z", "date", ()))],
    ids=["past", "assumed zone", "ten minutes ahead", "more than ten minutes ahead", "today without a time"])
def test_no_item_is_from_the_future(stated: str, quality: str, expected: tuple[str, str, tuple[str, ...]]) -> None:
    """A date ahead of us is set to now; far ahead it is wrong and flagged."""
    found = read(published=stated, time_quality=quality)
    assert (found.at, found.quality, found.flags) == expected


@pytest.mark.parametrize(("raw", "why"), [(None, "the item has no date"), ("soon", "the date 'soon' cannot be read")])
def test_an_item_without_a_readable_date_is_refused(raw: str | None, why: str) -> None:
    """"Published now" at every poll would never age."""
    assert item(record(published=None, time_quality=None, date_raw=raw), NOW) == why


def test_only_a_text_of_some_length_identifies_a_copy() -> None:
    """Two articles that both say "Read more" are not the same."""
    assert read(summary="Read more").text == ""
    assert read(summary="word " * 30).text == read(summary="Word, " * 30 + "https://x.example").text != ""
