"""`market_quotes.json`: the latest quote of every priced instrument. Written by the prices collector."""

from pydantic import Field

from vanta.common.models.base import Header, Model, Price, UtcTime, Volume


class Quote(Model):
    """What an instrument could be traded at. `average_daily_volume` is None where it is not known."""

    bid: Price
    ask: Price
    last: Price
    size: Volume | None = Field(default=None, description="units offered at bid or ask; None = not stated")
    at: UtcTime
    source: str
    average_daily_volume: Volume | None = None


class MarketQuotes(Header):
    """The whole file, by instrument id."""

    now: UtcTime
    quotes: dict[str, Quote]
