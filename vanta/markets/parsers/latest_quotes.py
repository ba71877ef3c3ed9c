"""Latest quotes as Alpaca's market data serves them, read strictly. Pure and total: bad items become problems.

Two bodies are known:

| body | from |
|---|---|
| `{"quotes": {"AAPL": {"t": …, "bp": …, "bs": …, "ap": …, "as": …}}}` | `/v2/stocks/quotes/latest` |
| `{"AAPL": {"latestTrade": …, "latestQuote": …}}`, also below `snapshots` | `/v2/stocks/snapshots` |

What comes out are ticker records like those of exchanges: `{"record": "ticker", "source": "alpaca", "symbol": "AAPL",
"settle": None, "at": "…Z", "last": …, "bid": …, "ask": …, "bid_size": …, "ask_size": …, "path": "/quotes/AAPL"}`. Both
sizes are the smaller of the two, because one number stands for both later on; `last` is the last trade where the body
tells it, else the middle. A side without an offer (price or size 0) makes no quote. Refuses to know what anything is
worth and how old is too old.

Example: bid 10.00 × 200, ask 10.02 × 500 and no trade → bid 10, ask 10.02, size 200, last 10.01.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from vanta.common.errors import BadInput
from vanta.common.money import decimal, plain
from vanta.common.strictjson import loads
from vanta.common.times import iso
from vanta.markets.core.records import Problem, Reading

SOURCE = "alpaca"
_NEEDED = ("bp", "bs", "ap", "as", "t")


class _Bad(ValueError):
    """One quote that cannot be used."""


def read(data: bytes, *, where: str) -> Reading | None:
    """All quotes of one body, or `None` if it is another kind of body. `where` is its URL or file."""
    try:
        items = list(_items(loads(data, file=where)))
    except BadInput:
        return None
    records, problems = [], []
    for path, symbol, quote, trade in items:
        try:
            records.append(_record(symbol, quote, trade) | {"path": path})
        except _Bad as error:
            problems.append(Problem(code="bad_item", detail=f"{symbol}: {error}", where=f"{where}#{path}"))
    return Reading(records=records, problems=problems, complete=not problems) if items else None


def _items(body: Any) -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    """Path, symbol, quote and the last trade, if the body tells one."""
    if not isinstance(body, dict):
        return
    if isinstance(body.get("quotes"), dict):
        yield from ((f"/quotes/{name}", name, quote, None) for name, quote in body["quotes"].items()
                    if isinstance(quote, dict))
        return
    below, table = ("/snapshots", body["snapshots"]) if "snapshots" in body else ("", body)
    for name, item in table.items() if isinstance(table, dict) else ():
        if isinstance(item, dict) and isinstance(item.get("latestQuote"), dict):
            yield f"{below}/{name}", name, item["latestQuote"], item.get("latestTrade")


def _record(symbol: str, quote: dict[str, Any], trade: Any) -> dict[str, Any]:
    missing = [name for name in _NEEDED if name not in quote]
    if missing:
        raise _Bad(f"{missing[0]} is missing")
    bid, ask = _positive(quote, "bp"), _positive(quote, "ap")
    size = plain(min(_positive(quote, "bs"), _positive(quote, "as")))
    last = _positive(trade, "p") if isinstance(trade, dict) else (bid + ask) / 2
    return {"record": "ticker", "source": SOURCE, "symbol": symbol, "settle": None, "at": _moment(quote["t"]),
            "last": plain(last), "bid": plain(bid), "ask": plain(ask), "bid_size": size, "ask_size": size}


def _positive(holder: dict[str, Any], name: str) -> Decimal:
    value = holder.get(name)
    try:
        number = decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else Decimal(0)
    except ValueError as error:
        raise _Bad(f"{name}: {error}") from error
    if number <= 0:
        raise _Bad(f"{name} is {value!r}")
    return number


def _moment(text: Any) -> str:
    """The time of a quote, which is written down to the nanosecond."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise _Bad(f"t is no time: {str(text)[:40]!r}") from error
    if moment.tzinfo is None:
        raise _Bad(f"t has no offset: {str(text)[:40]!r}")
    return iso(moment)
