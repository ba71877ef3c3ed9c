"""One reflection: all feeds, the ranks of the pass before, the rules and a time, made into four documents. Pure.

Decides which feeds carry weight, what every live claim is worth now, and each entity's conviction with its reasons
and its rank. Refuses to know files, journals and personas; called by the reflector and again by replay.

- A feed that could not be read, never succeeded or is stale has no weight: it is named in `missing`, with the reason,
  and makes no line anywhere. Its claims go on ageing, so that they count as what they are when it comes back.
- A feed whose last pass failed a moment ago goes on with the claims it has, at their age.
- A claim counts while it is not retracted, not expired, not older than its card's time to live and not from the future.

Example: one insider purchase worth 900 milli-nats, one half-life old, no other feed: evidence 450, pooled 340,
conviction 1,683, in one line `source:sec.form4`; the other feeds are in `missing`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vanta.common.canonical import content_hash
from vanta.common.ids import conviction_id, dag_id
from vanta.common.times import iso, millis, parse_iso
from vanta.markets.core.decay import BUCKET_S
from vanta.markets.core.freshness import reason_at, status_at, usable_at
from vanta.markets.core.ledger import Cell, Ledger, Worth, contribution
from vanta.markets.core.rerank import ranking, steadied
from vanta.markets.core.rules import CODE_VERSION, Card, Rules
from vanta.markets.core.score import BASELINE, SOURCE, View, judge, pooled
from vanta.markets.core.wire_signal import Feed, WireSignal

STATUS = "uncalibrated"
POOL = "pool"
ROUTED = frozenset({"swarm", "pump_warning", "10b5-1", "amended"})
"""Flags of claims that whoever acts on the conviction should know of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRead:
    """One feed file as it was read: its hash and what it says."""

    sha256: str
    feed: Feed


