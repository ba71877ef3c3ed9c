"""Real feeds and the conformance corpus of hostile ones: always a status, never a crash, never a silent wrong date."""

import gzip
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from vanta.common.canonical import canonical, sha256
from vanta.common.models.signal import Signal
from vanta.common.times import iso
from vanta.markets.core.news import normalise
from vanta.markets.core.records import NormaliseContext, Normalised
from vanta.markets.parsers import news
from vanta.markets.parsers.dates import when

pytestmark = pytest.mark.realdata
NOW = datetime(2026, 6, 1, tzinfo=UTC)
KNOWN_STATUS = {"damaged_feed", "not_a_feed", "empty", "damaged_compression", "entity_bomb", "unreadable", "bad_item"}


def feeds(realdata: Path) -> Iterator[tuple[str, bytes]]:
    """Every real feed, as served: the ones stored as gzip are unpacked."""
    for file in sorted((realdata / "news" / "feeds_feedjira_real").iterdir()):
        body = file.read_bytes()
        yield file.name, gzip.decompress(body) if file.suffix == ".gz" else body


def corpus(realdata: Path) -> Iterator[tuple[str, bytes]]:
    """Every member of the conformance corpus, exactly as it is."""
    with zipfile.ZipFile(realdata / "news" / "feedparser_corpus.zip") as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                yield name, archive.read(name)


def universe(realdata: Path) -> dict[str, str]:
    listing = json.loads(gzip.decompress((realdata / "edgar" / "misc" / "company_tickers.json.gz").read_bytes()))
    return {row["ticker"]: row["title"] for row in listing.values()}


def run(records: list[dict[str, Any]], names: dict[str, str], *known: Signal) -> Normalised:
    stored = [json.loads(canonical(record)) for record in records]  # records must survive their stored form
    return normalise(stored, NormaliseContext(now=NOW, collector="news", version="1", run_id="run_0", universe=names,
                                              known={signal.id: signal for signal in known}))


def independently(raw: str) -> datetime | None:
    """The instant of a date that states its offset, by the standard library; `None` if it does not state one."""
    if not re.search(r"(?:[+-]\d{2}:?\d{2}|Z|GMT|UT|UTC|[ECMP][SD]T)\s*$", raw.strip()):
        return None
    try:
        return parsedate_to_datetime(raw) if raw[:1].isalpha() or (raw[:2].strip().isdigit() and "-" not in raw[:5]) \
            else datetime.fromisoformat(raw)
    except ValueError:
        return None


def check_dates(records: list[dict[str, Any]]) -> Counter[str]:
    """A date is exact and right, or flagged, or missing with its raw text kept."""
    kinds: Counter[str] = Counter()
    for record in records:
        kinds[str(record["time_quality"])] += 1
        if record["published"] is None:
            assert record["time_quality"] is None
        elif record["time_quality"] == "exact":
            truth = independently(record["date_raw"])
            assert truth is not None, record["date_raw"]
            assert record["published"] == iso(truth)
        else:
            assert record["time_quality"] in ("date", "assumed")
    return kinds


def test_every_real_feed_is_read(realdata: Path) -> None:
    """All of them give their items, except for damage that is named; every entry tag is a record or a problem."""
    count = 0
    for name, body in feeds(realdata):
        reading = news.read(body, where=f"file:{name}")
        assert reading.records, name
        assert {problem.code for problem in reading.problems} <= {"damaged_feed"}, (name, reading.problems)
        assert reading.complete == (not reading.problems)
        if not name.startswith("json_feed"):
            tags = len(re.findall(rb"<(?:item|entry)[\s>]", body))
            assert len(reading.records) == tags, name
        check_dates(reading.records)
        count += len(reading.records)
    assert count == 188


def test_real_feeds_without_a_readable_date_say_so(realdata: Path) -> None:
    """Items without a date are refused as undated, not published now; an epoch number is not taken for a year."""
    bodies = dict(feeds(realdata))
    undated = news.read(bodies["Permalinks.xml"], where="f").records
    assert [record["published"] for record in undated] == [None] * 4
    odd = news.read(bodies["InvalidDateFormat.xml"], where="f").records
    assert [record["published"] for record in odd] == ["2017-10-16T15:10:00.000Z", "2017-10-17T12:17:00.000Z"]


