"""What exchanges behind ccxt mean: one row an exchange, and its records in the port's words. Pure.

ccxt unifies names, not behaviour. How a client order id is passed, whether a repeated one makes a second order, how an
order is found by it and which answers leave the outcome open differ by exchange and are written down here, each with
its reason. An exchange without a row is used only if the account's options say all of that.

    dialect({"exchange": "bybit"})  ->  DIALECTS["bybit"]
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from vanta.common.errors import OperatorError, OutsideError
from vanta.common.money import ZERO, decimal, plain
from vanta.executor.brokers.port import Busted, Capabilities, Ended, Event, Fill
from vanta.executor.core.reconcile import Holdings, VenueOrder

DAY_S = 86_400
MONEY = frozenset({"USD", "EUR", "GBP", "JPY", "USDT", "USDC"})
"""Currencies that are cash, whatever the account is traded in."""

REFUSING = frozenset({400, 401, 403, 404, 422})
"""Statuses that say the request was not carried out. Others below 500 (timeout, conflict) do not say so."""

OURS = re.compile(r"v[a-z2-7]{6}-[a-z2-7]{20}-[0-9]+")
_DEFINITE = re.compile(r"1[17]0\d{3}")
_ENDS = {"canceled": "cancelled", "closed": "cancelled", "expired": "expired", "rejected": "rejected"}
_RAW_ENDS = {"EXPIRED": "expired", "FAILED": "rejected"}
"""ccxt calls these two of Coinbase's cancelled."""

_TOLD = ("client_id_param", "deduplicates", "lookup_param", "market_buys_by_quantity")
_LIMITS = "limit_orders"
"""Whether the exchange takes limit orders and keeps them; not said is no."""

