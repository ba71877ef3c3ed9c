"""One parsed feed item → who said what, when, under which identity. Pure.

It decides the item's identity, its outlet and its time; it refuses items without a readable date, because an
item that is "published now" at every poll never ages.

Identity is the guid where there is one. Two real habits need care: a guid that is the article's address with
a query that changes at every fetch (then the link is the identity), and a guid that is a bare number, unique
only within its outlet. Without guid and link it is a hash of the title and the day. Addresses are compared
without scheme, `www.`, fragment and tracking parameters.

Example: link `https://www.example.com/a?utm_source=rss#top` → identity `url:example.com/a`, outlet `example.com`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from vanta.common.canonical import sha256
from vanta.common.times import iso, parse_iso
from vanta.markets.core.neardup import normalise

_TRACKING = re.compile(
    r"utm_.*|guce_.*|soc_.*|(?:fb|g|d|tt|y)clid|msclkid|igshid|mc_[ce]id|cmp|cmpid|ncid|guccounter|yptr|__source|mod|"
    r"siteid|\.?tsrc|ref|ref_src|src|partner|rss|feedtype|feedname", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:www\d?|m|mobile|amp|feeds?|rss)\.")
_SECOND_LEVEL = frozenset({"co", "com", "net", "org", "gov", "ac", "edu"})
_BURNER = re.compile(r"/~r/([^/]+)/")
_AHEAD = timedelta(minutes=10)
_FURTHEST_WEST = timedelta(hours=12)
_WHOLE_TEXT = 80  # characters; a shorter summary is too little to call two articles the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One article. `at` is when it was public (ISO, UTC); `text` a hash of its summary, empty if too short."""

    key: str
    outlet: str
    title: str
    body: str
    text: str
    at: str
    quality: str
    flags: tuple[str, ...]
    tags: tuple[str, ...]
    source: Mapping[str, Any]


def item(record: Mapping[str, Any], now: datetime) -> Item | str:
    """Build the item, or say why it cannot be used."""
    if record["published"] is None:
        return f"the date {record['date_raw']!r} cannot be read" if record["date_raw"] else "the item has no date"
    at, quality, flags = _time(record, now)
    link = unwrapped(record["link"] or "")
    title = record["title"] or record["summary"][:120]
    outlet = outlet_of(link) or outlet_of(str(record["_url"])) or "unknown"
    return Item(
        key=identity(record["guid"] or "", link, outlet, title + record["published"][:10]), outlet=outlet, title=title,
        body=f"{record['title']}. {record['summary'][:400]}", text=_text_hash(record["summary"]), at=at,
        quality=quality, flags=flags, tags=tuple(record["tags"]), source=record)


def _time(record: Mapping[str, Any], now: datetime) -> tuple[str, str, tuple[str, ...]]:
    """Public time, never after now; far ahead of us it is wrong and said to be."""
    stated, quality = parse_iso(record["published"]), str(record["time_quality"])
    if quality != "date" and stated > now + _AHEAD:
        return iso(now), "assumed", ("future_date",)
    return iso(min(stated, now)), quality, ("assumed_tz",) if quality == "assumed" else ()


def public_at(record: Mapping[str, Any]) -> datetime | None:
    """When the item became public; a time whose zone nobody states may be meant twelve hours behind UTC."""
    if record["published"] is None:
        return None
    stated = parse_iso(record["published"])
    return stated + _FURTHEST_WEST if record["time_quality"] == "assumed" else stated


def identity(guid: str, link: str, outlet: str, fallback: str) -> str:
    """The identity of an article; see the module's text."""
    if guid.startswith(("http://", "https://")):
        plain_guid, plain_link = canonical_url(guid), canonical_url(link)
        moving = plain_link and plain_guid.partition("?")[0] == plain_link.partition("?")[0]
        return f"url:{plain_link if moving else plain_guid}"
    if guid.startswith(("urn:", "tag:")):
        return f"guid:{guid}"
    if guid:
        return f"guid:{outlet}:{guid}"
    if link:
        return f"url:{canonical_url(link)}"
    return f"text:{sha256(fallback.encode())[:32]}"


def canonical_url(url: str) -> str:
    """Host, path and the parameters that matter, sorted; empty for what is no address."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").rstrip(".")
        query = urlencode(sorted(pair for pair in parse_qsl(parts.query) if not _TRACKING.fullmatch(pair[0])))
    except ValueError:
        return ""
    if not host:
        return ""
    return _PREFIX.sub("", host) + (parts.path.rstrip("/") or "") + (f"?{query}" if query else "")


def unwrapped(url: str) -> str:
    """The address behind a search engine's redirect link."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if re.fullmatch(r"(?:www\.)?google\.[a-z.]{2,6}", parts.hostname or "") and parts.path == "/url":
        inner = parse_qs(parts.query)
        return (inner.get("url") or inner.get("q") or [url])[0]
    return url


def outlet_of(url: str) -> str:
    """Who publishes at an address: its registered domain, as nearly as that can be told without a list."""
    try:
        parts = urlsplit(url)
        labels = (parts.hostname or "").rstrip(".").split(".")
    except ValueError:
        return ""
    burner = _BURNER.search(parts.path)
    if burner and labels[-2:] in (["google", "com"], ["feedburner", "com"]):
        return f"feedburner:{burner[1].lower()}"
    keep = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels if labels[-1].isdigit() else labels[-keep:])


def _text_hash(summary: str) -> str:
    plain = normalise(summary)[:300]
    return sha256(plain.encode())[:16] if len(plain) >= _WHOLE_TEXT else ""