def test_the_whole_corpus_gives_a_status(realdata: Path) -> None:
    """1,380 files made to break parsers: each is read whole or named, and what is read can be stored and used."""
    status: Counter[str] = Counter()
    for name, body in corpus(realdata):
        reading = news.read(body, where=f"file:{name}")
        codes = {problem.code for problem in reading.problems}
        assert codes <= KNOWN_STATUS, (name, codes)
        assert reading.complete == (codes <= {"bad_item"}), name
        check_dates(reading.records)
        origin = {"_sha256": sha256(body), "_url": f"file:{name}", "_media_type": "application/xml",
                  "_fetched_at": iso(NOW)}
        result = run([record | origin for record in reading.records], {})
        assert (result.signals, result.duplicates + result.not_signals + len(result.problems)) == (
            [], len(reading.records)), name
        status["whole" if reading.complete else "named"] += 1
    assert sum(status.values()) > 1000
    assert status["named"] > 10
    assert status["whole"] > 10 * status["named"]


@pytest.mark.parametrize(("member", "code"), [
    ("compression/gzip.gz", None), ("compression/gzip-struct-error.gz", "damaged_compression"),
    ("compression/deflate.z", None), ("compression/deflate-no-headers.z", "not_a_feed")])
def test_compressed_members(realdata: Path, member: str, code: str | None) -> None:
    """Compression that the transport did not undo is undone, or the payload is refused."""
    reading = news.read(dict(corpus(realdata))[member], where="f")
    assert [problem.code for problem in reading.problems if problem.code != "bad_item"] == ([code] if code else [])


def parsed_items(realdata: Path) -> list[dict[str, Any]]:
    """The recorded finance items (already parsed by their recorder), as records of our parser's shape."""
    records = []
    with zipfile.ZipFile(realdata / "news" / "finance_rss_parsed.zip") as archive:
        for name in archive.namelist():
            for index, found in enumerate(items_in(json.loads(archive.read(name)))):
                read_as = when(str(found["pubDate"]))
                records.append({
                    "record": "item", "index": index, "guid": found.get("guid"), "link": found.get("link"),
                    "title": found.get("title") or "", "summary": found.get("description") or "",
                    "published": iso(read_as.moment) if read_as else None,
                    "time_quality": read_as.quality if read_as else None, "date_raw": found["pubDate"], "feed": name,
                    "tags": sorted({tag for tag in (found.get("tickers") or "").split(",") if tag}),
                    "_sha256": sha256(name.encode()), "_url": f"file:{name}", "_media_type": "application/rss+xml",
                    "_fetched_at": iso(NOW)})
    return records


def items_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "pubDate" in value:
            yield value
        else:
            for inner in value.values():
                yield from items_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from items_in(inner)


def test_dates_of_real_finance_feeds(realdata: Path) -> None:
    """GMT, EDT, EST and offsets: all exact, and equal to the standard library's reading."""
    kinds = check_dates(parsed_items(realdata))
    assert kinds["exact"] > 2000
    assert set(kinds) == {"exact"}


def test_real_finance_items_become_claims_once(realdata: Path) -> None:
    """The same articles stand in many feeds of one publisher: one claim each; a second look says nothing new."""
    names = universe(realdata)
    records = [record for record in parsed_items(realdata) if record["tags"] or "stock" in record["title"].lower()]
    result = run(records, names)
    assert len(result.signals) > 50
    assert result.problems == []
    for signal in result.signals:
        assert Signal.model_validate(signal.model_dump()) == signal
        assert 0.5 <= signal.confidence <= 0.8
    titles = Counter((signal.entity.key, signal.features["title.1"]) for signal in result.signals)
    assert max(titles.values()) == 1
    again = run(records[::-1], names, *result.signals)
    assert (again.signals, again.duplicates + again.not_signals) == ([], len(records))
