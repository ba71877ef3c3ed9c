"""Crypto market data: last prices, funding rates and order books of public exchanges, without keys, through ccxt.

    [markets.feeds.crypto.options]
    exchanges = ["bybit", "coinbase"]     # ccxt ids; one that is down does not stop the others
    assets = ["BTC", "ETH", "SOL"]

Order books are read `rounds` times, `pause_s` apart, because only imbalance that persists means anything. `urls` maps
an exchange to an address that replaces all of its own; `proxy` is an https proxy.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import OperatorError, OutsideError
from vanta.markets.collectors import options as read
from vanta.markets.collectors.ccxt_venue import Ask, Venue, hosts
from vanta.markets.collectors.http import user_agent
from vanta.markets.collectors.port import Collector, FetchContext, Problem, RawPayload
from vanta.markets.core.feeds.crypto import CryptoFeed

EXCHANGES = ("bybit", "coinbase")
ASSETS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK", "AVAX", "BNB")
_OPTIONS = frozenset({"exchanges", "assets", "rounds", "pause_s", "contact", "urls", "proxy"})


class CryptoCollector(CryptoFeed, Collector):
    """Tickers, books and funding."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def hosts(self, options: Mapping[str, Any]) -> frozenset[str]:
        """See `Collector.hosts`."""
        return hosts_of(asks(options, self.feed, _OPTIONS))

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """All exchanges in turn. Raises only if none of them gave everything."""
        yield from fetch_all(asks(context.options, self.feed, _OPTIONS), context, self._clock)


def asks(given: Mapping[str, Any], feed: str, names: frozenset[str]) -> dict[str, Ask]:
    """What to ask of each exchange, from a feed's options. Raises `OperatorError`."""
    read.known_only(given, feed, names)
    urls = given.get("urls", {})
    if not isinstance(urls, dict) or not all(read.host_of(str(url)) for url in urls.values()):
        raise OperatorError(f"{feed}: urls is {urls!r}", 'Write it as {bybit = "https://…"}.')
    assets = tuple(read.texts(given, feed, "assets")) or ASSETS
    if not all(asset.isalnum() and asset.isupper() for asset in assets):
        raise OperatorError(f"{feed}: assets is {list(assets)!r}", 'Write the codes of assets, as in ["BTC", "ETH"].')
    return {
        name: Ask(assets=assets, agent=user_agent(read.text(given, feed, "contact", None)), url=urls.get(name),
                  proxy=read.text(given, feed, "proxy", None), rounds=read.count(given, feed, "rounds", 3),
                  pause_s=read.count(given, feed, "pause_s", 2))
        for name in tuple(read.texts(given, feed, "exchanges")) or EXCHANGES}


def hosts_of(wanted: Mapping[str, Ask]) -> frozenset[str]:
    """Whom `fetch_all` asks."""
    return frozenset().union(*(hosts(name, ask) for name, ask in wanted.items()))


def fetch_all(wanted: dict[str, Ask], context: FetchContext, clock: Clock, *,
              prices_only: bool = False) -> Iterator[RawPayload | Problem]:
    """The bodies of all exchanges; one that fails or asked us to wait is a problem, all of them an error."""
    failed: list[OutsideError] = []
    for name, ask in wanted.items():
        venue = Venue(name, ask, context, clock)
        try:
            context.gate.check(venue.key)
            yield from venue.tickers() if prices_only else venue.bodies()
        except OutsideError as error:
            failed.append(error)
            yield Problem(code="not_fetched", detail=error.what, where=name)
        finally:
            venue.close()
    if len(failed) == len(wanted):
        raise failed[-1]

