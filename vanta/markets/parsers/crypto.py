"""Which exchange served these bytes, and what they are: tickers, order books, funding rates, lists of markets. Pure.

Decides by shape alone, and by the address only where a body does not say which pair it is about. Refuses to know what
the numbers mean: that is the exchange's parser in ccxt, to which each piece is handed with the name of its market.
Known: Bybit v5, Coinbase Advanced, Coinbase Exchange (Pro), Binance spot and futures, Kraken spot and futures.
Anything else is a problem that says so. Dated futures and options are left out: they have neither funding nor a
place among spot prices.

Example: `{"retCode": 0, "result": {"category": "linear", "list": [{"symbol": "BTCUSDT", "fundingRate": ...}]}, "time":
...}` is a ticker piece and a funding piece of `BTC/USDT:USDT` on Bybit.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from vanta.common.errors import BadInput
from vanta.common.strictjson import loads
from vanta.common.times import millis
from vanta.markets.core.records import Problem

What = Literal["ticker", "book", "funding", "paid", "market"]

_QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "USDE", "PYUSD", "DAI", "USD", "EUR", "GBP", "JPY", "AUD", "CAD",
           "CHF", "TRY", "BRL", "BTC", "ETH", "BNB")
_ASSET = re.compile(r"[A-Z0-9]{1,20}")
_OTHER_NAMES = {"XBT": "BTC", "XDG": "DOGE"}
_FILE_PAIR = re.compile(r"(?:products[_/])([A-Z0-9]{2,10}-[A-Z0-9]{2,10})(?:[_/@?]|$)")


@dataclass(frozen=True, slots=True)
class Market:
    """A pair as its exchange names it. `settle` is the currency of a perpetual contract, None for spot."""

    id: str
    base: str
    quote: str
    settle: str | None = None

    @property
    def symbol(self) -> str:
        """The unified name: `BTC/USDT`, or `BTC/USDT:USDT` for a perpetual."""
        return f"{self.base}/{self.quote}" + (f":{self.settle}" if self.settle else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One thing to be read. `exchange` is the ccxt id whose parser reads it; `at_ms` is None where no time is said."""

    what: What
    exchange: str
    market: Market
    raw: Any
    at_ms: int | None
    path: str


class _Refused(ValueError):
    """The body is known but says that something went wrong, or which pair it is about is not said."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def pieces(data: bytes, where: str) -> tuple[list[Piece], list[Problem]]:
    """All pieces of one body, and what could not be used. `where` is its URL or file."""
    try:
        body = loads(data, file=where, number=str)
    except BadInput as error:
        return [], [Problem(code="unreadable", detail=error.what, where=where)]
    for shape in (_bybit, _coinbase, _coinbase_exchange, _binance, _kraken, _kraken_futures):
        try:
            found = shape(body, where)
        except _Refused as refusal:
            return [], [Problem(code=refusal.code, detail=str(refusal), where=where)]
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            return [], [Problem(code="bad_shape", detail=f"{type(error).__name__}: {error}", where=where)]
        if found is not None:
            return found, []
    return [], [Problem(code="unknown_shape", detail="no known body of an exchange", where=where)]


def split_id(market_id: str) -> tuple[str, str] | None:
    """Base and quote of `BTCUSDT`, `BTC-USD`, `XBT/USDT` or `XXBTZUSD`; None if it is no pair."""
    text = market_id.upper()
    for separator in "-/_:":
        base, found, quote = text.partition(separator)
        if found:
            return _pair(base, quote)
    if len(text) == 8 and text[0] == "X" and text[4] in "XZ" and not text.endswith(("USDT", "USDC")):
        return _pair(text[1:4], text[5:])
    quote = next((quote for quote in _QUOTES if text.endswith(quote) and len(text) > len(quote)), "")
    return _pair(text.removesuffix(quote), quote) if quote else None


def _pair(base: str, quote: str) -> tuple[str, str] | None:
    base, quote = _OTHER_NAMES.get(base, base), _OTHER_NAMES.get(quote, quote)
    return (base, quote) if _ASSET.fullmatch(base) and quote in _QUOTES else None


def _market(market_id: str, *, settled: bool = False) -> Market | None:
    """The pair of an id, settled in its quote if it is a perpetual; None for dated contracts and what is no pair."""
    pair = split_id(market_id)
    if pair is None:
        return None
    return Market(market_id, *pair, settle=pair[1] if settled else None)


def _asked_for(where: str) -> str:
    """The pair that an address or file name asks for. Raises `_Refused` if it does not say."""
    parts = urlsplit(where)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    named = query.get("symbol") or query.get("pair") or query.get("product_id")
    if named is None and (match := _FILE_PAIR.search(where)):
        named = match[1]
    if named is None:
        raise _Refused("unattributed", "the body does not say which pair it is about, nor does its address")
    return named


def _has(item: Any, *names: str) -> bool:
    return isinstance(item, dict) and all(name in item for name in names)


def _millis(value: Any) -> int | None:
    text = str(value or "")
    return int(text) if text.isdecimal() and 12 <= len(text) <= 14 else None


def _iso_millis(text: Any) -> int | None:
    """Milliseconds of an ISO time with its zone; None where there is none or it makes no sense."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return millis(moment) if moment.tzinfo is not None else None