@dataclass(frozen=True, slots=True, kw_only=True)
class ReflectInputs:
    """Everything a reflection depends on besides the rules.

    `unread` gives the reason for each expected feed that could not be read. `ranks` are the steadied values of the
    pass before by entity, in basis points; `stale_after_s` is the limit of each feed.
    """

    now: datetime
    feeds: Mapping[str, FeedRead]
    unread: Mapping[str, str]
    ranks: Mapping[str, int]
    margin_bp: int
    stale_after_s: Mapping[str, int]

    @property
    def dag_id(self) -> str:
        """Identity of the cycle without the rules; `reflect` adds their hash."""
        return content_hash({
            "now": iso(self.now), "feeds": {name: read.sha256 for name, read in self.feeds.items()},
            "unread": dict(self.unread), "ranks": content_hash(dict(self.ranks)), "margin_bp": self.margin_bp,
            "stale_after_s": dict(self.stale_after_s)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflection:
    """The bodies of the four documents, ready for JSON, and what was counted on the way."""

    dag_id: str
    trade_signals: dict[str, Any]
    belief: dict[str, Any]
    leaderboard: dict[str, Any]
    risk: dict[str, Any]
    counts: dict[str, int]


@dataclass(slots=True)
class _Tally:
    """What one channel carries over all entities."""

    claims: int = 0
    entities: int = 0
    evidence: int = 0


@dataclass(frozen=True, slots=True)
class _Said:
    """An entity's live channels, and the view they make."""

    entity: str
    channels: Mapping[str, tuple[Worth, int]]
    view: View
    tags: frozenset[str]


def bucket_of(moment: datetime) -> int:
    """The five-minute bucket of a time."""
    return millis(moment) // (BUCKET_S * 1000)


def reflect(inputs: ReflectInputs, rules: Rules) -> Reflection:
    """The whole pass."""
    missing = missing_feeds(inputs)
    intake = _Intake(rules, inputs.now)
    for name, read in sorted(inputs.feeds.items()):
        if name not in missing:
            intake.enter(read.feed.signals)
            status = status_at(read.feed.head, inputs.now, inputs.stale_after_s[name])
            if status != "ok":
                intake.mark(f"{status}:{name}", read.feed.signals)
    tally: dict[str, _Tally] = {source: _Tally() for source in rules.cards}
    said = _judge_all(intake, rules, bucket_of(inputs.now), tally)
    dag = dag_id([inputs.dag_id, rules.rules_hash])
    steady = steadied({one.entity: one.view.conviction_bp for one in said}, inputs.ranks, inputs.margin_bp)
    by_entity = {one.entity: one for one in said}
    rows = [_row(rank, by_entity[entity], steady[entity], _Cycle(dag, inputs.now, rules))
            for rank, entity in enumerate(ranking(steady), start=1)]
    trade_signals = {
        "now": iso(inputs.now), "dag_id": dag, "status": STATUS,
        "inputs": {name: read.sha256 for name, read in sorted(inputs.feeds.items())},
        "rules": dict(sorted(rules.hashes.items())), "missing": missing, "convictions": rows}
    return Reflection(
        dag_id=dag, trade_signals=trade_signals, belief=_belief(rules, tally), leaderboard=_leaderboard(tally),
        risk=_risk(said, missing), counts={**intake.counts, "convictions": len(rows)})


def missing_feeds(inputs: ReflectInputs) -> dict[str, str]:
    """Feeds without weight, each with the reason, in order of name."""
    silent = {name: reason_at(read.feed.head, inputs.now, inputs.stale_after_s[name])
              for name, read in inputs.feeds.items()
              if not usable_at(read.feed.head, inputs.now, inputs.stale_after_s[name])}
    return dict(sorted({**inputs.unread, **silent}.items()))


class _Intake:
    """Puts feeds into the ledger and remembers what is to be told besides numbers."""

    def __init__(self, rules: Rules, now: datetime) -> None:
        self.ledger = Ledger()
        self.counts = {"claims": 0, "silent": 0}
        self._rules = rules
        self._moment = iso(now)
        self._minutes = _Minutes()
        self._tags: dict[str, set[str]] = {}

    def enter(self, signals: list[WireSignal]) -> None:
        """Count every claim that still has a say."""
        card, cell, bucket, moment = self._rules.card, self.ledger.cell, self._minutes.bucket, self._moment
        silent = 0
        for one in signals:
            if one.retracted_reason is not None or one.expires_at <= moment:
                silent += 1
                continue
            entity, source = one.entity.key, one.source
            said = contribution(one.direction, one.strength, one.confidence, card(source).gain)
            cell(entity, source).add(one.id, one.revision, bucket(one.published_at), said)
            if one.flags:
                self._tags.setdefault(entity, set()).update(ROUTED.intersection(one.flags))
        self.counts["silent"] += silent
        self.counts["claims"] += len(signals) - silent

    def mark(self, tag: str, signals: list[WireSignal]) -> None:
        """Tag every entity of a feed."""
        for entity in {one.entity.key for one in signals}:
            self._tags.setdefault(entity, set()).add(tag)

    def tags(self, entity: str) -> frozenset[str]:
        """All tags of an entity."""
        return frozenset(self._tags.get(entity, ()))


class _Minutes:
    """Buckets of times as text. A bucket begins on a whole minute, so the minute decides."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def bucket(self, text: str) -> int:
        minute = text[:16]
        found = self._known.get(minute)
        if found is None:
            found = self._known[minute] = bucket_of(parse_iso(text))
        return found


def _judge_all(intake: _Intake, rules: Rules, now: int, tally: dict[str, _Tally]) -> list[_Said]:
    factors: dict[str, Callable[[int], int]] = {}
    said = []
    for entity, cells in intake.ledger.entities():
        channels = _channels(cells, rules, now, factors, tally)
        if channels:
            parts = {BASELINE: rules.baseline, **{SOURCE + name: part for name, (_, part) in channels.items()}}
            said.append(_Said(entity, channels, judge(parts, rules.strength), intake.tags(entity)))
    return said


def _channels(cells: Mapping[str, Cell], rules: Rules, now: int, factors: dict[str, Callable[[int], int]],
              tally: dict[str, _Tally]) -> dict[str, tuple[Worth, int]]:
    """The live channels of one entity: their worth, and what pooling makes of it."""
    channels = {}
    for source, cell in cells.items():
        card = rules.card(source)
        if source not in factors:
            factors[source] = _factor(rules, card, now)
        worth = cell.worth(factors[source])
        if worth.count:
            channels[source] = (worth, pooled(worth.evidence, card))
            total = tally.setdefault(source, _Tally())
            total.claims += worth.count
            total.entities += 1
            total.evidence += abs(worth.evidence)
    return channels


def _factor(rules: Rules, card: Card, now: int) -> Callable[[int], int]:
    """The decay of a bucket at `now` under a card, looked up once per bucket."""
    known: dict[int, int] = {}

    def factor(bucket: int) -> int:
        found = known.get(bucket)
        if found is None:
            found = known[bucket] = rules.decay.factor(now - bucket, card.half_life, card.ttl)
        return found

    return factor


@dataclass(frozen=True, slots=True)
class _Cycle:
    """What all rows of a pass have in common."""

    dag: str
    now: datetime
    rules: Rules


def _row(rank: int, said: _Said, rank_bp: int, cycle: _Cycle) -> dict[str, Any]:
    """One conviction, ready for JSON, in the order of the model's fields."""
    view, rules = said.view, cycle.rules
    lines = [_baseline_line(view, rules.baseline)]
    lines += [_source_line(source, worth, part, view, rules) for source, (worth, part) in said.channels.items()]
    strongest = max(said.channels, key=lambda source: (abs(said.channels[source][1]), source))
    ttl = rules.card(strongest).half_life_s
    kind, _, ticker = said.entity.partition(":")
    facts = [[line["reason"], line["bp"], line["evidence"], line["count"], line["signals"]] for line in lines]
    return {
        "rank": rank, "signal_id": conviction_id([said.entity, view.direction, facts, rules.rules_hash]),
        "dag_id": cycle.dag, "entity": said.entity, "asset_class": kind, "ticker": ticker, "direction": view.direction,
        "conviction_bp": view.conviction_bp, "conviction_score": view.conviction_bp / 10_000, "probability_bp": None,
        "rank_bp": rank_bp, "reason_vector": lines, "contributing_models": _models(said.channels, rules), "ttl": ttl,
        "expires_at": iso(cycle.now + timedelta(seconds=ttl)), "routing_tags": _routing(kind, said)}


def _baseline_line(view: View, baseline: int) -> dict[str, Any]:
    return {"reason": BASELINE, "bp": view.shares[BASELINE], "evidence": baseline,
            "text": "What is believed before any evidence.", "signals": [], "count": 0}


def _source_line(source: str, worth: Worth, part: int, view: View, rules: Rules) -> dict[str, Any]:
    way = "up" if part > 0 else "down" if part < 0 else "neither way"
    point = "claim of {} points" if worth.count == 1 else "claims of {} point"
    card = "" if source in rules.cards else "; the channel has no card of its own and is read with the default one"
    return {"reason": SOURCE + source, "bp": view.shares[SOURCE + source], "evidence": part,
            "text": f"{worth.count} live {point.format(source)} {way}{card}.",
            "signals": list(worth.strongest), "count": worth.count}


def _models(channels: Iterable[str], rules: Rules) -> list[dict[str, Any]]:
    cards = [{"model": rules.card_name(source), "version": rules.hashes["sources"][:12],
              "weight_bp": rules.card(source).weight_bp} for source in channels]
    return [{"model": POOL, "version": CODE_VERSION, "weight_bp": 10_000}, *cards]


def _routing(kind: str, said: _Said) -> list[str]:
    """Asset class, sources, then what whoever routes should know, in order of name."""
    parts = [part for _, part in said.channels.values()]
    tags = set(said.tags)
    if any(part > 0 for part in parts) and any(part < 0 for part in parts):
        tags.add("mixed")
    if len(parts) == 1:
        tags.add("single_source")
    return [kind, *said.channels, *sorted(tags)]


def _belief(rules: Rules, tally: Mapping[str, _Tally]) -> dict[str, Any]:
    rows = []
    for source, total in sorted(tally.items()):
        card = rules.card(source)
        rows.append({"source": source, "weight_bp": card.weight_bp, "cap": card.cap, "half_life_s": card.half_life_s,
                     "live_signals": total.claims, "reliability_bp": None, "outcomes": 0})
    return {"status": STATUS, "baseline": rules.baseline, "sources": rows}


def _leaderboard(tally: Mapping[str, _Tally]) -> dict[str, Any]:
    order = sorted(tally, key=lambda source: (-tally[source].evidence, source))
    return {"status": STATUS, "sources": [
        {"rank": rank, "source": source, "live_signals": tally[source].claims, "entities": tally[source].entities,
         "evidence": tally[source].evidence, "outcomes": 0} for rank, source in enumerate(order, start=1)]}


def _risk(said: list[_Said], missing: Mapping[str, str]) -> dict[str, Any]:
    sides = [one.view.direction for one in said]
    lead = sides.count("long") - sides.count("short")
    return {"status": STATUS, "regime": "not measured", "drift": "not measured",
            "breadth_bp": lead * 10_000 // len(sides) if sides else 0, "missing_feeds": list(missing)}
