"""Feed items → one signal per story and asset. Pure.

It decides which assets an item names (`tickers`), which way its words lean (`stance`, a word list and therefore
weak: it reads no irony and no context), which items tell the same story (`stories`) and what that is worth. It
refuses to judge whether a story is true. An item that names no known asset carries no claim.

- Direction: mean lean of the independent voices. Strength: how many there are. Both 1/n for an item that names
  more than five assets. Confidence: 0.5 to 0.8, from how surely the asset was named, the date and the voices.
- The id is that of the article that began the story; copies and later voices are revisions of it. The state
  of a story lies in the signal's features, so that the next pass needs nothing else.

Example: two outlets independently on "Acme beats forecast" → `news` on `equity:ACME`, strength 0.45.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Literal, cast

from vanta.common.canonical import content_hash
from vanta.common.ids import signal_id
from vanta.common.models.signal import CollectorStamp, Entity, Evidence, Factor, Match, Signal
from vanta.common.times import iso, parse_iso
from vanta.markets.core.news_item import Item, item
from vanta.markets.core.records import NormaliseContext, Normalised, Problem
from vanta.markets.core.revise import revise
from vanta.markets.core.stance import stance
from vanta.markets.core.stories import Story, Voice, mean_stance, told
from vanta.markets.core.ticker_index import index
from vanta.markets.core.tickers import Mention, extract

SOURCE = "news.rss"
LICENCE = "the publisher's; headline and link only"
STRENGTH = (2500, 4500, 6000, 7000, 8000, 8500, 9000, 9500)  # by number of independent voices, ten-thousandths
HALF_LIFE_H = (12, 18, 24)  # by number of independent voices
LIVES = 5
LIST_FROM = 6
_MOST_EVIDENCE = 8

PARAMS_HASH = content_hash({"strength": list(STRENGTH), "half_life_h": list(HALF_LIFE_H), "list_from": LIST_FROM})


def normalise(records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
    """Signals that are new or changed, and what became of every other record."""
    items, problems = _items(records, context)
    board = _Board(context)
    lookup = index(context.universe)
    duplicates = not_signals = 0
    for one in items:
        mentions = extract(one.body, lookup, one.tags)
        if not mentions:
            not_signals += 1
        changes = [board.tell(one, mention, len(mentions)) for mention in mentions]
        if changes and not any(changes):
            duplicates += 1
    return Normalised(signals=board.signals(), duplicates=duplicates, not_signals=not_signals, problems=problems)


def _items(records: Sequence[dict[str, Any]], context: NormaliseContext) -> tuple[list[Item], list[Problem]]:
    """Usable items by time, then identity; of one identity the last fetched comes last and wins."""
    items, problems = [], []
    for record in records:
        one = item(record, context.now)
        if isinstance(one, str):
            problems.append(Problem(code="undated", detail=one, where=f"{record['_url']}#entry[{record['index']}]"))
        else:
            items.append(one)
    items.sort(key=lambda one: (one.at, one.key, one.source["_fetched_at"], one.source["_sha256"], one.source["index"]))
    return items, problems


@dataclass(slots=True)
class _Basis:
    """What a story's claim rests on beside its voices."""

    match: Match
    raw_ref: str | None
    flags: set[str] = field(default_factory=set)
    evidence: list[Evidence] = field(default_factory=list)


