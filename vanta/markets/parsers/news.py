"""RSS, Atom and JSON Feed bytes → one record per item. Pure and total: bad bytes become problems.

feedparser reads the shape; what it is lenient about is checked again here. It is given bytes in memory and
never a string, because a string may make it open a file or a URL. An empty `version` is no feed, whatever
`bozo` says (an error page parses without complaint). A feed that is not well-formed is used and called
incomplete, except where the damage is known to be harmless: a wrong charset or media type, an HTML entity.
Dates are read again from their raw text (`dates.py`).

A record: `{"record": "item", "index": 0, "guid": …, "link": …, "title": …, "summary": …, "published":
"2026-11-20T14:00:00.000Z", "time_quality": "exact", "date_raw": …, "tags": ["NASDAQ:ACMR"], "feed": …}`.
`published` is `None` where no date can be read; markup is taken out of title and summary, which is cut at 1,000
characters.
"""

import html
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from vanta.common.errors import BadInput
from vanta.common.strictjson import loads
from vanta.common.times import iso
from vanta.markets.core.records import Problem, Reading
from vanta.markets.parsers.dates import When, when
from vanta.markets.parsers.inflate import CutShort, Inflater, TooLarge

MAX_BYTES = 16 * 1024 * 1024
_MOST_TEXT = 1000
_HARMLESS = ("CharacterEncodingOverride", "NonXMLContentType")
_LIBRARY = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError)
_ENTITY = re.compile(rb"<!ENTITY\s+(?:%\s+)?[\w:.-]+\s+(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_EXTERNAL = re.compile(rb"<!ENTITY\s+(?:%\s+)?[\w:.-]+\s+(?:SYSTEM|PUBLIC)\b", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]*>")
_LISTED = re.compile(r"(?:[A-Za-z ]{2,20}:\s?\$?|\$)[A-Za-z]{1,5}(?:[./-][A-Za-z]{1,2})?")
_TICKER_SCHEME = re.compile(r"ticker|symbol|stock", re.IGNORECASE)


def read(body: bytes, *, where: str, content_type: str = "") -> Reading:
    """Records and problems of one payload. `content_type` is the header as served, empty if unknown."""
    try:
        body = _inflated(body)
    except (CutShort, TooLarge) as error:
        return _refused("damaged_compression", str(error) or f"more than {MAX_BYTES:,} bytes", where)
    if not body.strip():
        return _refused("empty", "the payload is empty", where)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _json_feed(body, where)
    if _explosive(body):
        return _refused("entity_bomb", "the document type declares entities of entities or outside entities", where)
    if body.lstrip().startswith(b"<?xml"):
        body = body.lstrip()  # an empty line before the declaration is common and would make it an error
    return _xml_feed(body, where, content_type)


def _inflated(body: bytes) -> bytes:
    """The body without a compression that the transport did not know about."""
    if body[:2] == b"\x1f\x8b":
        inflater = Inflater("gzip", MAX_BYTES)
    elif body[:1] == b"\x78" and len(body) > 1 and int.from_bytes(body[:2], "big") % 31 == 0:
        inflater = Inflater("deflate", MAX_BYTES)
    else:
        return body
    inflater.feed(body)
    return inflater.finish()


def _explosive(body: bytes) -> bool:
    """Whether the internal subset can make a small file large or reach outside it."""
    if b"<!ENTITY" not in body and b"<!entity" not in body:
        return False
    values = (match[1] or match[2] or b"" for match in _ENTITY.finditer(body))
    return bool(_EXTERNAL.search(body)) or any(re.search(rb"&(?!#)[^;\s]+;", value) for value in values)


def _xml_feed(body: bytes, where: str, content_type: str) -> Reading:
    import feedparser

    headers = {"content-type": content_type} if content_type else {}
    try:
        parsed = feedparser.parse(io.BytesIO(body), response_headers=headers)
    except _LIBRARY as error:
        return _refused("unreadable", f"the feed library gave up: {type(error).__name__}", where)
    if not dict.get(parsed, "version"):
        return _refused("not_a_feed", "the payload is not RSS, Atom or JSON Feed", where)
    records, problems = _collected(_entries(parsed), where)
    damage = _damage(parsed)
    if damage:
        problems.insert(0, Problem(code="damaged_feed", detail=damage, where=where))
    return Reading(records=records, problems=problems, complete=damage is None)


