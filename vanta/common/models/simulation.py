"""`simulation.json`: what a simulation was given and what came of it. Written once, at the end."""

from pydantic import Field

from vanta.common.models.base import Amount, Day, Header, Model, UtcTime
from vanta.common.models.signal import FeedProblem


class FeedResult(Model):
    """One feed. The last five are sums over all passes, in which a record that was handed out again counts again."""

    feed: str
    latency_s: int = Field(description="seconds from publication until the feed would have shown an item")
    payloads: int
    records: int = Field(description="records with a published time, each counted once")
    unseen: int = Field(description="of these, published too late to be seen before the end")
    passes: int
    failed_passes: int
    signals: int = Field(description="new signals")
    updates: int
    late: int
    expired: int
    not_signals: int
    rejected: int


class VaultResult(Model):
    """One vault at the end. Fractions of 1; `max_drawdown` is measured on the daily values."""

    vault_id: str
    currency: str
    capital: Amount
    nav: Amount
    realised: Amount = Field(description="after fees")
    unrealised: Amount
    fees: Amount
    max_drawdown: Amount


class DayRow(Model):
    """One vault at the last moment of one UTC day; `positions` is what they are worth at the newest prices."""

    day: Day
    vault_id: str
    cash: Amount
    positions: Amount
    nav: Amount
    realised: Amount
    unrealised: Amount


class Simulation(Header):
    """The whole file."""

    starts: UtcTime
    ends: UtcTime = Field(description="the first moment that is not part of it any more")
    every_s: int
    home_id: str
    instruments: list[str]
    moments: int = Field(description="times at which bars opened or closed")
    cycles: int = Field(description="passes of collecting, reflecting and promoting")
    convictions: int = Field(description="convictions in the last cycle")
    feeds: list[FeedResult]
    intents: int
    orders: int
    fills: int
    refusals: dict[str, int] = Field(description="refused intents by reason code; one may have several")
    holds: dict[str, int] = Field(description="intents that had to wait, by reason code")
    expired: int
    latches: dict[str, int]
    vaults: list[VaultResult]
    days: list[DayRow]
    problems: list[FeedProblem] = Field(description="what was left out of feeds and prices, and why")
    halted: str = Field(description="why nothing may be dispatched at the end; empty if it may")

