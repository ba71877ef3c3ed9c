"""Price files and last prices, as plain records. Pure and total: a bad row is a problem with its file and line.

Decides what a file `SYMBOL.csv` (or `.csv.gz`) with the header `date,open,high,low,close,volume` says, and when each
bar was complete. Refuses to know trading calendars: a daily bar of a share has a date and no time, and the caller says
when its exchange closed.

When a bar is complete (`at`), because nothing may be known before:
- a date, or midnight with a day or more between rows: the end of that day (UTC) for crypto, None for shares;
- another time of day with a day or more between rows: that very time, it is a close;
- rows less than a day apart: the time is the bar's start, as exchanges stamp them, so a bar ends where the shortest
  step between rows puts it. A single row with a time of day is read as complete at that time.

Example: the row `2024-01-02,42000,43000,41500,42800,1234.5` of `BTC-USD.csv` is complete at 2024-01-03T00:00:00.000Z.
Times without a zone are UTC.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from vanta.common.instruments import from_symbol, pair_of
from vanta.common.money import MOST_VOLUME, decimal, plain
from vanta.common.times import iso
from vanta.markets.core.records import Problem

HEADER = ("date", "open", "high", "low", "close", "volume")
MAX_BYTES = 64 * 1024 * 1024
DAY = timedelta(days=1)
_NAME = re.compile(r"\.csv(?:\.gz)?$", re.IGNORECASE)
_GZIP = b"\x1f\x8b"


class SymbolKind(NamedTuple):
    """What a symbol names. Shares are quoted in USD."""

    kind: Literal["equity", "crypto"]
    base: str
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsReading:
    """The bars of one file, oldest first, and the rows that are none.

    A bar: symbol, date (ISO), at (None: the caller knows the close), open, high, low, close, volume as decimal text.
    """

    symbol: str
    bars: list[dict[str, Any]]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    stamp: datetime
    has_time: bool
    values: tuple[Decimal, ...]


class _Bad(ValueError):
    """A row that is no bar."""


def symbol_kind(name: str) -> SymbolKind:
    """`BTC-USD`, `BTC/USD`, `BTC_USD`, `BTCUSDT` are crypto where base and quote are known; all else is a share."""
    pair = pair_of(name)
    if pair is not None:
        return SymbolKind("crypto", *pair)
    return SymbolKind("equity", from_symbol(name).symbol, "USD")


def symbol_of(name: str) -> str:
    """The symbol that a file name spells: `data/BTC-USD.csv.gz` is `BTC-USD`."""
    return _NAME.sub("", name.removeprefix("file:").rpartition("/")[2].rpartition("!")[2]).upper()


def read_bars(data: bytes, name: str) -> BarsReading:
    """Read one price file. `name` is its file name: it spells the symbol and stands in problems."""
    symbol = symbol_of(name)
    try:
        text = _text(data)
    except _Bad as error:
        return BarsReading(symbol=symbol, bars=[], problems=[_problem("unreadable", str(error), name)])
    rows, problems = _rows(text, name)
    rows, disordered = _in_order(rows, name)
    return BarsReading(symbol=symbol, bars=_bars(symbol, rows), problems=problems + disordered)


def _text(data: bytes) -> str:
    if data.startswith(_GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
                data = stream.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise _Bad(f"damaged gzip: {error}") from error
    if len(data) > MAX_BYTES:
        raise _Bad(f"more than {MAX_BYTES:,} bytes")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Bad(f"invalid UTF-8 at byte {error.start}") from error


def _rows(text: str, name: str) -> tuple[list[_Row], list[Problem]]:
    rows: list[_Row] = []
    problems: list[Problem] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: dict[str, int] | None = None
    while True:
        try:
            cells = next(reader, None)
            if cells is None:
                break
            if columns is None:
                columns = _columns(cells)
            elif cells:
                rows.append(_row(cells, columns, reader.line_num))
        except (_Bad, csv.Error) as error:
            problems.append(_problem("bad_row" if columns else "bad_header", str(error), f"{name}:{reader.line_num}"))
            if columns is None:
                break
    if columns is None and not problems:
        problems.append(_problem("unreadable", "the file is empty", name))
    return rows, problems


def _columns(cells: list[str]) -> dict[str, int]:
    names = [cell.strip().lower() for cell in cells]
    missing = [column for column in HEADER if names.count(column) != 1]
    if missing:
        raise _Bad(f"the header must name {','.join(HEADER)} once each; {missing[0]} is missing or there twice")
    return {column: names.index(column) for column in HEADER}


def _row(cells: list[str], columns: Mapping[str, int], line: int) -> _Row:
    if len(cells) <= max(columns.values()):
        raise _Bad(f"{len(cells)} cells")
    stamp, has_time = _stamp(cells[columns["date"]].strip())
    values = []
    for column in HEADER[1:]:
        try:
            values.append(decimal(cells[columns[column]].strip()))
        except ValueError as error:
            raise _Bad(f"{column}: {error}") from error
    opened, high, low, close, volume = values
    if min(opened, high, low, close) <= 0 or volume < 0:
        raise _Bad("prices must be above zero and the volume not below")
    if volume > MOST_VOLUME:
        raise _Bad(f"volume: {volume} is more than any market trades")
    if high < low or not low <= min(opened, close) or not max(opened, close) <= high:
        raise _Bad(f"open {opened} and close {close} do not lie between low {low} and high {high}")
    return _Row(line, stamp, has_time, tuple(values))


def _stamp(text: str) -> tuple[datetime, bool]:
    """The row's moment in UTC, and whether a time of day was written."""
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), UTC), False
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _Bad(f"{text!r} is no ISO date or time") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC), True


