"""`<feed>_signals.json`: the live window of normalised claims of one feed.

A signal is one claim of one source about one entity. Its id names the claim (source, kind, entity, dedup
key), so that a re-run makes the same id and a re-scored claim is a new revision of the same id.
`direction`, `strength` and `confidence` lie on a grid of 1/10,000, so that evidence is exact integers.
"""

from typing import Annotated, Literal

from pydantic import Field

from vanta.common.models.base import Header, Model, Sha256, Signed, Unit, UtcTime

SignalKind = Literal[
    "insider_buy", "insider_sale", "insider_cluster", "news", "mention_spike",
    "funding", "ob_imbalance", "momentum", "event_window",
]
FeedStatus = Literal["ok", "partial", "stale", "error"]

MOST = 2**63 - 1
"""The largest whole number in a feed file: what every decoder of JSON reads exactly."""
Whole = Annotated[int, Field(ge=-2**63, le=MOST)]


class Match(Model):
    """How the text or number was attributed to the entity."""

    method: Literal["issuer", "cashtag", "tag", "symbol", "name", "context", "venue"]
    confidence: Unit


class Entity(Model):
    """What the claim is about. `key` is the join key of the ledger: `equity:AAPL`, `crypto:BTC`, `macro:US`."""

    key: str = Field(pattern=r"^(equity|crypto|macro|venue):[A-Z0-9][A-Z0-9.\-]{0,19}$")
    type: Literal["equity", "crypto", "macro", "venue"]
    id: str = Field(description="the source's own identity, such as CIK:0000320193 or CCXT:bybit:BTC/USDT")
    ticker: str
    exchange: str | None = None
    name: str | None = None
    match: Match


class Factor(Model):
    """One named factor of the confidence, with what it multiplied or said."""

    factor: str
    value: str


class Evidence(Model):
    """Where the claim can be checked. `sha256` is of the raw bytes in the snapshot store."""

    url: str
    sha256: Sha256
    media_type: str
    fetched_at: UtcTime
    licence: str


class CollectorStamp(Model):
    """Which code made the signal, in which run."""

    name: str
    version: str
    run_id: str
    params_hash: str


class Signal(Model):
    """One claim. `None` in `event_at` means the source does not say when it happened."""

    id: str = Field(pattern=r"^sig1_[a-z2-7]{26}$")
    revision: int = Field(ge=1, le=MOST)
    source: str = Field(description="evidence channel, one per rule card: sec.form4, news.rss, reddit.posts, ...")
    source_kind: Literal["primary", "aggregate", "social", "market", "derived"]
    kind: SignalKind
    entity: Entity
    summary: str = Field(description="one plain sentence for a person")
    direction: Signed = Field(description="-1 bearish to 1 bullish; 0 = non-directional")
    strength: Unit = Field(description="magnitude against the source's own scale")
    confidence: Unit = Field(description="is the claim true and rightly attributed")
    confidence_basis: list[Factor]
    event_at: UtcTime | None
    published_at: UtcTime
    observed_at: UtcTime
    time_quality: Literal["exact", "date", "assumed"]
    half_life_s: int = Field(gt=0, le=MOST)
    expires_at: UtcTime
    evidence: list[Evidence]
    raw_ref: str | None = Field(description="snapshot hash and a path inside the payload")
    supersedes: str | None = None
    retracted_reason: str | None = None
    features: dict[str, Whole | str] = Field(description="the numbers that were used; decimals as strings")
    collector: CollectorStamp
    flags: list[str]


class FeedProblem(Model):
    """Something that was refused or could not be read, so that nothing disappears in silence."""

    code: str
    detail: str
    where: str


class FeedCounts(Model):
    """What one pass saw. Every record became part of a claim or is counted in one of the last three.

    Claims are counted too: new, updated, expired, or unchanged (among the duplicates). One claim may need
    several records.
    """

    payloads: int = 0
    records: int = 0
    signals_new: int = 0
    signals_updated: int = 0
    late: int = Field(default=0, description="new claims that were published before something already seen")
    expired: int = Field(default=0, description="claims that had expired or left the window when they arrived")
    duplicates: int = Field(default=0, description="records and claims that repeat what is known")
    not_signals: int = Field(default=0, description="records that by rule carry no claim, such as code A awards")
    rejected: int = Field(default=0, description="refused, each with its reason in the errors")


class FeedDocument(Header):
    """The whole file. An error leaves `signals` as they were and says so in `status`."""

    feed: str
    status: FeedStatus
    status_reason: str
    generated_at: UtcTime
    last_success_at: UtcTime | None
    run_id: str
    window_from: UtcTime | None
    window_to: UtcTime | None
    counts: FeedCounts
    errors: list[FeedProblem]
    signals: list[Signal]
