"""Exchange bodies to plain records, through ccxt's own parsers, offline.

`parsers.crypto` says what a piece of a body is and which pair it is about; ccxt says what its numbers mean. What comes
out is JSON with the library's version in it, so that everything after this needs no client library:

| record | keys beside record, exchange, symbol, base, quote, settle, at, published_at, library, path |
|---|---|
| ticker | last, bid, ask, bid_size, ask_size, open, high, low, volume, quote_volume, change_pct |
| book | bids, asks: [price, amount], best first, within 100 bp of the middle and at most 200 a side |
| funding | rate, interval_h, funding_at (when it is paid), paid (false: a forecast), mark, index |
| market | interval_h; that the pair exists |

Numbers are decimal text or None; `at` is None where the exchange does not say when. ccxt computes in binary floating
point, whose shortest text is what is kept: up to 15 significant digits are exact.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from vanta.common.money import plain
from vanta.common.times import from_millis, iso
from vanta.markets.core.records import Problem, Reading
from vanta.markets.parsers import ccxt_library
from vanta.markets.parsers.crypto import Piece, pieces

NEAR_BP = 100
MOST_LEVELS = 200
MOST_DIGITS = 30
"""Before and after the point: no price, size, volume or rate has ever come near."""
_ODD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what a parser raises on odd input


class _Bad(ValueError):
    """A number that is none."""


def read(data: bytes, where: str) -> Reading:
    """All records of one body. Bad bytes become problems, never exceptions."""
    found, problems = pieces(data, where)
    records = []
    for piece in found:
        try:
            records.append(_record(piece))
        except _failures() as error:
            detail = f"{piece.exchange} {piece.market.symbol} {piece.what}: {error!r}"
            problems.append(Problem(code="bad_item", detail=detail[:300], where=f"{where}#{piece.path}"))
    return Reading(records=records, problems=problems, complete=not problems)


@lru_cache(maxsize=1)
def _failures() -> tuple[type[Exception], ...]:
    return (*_ODD, ccxt_library.errors().BaseError)


@lru_cache(maxsize=1)
def _library() -> str:
    return f"ccxt {ccxt_library.version()}"


@lru_cache(maxsize=16)
def _exchange(name: str) -> Any:
    """An exchange that is only ever used to parse."""
    return ccxt_library.exchange(name)({"enableRateLimit": False})


def _record(piece: Piece) -> dict[str, Any]:
    market, raw = piece.market, piece.raw
    readers: dict[str, Callable[[Piece], tuple[dict[str, Any], int | None]]] = {
        "ticker": _ticker, "book": _book, "funding": _funding, "paid": _paid, "market": _listed}
    if not isinstance(raw, dict):
        raise _Bad("not an object")
    fields, at_ms = readers[piece.what](piece)
    at = None if at_ms is None else iso(from_millis(at_ms))
    return {
        "record": "funding" if piece.what == "paid" else piece.what, "exchange": piece.exchange,
        "symbol": market.symbol, "base": market.base, "quote": market.quote, "settle": market.settle, "at": at,
        "published_at": at, "library": _library(), "path": piece.path, **fields}


def _described(piece: Piece) -> Any:
    """The least that ccxt's parsers want to know of a market, made without asking the exchange."""
    market, exchange = piece.market, _exchange(piece.exchange)
    swap = market.settle is not None
    hours = piece.raw.get("fundingIntervalHour")
    info = {"fundingInterval": int(hours) * 60} if str(hours or "").isdecimal() else {}
    return exchange.safe_market_structure({
        "id": market.id, "symbol": market.symbol, "base": market.base, "quote": market.quote, "settle": market.settle,
        "baseId": market.base, "quoteId": market.quote, "settleId": market.settle, "type": "swap" if swap else "spot",
        "spot": not swap, "swap": swap, "contract": swap, "linear": swap and market.settle == market.quote,
        "inverse": swap and market.settle == market.base, "active": True, "contractSize": 1 if swap else None,
        "info": info})


