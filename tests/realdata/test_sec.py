"""EDGAR's recorded pages and filings, with figures counted a second way: by scanning the text, without our parser."""

import json
import re
import zipfile
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vanta.common.canonical import canonical, sha256
from vanta.common.models.signal import Signal
from vanta.markets.core.records import NormaliseContext, Normalised
from vanta.markets.core.sec import normalise
from vanta.markets.parsers import sec

pytestmark = pytest.mark.realdata
NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLLS = ("20251212T2302Z_poll1_count40then100.zip", "20251212T2303Z_poll2_all.zip", "20251212T2303Z_type4.zip")
HAND_CODES = {"P": "A", "S": "D"}


def run(rows: list[dict[str, Any]]) -> Normalised:
    rows = [json.loads(canonical(row)) for row in rows]  # records must survive their stored form
    return normalise(rows, NormaliseContext(now=NOW, collector="sec", version="1", run_id="run_0", universe={}))


def with_origin(records: list[dict[str, Any]], body: bytes, where: str) -> list[dict[str, Any]]:
    return [{**record, "_sha256": sha256(body), "_url": where, "_media_type": "text/plain",
             "_fetched_at": "2025-12-31T00:00:00.000Z"} for record in records]


def pages(realdata: Path) -> list[tuple[str, dict[str, Any], bytes]]:
    """Poll, manifest entry and body of every page of the three polls, read inside their archives."""
    found = []
    for poll in POLLS:
        with zipfile.ZipFile(realdata / "edgar" / "getcurrent_atom" / poll) as archive:
            found += [(poll, entry, archive.read(entry["file"])) for entry in json.loads(archive.read("MANIFEST.json"))]
    return found


def filings(realdata: Path) -> list[tuple[str, bytes]]:
    """Name and bytes of every recorded ownership filing."""
    folders = (realdata / "edgar" / "form4_sgml", realdata / "edgar" / "form345_xml")
    return [(file.name, file.read_bytes()) for folder in folders for file in sorted(folder.iterdir())]


def test_three_overlapping_polls(realdata: Path) -> None:
    """15,420 entries name 4,447 filings; every page is read whole, and the last of each poll is HTML, its end."""
    entries = 0
    accessions: set[str] = set()
    last: dict[str, bool] = {}
    for poll, manifest, body in pages(realdata):
        reading = sec.read(body, where=f"file:{poll}!{manifest['file']}")
        assert (reading.problems, reading.complete) == ([], True)
        assert len(reading.records) == manifest["entries"] == len(re.findall(rb"<entry>", body))
        entries += len(reading.records)
        accessions |= {record["accession"] for record in reading.records}
        last[poll] = sec.is_html(body)
        assert sec.is_html(body) == (manifest["content_type"] == "text/html")
    assert (entries, len(accessions)) == (15_420, 4_447)
    assert last == dict.fromkeys(POLLS, True)


def test_every_filing_counts_once_over_all_polls(realdata: Path) -> None:
    """Entries alone make no claim: 4,447 filings, the other 10,973 entries are repeats."""
    rows = [record for poll, manifest, body in pages(realdata)
            for record in with_origin(sec.read(body, where=manifest["file"]).records, body, manifest["file"])]
    result = run(rows)
    assert (result.signals, result.problems) == ([], [])
    assert (result.not_signals, result.duplicates) == (4_447, 15_420 - 4_447)


def test_forms_4_are_told_exactly_from_what_merely_begins_so(realdata: Path) -> None:
    """Against a scan of titles: `type=4` returns other forms too, and they stay other forms."""
    ours: dict[str, set[str]] = {}
    scanned: dict[str, set[str]] = {}
    others: Counter[str] = Counter()
    for poll, manifest, body in pages(realdata):
        for record in sec.read(body, where=manifest["file"]).records:
            ours.setdefault(record["form"], set()).add(record["accession"])
            if poll == POLLS[2] and record["form"] not in ("4", "4/A"):
                others[record["form"]] += 1
        pairs = re.findall(r"<title>(\S.*?) - .*?accession-number=([\d-]+)<", body.decode("latin-1"), re.DOTALL)
        for form, accession in pairs:
            scanned.setdefault(form, set()).add(accession)
    assert ours["4"] == scanned["4"]
    assert ours["4/A"] == scanned["4/A"]
    assert len(ours["4"] | ours["4/A"]) == 1_579
    assert others, "the recorded poll was expected to show the prefix match"
    assert all(form.startswith("4") for form in others)


def test_one_entry_per_party(realdata: Path) -> None:
    """A Form 4 is listed for its issuer and for each owner, under one accession, in one page or over two."""
    roles: dict[str, Counter[str]] = {}
    for poll, manifest, body in pages(realdata):
        if poll == POLLS[2]:
            for record in sec.read(body, where=manifest["file"]).records:
                if record["form"] == "4":
                    roles.setdefault(record["accession"], Counter())[record["role"]] += 1
    both = [found for found in roles.values() if found["Issuer"] and found["Reporting"]]
    assert len(both) > 0.95 * len(roles)
    assert any(found["Reporting"] > 1 for found in roles.values())


def tag(text: str, name: str) -> str:
    """The first value of an element, found by searching, with or without a `<value>` inside."""
    block = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
    inner = re.search(r"<value>\s*(.*?)\s*</value>", block[1], re.DOTALL) if block else None
    return inner[1] if inner else re.sub(r"<.*?>", "", block[1]).strip() if block else ""


