"""Reddit posts to signals: how many independent people name an asset in six hours, and which way they lean. Pure.

One signal per asset and six-hour bucket of UTC (`mention_spike`); more posts, edits and deletions are new revisions
of the same claim. Decides from the posts of this pass and the signals that are already known; refuses to know the
popularity of a post (votes change for ever) and whether anybody is right. Opinions are weak evidence: confidence
stays within 0.3 to 0.5, and falls to 0.05 where a campaign makes up half of the posts.
Example: twelve people naming GME between 12:00 and 18:00, nine of them sure that it rises, make one signal with
direction about 0.5 whose half-life is four hours.

Deleted means deleted: a post that comes back without author or text leaves every signal that rested on it. A signal
with nothing left keeps its id and weighs nothing; it is not retracted, because other people may still post.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isqrt
from typing import Any

from vanta.common.canonical import canonical, content_hash
from vanta.common.ids import signal_id
from vanta.common.models.signal import CollectorStamp, Entity, Evidence, Factor, Match, Signal
from vanta.common.times import from_millis, iso, parse_iso
from vanta.markets.core.neardup import clusters
from vanta.markets.core.neardup import normalise as normal_text
from vanta.markets.core.records import NormaliseContext, Normalised, Problem
from vanta.markets.core.reddit_members import Member, Voice, decode, digest, encode, merge, swarm_posts, voices
from vanta.markets.core.revise import revise
from vanta.markets.core.stance import stance
from vanta.markets.core.ticker_index import Index
from vanta.markets.core.tickers import Mention, extract, index

SOURCE = "reddit.posts"
LICENCE = "Reddit Data API terms; deleted content is purged"
BUCKET_S = 6 * 3600
HALF_LIFE_S = 4 * 3600
LIFE = timedelta(hours=24)
AHEAD = timedelta(minutes=2)  # how far a post's time may lie in our future
HISTORY_S = 7 * 86_400  # how long a bucket serves as baseline; each costs a few kB in the feed's file
BASELINE_BUCKETS = 4
LONG_TEXT = 40  # characters from which a word-for-word copy is no coincidence

_ROBOT = re.compile(r"(?i:automoderator|visualmod|.*[-_]bot)|.*[a-z]Bot")
PARAMS_HASH = content_hash(
    {"bucket_s": BUCKET_S, "half_life_s": HALF_LIFE_S, "baseline_buckets": BASELINE_BUCKETS, "rule": 1})


@dataclass(frozen=True, slots=True)
class _Post:
    """A post that names something, with what was read out of it."""

    record: Mapping[str, Any]
    mentions: tuple[Mention, ...]
    stance_bp: int
    cluster: str
    verbatim: str


def normalise(records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
    """Signals of this pass. Records are those of `parsers.reddit` with the runner's four evidence keys."""
    unique, duplicates = _latest(records)
    latest = iso(context.now + AHEAD)
    early = [record for record in unique if record["published_at"] > latest]
    seen = [record for record in unique if record["published_at"] <= latest]
    usable = [record for record in seen if not record["gone"] and not _is_robot(record)]
    lookup = index(context.universe)
    posts = _read(usable, lookup)
    affected = _by_claim(posts)
    ids = frozenset(record["id"] for record in seen)
    for old in _known(context):
        if any(member.id in ids for member in decode(str(old.features.get("members", "")))):
            affected.setdefault((str(old.features["bucket"]), old.entity.key), [])
    history = _history(context)
    signals: list[Signal] = []
    news: set[str] = set()
    for (bucket, key), named in sorted(affected.items(), key=lambda item: item[0]):
        claim = _Claim(key=key, name=lookup.titles.get(key), bucket=bucket, posts=tuple(named), seen=ids,
                       earlier=_earlier(history, key, bucket))
        signal = _claim(claim, context)
        if signal is not None:
            history[key, bucket] = int(signal.features["certainty_bp"])
            signals.append(signal)
            news.update(post.record["id"] for post, _ in named)
    problems = [Problem(code="from_the_future", detail=f"{record['id']} is dated {record['published_at']}",
                        where=str(record.get("_url", ""))) for record in early]
    return Normalised(signals=signals, duplicates=duplicates + sum(post.record["id"] not in news for post in posts),
                      not_signals=len(seen) - len(posts), problems=problems)


def public_at(record: Mapping[str, Any]) -> datetime:
    """When the text that a record holds could be read: an edited post is only known as it was edited."""
    return from_millis(max(record["created_utc"], record["edited_utc"] or 0) * 1000)