def _bybit(body: Any, where: str) -> list[Piece] | None:
    if not _has(body, "retCode", "result"):
        return None
    if str(body["retCode"]) != "0":
        raise _Refused("exchange_error", f"Bybit answered {body['retCode']} {body.get('retMsg')}")
    result, at = body["result"], _millis(body.get("time"))
    if _has(result, "s", "b", "a"):
        category = parse_qs(urlsplit(where).query).get("category", ["spot"])[0]
        return _book("bybit", _bybit_market(result["s"], category), result, "/result", _millis(result.get("ts")) or at)
    found: list[Piece] = []
    known = not result["list"]
    for number, item in enumerate(result["list"]):
        category = str(result.get("category") or ("linear" if "contractType" in item else "spot"))
        whats = _bybit_whats(item, category)
        known = known or bool(whats)
        market = _bybit_market(item["symbol"], category)
        if market:
            found += [Piece(what=what, exchange="bybit", market=market, raw=item, at_ms=at,
                            path=f"/result/list/{number}") for what in whats]
    return found if known else None


def _bybit_market(market_id: str, category: str) -> Market | None:
    if category not in ("spot", "linear", "inverse"):
        return None
    if market_id.endswith("PERP"):
        return Market(market_id, market_id.removesuffix("PERP"), "USDC", "USDC")
    market = None if "-" in market_id else _market(market_id, settled=category == "linear")
    return replace(market, settle=market.base) if market and category == "inverse" else market


def _bybit_whats(item: Mapping[str, Any], category: str) -> list[What]:
    whats: list[What] = []
    if "fundingRateTimestamp" in item:
        whats.append("paid")
    if _has(item, "baseCoin", "quoteCoin", "priceFilter"):
        whats.append("market")
    if "lastPrice" in item:
        whats.append("ticker")
        if item.get("fundingRate") and category != "spot":
            whats.append("funding")
    return whats


def _coinbase(body: Any, _: str) -> list[Piece] | None:
    if _has(body, "products") and isinstance(body["products"], list):
        return _each("coinbase", "ticker", [(item["product_id"], item) for item in body["products"]], "/products")
    if _has(body, "pricebook"):
        book = body["pricebook"]
        return _book("coinbase", _market(book["product_id"]), book, "/pricebook", _iso_millis(book.get("time")))
    if _has(body, "trades", "best_bid", "best_ask"):
        trades = [(trade["product_id"], trade | {"bid": body["best_bid"], "ask": body["best_ask"]})
                  for trade in body["trades"][:1]]
        return _each("coinbase", "ticker", trades, "/trades")
    if _has(body, "product_id", "price", "price_percentage_change_24h"):
        return _each("coinbase", "ticker", [(body["product_id"], body)], "")
    return None


def _coinbase_exchange(body: Any, where: str) -> list[Piece] | None:
    if isinstance(body, list) and body and _has(body[0], "id", "base_currency", "quote_currency"):
        return _each("coinbaseexchange", "market", [(item["id"], item) for item in body], "")
    if _has(body, "bids", "asks", "sequence"):
        return _book("coinbaseexchange", _market(_asked_for(where)), body, "", _iso_millis(body.get("time")))
    if _has(body, "price", "bid", "ask", "volume") or _has(body, "last", "open", "volume", "volume_30day"):
        return _each("coinbaseexchange", "ticker", [(_asked_for(where), body)], "")
    if isinstance(body, dict) and list(body) == ["message"]:
        raise _Refused("exchange_error", f"Coinbase answered {body['message']}")
    return None