def _ticker(piece: Piece) -> tuple[dict[str, Any], int | None]:
    ticker = _exchange(piece.exchange).parse_ticker(piece.raw, _described(piece))
    names = {"last": "last", "bid": "bid", "ask": "ask", "bid_size": "bidVolume", "ask_size": "askVolume",
             "open": "open", "high": "high", "low": "low", "volume": "baseVolume", "quote_volume": "quoteVolume",
             "change_pct": "percentage"}
    return {ours: _number(ticker.get(theirs)) for ours, theirs in names.items()}, ticker.get("timestamp") or piece.at_ms


def _book(piece: Piece) -> tuple[dict[str, Any], int | None]:
    keys = {"bybit": ("b", "a", 0, 1), "coinbase": ("bids", "asks", "price", "size")}
    names = keys.get(piece.exchange, ("bids", "asks", 0, 1))
    book = _exchange(piece.exchange).parse_order_book(piece.raw, piece.market.symbol, piece.at_ms, *names)
    bids, asks = ([(_level(level[0]), _level(level[1])) for level in book[side]] for side in ("bids", "asks"))
    bids, asks = sorted(bids, reverse=True), sorted(asks)
    if not bids or not asks:
        raise _Bad("an empty side")
    reach = (bids[0][0] + asks[0][0]) / 2 * NEAR_BP / 10_000
    return {
        "bids": [[plain(price), plain(size)] for price, size in bids if price >= bids[0][0] - reach][:MOST_LEVELS],
        "asks": [[plain(price), plain(size)] for price, size in asks if price <= asks[0][0] + reach][:MOST_LEVELS],
    }, piece.at_ms


def _funding(piece: Piece) -> tuple[dict[str, Any], int | None]:
    exchange, market = _exchange(piece.exchange), _described(piece)
    if piece.exchange == "krakenfutures":  # looks its market up by id
        exchange.set_markets([market])
    rate = exchange.parse_funding_rate(piece.raw | {"timestamp": piece.at_ms}, market)
    interval = str(rate.get("interval") or "").removesuffix("h")
    return {
        "rate": _rate(rate["fundingRate"]), "interval_h": interval if interval.isdecimal() else None,
        "funding_at": _time(rate.get("fundingTimestamp")), "paid": False, "mark": _number(rate.get("markPrice")),
        "index": _number(rate.get("indexPrice"))}, rate.get("timestamp") or piece.at_ms


def _paid(piece: Piece) -> tuple[dict[str, Any], int | None]:
    """A rate that was paid. ccxt reads Bybit's only inside its request, so those two fields are taken as they stand."""
    if piece.exchange == "bybit":
        rate, at_ms = piece.raw["fundingRate"], int(piece.raw["fundingRateTimestamp"])
    else:
        parsed = _exchange(piece.exchange).parse_funding_rate_history(piece.raw, _described(piece))
        rate, at_ms = parsed["fundingRate"], parsed["timestamp"]
    if not at_ms:
        raise _Bad("no time of payment")
    return {"rate": _rate(rate), "interval_h": None, "funding_at": _time(at_ms), "paid": True, "mark": None,
            "index": None}, at_ms


def _listed(piece: Piece) -> tuple[dict[str, Any], int | None]:
    minutes = str(piece.raw.get("fundingInterval") or "")
    whole = minutes.isdecimal() and int(minutes) % 60 == 0
    return {"interval_h": str(int(minutes) // 60) if whole else None}, None


def _number(value: Any) -> str | None:
    """Decimal text of a finite number; None stays None."""
    if value is None:
        return None
    number = Decimal(repr(value) if isinstance(value, float) else str(value))
    if not number.is_finite():
        raise _Bad(f"{value!r} is not a finite number")
    if number and not -MOST_DIGITS <= number.adjusted() <= MOST_DIGITS:
        raise _Bad(f"{str(value)[:40]} cannot be right")  # written out it could fill the memory
    return plain(number)


def _rate(value: Any) -> str:
    rate = _number(value)
    if rate is None:
        raise _Bad("no funding rate")
    return rate


def _level(value: Any) -> Decimal:
    number = Decimal(_number(value) or "0")
    if number <= 0:
        raise _Bad(f"{value!r} in an order book")
    return number


def _time(at_ms: Any) -> str | None:
    return iso(from_millis(int(at_ms))) if at_ms else None
