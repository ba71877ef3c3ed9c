"""Feeds as they come: whole, damaged, mislabelled and hostile."""

import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.markets.parsers import news
from vanta.markets.parsers.inflate import CutShort, Inflater, TooLarge

ITEM = ("<item><title>Acme beats</title><link>https://example.com/a</link><guid>g1</guid>"
        "<pubDate>Fri, 20 Nov 2026 09:00:00 EST</pubDate><description>It did.</description></item>")


def rss(items: str = ITEM, head: str = '<?xml version="1.0" encoding="UTF-8"?>', extra: str = "") -> bytes:
    return (f'{head}<rss version="2.0" {extra}><channel><title>The Feed</title>{items}</channel></rss>').encode()


ATOM = (b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry><id>urn:x:1</id>'
        b'<title type="html">Acme &lt;b&gt;up&lt;/b&gt;</title><link href="https://example.com/a"/>'
        b"<updated>2026-11-20T09:00:00-05:00</updated></entry></feed>")


def test_an_item_is_read_exactly() -> None:
    """Title, link, guid and the date with its zone."""
    reading = news.read(rss(), where="file:f.xml")
    assert reading.complete
    assert reading.records == [{
        "record": "item", "index": 0, "guid": "g1", "link": "https://example.com/a", "title": "Acme beats",
        "summary": "It did.", "tags": [], "feed": "The Feed", "published": "2026-11-20T14:00:00.000Z",
        "time_quality": "exact", "date_raw": "Fri, 20 Nov 2026 09:00:00 EST"}]


def test_atom_is_read_and_markup_taken_out() -> None:
    """An entry that only says when it was updated is dated by that, and called a guess only if unclear."""
    [record] = news.read(ATOM, where="f").records
    assert (record["guid"], record["title"]) == ("urn:x:1", "Acme up")
    assert (record["published"], record["time_quality"]) == ("2026-11-20T14:00:00.000Z", "exact")


@pytest.mark.parametrize(("date", "published", "quality"), [
    ("<pubDate>2026-11-20T09:00:00</pubDate>", "2026-11-20T09:00:00.000Z", "assumed"),
    ("<pubDate>Fri, 20 Nov 2026 09:00:00 CET</pubDate>", "2026-11-20T08:00:00.000Z", "exact"),
    ("<pubDate>Fri, 20 Nov 2026 09:00:00 IST</pubDate>", "2026-11-20T09:00:00.000Z", "assumed"),
    ("<pubDate>yesterday</pubDate>", None, None), ("", None, None),
    ("<pubDate>yesterday</pubDate><dc:date>2026-11-20T09:00:00Z</dc:date>", "2026-11-20T09:00:00.000Z", "assumed"),
    ("<pubDate>Fri, 20 Nov 2026 09:00:00 GMT</pubDate><dc:date>1518478934</dc:date>", "2026-11-20T09:00:00.000Z",
     "exact")],
    ids=["no zone", "a zone the library does not know", "an ambiguous zone", "no date at all", "none",
         "a later date instead", "a bad second date"])
def test_dates_are_read_from_the_raw_text(date: str, published: str | None, quality: str | None) -> None:
    """The library's own dates lie in silence; these do not."""
    body = rss(f"<item><title>a</title>{date}</item>", extra='xmlns:dc="http://purl.org/dc/elements/1.1/"')
    [record] = news.read(body, where="f").records
    assert (record["published"], record["time_quality"]) == (published, quality)


@pytest.mark.parametrize(("tags", "expected"), [
    ("<category>Nasdaq:ACMR</category><category>Markets</category><category>IT</category>", ["Nasdaq:ACMR"]),
    ("<category>$BRK.B</category>", ["$BRK.B"]),
    ('<category domain="https://x/stock-symbol">FB</category>', ["FB"]),
    ("<nasdaq:tickers>FB,CRM,FB</nasdaq:tickers>", ["CRM", "FB"])])
