"""Ownership filings → signals about their issuers. Pure.

It decides which trades of insiders become claims, which filings a later one replaces, and when separate
decisions on the same side in the same week make a cluster. It refuses to know prices, and it reads nothing
into filings that express no view (awards, exercises, gifts, Forms 3 and 5) or into feed entries alone.

- One claim per filing, day and side, about the issuer, whoever filed; ids name the filing, never scores.
- A 4/A retracts the claims of what it amends (`sec_amend`), also when it arrives first or much later.
- A cluster needs two decisions that share no owner and are not one trade reported twice (`sec_cluster`).
- Records may come in any order, in any number of passes, twice; what is known decides what is new.

Example: a CFO buys 20,000 shares at $50 on 2020-05-14, accepted 2020-05-15 18:03 Eastern → `insider_buy` on
`equity:XYZ`, direction 1, strength 0.5, confidence 0.9, event 2020-05-14, published 2020-05-15T22:03:00.000Z.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, cast

from vanta.common.ids import signal_id
from vanta.common.models.signal import CollectorStamp, Entity, Evidence, Match, Signal, SignalKind
from vanta.common.money import CONTEXT, plain
from vanta.common.times import iso
from vanta.markets.core import sec_cluster, sec_score
from vanta.markets.core.records import NormaliseContext, Normalised, Problem
from vanta.markets.core.revise import revise
from vanta.markets.core.sec_amend import Replacements, of_filing, of_signal, replacements
from vanta.markets.core.sec_filing import Filing, Trade, filing, key_of

_TRADES = ("insider_buy", "insider_sale")
_KIND: dict[str, SignalKind] = {"P": "insider_buy", "S": "insider_sale"}
_VERB = {"P": "bought", "S": "sold"}
_SKEW = timedelta(minutes=2)


def normalise(records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
    """Signals that are new or changed, and what became of every other record."""
    listed, entry_count, repeats = _entries(records)
    papers, copies = _distinct(record for record in records if record["record"] == "ownership")
    found = _Found(not_signals=entry_count + sum(record["record"] == "other" for record in records),
                   duplicates=repeats + copies)
    filings = [one for record in papers if (one := found.filing(record, listed, context)) is not None]
    known = [signal for _, signal in sorted(context.known.items()) if signal.kind in _TRADES]
    replaced = replacements([*map(of_filing, filings), *map(of_signal, known)])
    standing = {signal.id for signal in known} | {
        _claim_id(one.key, one.issuer_cik, trade) for one in filings for trade in one.trades}
    for one in filings:
        found.claims([_in_context(_claim(one, trade, context), one, trade, (replaced, standing, context))
                      for trade in one.trades], context)
        if one.key in replaced.ambiguous:
            found.problems.append(Problem(code="ambiguous_amendment", where=str(one.source["_url"]),
                                          detail="several earlier filings fit this 4/A; all are retracted"))
    stamp = _stamp(context)
    for signal in known:
        by = replaced.by.get(str(signal.features["accession"]))
        if by is not None and signal.id not in found.signals:
            late = signal.model_copy(update={"observed_at": iso(context.now), "collector": stamp})
            found.add(_withdrawn(late, _replaced_by(by)), context)
    for cluster in sec_cluster.clusters(found.signals, context.known, stamp=stamp, observed_at=iso(context.now)):
        found.add(cluster, context)
    return Normalised(signals=sorted(found.signals.values(), key=lambda signal: signal.id),
                      duplicates=found.duplicates, not_signals=found.not_signals, problems=found.problems)


class _Found:
    """What a pass has found so far."""

    def __init__(self, *, not_signals: int, duplicates: int) -> None:
        self.signals: dict[str, Signal] = {}
        self.problems: list[Problem] = []
        self.not_signals = not_signals
        self.duplicates = duplicates

    def filing(self, record: Mapping[str, Any], listed: Mapping[str, str], context: NormaliseContext) -> Filing | None:
        """The filing of a record if it is a Form 4 or 4/A that may be used."""
        if record["form"] not in ("4", "4/A"):
            self.not_signals += 1
            return None
        one, problems = filing(record, listed_at=listed.get(key_of(record)))
        self.problems += problems
        if one is None:
            return None
        if one.public_at > context.now + _SKEW:
            self.problems.append(Problem(code="from_the_future", where=str(record["_url"]),
                                         detail=f"accepted {iso(one.public_at)}, after {iso(context.now)}"))
            return None
        if not one.trades and not problems:
            self.not_signals += 1
        return one

    def claims(self, fresh: list[Signal], context: NormaliseContext) -> None:
        """Add the claims of one filing; a filing that says nothing new is a duplicate."""
        new = [self.add(signal, context) for signal in fresh]
        if new and not any(new):
            self.duplicates += 1

    def add(self, signal: Signal, context: NormaliseContext) -> bool:
        """Keep the signal if it says something new; returns whether it does."""
        revised = revise(signal, context.known)
        if revised is not None:
            self.signals[revised.id] = revised
        return revised is not None


def _entries(records: list[dict[str, Any]]) -> tuple[dict[str, str], int, int]:
    """Acceptance time by accession, how many accessions are listed, and how many entries merely repeat one."""
    entries = [record for record in records if record["record"] == "entry"]
    listed: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: (entry["accession"], entry["accepted"])):
        listed.setdefault(entry["accession"], entry["accepted"])
    return listed, len(listed), len(entries) - len(listed)


def _distinct(records: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """One record per filing, the one that tells its acceptance time if there is a choice."""
    ordered = sorted(records, key=lambda record: (key_of(record), not record["acceptance"], record["_sha256"]))
    first: dict[str, dict[str, Any]] = {}
    for record in ordered:
        first.setdefault(key_of(record), record)
    return list(first.values()), len(ordered) - len(first)


def _claim_id(key: str, cik: str, trade: Trade) -> str:
    return signal_id(sec_score.SOURCE, _KIND[trade.code], f"CIK:{cik}", f"{key}|{trade.day}|{trade.code}")


def _claim(one: Filing, trade: Trade, context: NormaliseContext) -> Signal:
    flags = _flags(one, trade)
    confidence, basis = sec_score.confidence(flags)
    life = timedelta(seconds=sec_score.HALF_LIFE_S)
    event = datetime(trade.day.year, trade.day.month, trade.day.day, tzinfo=UTC)
    return Signal(
        id=_claim_id(one.key, one.issuer_cik, trade), revision=1, source=sec_score.SOURCE, source_kind="primary",
        kind=_KIND[trade.code], entity=_entity(one), summary=_summary(one, trade),
        direction=sec_score.grid(sec_score.DIRECTION[trade.code]),
        strength=sec_score.grid(sec_score.strength(trade.dollars, one.role)),
        confidence=sec_score.grid(confidence), confidence_basis=basis,
        event_at=iso(event), published_at=iso(one.public_at), observed_at=iso(context.now),
        time_quality=cast("Literal['exact', 'date', 'assumed']", one.time_quality),
        half_life_s=sec_score.HALF_LIFE_S, expires_at=iso(one.public_at + life * sec_score.LIVES),
        evidence=[Evidence(
            url=one.source["_url"], sha256=one.source["_sha256"], media_type=one.source["_media_type"],
            fetched_at=one.source["_fetched_at"], licence=sec_score.LICENCE)],
        raw_ref=f"{one.source['_sha256']}#ownershipDocument", features=_features(one, trade),
        collector=_stamp(context), flags=flags)


def _in_context(signal: Signal, one: Filing, trade: Trade,
                world: tuple[Replacements, set[str], NormaliseContext]) -> Signal:
    """The claim beside the others: withdrawn if its filing was replaced, or naming the claim that it replaces."""
    replaced, standing, context = world
    old = context.known.get(signal.id)
    if one.key in replaced.by:
        return _withdrawn(signal, _replaced_by(replaced.by[one.key]))
    if old is not None and old.retracted_reason is not None:
        return _withdrawn(signal, old.retracted_reason)  # what withdrew it may have left the window since
    originals = [_claim_id(key, one.issuer_cik, trade) for key in replaced.originals_of(one.key)]
    supersedes = next((claim for claim in originals if claim in standing), old.supersedes if old else None)
    return signal.model_copy(update={"supersedes": supersedes})


def _withdrawn(signal: Signal, reason: str) -> Signal:
    """The claim as retracted: it stays readable and weighs nothing."""
    return signal.model_copy(update={"strength": 0.0, "retracted_reason": reason,
                                     "flags": sorted({*signal.flags, "superseded"})})


def _replaced_by(key: str) -> str:
    return f"replaced by the 4/A {key}"


def _entity(one: Filing) -> Entity:
    return Entity(key=f"equity:{one.ticker}", type="equity", id=f"CIK:{one.issuer_cik}", ticker=one.ticker,
                  name=_clip(one.issuer_name), match=Match(method="issuer", confidence=0.98))


def _flags(one: Filing, trade: Trade) -> list[str]:
    flags = set(trade.flags)
    flags |= {flag for flag, on in (
        ("amended", one.amends), ("several_tickers", one.several_tickers),
        ("price_unknown", trade.unpriced_rows == trade.rows),
        ("price_partly_unknown", 0 < trade.unpriced_rows < trade.rows),
        ("assumed_time", one.time_quality == "assumed")) if on}
    return sorted(flags)


def _features(one: Filing, trade: Trade) -> dict[str, int | str]:
    features: dict[str, int | str] = {
        "accession": one.key, "form": one.form, "issuer_cik": one.issuer_cik, "owners": " ".join(one.owners),
        "role": one.role, "period": one.period, "filed": " ".join(one.filed), "code": trade.code,
        "trade_date": trade.day.isoformat(), "week": sec_cluster.week_of(trade.day), "shares": plain(trade.shares),
        "rows": trade.rows}
    if one.original_date:
        features["original_date"] = one.original_date
    if trade.price is not None:
        features["dollars"] = plain(trade.dollars)
        features["price"] = plain(trade.price.quantize(Decimal("0.000001"), context=CONTEXT))
    return features


def _summary(one: Filing, trade: Trade) -> str:
    who = _clip(one.owner_name) or "an unnamed owner"
    if len(one.owners) > 1:
        who += f" and {len(one.owners) - 1} more"
    worth = "an unstated amount" if trade.price is None else f"${trade.dollars:,.0f}"
    return (f"{who} {_VERB[trade.code]} {trade.shares:,.0f} shares of {_clip(one.issuer_name)} ({one.ticker}) "
            f"for {worth} on {trade.day}")


def _clip(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:80]


def _stamp(context: NormaliseContext) -> CollectorStamp:
    return CollectorStamp(name=context.collector, version=context.version, run_id=context.run_id,
                          params_hash=sec_score.PARAMS_HASH)
