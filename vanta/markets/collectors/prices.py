"""Prices: the last quotes of public exchanges, or recorded price files. Makes quotes, not signals.

Options are those of the crypto feed that concern whom to ask (`exchanges`, `assets`, `contact`, `urls`, `proxy`).
Recorded payloads are `SYMBOL.csv` files with the header `date,open,high,low,close,volume`, plain or gzip, bodies of
exchanges exactly as served, and latest quotes of shares as Alpaca serves them. What they hold becomes records;
`core.prices.quotes` turns those into quotes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vanta.common.clock import Clock, SystemClock
from vanta.markets.collectors.crypto import asks, fetch_all, hosts_of
from vanta.markets.collectors.port import Collector, FetchContext, Problem, RawPayload
from vanta.markets.core.feeds.prices import PricesFeed

_OPTIONS = frozenset({"exchanges", "assets", "contact", "urls", "proxy"})


class PricesCollector(PricesFeed, Collector):
    """Bars and last prices."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def hosts(self, options: Mapping[str, Any]) -> frozenset[str]:
        """See `Collector.hosts`."""
        return hosts_of(asks(options, self.feed, _OPTIONS))

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """The tickers of all exchanges. Raises only if none of them gave any."""
        yield from fetch_all(asks(context.options, self.feed, _OPTIONS), context, self._clock, prices_only=True)