def _binance(body: Any, where: str) -> list[Piece] | None:
    exchange = "binanceus" if "binance.us" in where else "binance"
    if _has(body, "code", "msg") and str(body["code"]).startswith("-"):
        raise _Refused("exchange_error", f"Binance answered {body['code']} {body['msg']}")
    if _has(body, "lastUpdateId", "bids", "asks"):
        market = _market(_asked_for(where), settled="T" in body)
        return _book(exchange, market, body, "", _millis(body.get("T")))
    if _has(body, "symbols", "timezone"):
        return _each(exchange, "market", [(item["symbol"], item) for item in body["symbols"]], "/symbols")
    items = body if isinstance(body, list) else [body]
    if not items or not all(_has(item, "symbol") for item in items):
        return None
    what: What | None = ("paid" if "fundingTime" in items[0] else "funding" if "lastFundingRate" in items[0] else
                         "ticker" if _has(items[0], "priceChangePercent", "closeTime") or
                         _has(items[0], "bidPrice", "bidQty", "askPrice", "askQty") else None)
    if what is None:
        return None
    spot = what == "ticker" and "bidPrice" in items[0] and "time" not in items[0]
    found = []
    for number, item in enumerate(items):
        market = _market(item["symbol"], settled=not spot)
        if market:
            at = _millis(item.get("time") or item.get("closeTime"))
            found.append(Piece(what=what, exchange=exchange, market=market, raw=item, at_ms=at, path=f"/{number}"
                               if isinstance(body, list) else ""))
    return found


def _kraken(body: Any, _: str) -> list[Piece] | None:
    if not _has(body, "error", "result") and not (_has(body, "error") and isinstance(body["error"], list)):
        return None
    if body["error"]:
        raise _Refused("exchange_error", f"Kraken answered {body['error']}")
    result = body["result"]
    if not isinstance(result, dict) or not all(isinstance(item, dict) for item in result.values()):
        return None
    found: list[Piece] = []
    for name, item in result.items():
        market = _market(str(item.get("wsname") or name))
        what: What | None = ("market" if "altname" in item else "book" if _has(item, "bids", "asks") else
                             "ticker" if _has(item, "a", "b", "c", "o") else None)
        if what is None:
            return None
        if market:
            found.append(Piece(what=what, exchange="kraken", market=replace(market, id=name), raw=item, at_ms=None,
                               path=f"/result/{name}"))
    return found


def _kraken_futures(body: Any, _: str) -> list[Piece] | None:
    if not _has(body, "result", "serverTime", "tickers"):
        return None
    found: list[Piece] = []
    at = _iso_millis(body["serverTime"])
    for number, item in enumerate(body["tickers"]):
        pair = split_id(str(item.get("pair", ""))) if item.get("tag") == "perpetual" else None
        if pair is not None:
            market = Market(item["symbol"], *pair, settle=pair[0] if item["symbol"].startswith("PI_") else pair[1])
            whats: list[What] = ["ticker", "funding"] if "fundingRate" in item else ["ticker"]
            found += [Piece(what=what, exchange="krakenfutures", market=market, raw=item, at_ms=at,
                            path=f"/tickers/{number}") for what in whats]
    return found


def _book(exchange: str, market: Market | None, raw: Any, path: str, at_ms: int | None) -> list[Piece]:
    if market is None:
        return []
    return [Piece(what="book", exchange=exchange, market=market, raw=raw, at_ms=at_ms, path=path)]


def _each(exchange: str, what: What, named: list[tuple[str, Any]], path: str) -> list[Piece]:
    """One piece per item whose id is a pair; a single item at the root has no number in its path."""
    found = []
    for number, (market_id, item) in enumerate(named):
        market = _market(market_id)
        if market:
            at = _iso_millis(item.get("time"))
            found.append(Piece(what=what, exchange=exchange, market=market, raw=item, at_ms=at,
                               path=f"{path}/{number}" if path or len(named) > 1 else ""))
    return found
