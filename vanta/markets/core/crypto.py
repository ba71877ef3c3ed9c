"""Exchange data to signals: crowded funding, lopsided order books, the day's momentum. Pure.

Decides from the records of `parsers/ccxt_read`, for assets of the universe alone; refuses to know keys, accounts
and what anything is worth. Perpetuals make funding claims, spot pairs the other two; where an asset has several spot
pairs on one exchange, the first of USDT, USD, USDC speaks. How much is said stands in `crypto_score`.

| source | one claim per | direction | confidence | half-life |
|---|---|---|---|---|
| crypto.funding | exchange, symbol, funding time | against the crowd: a high rate is bearish | 0.6 | 8 h |
| crypto.book | exchange, symbol, minute | the heavier side | 0.3 | 5 min |
| crypto.ticker | exchange, symbol, UTC day | the change of 24 hours | 0.35 | 1 day |

Example: BTC costs 0.05 % every 8 hours, 55 % a year, where 11 % is usual. The longs are crowded: direction -1,
strength 0.438. Unknown is not zero: a rate without its interval is read as 8-hourly, flagged, and believed half.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from vanta.common.canonical import canonical
from vanta.common.ids import signal_id
from vanta.common.models.signal import CollectorStamp, Entity, Evidence, Factor, Match, Signal, SignalKind
from vanta.common.money import plain
from vanta.common.times import iso, parse_iso
from vanta.markets.core import crypto_score as score
from vanta.markets.core.records import NormaliseContext, Normalised, Problem
from vanta.markets.core.revise import revise
from vanta.markets.core.ticker_index import key_of

Record = Mapping[str, Any]

LICENCE = "public market data of the exchange"
AHEAD = timedelta(minutes=2)
PERSISTENCE = timedelta(minutes=5)
ASSUMED_INTERVAL_H = 8
QUOTES = ("USDT", "USD", "USDC")
MOST_DIGITS = 15
"""Before the point of a rate or a change: what follows from them still fits into the context of money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """What is fixed for a source. `lives` half-lives after its publication a claim is gone."""

    source: str
    kind: SignalKind
    confidence_bp: int
    half_life_s: int
    lives: int


