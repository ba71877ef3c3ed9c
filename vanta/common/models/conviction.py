"""`trade_signals.json`: ranked convictions with reasons that add up.

`conviction_bp` is the strength of the evidence on a scale of 10,000: 0 means none, 10,000 is never
reached. It is not a probability: `probability_bp` stays `None` until a calibration exists. The `bp` of
`reason_vector`, the baseline line included, sum to `conviction_bp` exactly. Lines against the direction
are negative.
"""

from typing import Literal

from pydantic import Field

from vanta.common.models.base import Bp, Header, Model, Real, Sha256, UtcTime

Direction = Literal["long", "short", "flat"]


class Reason(Model):
    """One line of why. `evidence` is the line's share of the log-odds in thousandths (milli-nats)."""

    reason: str = Field(description="stable name: baseline, source:<source>, persona:<name>, cap:<name>")
    bp: Bp
    evidence: int
    text: str = Field(description="one plain sentence")
    signals: list[str] = Field(description="ids of the strongest contributing signals, at most five")
    count: int = Field(ge=0, description="how many live signals stand behind the line")


class ModelUse(Model):
    """A rule or model that took part, with its version and its weight in basis points."""

    model: str
    version: str
    weight_bp: int = Field(ge=0)


class Conviction(Model):
    """One entity's row."""

    rank: int = Field(ge=1)
    signal_id: str = Field(pattern=r"^cv1_[a-z2-7]{26}$")
    dag_id: str
    entity: str
    asset_class: str
    ticker: str
    direction: Direction
    conviction_bp: int = Field(ge=0, le=10_000)
    conviction_score: Real = Field(ge=0, le=1, description="conviction_bp / 10,000")
    probability_bp: int | None = Field(default=None, description="calibrated probability; None until calibrated")
    rank_bp: int = Field(ge=0, le=10_000, description="the steadied value that ranks are made of")
    reason_vector: list[Reason]
    contributing_models: list[ModelUse]
    ttl: int = Field(ge=0, description="seconds until the strongest reason has halved")
    expires_at: UtcTime
    routing_tags: list[str]


class TradeSignals(Header):
    """The whole file. `inputs` are content hashes of the feed files read, `missing` feeds that had no weight."""

    now: UtcTime
    dag_id: str
    status: Literal["uncalibrated", "calibrated"]
    inputs: dict[str, Sha256]
    rules: dict[str, str]
    missing: dict[str, str]
    convictions: list[Conviction]


class SourceBelief(Model):
    """What is believed about one evidence channel. Reliability stays `None` until outcomes were counted."""

    source: str
    weight_bp: int
    cap: int = Field(description="most log-odds it can contribute, milli-nats")
    half_life_s: int
    live_signals: int
    reliability_bp: int | None = None
    outcomes: int = 0


class SystemBelief(Header):
    """`system_belief.json`."""

    status: Literal["uncalibrated", "calibrated"]
    baseline: int = Field(description="prior log-odds in milli-nats")
    sources: list[SourceBelief]


class LeaderboardRow(Model):
    """One source's place by the evidence it carries today."""

    rank: int
    source: str
    live_signals: int
    entities: int
    evidence: int = Field(description="sum of absolute decayed evidence, milli-nats")
    outcomes: int = 0


class SignalLeaderboard(Header):
    """`signal_leaderboard.json`."""

    status: Literal["uncalibrated", "calibrated"]
    sources: list[LeaderboardRow]


class SystemRisk(Header):
    """`system_risk.json`. Regime and drift are `not measured` until a model measures them."""

    status: Literal["uncalibrated", "calibrated"]
    regime: str
    drift: str
    breadth_bp: int = Field(description="long minus short convictions over all, basis points")
    missing_feeds: list[str]