_OPTIONS = frozenset({"exchange", "quote", "poll_s", _LIMITS, *_TOLD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One exchange.

    `client_id_param`: the name under which `create_order` passes the client order id to the exchange unchanged.
    `lookup_param`: open and past orders can be asked for by it under this name; `None`: they are listed and searched.
    `by_symbol`: its questions have to name a market. `quote`: the currency the account is traded in.
    `doubtful`: codes that leave the outcome of an order open. `gone`: codes that say there is nothing left to cancel.
    `busy`: statuses that mean "too many requests". `shape`: what an answer has to hold, by part of its path.
    """

    name: str
    quote: str
    client_id_param: str
    lookup_param: str | None
    capabilities: Capabilities
    by_symbol: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    doubtful: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    busy: frozenset[int] = frozenset({418, 429})
    shape: Mapping[str, str] = field(default_factory=dict)


DIALECTS = {row.name: row for row in (
    # "If the ID provided is not unique, the order will not be created and the order corresponding with that ID will be
    # returned instead" (reference of Create Order). ccxt drops `clientOrderId` and sends a random id; only the
    # exchange's own name for it arrives. There is no question by client id: orders are listed from a day back.
    Dialect(name="coinbase", quote="USD", client_id_param="client_order_id", lookup_param=None,
            capabilities=Capabilities(deduplicates=True, lookup_window_s=DAY_S, settle_s=10, limit=True, gtc=True),
            options={"createMarketBuyOrderRequiresPrice": False, "fetchBalance": "v3PrivateGetBrokerageAccounts"},
            doubtful=frozenset({"UNKNOWN_FAILURE_REASON", "DUPLICATE_CLIENT_ORDER_ID", "internal_server_error"}),
            gone=frozenset({"UNKNOWN_CANCEL_ORDER", "DUPLICATE_CANCEL_REQUEST", "ORDER_IS_FULLY_FILLED"}),
            shape={"/orders/historical/batch": "orders", "/orders/historical/fills": "fills",
                   "/orders/historical/": "order", "/brokerage/accounts": "accounts"}),
    # An id may be used again once its order is filled or cancelled, and a market order is at once: a second request
    # would be a second order. Orders that ended unfilled are kept for seven days. 10000, 10016 and 1700xx are timeouts
    # and faults inside the exchange, 110072 and 170141 say that the id is taken.
    Dialect(name="bybit", quote="USDT", client_id_param="clientOrderId", lookup_param="orderLinkId",
            capabilities=Capabilities(deduplicates=False, lookup_window_s=6 * DAY_S, settle_s=5, limit=True, gtc=True),
            options={"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
            doubtful=frozenset({"10000", "10016", "110072", "170141", "170001", "170005", "170007", "170032", "170146",
                                "170147"}),
            gone=frozenset({"110001", "110008", "110010", "170139", "170142", "170213"}),
            busy=frozenset({403, 418, 429})),
)}


def dialect(options: Mapping[str, Any]) -> Dialect:
    """The row of an account's exchange. Raises `OperatorError` for one that is not known and not told either."""
    name = options.get("exchange")
    if not isinstance(name, str) or not name:
        raise OperatorError("a ccxt account does not say which exchange it is at",
                            'Set options.exchange to its ccxt id, such as "coinbase".')
    strange = sorted(set(options) - _OPTIONS)
    if strange:
        raise OperatorError(f"options of {name}: {', '.join(strange)} mean nothing here",
                            f"Known are {', '.join(sorted(_OPTIONS))}.")
    row = DIALECTS.get(name)
    if row is None:
        missing = [key for key in (*_TOLD, "quote") if key not in options]
        if missing:
            raise OperatorError(f"how {name} treats client order ids is not known here: options lack "
                                f"{', '.join(missing)}", "Find out and say so, or use an exchange that is known.")
        if options["market_buys_by_quantity"] is not True:
            raise OperatorError(f"{name} takes an amount of money for a market buy; orders here are quantities",
                                "Use another exchange.")
        limits = options.get(_LIMITS) is True
        return Dialect(name=name, quote=str(options["quote"]), client_id_param=str(options["client_id_param"]),
                       lookup_param=str(options["lookup_param"]), by_symbol=True,
                       options={"defaultType": "spot"},
                       capabilities=Capabilities(deduplicates=options["deduplicates"] is True, lookup_window_s=DAY_S,
                                                 settle_s=30, limit=limits, gtc=limits))
    twisted = [key for key in (*_TOLD, _LIMITS) if key in options]
    if twisted:
        raise OperatorError(f"{', '.join(twisted)} of {name} cannot be changed", "Remove it from the options.")
    return row


def code_of(body: Any) -> str | None:
    """The exchange's own code for why it refused, where it is in a place that is known."""
    if not isinstance(body, dict):
        return None
    inner = body.get("error_response")
    if isinstance(inner, dict):
        return str(inner.get("new_order_failure_reason") or inner.get("error"))
    results = body.get("results")
    if isinstance(results, list) and results and isinstance(results[0], dict):
        return str(results[0].get("failure_reason"))
    code = body.get("retCode", body.get("error"))
    return None if code is None else str(code)


def refused(status: int, body: Any) -> bool:
    """Whether an answer that ccxt calls an error says for certain that no order was taken."""
    if status in REFUSING:
        return True
    code = code_of(body)
    return isinstance(body, dict) and (body.get("success") is False or _DEFINITE.fullmatch(code or "") is not None)


def number(value: Any) -> Decimal:
    """A number as ccxt hands it on: text, because it was told to. Raises `OutsideError`."""
    try:
        return decimal(value if isinstance(value, str | int) else str(value))
    except ValueError as error:
        raise OutsideError(f"the exchange sent {str(value)[:40]!r} for a number", "It is asked again.") from error


def amount(order: Mapping[str, Any], key: str) -> Decimal:
    """A quantity of an order, zero where it says none."""
    return ZERO if order.get(key) is None else number(order[key])


def moment(milliseconds: Any) -> datetime:
    """A time of the exchange. Raises `OutsideError`."""
    if not isinstance(milliseconds, int):
        raise OutsideError("the exchange sent an execution without a time", "It is asked again.")
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def execution(trade: Mapping[str, Any], order_id: str) -> Event:
    """One execution, or one that is taken back.

    A fee in the coin that is traded is units that the exchange kept, so that position, cash and what is left of the
    order all come out as there. A fee in a third coin has no price here and counts as none; the books of that coin will
    differ and say so. Raises `OutsideError` where nothing would be left.
    """
    if trade["info"].get("trade_type") == "REVERSAL":
        return Busted(str(trade["id"]), "reversed by the exchange")
    price, quantity, fee, kept = number(trade["price"]), number(trade["amount"]), ZERO, ZERO
    base, _, quote = str(trade["symbol"]).partition("/")
    for one in trade.get("fees") or [trade.get("fee") or {}]:
        cost = amount(one, "cost")
        if one.get("currency") == quote:
            fee += cost
        elif one.get("currency") == base:
            kept += cost
    if quantity <= abs(kept):
        raise OutsideError(f"an execution of {plain(quantity)} with a fee of {plain(kept)}", "It is asked again.")
    return Fill(order_id, str(trade["id"]), quantity, price, fee, moment(trade["timestamp"]), fee_units=kept)


def ending(order: Mapping[str, Any], order_id: str) -> Ended | None:
    """How an order ended, if it did with a rest."""
    how = _RAW_ENDS.get(str(order["info"].get("status"))) or _ENDS.get(str(order["status"]))
    if how is None or amount(order, "filled") >= number(order["amount"]):
        return None
    info = order["info"]
    why = str(info.get("reject_message") or info.get("rejectReason") or "").removeprefix("EC_NoError")
    return Ended(order_id=order_id, how=how, detail=why or f"the exchange says {order['status']}")


def is_over(order: Mapping[str, Any]) -> bool:
    """Whether nothing more will be executed."""
    return order["status"] in _ENDS


def holdings(balance: Mapping[str, Any], orders: Iterable[Mapping[str, Any]], quote: str) -> Holdings:
    """What the account holds. Coins are positions in the pair with the account's currency, money is cash."""
    totals = {str(code): number(total) for code, total in balance["total"].items() if total is not None}
    money = MONEY | {quote}
    return Holdings({f"{code}/{quote}": total for code, total in totals.items() if code not in money and total},
                    {code: total for code, total in totals.items() if code in money},
                    tuple(VenueOrder(order.get("clientOrderId") or "", str(order["id"]), str(order["symbol"]),
                                     str(order["side"]), amount(order, "remaining")) for order in orders))
