"""Payloads with prices: files of bars, bodies of exchanges, latest quotes of shares. They make quotes, not signals."""

from typing import Any

from vanta.markets.core.feed import Feed
from vanta.markets.core.prices import read_bars
from vanta.markets.core.records import NormaliseContext, Normalised, RawPayload, Reading
from vanta.markets.parsers import ccxt_read, latest_quotes

_JSON = (b"{", b"[")


class PricesFeed(Feed):
    """Bars and last prices."""

    feed = "prices"

    def read(self, payload: RawPayload) -> Reading:
        """Bars of a price file, tickers of an exchange's body."""
        if payload.body.lstrip().startswith(_JSON):
            quotes = latest_quotes.read(payload.body, where=payload.url)
            return ccxt_read.read(payload.body, payload.url) if quotes is None else quotes
        reading = read_bars(payload.body, payload.url)
        return Reading(records=reading.bars, problems=reading.problems, complete=not reading.problems)

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:  # noqa: ARG002
        """No record of this feed is a claim."""
        return Normalised(signals=[], not_signals=len(records))