class _Board:
    """The stories of every asset: what is known, and what this pass adds."""

    def __init__(self, context: NormaliseContext) -> None:
        self._context = context
        self._stories: dict[str, list[Story]] = {}
        self._basis: dict[tuple[str, str], _Basis] = {}
        for _, signal in sorted(context.known.items()):
            story = Story(lead=str(signal.features["lead"]), voices=_voices(signal.features))
            self._stories.setdefault(signal.entity.key, []).append(story)
            self._basis[signal.entity.key, story.lead] = _Basis(
                signal.entity.match, signal.raw_ref, set(signal.flags), list(signal.evidence))

    def tell(self, one: Item, mention: Mention, named: int) -> bool:
        """Add one item's telling about one asset; returns whether it changed a story."""
        voice = Voice(key=one.key, outlet=one.outlet, title=one.title[:160], text=one.text, at=one.at,
                      quality=one.quality, stance=round(stance(one.body) * 10_000), named=named)
        names = (mention.ticker, self._context.universe.get(mention.ticker, ""))
        story, changed = told(self._stories.setdefault(mention.key, []), voice, names)
        if changed:
            match, source = Match(method=mention.method, confidence=mention.confidence), one.source
            basis = self._basis.setdefault((mention.key, story.lead), _Basis(
                match, f"{source['_sha256']}#entry[{source['index']}]"))
            if match.confidence > basis.match.confidence:
                basis.match = match
            basis.flags.update(one.flags, ("list",) if named >= LIST_FROM else ())
            _support(basis.evidence, one)
        return changed

    def signals(self) -> list[Signal]:
        """The changed stories as signals, by id."""
        made = (self._signal(key, story, self._basis[key, story.lead])
                for key, stories in self._stories.items() for story in stories if story.changed)
        revised = (revise(signal, self._context.known) for signal in made)
        return sorted((signal for signal in revised if signal is not None), key=lambda signal: signal.id)

    def _signal(self, key: str, story: Story, basis: _Basis) -> Signal:
        context = self._context
        first = min(story.voices, key=lambda voice: (voice.at, voice.key))
        count = len(story.voices)
        share = min(voice.named for voice in story.voices)
        weight = share if share >= LIST_FROM else 1
        confidence, factors = _confidence(basis.match, first.quality, count)
        half_life = timedelta(hours=HALF_LIFE_H[min(count, len(HALF_LIFE_H)) - 1])
        return Signal(
            id=signal_id(SOURCE, "news", key, story.lead), revision=1, source=SOURCE, source_kind="aggregate",
            kind="news", entity=_entity(key, basis.match, context.universe),
            summary=f"{first.title} ({first.outlet}" + (f" and {count - 1} more)" if count > 1 else ")"),
            direction=mean_stance(story.voices) / 10_000,
            strength=STRENGTH[min(count, len(STRENGTH)) - 1] // weight / 10_000,
            confidence=confidence / 10_000, confidence_basis=factors, event_at=None, published_at=first.at,
            observed_at=iso(context.now), time_quality=cast("Literal['exact', 'date', 'assumed']", first.quality),
            half_life_s=int(half_life.total_seconds()), expires_at=iso(parse_iso(first.at) + half_life * LIVES),
            evidence=basis.evidence, raw_ref=basis.raw_ref, features=_features(story), flags=sorted(basis.flags),
            collector=CollectorStamp(name=context.collector, version=context.version, run_id=context.run_id,
                                     params_hash=PARAMS_HASH))


def _confidence(match: Match, quality: str, voices: int) -> tuple[int, list[Factor]]:
    """Ten-thousandths, and what they are made of."""
    parts = [("base for a word list", 5000)]
    parts.append((f"asset named by {match.method}", 1000 if match.confidence >= 0.9 else 0))
    parts.append((f"time {quality}", 500 if quality == "exact" else 0))
    parts.append((f"{voices} independent outlets", 500 * min(voices - 1, 3)))
    return sum(part for _, part in parts), [Factor(factor=name, value=f"+ {part / 10_000}") for name, part in parts]


def _entity(key: str, match: Match, universe: Mapping[str, str]) -> Entity:
    kind, _, ticker = key.partition(":")
    return Entity(key=key, type=cast("Literal['equity', 'crypto']", kind), id=f"TICKER:{ticker}", ticker=ticker,
                  name=universe.get(ticker) or universe.get(key), match=match)


def _support(evidence: list[Evidence], one: Item) -> None:
    """Add the item's payload, each payload once, the first ones kept."""
    source = one.source
    if len(evidence) < _MOST_EVIDENCE and all(known.sha256 != source["_sha256"] for known in evidence):
        evidence.append(Evidence(url=source["_url"], sha256=source["_sha256"], media_type=source["_media_type"],
                                 fetched_at=source["_fetched_at"], licence=LICENCE))


def _features(story: Story) -> dict[str, int | str]:
    features: dict[str, int | str] = {"lead": story.lead, "voices": len(story.voices)}
    for at, voice in enumerate(story.voices, start=1):
        features |= {f"{name}.{at}": value for name, value in asdict(voice).items()}
    return features


def _voices(features: Mapping[str, int | str]) -> list[Voice]:
    def text(name: str, at: int) -> str:
        return str(features[f"{name}.{at}"])

    return [Voice(key=text("key", at), outlet=text("outlet", at), title=text("title", at), text=text("text", at),
                  at=text("at", at), quality=text("quality", at), stance=int(text("stance", at)),
                  named=int(text("named", at))) for at in range(1, int(features["voices"]) + 1)]