def _damage(parsed: dict[str, Any]) -> str | None:
    """What is wrong with the feed as XML, or `None` where it is well-formed or harmlessly not."""
    if not parsed.get("bozo"):
        return None
    error = parsed.get("bozo_exception")
    name = type(error).__name__
    if name in _HARMLESS or (name == "SAXParseException" and "undefined entity" in str(error)):
        return None
    return f"{name}: {' '.join(str(error).split())[:120]}"


def _entries(parsed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    feed = _plain(dict.get(parsed["feed"], "title"))
    for entry in parsed["entries"]:
        # dict.get: feedparser's own lookup answers `updated` with `published` and warns about it.
        raw = [dict.get(entry, name) for name in ("published", "updated", "created")]
        body = dict.get(entry, "summary") or next((part.get("value") for part in entry.get("content", [])), "")
        yield {
            "guid": _line(dict.get(entry, "id")), "link": _line(dict.get(entry, "link")),
            "title": _plain(dict.get(entry, "title")), "summary": _plain(body),
            "tags": sorted({*_tags(entry.get("tags", [])), *_symbols(dict.get(entry, "nasdaq_tickers"))}),
            "feed": feed, "dates": [text for text in raw if isinstance(text, str) and text.strip()]}


def _tags(tags: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The categories that name a listed symbol; `Markets` and `IT` are only words."""
    for tag in tags:
        term = str(tag.get("term") or "").strip()
        if _LISTED.fullmatch(term):
            yield term
        elif _TICKER_SCHEME.search(str(tag.get("scheme") or "")):
            yield from _symbols(term)


def _symbols(text: object) -> list[str]:
    parts = text.split(",") if isinstance(text, str) else []
    return [part.strip() for part in parts if 0 < len(part.strip()) <= 20]


def _json_feed(body: bytes, where: str) -> Reading:
    try:
        value = loads(body, file=where, max_bytes=MAX_BYTES)
    except BadInput as error:
        return _refused("unreadable", error.reason, where)
    items = value.get("items")
    if not str(value.get("version", "")).startswith("https://jsonfeed.org/version/") or not isinstance(items, list):
        return _refused("not_a_feed", "the payload is JSON, but no JSON Feed", where)
    feed = _plain(value.get("title"))
    records, problems = _collected((_json_item(item, feed) for item in items), where)
    return Reading(records=records, problems=problems)


def _json_item(item: object, feed: str) -> dict[str, Any] | None:
    if not isinstance(item, dict):
        return None
    tags = item.get("tags")
    return {
        "guid": _line(item.get("id")), "link": _line(item.get("url") or item.get("external_url")),
        "title": _plain(item.get("title")),
        "summary": _plain(item.get("summary") or item.get("content_text") or item.get("content_html")),
        "tags": sorted(_tags({"term": tag} for tag in tags)) if isinstance(tags, list) else [],
        "feed": feed, "dates": [str(item[name]) for name in ("date_published", "date_modified") if item.get(name)]}


def _collected(items: Iterable[dict[str, Any] | None], where: str) -> tuple[list[dict[str, Any]], list[Problem]]:
    records, problems = [], []
    for index, item in enumerate(items):
        if item is None or not any(item[name] for name in ("title", "link", "guid", "summary")):
            problems.append(Problem(code="bad_item", detail="an item without title, text, link and id",
                                    where=f"{where}#entry[{index}]"))
            continue
        dates = item.pop("dates")
        read_as = _first(dates)
        records.append({
            "record": "item", "index": index, **item,
            "published": iso(read_as.moment) if read_as else None,
            "time_quality": read_as.quality if read_as else None, "date_raw": dates[0][:80] if dates else None})
    return records, problems


def _first(dates: list[str]) -> When | None:
    """The publication date, or a later date of the item where that one cannot be read: then it is assumed."""
    for index, raw in enumerate(dates):
        found = when(raw)
        if found is not None:
            return found if index == 0 or found.quality == "date" else When(found.moment, "assumed")
    return None


def _plain(text: object) -> str:
    """One line of text without markup."""
    return _line(html.unescape(_MARKUP.sub(" ", str(text)))) or "" if text else ""


def _line(text: object) -> str | None:
    if text is None or isinstance(text, (dict, list)):
        return None
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)[:20 * _MOST_TEXT]).split())
    return line[:_MOST_TEXT] or None


def _refused(code: str, detail: str, where: str) -> Reading:
    return Reading(records=[], problems=[Problem(code=code, detail=detail, where=where)], complete=False)
