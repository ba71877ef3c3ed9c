"""Recorded exchange payloads through ccxt's own parsers, and on to signals."""

import csv
import gzip
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import vanta.common
from vanta.markets.core.crypto import normalise
from vanta.markets.core.crypto_score import imbalance
from vanta.markets.core.records import NormaliseContext
from vanta.markets.core.tickers import read_universe
from vanta.markets.parsers.ccxt_read import read

pytestmark = pytest.mark.realdata

UNIVERSE = Path(vanta.common.__file__).parent / "data" / "universe_default.json"
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def files(realdata: Path) -> Iterator[tuple[str, bytes]]:
    """Every recorded JSON body below crypto/, by its file name."""
    for path in sorted((realdata / "crypto").glob("*/*.json*")):
        if path.name != "MANIFEST.jsonl":
            data = path.read_bytes()
            yield f"file:{path.name}", gzip.decompress(data) if path.suffix == ".gz" else data


def bundle(realdata: Path) -> Iterator[tuple[str, bytes]]:
    """Every member of the bundle of venue payloads: orders, accounts, sockets and market data of many venues."""
    with zipfile.ZipFile(realdata / "broker" / "nautilus_venue_payloads.zip") as archive:
        for name in archive.namelist():
            yield f"file:nautilus_venue_payloads.zip!{name}", archive.read(name)


def rest_logs(realdata: Path) -> Iterator[tuple[str, bytes]]:
    """REST answers out of the recorded logs, whose lines read `URL -> time: body`."""
    for path in sorted((realdata / "crypto" / "cryptofeed_ws_recorded").glob("*.log*")):
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")
        for line in text.splitlines():
            url, arrow, rest = line.partition(" -> ")
            if arrow and url.startswith("https://"):
                yield url, rest.partition(": ")[2].encode()


def records_of(name: str, body: bytes) -> list[dict[str, Any]]:
    origin = {"_sha256": hashlib.sha256(body).hexdigest(), "_url": name, "_media_type": "application/json",
              "_fetched_at": "2026-05-01T00:00:00.000Z"}
    return [record | origin for record in read(body, name).records]


def context() -> NormaliseContext:
    return NormaliseContext(now=NOW, collector="crypto", version="1", run_id="run_1",
                            universe=read_universe(UNIVERSE.read_bytes()))


def test_every_recorded_body_is_read_or_named_as_a_problem(realdata: Path) -> None:
    """No exception, no silence; each record has the library's version, finite numbers as text, and JSON types."""
    kinds: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    silent = []
    for name, body in (*files(realdata), *bundle(realdata), *rest_logs(realdata)):
        reading = read(body, name)
        kinds.update(f"{record['exchange']} {record['record']}" for record in reading.records)
        problems.update(problem.code for problem in reading.problems)
        if not reading.records and not reading.problems:
            silent.append(name)
        for record in reading.records:
            assert json.loads(json.dumps(record, allow_nan=False)) == record
            assert record["library"].startswith("ccxt 4.")
    print(f"\nrecords: {dict(kinds)}\nproblems: {dict(problems)}")
    assert all("instruments_option" in name for name in silent), silent  # options have no place here
    assert {"coinbase ticker", "coinbase book", "coinbaseexchange book", "coinbaseexchange ticker",
            "coinbaseexchange market", "bybit book", "bybit funding", "bybit market", "binance ticker",
            "binance funding",
            "binanceus book", "kraken market", "krakenfutures funding"} <= kinds.keys()
    assert problems.keys() <= {"unknown_shape", "bad_shape"}