def scanned_trades(body: bytes) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """Shares and dollars by day and code of the non-derivative P and S rows of a Form 4, by text search alone."""
    text = body.decode("latin-1").replace("\r", "\n")
    found: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    if tag(text, "documentType") not in ("4", "4/A"):
        return found
    for row in re.findall(r"<nonDerivativeTransaction>(.*?)</nonDerivativeTransaction>", text, re.DOTALL):
        code = tag(row, "transactionCode")
        if code in HAND_CODES:
            key = (tag(row, "transactionDate")[:10], code)
            shares, dollars = found.get(key, (Decimal(0), Decimal(0)))
            count, price = Decimal(tag(row, "transactionShares")), Decimal(tag(row, "transactionPricePerShare") or "0")
            found[key] = (shares + count, dollars + count * price)
    return found


def test_filings_become_claims_and_totals_agree_with_a_scan(realdata: Path) -> None:
    """Every P and S row of every filing, and nothing else, is in exactly one claim, in shares and in dollars."""
    rows: list[dict[str, Any]] = []
    expected: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    refused = 0
    for name, body in filings(realdata):
        reading = sec.read(body, where=f"file:{name}")
        assert (reading.problems, reading.complete, len(reading.records)) == ([], True, 1)
        rows += with_origin(reading.records, body, f"file:{name}")
        trades = scanned_trades(body)
        if tag(body.decode("latin-1"), "issuerTradingSymbol") == "NONE" and trades:
            refused += 1
        else:
            expected |= {(name, *key): totals for key, totals in trades.items()}
    result = run(rows)
    trade_claims = [signal for signal in result.signals if signal.kind in ("insider_buy", "insider_sale")]
    ours = {}
    for signal in trade_claims:
        name, features = signal.evidence[0].url.removeprefix("file:"), signal.features
        key = (name, str(features["trade_date"]), str(features["code"]))
        ours[key] = (Decimal(str(signal.features["shares"])), Decimal(str(signal.features.get("dollars", 0))))
    assert ours == expected
    assert len(result.problems) == refused
    claiming = {key[0] for key in ours}
    assert result.not_signals == len(rows) - len(claiming) - refused
    assert ours, "the recorded filings hold purchases and sales"


def test_claims_are_about_the_issuer(realdata: Path) -> None:
    """Whoever is listed first in the header, the entity is the document's issuer."""
    for name, body in filings(realdata):
        text = body.decode("latin-1").replace("\r", "\n")
        reading = sec.read(body, where=f"file:{name}")
        for signal in run(with_origin(reading.records, body, f"file:{name}")).signals:
            assert signal.entity.id == f"CIK:{tag(text, 'issuerCik').zfill(10)}"
            assert signal.entity.key == f"equity:{tag(text, 'issuerTradingSymbol')}"
            owners = {cik.zfill(10) for cik in re.findall(r"<rptOwnerCik>\s*(\d+)\s*<", text)}
            assert set(str(signal.features["owners"]).split()) == owners
            assert Signal.model_validate(signal.model_dump()) == signal


def test_a_filing_with_many_owners_is_one_decision(realdata: Path) -> None:
    """The recorded filings include some with up to ten owners: as many claims as days and sides, never a cluster."""
    most = 0
    for name, body in filings(realdata):
        reading = sec.read(body, where=f"file:{name}")
        owners = len(reading.records[0]["owners"])
        signals = run(with_origin(reading.records, body, f"file:{name}")).signals
        assert all(signal.kind != "insider_cluster" for signal in signals)
        assert len(signals) == len(scanned_trades(body)) or reading.records[0]["issuer"]["symbol"] == "NONE"
        most = max(most, owners) if signals else most
    assert most >= 4


def test_prices_in_footnotes_do_not_crash_and_are_not_zero(realdata: Path) -> None:
    """Some recorded rows have a price that only a footnote tells."""
    bare = [row for name, body in filings(realdata) for row in sec.read(body, where=name).records[0]["rows"]
            if row["price"] is None]
    assert bare
    scanned = sum(not tag(row, "transactionPricePerShare") for _, body in filings(realdata)
                  for row in re.findall(r"<(?:nonD|d)erivativeTransaction>(.*?)</(?:nonD|d)erivativeTransaction>",
                                        body.decode("latin-1").replace("\r", "\n"), re.DOTALL))
    assert len(bare) == scanned


def test_acceptance_times_are_eastern(realdata: Path) -> None:
    """Every claim with a header is published at its header's Eastern time, in summer four hours behind UTC."""
    checked = 0
    for name, body in filings(realdata):
        stamp = re.search(rb"<ACCEPTANCE-DATETIME>(\d{14})", body)
        for signal in run(with_origin(sec.read(body, where=name).records, body, name)).signals:
            if stamp is None:
                assert signal.time_quality in ("date", "assumed")
                continue
            local = datetime.strptime(stamp[1].decode(), "%Y%m%d%H%M%S")  # noqa: DTZ007 - compared field by field
            behind = datetime.fromisoformat(signal.published_at).replace(tzinfo=None) - local
            summer = (3, 8) <= (local.month, local.day) < (11, 1)
            assert behind.total_seconds() == (4 if summer else 5) * 3600
            checked += 1
    assert checked > 20