FUNDING = _Rule(source="crypto.funding", kind="funding", confidence_bp=6000, half_life_s=8 * 3600, lives=6)
BOOK = _Rule(source="crypto.book", kind="ob_imbalance", confidence_bp=3000, half_life_s=300, lives=6)
TICKER = _Rule(source="crypto.ticker", kind="momentum", confidence_bp=3500, half_life_s=86_400, lives=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A claim before it is a signal. `records` are what it rests on, the last one first."""

    rule: _Rule
    records: tuple[Record, ...]
    dedup: str
    score: score.Score
    summary: str
    features: dict[str, int | str]
    event_at: str | None = None
    doubts: dict[str, int] = field(default_factory=dict)


def normalise(records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
    """Signals of this pass. Records are those of `parsers/ccxt_read` with the runner's four evidence keys."""
    known_assets = {key_of(symbol) for symbol in context.universe}
    ours = [record for record in records if f"crypto:{score.asset_of(record['base'])}" in known_assets]
    latest = iso(context.now + AHEAD)
    early = [record for record in ours if _time(record) > latest]
    known_by_now = _unique(record for record in ours if _time(record) <= latest)
    usable = [record for record in known_by_now if _absurd(record) is None]
    drafts = [*_funding(usable), *_books(usable), *_tickers(usable)]
    signals: dict[str, Signal] = {}
    repeated = 0
    for draft in drafts:
        signal = _signal(draft, context)
        old = context.known.get(signal.id)
        if old is None and not draft.score.strength_bp:
            continue  # nothing unusual; a claim that was made before is taken back to 0, though
        revised = None if old and _says_no_more(signal, old) else revise(signal, context.known)
        if revised is None:
            repeated += 1
        else:
            signals[revised.id] = revised
    used = {id(record) for draft in drafts for record in draft.records if draft.score.strength_bp}
    bad = [record for record in known_by_now if _absurd(record) is not None]
    return Normalised(
        signals=[signals[name] for name in sorted(signals)],
        not_signals=len(usable) - len(used) + len(records) - len(ours),
        duplicates=len(ours) - len(early) - len(known_by_now) + repeated,
        problems=[*(Problem(code="from_the_future", detail=f"{record['symbol']} is dated {_time(record)}",
                            where=str(record["_url"])) for record in early),
                  *(Problem(code="bad_row", detail=f"{record['symbol']}: {_absurd(record)} cannot be right",
                            where=str(record["_url"])) for record in bad)])


def _says_no_more(signal: Signal, old: Signal) -> bool:
    """Older than what is known, or the same numbers a little later: a claim is not renewed by being seen again."""
    said = {"direction", "strength", "confidence", "features", "flags", "event_at"}
    return old.published_at > signal.published_at or signal.model_dump(include=said) == old.model_dump(include=said)


def _absurd(record: Record) -> str | None:
    """The rate or change that is too large to be reckoned with exactly, by name; `None` for all that there ever was."""
    return next((f"{name} {record[name][:20]}" for name in ("rate", "change_pct")
                 if record.get(name) is not None and Decimal(record[name]).adjusted() > MOST_DIGITS), None)


def _time(record: Record) -> str:
    """When the exchange says, else when we asked."""
    return str(record["at"] or record["_fetched_at"])


def _unique(records: Iterable[Record]) -> list[Record]:
    """Each distinct record once, in an order that does not depend on the order they came in."""
    by_content: dict[bytes, Record] = {}
    for record in records:
        by_content.setdefault(canonical(dict(record)), record)
    return [by_content[content] for content in sorted(by_content)]


def _grouped(records: Iterable[Record]) -> dict[tuple[str, str], list[Record]]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in sorted(records, key=lambda record: (_time(record), str(record["_sha256"]), str(record["path"]))):
        groups.setdefault((record["exchange"], record["symbol"]), []).append(record)
    return groups


def _spot(records: Iterable[Record], kind: str) -> dict[tuple[str, str], list[Record]]:
    """The records of the one spot pair that speaks for each asset on each exchange."""
    groups = _grouped(record for record in records if record["record"] == kind and record["settle"] is None)
    best: dict[tuple[str, str], tuple[int, str]] = {}
    for exchange, symbol in groups:
        base, _, quote = symbol.partition("/")
        rank = (QUOTES.index(quote) if quote in QUOTES else len(QUOTES), symbol)
        best[exchange, base] = min(rank, best.get((exchange, base), rank))
    return {(exchange, symbol): group for (exchange, symbol), group in groups.items()
            if best[exchange, symbol.partition("/")[0]][1] == symbol}


def _funding(records: list[Record]) -> list[_Draft]:
    listed = {(record["exchange"], record["symbol"]): record["interval_h"] for record in records
              if record["record"] == "market" and record["interval_h"]}
    drafts = []
    for name, group in sorted(_grouped(record for record in records if record["record"] == "funding").items()):
        due: dict[str, Record] = {}
        for record in group:  # in the order of time: what was paid comes after what was forecast
            due[record["funding_at"] or _time(record)[:13]] = record
        paid: list[Record] = []
        for when in sorted(due):
            record = due[when]
            drafts.append(_funding_draft(record, when, paid, listed.get(name)))
            paid.append(record)
    return drafts


def _funding_draft(record: Record, when: str, earlier: list[Record], listed: str | None) -> _Draft:
    interval_h = _interval_h(record, earlier, listed)
    month = iso(parse_iso(_time(record)) - timedelta(days=30))
    rates = [Decimal(one["rate"]) for one in earlier if one["paid"] and _time(one) >= month]
    rate, hours = Decimal(record["rate"]), interval_h or ASSUMED_INTERVAL_H
    found = score.funding(rate, hours, rates)
    if interval_h is None:
        found = replace(found, flags=("assumed_interval",))
    yearly = score.annual(rate, hours)
    crowd = {-1: "longs are crowded, which speaks against them", 0: "nobody is crowded",
             1: "shorts are crowded, which speaks against them"}[(found.direction_bp > 0) - (found.direction_bp < 0)]
    return _Draft(
        rule=FUNDING, records=(record,), dedup=when, score=found, event_at=record["funding_at"],
        summary=f"holding {record['symbol']} on {record['exchange']} costs {yearly * 100:.1f} % a year: {crowd}",
        features={"rate": record["rate"], "interval_h": hours, "annual": plain(round(yearly, 6)),
                  "paid": int(record["paid"])},
        doubts={} if interval_h else {"interval assumed": 5000})


def _interval_h(record: Record, earlier: list[Record], listed: str | None) -> int | None:
    """What the exchange says, else the distance to the rate before; None if neither is known."""
    said = record["interval_h"] or listed
    if said:
        return int(said)
    if earlier and record["funding_at"] and earlier[-1]["funding_at"]:
        gap = parse_iso(record["funding_at"]) - parse_iso(earlier[-1]["funding_at"])
        hours = round(gap / timedelta(hours=1))
        return hours if hours in (1, 2, 4, 8) else None
    return None


def _books(records: list[Record]) -> list[_Draft]:
    drafts = []
    for (exchange, symbol), group in sorted(_spot(records, "book").items()):
        tilted = _distinct_books(group)
        minutes = dict.fromkeys(_time(record)[:16] for record, _, _ in tilted)
        for minute in minutes:
            newest = parse_iso(next(_time(record) for record, _, _ in reversed(tilted) if _time(record)[:16] == minute))
            span = [one for one in tilted if newest - PERSISTENCE < parse_iso(_time(one[0])) <= newest]
            found = score.book([tilt for _, tilt, _ in span])
            side = "bids" if found.direction_bp > 0 else "asks"
            drafts.append(_Draft(
                rule=BOOK, records=tuple(record for record, _, _ in reversed(span)), dedup=minute, score=found,
                summary=f"{side} outweigh the other side of {symbol} on {exchange} in {len(span)} snapshots",
                features={"snapshots": len(span), "tilts": " ".join(f"{tilt:+.4f}" for _, tilt, _ in span),
                          "range_bp": plain(round(min(reach for _, _, reach in span), 2))}))
    return drafts


def _distinct_books(group: list[Record]) -> list[tuple[Record, Decimal, Decimal]]:
    """Snapshots that differ, oldest first, each with its tilt and range; the same book twice proves nothing."""
    seen: set[bytes] = set()
    found = []
    for record in group:
        content = canonical([record["bids"], record["asks"]])
        measured = score.imbalance(record["bids"], record["asks"])
        if content not in seen and measured is not None:
            seen.add(content)
            found.append((record, *measured))
    return found


def _tickers(records: list[Record]) -> list[_Draft]:
    drafts = []
    for (exchange, symbol), group in sorted(_spot(records, "ticker").items()):
        days = {_time(record)[:10]: record for record in group if record["change_pct"] is not None}
        for day, record in sorted(days.items()):
            change = round(Decimal(record["change_pct"]), 1)
            drafts.append(_Draft(
                rule=TICKER, records=(record,), dedup=f"24h|{day}", score=score.momentum(change),
                summary=f"{symbol} on {exchange} changed {change:+} % in 24 hours",
                features={"change_pct": plain(change)}))
    return drafts


def _signal(draft: _Draft, context: NormaliseContext) -> Signal:
    rule, record = draft.rule, draft.records[0]
    asset, published = score.asset_of(record["base"]), _published(draft)
    confidence = rule.confidence_bp
    for doubt in draft.doubts.values():
        confidence = confidence * doubt // 10_000
    life = timedelta(seconds=rule.half_life_s * rule.lives)
    exact: Literal["exact", "assumed"] = "exact" if record["at"] else "assumed"
    flags = {*draft.score.flags} | ({"assumed_time"} if exact == "assumed" else set())
    return Signal(
        id=signal_id(rule.source, rule.kind, f"CCXT:{record['exchange']}:{record['symbol']}", draft.dedup), revision=1,
        source=rule.source, source_kind="market", kind=rule.kind,
        entity=Entity(key=f"crypto:{asset}", type="crypto", id=f"CCXT:{record['exchange']}:{record['symbol']}",
                      ticker=asset, exchange=record["exchange"], name=context.universe.get(f"crypto:{asset}"),
                      match=Match(method="venue", confidence=1.0)),
        summary=draft.summary, direction=draft.score.direction_bp / 10_000,
        strength=draft.score.strength_bp / 10_000, confidence=confidence / 10_000,
        confidence_basis=[
            Factor(factor="source", value=f"{rule.confidence_bp / 10_000:.2f}"),
            Factor(factor="scale", value=draft.score.scale),
            *(Factor(factor=name, value=f"{doubt / 10_000:.2f}") for name, doubt in draft.doubts.items())],
        event_at=draft.event_at, published_at=iso(published), observed_at=iso(context.now), time_quality=exact,
        half_life_s=rule.half_life_s, expires_at=iso(published + life), evidence=_evidence(draft.records),
        raw_ref=f"{record['_sha256']}#{record['path']}", features=draft.features | {"library": record["library"]},
        collector=CollectorStamp(name=context.collector, version=context.version, run_id=context.run_id,
                                 params_hash=score.PARAMS_HASH),
        flags=sorted(flags))


def _published(draft: _Draft) -> datetime:
    return max(parse_iso(_time(record)) for record in draft.records)


def _evidence(records: tuple[Record, ...]) -> list[Evidence]:
    found = {record["_sha256"]: Evidence(
        url=record["_url"], sha256=record["_sha256"], media_type=record["_media_type"],
        fetched_at=record["_fetched_at"], licence=LICENCE) for record in records}
    return [found[sha] for sha in sorted(found)]