def _in_order(rows: list[_Row], name: str) -> tuple[list[_Row], list[Problem]]:
    """Rows with rising times. A second row of the same time is refused; rows out of order are sorted and reported."""
    problems: list[Problem] = []
    first: dict[datetime, _Row] = {}
    latest: datetime | None = None
    for row in rows:
        if row.stamp in first:
            problems.append(_problem("duplicate_date", f"{iso(row.stamp)} stands in line {first[row.stamp].line} too",
                                     f"{name}:{row.line}"))
            continue
        if latest is not None and row.stamp < latest:
            problems.append(_problem("unsorted", f"{iso(row.stamp)} comes after {iso(latest)}", f"{name}:{row.line}"))
        latest = max(latest or row.stamp, row.stamp)
        first[row.stamp] = row
    return [first[stamp] for stamp in sorted(first)], problems


def _bars(symbol: str, rows: list[_Row]) -> list[dict[str, Any]]:
    step = min((later.stamp - earlier.stamp for earlier, later in pairwise(rows)), default=None)
    crypto = symbol_kind(symbol).kind == "crypto"
    return [
        {"record": "bar", "symbol": symbol, "date": row.stamp.date().isoformat(),
         "at": _complete(row, step, crypto=crypto),
         **{column: plain(value) for column, value in zip(HEADER[1:], row.values, strict=True)}} for row in rows]


def _complete(row: _Row, step: timedelta | None, *, crypto: bool) -> str | None:
    whole_days = not row.has_time or (row.stamp.time() == time() and (step is None or step >= DAY))
    if whole_days:
        return iso(row.stamp + DAY) if crypto else None
    if step is None or step >= DAY:
        return iso(row.stamp)
    return iso(row.stamp + step)


def _problem(code: str, detail: str, where: str) -> Problem:
    return Problem(code=code, detail=detail, where=where)


def quotes(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The latest quote per symbol from ticker and bar records, in the order of the symbols.

    A quote: symbol (`BTC/USD`, `AAPL`), instrument_id, last, bid, ask and average_daily_volume (decimal text or None
    where not stated), at (None: the close of `date`), date, source. Crypto quotes come from spot pairs only.
    """
    latest: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {}
    for record in records:
        quote = _quote(record)
        if quote is not None:
            age = (quote["at"] or f"{quote['date']}T24", quote["source"])
            if quote["symbol"] not in latest or latest[quote["symbol"]][0] < age:
                latest[quote["symbol"]] = (age, quote)
    return [latest[symbol][1] for symbol in sorted(latest)]


def _quote(record: Mapping[str, Any]) -> dict[str, Any] | None:
    if record["record"] == "bar":
        at, day, source = record["at"], record["date"], str(record.get("_url", "file"))
        sides = {"last": record["close"], "bid": None, "ask": None, "size": None, "average_daily_volume": None}
    elif record["record"] == "ticker" and record["settle"] is None and record["last"]:
        at, source = record["at"] or record["_fetched_at"], record.get("source") or f"ccxt:{record['exchange']}"
        day = at[:10]
        sides = {"last": record["last"], "bid": record["bid"], "ask": record["ask"], "size": record["bid_size"],
                 "average_daily_volume": record.get("average_daily_volume")}
    else:
        return None
    symbol = record["symbol"]
    return {"symbol": symbol, "instrument_id": from_symbol(symbol).instrument_id, "at": at, "date": day,
            "source": source, **sides}