def test_only_categories_that_name_a_listing_are_tags(tags: str, expected: list[str]) -> None:
    """A category that says IT is about computers, not about a share."""
    body = rss(f"<item><title>a</title>{tags}</item>", extra='xmlns:nasdaq="http://nasdaq.com/reference/feeds/1.0"')
    assert news.read(body, where="f").records[0]["tags"] == expected


OWN = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY co "Acme">]>'
HARMLESS = {
    "undefined entity": (rss("<item><title>a&nbsp;b &amp; c</title></item>"), ""),
    "charset in the header is wrong": (rss("<item><title>café</title></item>"), "application/xml; charset=us-ascii"),
    "latin-1 called UTF-8": (rss("<item><title>café</title></item>").decode().encode("latin-1"), ""),
    "served as HTML": (rss(), "text/html"),
    "an empty line before the declaration": (b"\n\n" + rss(), ""),
    "a byte-order mark": (b"\xef\xbb\xbf" + rss(), ""),
    "gzip inside": (gzip.compress(rss()), ""),
    "zlib inside": (zlib.compress(rss()), ""),
    "UTF-16": (rss(head='<?xml version="1.0" encoding="utf-16"?>').decode().encode("utf-16"), ""),
    "an entity of its own": (rss("<item><title>&co; up</title></item>", head=OWN), ""),
}


@pytest.mark.parametrize(("body", "content_type"), HARMLESS.values(), ids=HARMLESS)
def test_harmless_damage_leaves_the_feed_whole(body: bytes, content_type: str) -> None:
    """Common mistakes of publishers cost nothing."""
    reading = news.read(body, where="f", content_type=content_type)
    assert (len(reading.records), reading.complete, reading.problems) == (1, True, [])


DAMAGED = {
    "cut inside an item": rss()[:-90], "cut at the end": rss()[:-9],
    "an unescaped bracket": rss("<item><title>a < b</title></item>"),
    "an unbound prefix": rss("<item><title>a</title><x:y/></item>"),
}