@pytest.mark.parametrize(("member", "expected"), [
    pytest.param("bybit/http_get_orderbook.json", {
        "symbol": "BTC/USDT", "at": "2024-03-08T09:54:39.000Z", "bids": [["27450.5", "1.5"], ["27450", "2"],
        ["27449.5", "0.75"]],
        "asks": [["27451", "1.2"], ["27451.5", "3"], ["27452", "0.5"]]}, id="bybit book"),
    pytest.param("bybit/http_get_funding_history.json", {
        "symbol": "BTC/USDT:USDT", "rate": "0.0001", "funding_at": "2024-03-08T08:00:00.000Z", "paid": True},
                 id="bybit funding history"),
    pytest.param("coinbase/http_products.json", {
        "symbol": "BTC/USD", "last": "68925.98", "change_pct": "-0.28225832119521", "volume": "11005.02587005"},
                 id="coinbase products"),
    pytest.param("coinbase/http_product_book.json", {"symbol": "BTC/USD", "at": "2026-04-07T00:28:59.662Z"},
                 id="coinbase book"),
    pytest.param("binance/tests_http_responses/http_futures_market_premium_index.json", {
        "symbol": "BTC/USDT:USDT", "rate": "0.00038246", "funding_at": "2020-08-14T08:00:00.000Z",
        "mark": "11793.63104562",
        "paid": False}, id="binance premium index"),
    pytest.param("binance/tests_http_responses/http_futures_market_funding_rate.json", {
        "rate": "-0.0375", "funding_at": "2019-10-09T08:00:00.000Z", "paid": True}, id="binance funding history"),
])
def test_bundled_payloads_read_as_they_are_written(realdata: Path, member: str, expected: dict[str, Any]) -> None:
    """The first record against the numbers in the payload."""
    body = dict(bundle(realdata))[f"file:nautilus_venue_payloads.zip!{member}"]
    record = read(body, f"file:{member}").records[0]
    assert {name: record[name] for name in expected} == expected


def test_a_recorded_book_is_tilted_as_counted_by_hand(realdata: Path) -> None:
    """ETH-USDT of January 2022, thousands of levels: the tilt within 25 bp, recounted from the raw body."""
    name, body = next((name, body) for name, body in files(realdata) if "ETH-USDT_book" in name)
    raw = json.loads(body, parse_float=Decimal)
    (record,) = read(body, name).records
    tilt, reach = imbalance(record["bids"], record["asks"]) or (Decimal(0), Decimal(0))
    middle = (Decimal(raw["bids"][0][0]) + Decimal(raw["asks"][0][0])) / 2
    edge = middle * 25 / 10_000
    bid = sum((Decimal(level[1]) for level in raw["bids"] if Decimal(level[0]) >= middle - edge), Decimal(0))
    ask = sum((Decimal(level[1]) for level in raw["asks"] if Decimal(level[0]) <= middle + edge), Decimal(0))
    assert record["symbol"] == "ETH/USDT"
    assert reach == 25
    assert abs(tilt - (bid - ask) / (bid + ask)) < Decimal("1e-12")


def test_depth_without_a_pair_takes_it_from_its_address(realdata: Path) -> None:
    """Binance's depth does not say what it is about; the recorded URL does."""
    found = {records[0]["symbol"] for name, body in rest_logs(realdata) if "/depth?" in name
             if (records := read(body, name).records)}
    assert found == {"COMP/USDT", "OMG/BUSD", "CRV/USDT", "ZRX/USDT"}
    (_, body) = next(item for item in rest_logs(realdata) if "/depth?" in item[0])
    assert [problem.code for problem in read(body, "file:depth.json").problems] == ["unattributed"]


def test_recorded_payloads_become_signals_of_all_three_sources(realdata: Path) -> None:
    """Known assets only, everything counted."""
    records = [record for name, body in (*files(realdata), *bundle(realdata), *rest_logs(realdata))
               for record in records_of(name, body)]
    normalised = normalise(records, context())
    sources = Counter(signal.source for signal in normalised.signals)
    print(f"\n{len(records)} records: {dict(sources)}, {normalised.not_signals} are no claims")
    assert sources.keys() == {"crypto.funding", "crypto.book", "crypto.ticker"}
    assert normalised.problems == []
    assert all(signal.entity.key.startswith("crypto:") for signal in normalised.signals)


def test_two_years_of_funding_are_crowded_on_both_sides(realdata: Path) -> None:
    """Binance BTC perpetual 2022 to 2024, the CSV as the API would serve it: extremes only, never by the future."""
    data = gzip.decompress(
        (realdata / "crypto" / "binance_funding" / "binance_futures_funding_rate_BTCUSDT.csv.gz").read_bytes())
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    body = json.dumps([{"symbol": row["symbol"], "fundingRate": row["fundingRate"],
    "fundingTime": int(row["fundingTime"])}
                       for row in rows]).encode()
    records = records_of("file:fundingRate.json", body)
    normalised = normalise(records, context())
    sides = Counter(signal.direction for signal in normalised.signals)
    print(f"\n{len(records)} rates: {sides[-1.0]} with crowded longs, {sides[1.0]} with crowded shorts")
    assert len(records) == len(rows) > 1_900
    assert 20 < sides[-1.0] < 300
    assert 10 < sides[1.0] < 300
    first_half = normalise(records[:1_000], context())
    ids = {signal.id: signal.strength for signal in normalised.signals}
    assert all(ids[signal.id] == signal.strength for signal in first_half.signals)
