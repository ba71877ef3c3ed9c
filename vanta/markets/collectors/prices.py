"""Prices: the last quotes of public exchanges, or recorded price files. Makes quotes, not signals.

Options are those of the crypto feed that concern whom to ask (`exchanges`, `assets`, `contact`, `urls`, `proxy`).
Recorded payloads are `SYMBOL.csv` files with the header `date,open,high,low,close,volume`, plain or gzip, bodies of
exchanges exactly as served, and latest quotes of shares as Alpaca serves them. What they hold becomes records;
`core.prices.quotes` turns those into quotes.
"""

from collections.abc import Iterator
from typing import Any

from vanta.common.clock import Clock, SystemClock
from vanta.markets.collectors import crypto_read
from vanta.markets.collectors.crypto import asks, fetch_all
from vanta.markets.collectors.port import (
    Collector,
    FetchContext,
    NormaliseContext,
    Normalised,
    Problem,
    RawPayload,
    Reading,
)
from vanta.markets.core.prices import read_bars
from vanta.markets.parsers import latest_quotes

_OPTIONS = frozenset({"exchanges", "assets", "contact", "urls", "proxy"})
_JSON = (b"{", b"[")


class PricesCollector(Collector):
    """Bars and last prices."""

    feed = "prices"

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """The tickers of all exchanges. Raises only if none of them gave any."""
        yield from fetch_all(asks(context.options, self.feed, _OPTIONS), context, self._clock, prices_only=True)

    def read(self, payload: RawPayload) -> Reading:
        """Bars of a price file, tickers of an exchange's body."""
        if payload.body.lstrip().startswith(_JSON):
            quotes = latest_quotes.read(payload.body, where=payload.url)
            return crypto_read.read(payload.body, payload.url) if quotes is None else quotes
        reading = read_bars(payload.body, payload.url)
        return Reading(records=reading.bars, problems=reading.problems, complete=not reading.problems)

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:  # noqa: ARG002
        """No record of this feed is a claim."""
        return Normalised(signals=[], not_signals=len(records))
