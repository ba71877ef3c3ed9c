"""The rules of evidence: one card per channel, the two tables, one hash over all of it. Pure.

A card says how long claims of a channel keep saying something, how many milli-nats a perfect claim is worth, how
much the whole channel may ever say (`cap`) and how far it is trusted (`weight_bp`). A channel without a card is
read with the `default` card, and is named as such wherever it appears. Refuses to know claims, prices and time.

Example: `sec.form4` has gain 2,000 and cap 1,400: an insider purchase of strength 0.5 and confidence 0.9 brings
900 milli-nats, of which saturation leaves 547; ten thousand such purchases would bring less than 1,400.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from vanta.common import strictjson
from vanta.common.canonical import content_hash, sha256
from vanta.common.models.base import Model, validate
from vanta.markets.core import decay, logistic
from vanta.markets.core.decay import BUCKET_S, Decay
from vanta.markets.core.logistic import Strength

CODE_VERSION = "1"
"""Grows whenever the arithmetic of ledger, score or reflect changes its results."""

MOST_LINE = 2_000
"""No single line may reach this many milli-nats: strength rises by at most 5 bp a milli-nat, so a line fits 10,000."""


class Card(Model):
    """One channel. Times are whole buckets of five minutes; `cap` and `gain` are milli-nats."""

    half_life_s: int = Field(ge=BUCKET_S, multiple_of=BUCKET_S)
    ttl_s: int = Field(ge=BUCKET_S, multiple_of=BUCKET_S, description="older claims say nothing")
    weight_bp: int = Field(ge=0, le=10_000, description="how far the channel is trusted")
    cap: int = Field(ge=1, le=MOST_LINE, description="what the channel approaches and never reaches, before its weight")
    gain: int = Field(ge=0, le=10_000, description="evidence of a claim of direction, strength and confidence 1")
    sentiment: bool = Field(description="mood of a crowd: the only kind of channel that a persona may read in reverse")
    why: str

    @property
    def half_life(self) -> int:
        """In buckets."""
        return self.half_life_s // BUCKET_S

    @property
    def ttl(self) -> int:
        """In buckets."""
        return self.ttl_s // BUCKET_S


class _File(Model):
    version: int
    baseline: int = Field(gt=-MOST_LINE, lt=MOST_LINE, description="prior log-odds of every entity, milli-nats")
    default: Card
    sources: dict[str, Card]


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that decides a score besides the claims and the time. `hashes` name each part."""

    decay: Decay
    strength: Strength
    baseline: int
    cards: Mapping[str, Card]
    default: Card
    hashes: Mapping[str, str]

    def card(self, source: str) -> Card:
        """The channel's own card, or the default one."""
        return self.cards.get(source, self.default)

    def card_name(self, source: str) -> str:
        """`card:sec.form4`, or `card:default` where the channel has none of its own."""
        return f"card:{source if source in self.cards else 'default'}"

    @property
    def rules_hash(self) -> str:
        """One hash over all parts."""
        return content_hash(dict(self.hashes))


def parse(*, sources: bytes, decay_table: bytes, logistic_table: bytes) -> Rules:
    """Build the rules from the three shipped files. Raises `BadInput` or `StateError` naming the file."""
    file = validate(_File, strictjson.loads_object(sources, file="sources.json"), file="sources.json")
    return Rules(
        decay=decay.parse(decay_table), strength=logistic.parse(logistic_table), baseline=file.baseline,
        cards=file.sources, default=file.default,
        hashes={"code": CODE_VERSION, "decay": sha256(decay_table), "logistic": sha256(logistic_table),
                "sources": sha256(sources)})
