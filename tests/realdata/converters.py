"""Recordings that were published in another form, put back into the form in which a feed serves them.

Each converter says what it takes, what it writes, and what it has to make up because the recording lacks it. They
change no content: titles, texts, times and prices are the recorded ones.
"""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

HEADER = ("date", "open", "high", "low", "close", "volume")
NEW_YORK = ZoneInfo("America/New_York")
NASDAQ = "http://nasdaq.com/reference/feeds/1.0"
PAGE = 100


def rss_files(archive: Path, out: Path, *, year: str) -> int:
    """`news/finance_rss_parsed.zip` (items parsed to JSON) → one RSS 2.0 file per feed, items of `year` alone.

    Title, link, guid, description, pubDate and categories are written as recorded; Nasdaq's tickers go back into its
    own namespace. Made up: the channel's title (the recording's file name). Returns the number of items.
    """
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    with zipfile.ZipFile(archive) as members:
        for name in sorted(members.namelist()):
            value = json.loads(members.read(name))
            for part, items in sorted(value.items() if isinstance(value, dict) else [("", value)]):
                kept = [item for item in items if year in item["pubDate"]]
                if kept:
                    title = f"{name.partition('.')[0]}{'.' if part else ''}{part}"
                    (out / f"{title}.xml").write_bytes(_rss(title, kept))
                    count += len(kept)
    return count


def _rss(title: str, items: Iterable[dict[str, str]]) -> bytes:
    ET.register_namespace("nasdaq", NASDAQ)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    ET.SubElement(channel, "title").text = title
    for item in items:
        node = ET.SubElement(channel, "item")
        for name in ("title", "link", "description", "pubDate"):
            if item.get(name):
                ET.SubElement(node, name).text = _xml_text(item[name])
        if item.get("guid"):
            permanent = str(item["guid"].startswith("http")).lower()
            ET.SubElement(node, "guid", isPermaLink=permanent).text = _xml_text(item["guid"])
        for category in filter(None, item.get("category", "").split(",")):
            ET.SubElement(node, "category").text = _xml_text(category)
        if item.get("tickers"):
            ET.SubElement(node, f"{{{NASDAQ}}}tickers").text = _xml_text(item["tickers"])
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + bytes(ET.tostring(root, encoding="utf-8"))


def _xml_text(text: str) -> str:
    """Without the control characters that no XML may hold."""
    return "".join(char for char in text if char in "\t\n\r" or char >= " ")


def reddit_listings(posts: Path, comments: Path, out: Path) -> int:
    """`reddit/wallstreetbets/*.csv.gz` → Reddit API listings (`t3` and `t1`), 100 things a page, newest first.

    Ids, titles, texts, scores and creation times are the recorded ones. Made up: the author, which the recording
    lacks; every post gets one of its own, so that the count of voices is that of posts. Returns the number of things.
    """
    out.mkdir(parents=True, exist_ok=True)
    things = [*map(_post, _rows(posts)), *map(_comment, _rows(comments))]
    things.sort(key=lambda thing: thing["data"]["created_utc"], reverse=True)
    for number, start in enumerate(range(0, len(things), PAGE)):
        page = things[start:start + PAGE]
        following = page[-1]["data"]["name"] if start + PAGE < len(things) else None
        body = {"kind": "Listing", "data": {"after": following, "dist": len(page), "modhash": None, "geo_filter": None,
                                            "children": page, "before": None}}
        (out / f"new_{number:02}.json").write_text(json.dumps(body), encoding="utf-8")
    return len(things)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _post(row: dict[str, str]) -> dict[str, Any]:
    return {"kind": "t3", "data": {**_common(row, "t3"), "title": row["title"], "selftext": row["body"],
                                   "url": row["url"], "num_comments": int(row["comms_num"]), "upvote_ratio": 0.5,
                                   "link_flair_text": None, "permalink": f"/r/wallstreetbets/comments/{row['id']}/"}}


def _comment(row: dict[str, str]) -> dict[str, Any]:
    return {"kind": "t1", "data": {**_common(row, "t1"), "body": row["body"],
                                   "permalink": f"/r/wallstreetbets/comments/x/_/{row['id']}/"}}


def _common(row: dict[str, str], kind: str) -> dict[str, Any]:
    return {"id": row["id"], "name": f"{kind}_{row['id']}", "author": f"author_of_{row['id']}",
            "created_utc": float(row["created"]), "edited": False, "score": int(row["score"]),
            "subreddit": "wallstreetbets", "distinguished": None}


def dated_csv_zip(archive: Path, out: Path) -> list[str]:
    """A zip of `SYMBOL.csv` with `Date,Open,High,Low,Close,Adj Close,Volume` → `SYMBOL.csv` with our header.

    Prices are the recorded ones, adjusted for splits and not for dividends; the column of dividend-adjusted closes is
    left out. Indices (`^GSPC`) are no instruments and are left out. Returns the symbols.
    """
    symbols = []
    with zipfile.ZipFile(archive) as members:
        for name in sorted(members.namelist()):
            symbol = Path(name).stem
            if not symbol.startswith("^"):
                table = csv.DictReader(io.StringIO(members.read(name).decode(), newline=""))
                write_prices(out, symbol, ([row[column.capitalize()] for column in HEADER] for row in table))
                symbols.append(symbol)
    return symbols


def stamped_csv(path: Path, out: Path, symbol: str, *, column: str) -> None:
    """A gzip CSV whose time stands in `column`, as epoch seconds or as naive UTC → `SYMBOL.csv` with ISO times."""
    rows = ([_iso(row[column]), *(row[name] for name in HEADER[1:])] for row in _rows(path))
    write_prices(out, symbol, rows)


def _iso(text: str) -> str:
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(float(text), UTC).isoformat()
    return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat()


def yahoo_chart(path: Path, out: Path) -> str:
    """Yahoo's v8 chart JSON of daily bars of a New York share → `SYMBOL.csv` by day. Returns the symbol.

    Yahoo serves open, high, low and close adjusted for splits, each bar stamped 9:30. The bar of the day on which the
    chart was recorded has the time of the last trade instead, because the day was not over: it is left out.
    """
    data = path.read_bytes()
    chart = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)["chart"]["result"][0]
    quote, symbol = chart["indicators"]["quote"][0], str(chart["meta"]["symbol"])
    stamps = [datetime.fromtimestamp(second, NEW_YORK) for second in chart["timestamp"]]
    columns = [["" if value is None else repr(value) for value in quote[name]] for name in HEADER[1:]]
    write_prices(out, symbol, ((stamp.date().isoformat(), *values)
                               for stamp, *values in zip(stamps, *columns, strict=True)
                               if (stamp.hour, stamp.minute) == (9, 30)))
    return symbol


def write_prices(out: Path, symbol: str, rows: Iterable[Iterable[str]]) -> None:
    """`SYMBOL.csv` with our header."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / f"{symbol}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)