def _latest(records: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """One record per post: the last one fetched, and of those the last edited; in the order of time and id."""
    best: dict[str, dict[str, Any]] = {}
    for record in records:
        kept = best.get(record["id"])
        best[record["id"]] = record if kept is None else max(kept, record, key=_age)
    ordered = sorted(best.values(), key=lambda record: (record["created_utc"], record["id"]))
    return ordered, len(records) - len(ordered)


def _age(record: dict[str, Any]) -> tuple[str, int, bool, bytes]:
    return str(record["_fetched_at"]), record["edited_utc"] or 0, record["gone"], canonical(record)


def _is_robot(record: Mapping[str, Any]) -> bool:
    """Robots and the moderators' own announcements are not people with an opinion."""
    return record["distinguished"] is not None or bool(_ROBOT.fullmatch(record["author"] or ""))


def _read(records: list[dict[str, Any]], lookup: Index) -> list[_Post]:
    texts = [f"{record['title']}\n{record['text']}" for record in records]
    found = [(record, text, tuple(extract(text, lookup))) for record, text in zip(records, texts, strict=True)]
    naming = [(record, text, mentions) for record, text, mentions in found if mentions]
    roots = clusters([text for _, text, _ in naming])
    posts = []
    for (record, text, mentions), root in zip(naming, roots, strict=True):
        normal = normal_text(text)
        posts.append(_Post(record, mentions, round(stance(text) * 10_000), naming[root][0]["id"],
                           digest(normal) if len(normal) >= LONG_TEXT else ""))
    return posts


def _by_claim(posts: list[_Post]) -> dict[tuple[str, str], list[tuple[_Post, Mention]]]:
    claims: dict[tuple[str, str], list[tuple[_Post, Mention]]] = {}
    for post in posts:
        start = post.record["created_utc"] // BUCKET_S * BUCKET_S
        for mention in post.mentions:
            claims.setdefault((iso(from_millis(start * 1000)), mention.key), []).append((post, mention))
    return claims


def _known(context: NormaliseContext) -> list[Signal]:
    return [signal for _, signal in sorted(context.known.items()) if signal.source == SOURCE]


def _history(context: NormaliseContext) -> dict[tuple[str, str], int]:
    """What each known bucket of each asset weighs."""
    return {(signal.entity.key, str(signal.features["bucket"])): int(signal.features["certainty_bp"])
            for signal in _known(context)}


def _earlier(history: Mapping[tuple[str, str], int], key: str, bucket: str) -> tuple[int, ...]:
    """The weights of the asset's buckets before this one, as far back as the history reaches."""
    oldest = iso(parse_iso(bucket) - timedelta(seconds=HISTORY_S))
    return tuple(weight for (asset, start), weight in sorted(history.items())
                 if asset == key and oldest <= start < bucket)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """One asset in one bucket: its posts of this pass, every id the pass saw, what earlier buckets weighed."""

    key: str
    name: str | None
    bucket: str
    posts: tuple[tuple[_Post, Mention], ...]
    seen: frozenset[str]
    earlier: tuple[int, ...]

    @property
    def id(self) -> str:
        return signal_id(SOURCE, "mention_spike", self.key, f"{self.key.partition(':')[2]}|{self.bucket}")


def _claim(claim: _Claim, context: NormaliseContext) -> Signal | None:
    """The signal as it must read now, or `None` if the known one already says so."""
    old = context.known.get(claim.id)
    known = decode(str(old.features.get("members", ""))) if old else []
    fresh = [_member(post, mention) for post, mention in claim.posts]
    members = merge(known, fresh, claim.seen)
    if not members:
        return revise(_emptied(old, context), context.known) if old else None
    if old and encode(members) == old.features["members"]:
        return None  # the same posts say the same, whatever the baseline has become since
    return revise(_signal(claim, members, context), context.known)


def _member(post: _Post, mention: Mention) -> Member:
    record = post.record
    return Member(
        id=record["id"], author=digest(record["author"]), created_s=record["created_utc"], stance_bp=post.stance_bp,
        confidence_bp=round(mention.confidence * 10_000), method=mention.method, cluster=post.cluster,
        verbatim=post.verbatim, sha=str(record["_sha256"])[:12], path=record["path"])


def _signal(claim: _Claim, members: list[Member], context: NormaliseContext) -> Signal:
    spoken = voices(members)
    swarm = swarm_posts(members)
    strength, scale = _strength(spoken, claim.earlier)
    certainty = sum(voice.confidence_bp for voice in spoken)
    direction = round(sum(voice.stance_bp * voice.confidence_bp for voice in spoken) / certainty)
    confidence, basis = _confidence(spoken, swarm, len(members))
    kind, _, ticker = claim.key.partition(":")
    newest = from_millis(members[-1].created_s * 1000)
    evidence, refs = _evidence(claim, members, context)
    return Signal(
        id=claim.id, revision=1, source=SOURCE, source_kind="social", kind="mention_spike",
        entity=Entity(
            key=claim.key, type="crypto" if kind == "crypto" else "equity", id=f"TICKER:{ticker}", ticker=ticker,
            name=claim.name, match=_match(members)),
        summary=_summary(ticker, len(spoken), direction), direction=direction / 10_000, strength=strength / 10_000,
        confidence=confidence / 10_000, confidence_basis=[Factor(factor="strength scale", value=scale), *basis],
        event_at=iso(from_millis(members[0].created_s * 1000)), published_at=iso(newest),
        observed_at=iso(context.now), time_quality="exact", half_life_s=HALF_LIFE_S, expires_at=iso(newest + LIFE),
        evidence=evidence, raw_ref=refs.get(members[0].sha, "") + f"#{members[0].path}",
        features={"bucket": claim.bucket, "voices": len(spoken), "posts": len(members), "certainty_bp": certainty,
                  "swarm_posts": swarm, "members": encode(members)},
        collector=CollectorStamp(name=context.collector, version=context.version, run_id=context.run_id,
                                 params_hash=PARAMS_HASH),
        flags=sorted({"swarm"} if swarm else set()))


def _strength(spoken: list[Voice], earlier: tuple[int, ...]) -> tuple[int, str]:
    """Ten-thousandths, and the scale: against earlier buckets where four are known, else against eight sure voices."""
    weight = sum(voice.confidence_bp for voice in spoken)
    if len(earlier) < BASELINE_BUCKETS:
        return weight * 10_000 // (weight + 80_000), "absolute"
    usual = sum(earlier) // len(earlier)
    spread = sum((value - usual) ** 2 for value in earlier) // len(earlier)
    deviation = isqrt(max(spread, usual * 10_000, 25_000_000))
    z_bp = max(0, (weight - usual) * 10_000 // deviation)
    return z_bp * 10_000 // (z_bp + 30_000), f"z of {z_bp / 10_000:.2f} over {len(earlier)} earlier buckets"


def _confidence(spoken: list[Voice], swarm: int, posts: int) -> tuple[int, list[Factor]]:
    if swarm * 2 >= posts:
        return 500, [Factor(factor="campaign", value=f"{swarm} of {posts} posts")]
    attribution = sum(voice.confidence_bp for voice in spoken) // len(spoken)
    base = 3000 + 2000 * min(len(spoken) - 1, 9) // 9
    return min(base, attribution), [Factor(factor="independent voices", value=str(len(spoken))),
                                    Factor(factor="attribution", value=f"{attribution / 10_000:.4f}")]


def _match(members: list[Member]) -> Match:
    surest = max(members, key=lambda member: (member.confidence_bp, -member.created_s, member.id))
    return Match.model_validate({"method": surest.method, "confidence": surest.confidence_bp / 10_000})


def _summary(ticker: str, count: int, direction: int) -> str:
    lean = "leaning bullish" if direction >= 1000 else "leaning bearish" if direction <= -1000 else "without a lean"
    return f"{count} independent {'voice' if count == 1 else 'voices'} on Reddit name {ticker} within six hours, {lean}"


def _evidence(claim: _Claim, members: list[Member], context: NormaliseContext) -> tuple[list[Evidence], dict[str, str]]:
    """The payloads that the posts were first seen in, oldest first, and their hashes by the start that posts keep."""
    old = context.known.get(claim.id)
    found = [*(old.evidence if old else []), *(
        Evidence(url=post.record["_url"], sha256=post.record["_sha256"], media_type=post.record["_media_type"],
                 fetched_at=post.record["_fetched_at"], licence=LICENCE) for post, _ in claim.posts)]
    by_hash: dict[str, Evidence] = {}
    for item in sorted(found, key=lambda item: (item.fetched_at, item.sha256, item.url)):
        by_hash.setdefault(item.sha256[:12], item)
    needed = {member.sha for member in members}
    return ([item for start, item in by_hash.items() if start in needed],
            {start: item.sha256 for start, item in by_hash.items()})


def _emptied(old: Signal, context: NormaliseContext) -> Signal:
    """The claim when every post behind it was deleted or no longer names the asset: it weighs nothing."""
    nothing: dict[str, int | str] = {"voices": 0, "posts": 0, "certainty_bp": 0, "swarm_posts": 0, "members": ""}
    return old.model_copy(update={
        "summary": f"every post that named {old.entity.ticker} was deleted or edited", "direction": 0.0,
        "strength": 0.0, "confidence": 0.0, "confidence_basis": [Factor(factor="posts left", value="0")],
        "observed_at": iso(context.now), "features": old.features | nothing, "flags": ["emptied"]})
