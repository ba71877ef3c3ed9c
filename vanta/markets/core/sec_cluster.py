"""When separate insiders act alike in the same week. Pure.

A cluster is about one issuer, one side and one ISO week of trade days. Its members are the standing claims of
`sec.form4`; a decision group is a set of claims that hang together: by a common owner, or by being the same
number of shares for the same money on the same day, which is one trade that several people had to report. Two
groups make a cluster. Its claim is public when its last member is, so that it never says more than was known.

It only looks at weeks in which something changed, and a cluster shrinks by retraction alone, never because a
member left the window. Example: the CEO buys on Monday, a director on Thursday → one `insider_cluster`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import count

from vanta.common.ids import signal_id
from vanta.common.models.signal import CollectorStamp, Factor, Signal
from vanta.common.money import CONTEXT, ZERO, decimal, plain
from vanta.markets.core import sec_score

Week = tuple[str, str, str]
_MOST_EVIDENCE = 20
_VERB = {"P": "bought", "S": "sold"}


def week_of(day: date) -> str:
    """`2020-W20`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def clusters(changed: Mapping[str, Signal], known: Mapping[str, Signal], *, stamp: CollectorStamp,
             observed_at: str) -> list[Signal]:
    """Cluster claims for every week that `changed` touches. `changed` overrules `known` by id."""
    touched = sorted({_week(signal) for signal in changed.values() if signal.kind != "insider_cluster"})
    members: dict[Week, list[Signal]] = {week: [] for week in touched}
    for signal in {**known, **changed}.values():
        if signal.kind in ("insider_buy", "insider_sale") and _week(signal) in members:
            members[_week(signal)].append(signal)
    return [claim for week in touched
            for claim in _claims(week, members[week], known, changed, (stamp, observed_at))]


def _claims(week: Week, members: list[Signal], known: Mapping[str, Signal], changed: Mapping[str, Signal],
            seen: tuple[CollectorStamp, str]) -> Iterator[Signal]:
    standing = sorted((one for one in members if one.retracted_reason is None), key=lambda one: one.id)
    groups = _groups(standing)
    claim = _current_id(week, known)
    if len(groups) >= 2:
        yield _cluster(week, standing, groups, seen).model_copy(update={"id": claim})
        return
    old = known.get(claim)
    withdrawn = any(one.retracted_reason is not None and one.id in changed for one in members)
    if old is not None and withdrawn:
        yield old.model_copy(update={"strength": 0.0, "retracted_reason": "fewer than two decisions still stand",
                                     "collector": seen[0], "observed_at": seen[1]})


def _groups(members: list[Signal]) -> list[list[Signal]]:
    """Members that hang together, each group in order, the groups in order of their first member."""
    groups: list[tuple[set[str], list[Signal]]] = []
    for one in members:
        marks = _marks(one)
        touching = [group for group in groups if group[0] & marks]
        groups = [group for group in groups if not group[0] & marks]
        groups.append((marks.union(*(group[0] for group in touching)),
                       [*(signal for group in touching for signal in group[1]), one]))
    return [group for _, group in groups]


def _marks(one: Signal) -> set[str]:
    features = one.features
    marks = {f"owner:{cik}" for cik in str(features["owners"]).split()} or {f"filing:{features['accession']}"}
    if "dollars" in features:
        marks.add(f"trade:{features['trade_date']}:{features['shares']}:{features['dollars']}")
    return marks


def _cluster(week: Week, members: list[Signal], groups: list[list[Signal]],
             seen: tuple[CollectorStamp, str]) -> Signal:
    _, name, code = week
    lead = members[0]
    dollars = sum((max(_dollars(one) for one in same) for same in _trades(members)), ZERO)
    role = sec_score.strongest(str(one.features["role"]) for one in members)
    last = max(members, key=lambda one: (one.published_at, one.id))
    confidence = CONTEXT.divide(sum((decimal(str(one.confidence)) for one in members), ZERO), Decimal(len(members)))
    evidence = {item.sha256: item for one in members for item in one.evidence}
    worth = f"${dollars:,.0f}" if dollars else "an unstated amount"
    return lead.model_copy(update={
        "revision": 1, "source_kind": "derived", "kind": "insider_cluster",
        "summary": f"{len(groups)} separate decisions {_VERB[code]} {lead.entity.name} ({lead.entity.ticker}) "
                   f"for {worth} in {name}",
        "strength": sec_score.grid(sec_score.strength(dollars, role, len(groups))),
        "confidence": sec_score.grid(confidence),
        "confidence_basis": [Factor(factor="separate decisions", value=str(len(groups))),
                             Factor(factor="mean confidence of the members", value=plain(confidence.normalize())[:8])],
        "event_at": max(one.event_at or "" for one in members), "published_at": last.published_at,
        "observed_at": seen[1], "expires_at": last.expires_at, "time_quality": last.time_quality,
        "evidence": [evidence[digest] for digest in sorted(evidence)][:_MOST_EVIDENCE], "raw_ref": None,
        "supersedes": None, "flags": sorted({flag for one in members for flag in one.flags}),
        "features": {"issuer_cik": week[0], "week": name, "code": code, "decisions": len(groups),
                     "filings": len({one.features["accession"] for one in members}), "dollars": plain(dollars),
                     "members": " ".join(sorted(one.id for one in members))},
        "collector": seen[0]})


def _trades(members: list[Signal]) -> list[list[Signal]]:
    """Members by what was traded, so that a trade that two filings report is paid for once."""
    trades: dict[str, list[Signal]] = {}
    for one in members:
        mark = next((mark for mark in _marks(one) if mark.startswith("trade:")), one.id)
        trades.setdefault(mark, []).append(one)
    return list(trades.values())


def _dollars(one: Signal) -> Decimal:
    return decimal(str(one.features.get("dollars", "0")))


def _week(signal: Signal) -> Week:
    features = signal.features
    return str(features["issuer_cik"]), str(features["week"]), str(features["code"])


def _current_id(week: Week, known: Mapping[str, Signal]) -> str:
    """The id of the week's cluster. A retraction is final: what forms after one is another claim."""
    cik, name, code = week
    keys = (f"{cik}|{name}|{code}" + (f"|{generation}" if generation > 1 else "") for generation in count(1))
    claims = (signal_id(sec_score.SOURCE, "insider_cluster", f"CIK:{cik}", key) for key in keys)
    return next(claim for claim in claims if claim not in known or known[claim].retracted_reason is None)