@pytest.mark.parametrize("body", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_feed_is_used_and_called_incomplete(body: bytes) -> None:
    """What can be read is read; the status says that it may not be all."""
    reading = news.read(body, where="f")
    assert [problem.code for problem in reading.problems] == ["damaged_feed"]
    assert len(reading.records) == 1
    assert not reading.complete


NESTED = "<!DOCTYPE x [<!ENTITY a 'haha'><!ENTITY b '&a;&a;&a;'>]>"
OUTSIDE = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>"
REFUSED = {
    "an error page": (b"<!DOCTYPE html><html><body>503</body></html>", "not_a_feed"),
    "XML of another kind": (b"<?xml version='1.0'?><note/>", "not_a_feed"),
    "text": (b"Service unavailable", "not_a_feed"),
    "empty": (b"", "empty"), "blank": (b" \r\n", "empty"), "nothing, compressed": (gzip.compress(b""), "empty"),
    "cut gzip": (gzip.compress(rss())[:-9], "damaged_compression"),
    "gzip in name only": (b"\x1f\x8bhello", "damaged_compression"),
    "entities of entities": (rss("<item><title>&b;</title></item>", head=NESTED), "entity_bomb"),
    "an outside entity": (rss("<item><title>&a;</title></item>", head=OUTSIDE), "entity_bomb"),
    "JSON of another kind": (b'{"a": 1}', "not_a_feed"),
    "JSON Feed without a list": (b'{"version": "https://jsonfeed.org/version/1", "items": {}}', "not_a_feed"),
    "damaged JSON": (b'{"version": "https://jsonfeed.org/version/1"', "unreadable"),
    "a character that is none": (rss("<item><title>&#xFFFFFFFF;</title></item>"), "unreadable"),
    "a tag that the library trips over": (
        ATOM.replace(b"<link", b'<gml:pos srsDimension="x">1</gml:pos><link'), "unreadable"),
    "an encoding with a NUL": (rss(head='<?xml version="1.0" encoding="i\0bm865"?>'), "unreadable"),
    "a key twice": (b'{"version": "https://jsonfeed.org/version/1", "items": [], "items": []}', "unreadable"),
}


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_feed_is_refused_with_a_reason(body: bytes, code: str) -> None:
    """An error page parses without complaint in the library; here it is an error."""
    reading = news.read(body, where="f")
    assert ([problem.code for problem in reading.problems], reading.records, reading.complete) == ([code], [], False)


def test_an_empty_feed_is_complete() -> None:
    """No news is no problem."""
    reading = news.read(rss(""), where="f")
    assert (reading.records, reading.problems, reading.complete) == ([], [], True)


def test_an_item_that_says_nothing_is_a_problem_of_its_own() -> None:
    """Its neighbours stand, and each keeps its place in the payload."""
    reading = news.read(rss("<item><pubDate>x</pubDate></item>" + ITEM), where="f")
    assert [(problem.code, problem.where) for problem in reading.problems] == [("bad_item", "f#entry[0]")]
    assert [record["index"] for record in reading.records] == [1]


def test_a_string_is_never_handed_to_the_library() -> None:
    """A body that looks like an address is parsed as bytes, not fetched."""
    reading = news.read(b"http://127.0.0.1:9/feed", where="f")
    assert [problem.code for problem in reading.problems] == ["not_a_feed"]


def test_a_compressed_bomb_is_cut_off() -> None:
    """The limit counts what comes out."""
    reading = news.read(gzip.compress(b"<rss>" + b" " * (news.MAX_BYTES + 1)), where="f")
    assert [problem.code for problem in reading.problems] == ["damaged_compression"]


JSON_FEED = {"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": [
    {"id": 7, "url": "https://example.com/a", "title": "Acme", "content_html": "<p>up</p>",
     "date_published": "2026-11-20T09:00:00-05:00", "tags": ["NASDAQ:ACME", "markets"]},
    {"id": "8", "external_url": "https://example.com/b", "content_text": "text", "tags": "no list"}, "no item"]}


def test_json_feed_is_read() -> None:
    """Numbers as ids, HTML as content, and an item that is no object."""
    reading = news.read(json.dumps(JSON_FEED).encode(), where="f")
    first, second = reading.records
    assert (first["guid"], first["summary"], first["tags"]) == ("7", "up", ["NASDAQ:ACME"])
    assert (first["published"], first["time_quality"]) == ("2026-11-20T14:00:00.000Z", "exact")
    assert (second["link"], second["title"], second["published"]) == ("https://example.com/b", "", None)
    assert [problem.where for problem in reading.problems] == ["f#entry[2]"]


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.sampled_from([rss(), ATOM, json.dumps(JSON_FEED).encode(), gzip.compress(rss())]), st.integers(0, 400),
       st.binary(max_size=8), st.integers(0, 40))
def test_damage_anywhere_never_raises(body: bytes, at: int, noise: bytes, gap: int) -> None:
    """Any bytes over any place of a good feed give records, problems, or a feed without items."""
    reading = news.read(body[:at] + noise + body[at + gap:], where="f")
    assert reading.complete or reading.problems


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=300), st.integers(1, 7), st.sampled_from(["gzip", "deflate", "identity", ""]))
def test_a_body_in_pieces_is_the_body(body: bytes, size: int, encoding: str) -> None:
    """However the network cuts a stream, what comes out is what went in."""
    sent = {"gzip": gzip.compress(body), "deflate": zlib.compress(body)}.get(encoding, body)
    inflater = Inflater(encoding, 300)
    for at in range(0, len(sent), size):
        inflater.feed(sent[at:at + size])
    assert inflater.finish() == body
    cut = Inflater(encoding, 300)
    cut.feed(sent[:-1])
    if encoding in ("gzip", "deflate"):
        with pytest.raises(CutShort):
            cut.finish()


def test_a_bomb_is_never_held_in_memory() -> None:
    """Inflating stops at the limit and not after it."""
    bomb = gzip.compress(b"x" * 30_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            Inflater("gzip", 1000).feed(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_one_byte_over_the_limit_is_too_large() -> None:
    """The limit itself is allowed."""
    Inflater("gzip", 300).feed(gzip.compress(b"x" * 300))
    with pytest.raises(TooLarge):
        Inflater("gzip", 299).feed(gzip.compress(b"x" * 300))
