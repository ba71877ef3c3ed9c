"""One exchange's public data through ccxt: what is asked, how often, and the bodies exactly as served.

Keyless. Lists of markets are many requests (Bybit alone makes four for spot and linear), and loading them every minute
is how scheduled programs get banned: the few markets that are needed are kept on disk for a day. Overridden addresses
replace every one that the library knows, because its constructor would merge them into its own and leave the others
pointing at the live exchange.
"""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from vanta.common.clock import Clock
from vanta.common.errors import BadInput, Missing, OperatorError, OutsideError, StateError, Throttled
from vanta.common.outside.allowed import host_of
from vanta.common.outside.over_requests import mount
from vanta.common.store import atomic
from vanta.common.strictjson import loads
from vanta.common.times import iso, parse_iso
from vanta.markets.collectors.http import retry_after_s
from vanta.markets.collectors.port import FetchContext, RawPayload
from vanta.markets.collectors.ratelimit import Rate
from vanta.markets.parsers import ccxt_library

RATE = Rate(per_second=5, burst=10)
QUOTES = ("USDT", "USD", "USDC")
MARKETS_LIVE = timedelta(hours=24)
TIMEOUT_MS = 20_000
THROTTLED_S = 60.0
_LIMITING = frozenset({418, 429})
_BY_TYPE = frozenset({"bybit", "binance"})  # these load spot, futures and options unless told otherwise
_ODD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is wanted of every exchange. `url` replaces all its addresses; `rounds` of order books, `pause_s` apart."""

    assets: tuple[str, ...]
    agent: str
    url: str | None = None
    proxy: str | None = None
    funding: bool = True
    rounds: int = 3
    pause_s: int = 2
    depth: int = 50


class Venue:
    """One exchange during one pass."""

    def __init__(self, name: str, ask: Ask, context: FetchContext, clock: Clock) -> None:
        exchange, errors = _exchange(name), ccxt_library.errors()
        logging.getLogger("ccxt").setLevel(logging.INFO)  # its debug lines hold whole requests
        self._name, self._ask, self._context, self._clock = name, ask, context, clock
        self._started = clock.monotonic()
        self._bodies: list[RawPayload] = []
        self._status = 0
        self._wait_s: float | None = None
        types = {"fetchMarkets": {"types": ["spot", "linear"]}} if name in _BY_TYPE else {}
        self._api = exchange({"timeout": TIMEOUT_MS, "userAgent": ask.agent, "options": types})
        self._expected, self._limited = (errors.BaseError, *_ODD), errors.RateLimitExceeded
        if ask.url:
            self._api.urls["api"] = _replaced(self._api.urls["api"], ask.url)
        if ask.proxy:
            self._api.httpsProxy = ask.proxy
        mount(self._api.session, context.gate.out)
        self._api.session.hooks["response"].append(self._record)
        self._api.session.send = context.gate.before(self._api.session.send, self.key, RATE)

    @property
    def key(self) -> str:
        """The name of its hold-off and its rate limit: they belong to an exchange, whatever its hosts."""
        return f"ccxt-{self._name}"

    def bodies(self) -> Iterator[RawPayload]:
        """Everything that was served, in order. Raises `Throttled` or another `OutsideError`."""
        self._load_markets()
        spot, swaps = self._symbols("spot"), self._symbols("swap")
        if not spot and not swaps:
            raise OutsideError(f"{self._name} lists none of {', '.join(self._ask.assets)}")
        if spot:
            yield from self._call(lambda: self._api.fetch_tickers(spot))
        if swaps and self._ask.funding and self._api.has.get("fetchFundingRates"):
            yield from self._call(lambda: self._api.fetch_funding_rates(swaps))
        for number in range(self._ask.rounds):
            if number:
                self._clock.sleep(self._ask.pause_s)
            for symbol in spot:
                yield from self._call(partial(self._api.fetch_order_book, symbol, self._ask.depth))

    def tickers(self) -> Iterator[RawPayload]:
        """The last prices only."""
        self._load_markets()
        spot = self._symbols("spot")
        if not spot:
            raise OutsideError(f"{self._name} lists none of {', '.join(self._ask.assets)}")
        yield from self._call(lambda: self._api.fetch_tickers(spot))

    def _symbols(self, kind: str) -> list[str]:
        """The best quoted pair of each asset: spot, or the perpetual settled in its quote."""
        found = []
        for asset in self._ask.assets:
            names = [f"{asset}/{quote}" + (f":{quote}" if kind == "swap" else "") for quote in QUOTES]
            found += [name for name in names if name in self._api.markets][:1]
        return found

    def _load_markets(self) -> None:
        """From the disk where they are a day old at the most and were kept for the same assets, else by asking."""
        kept = self._kept_markets()
        if kept is None:
            list(self._call(self._api.load_markets))  # their bodies are no market data
            kept = self._keep_markets()
        self._api.set_markets(kept)

    def _kept_markets(self) -> list[Any] | None:
        try:
            stored = loads(atomic.read(self._path), file=str(self._path), number=float)
            markets, age = list(stored["markets"]), self._context.now - parse_iso(stored["at"])
            current = stored["for"] == self._for
        except (BadInput, Missing, StateError, LookupError, TypeError, ValueError):
            return None  # absent or damaged: it costs a load
        return markets if current and markets and timedelta() <= age < MARKETS_LIVE else None

    def _keep_markets(self) -> list[Any]:
        wanted = {*self._symbols("spot"), *self._symbols("swap")}
        markets = [market for symbol, market in sorted(self._api.markets.items()) if symbol in wanted]
        body = {"at": iso(self._context.now), "for": self._for, "markets": markets}
        atomic.replace(self._path, json.dumps(body, default=str, allow_nan=False).encode(), durable=False)
        return markets

    @property
    def _for(self) -> list[str]:
        return [ccxt_library.version(), self._ask.url or "", *self._ask.assets]

    @property
    def _path(self) -> Path:
        return self._context.state_dir / f"ccxt_markets_{self._name}.json"

    def close(self) -> None:
        """Close its connections."""
        self._api.session.close()

    def _call(self, request: Callable[[], Any]) -> Iterator[RawPayload]:
        self._status = 0
        failure: OutsideError | None = None
        try:
            request()
        except OutsideError as error:
            failure = error  # the gate: this exchange wants to be left alone
        except self._expected as error:
            failure = self._explained(error)
        bodies, self._bodies = self._bodies, []
        yield from bodies
        if failure is not None:
            raise failure

    def _explained(self, error: Exception) -> OutsideError:
        """By status first: Bybit's 429 has a body in which ccxt sees an error of the exchange, not a limit."""
        what = f"{self._name}: {type(error).__name__}: {str(error)[:200]}"
        if self._status in _LIMITING or isinstance(error, self._limited):
            return Throttled(what, self._context.gate.hold_off(self.key, self._wait_s or THROTTLED_S))
        return OutsideError(what)

    def _record(self, response: Any, *_: Any, **__: Any) -> None:
        self._status = response.status_code
        self._wait_s = retry_after_s(response.headers.get("retry-after"), self._context.now)
        if response.status_code != 200:
            return
        passed = timedelta(seconds=self._clock.monotonic() - self._started)
        self._bodies.append(RawPayload(
            url=response.url, body=response.content, fetched_at=self._context.now + passed,
            media_type=response.headers.get("content-type", "").partition(";")[0].strip() or "application/json"))


def hosts(name: str, ask: Ask) -> frozenset[str]:
    """Whom an exchange's client would ask: the addresses that it knows, or what replaces them; a proxy too."""
    api = _exchange(name)({})
    addresses = [ask.url] if ask.url else [api.implode_hostname(one) for one in _leaves(api.urls["api"])]
    return frozenset(filter(None, map(host_of, [*addresses, *([ask.proxy] if ask.proxy else [])])))


def _exchange(name: str) -> Any:
    try:
        return ccxt_library.exchange(name)
    except LookupError as error:
        raise OperatorError(str(error), "Write its ccxt id, such as bybit.") from error


def _leaves(addresses: Any) -> list[str]:
    if isinstance(addresses, dict):
        return [leaf for address in addresses.values() for leaf in _leaves(address)]
    return [str(addresses)]


def _replaced(addresses: Any, url: str) -> Any:
    """The same tree of addresses with every leaf replaced."""
    if isinstance(addresses, dict):
        return {name: _replaced(address, url) for name, address in addresses.items()}
    return url
