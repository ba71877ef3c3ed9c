"""What Alpaca's answers mean in the port's words. Pure: no client, no clock.

Numbers are read from strings, which is how Alpaca sends them; one that arrives as a JSON number is read by its shortest
decimal form. Whatever is missing or of the wrong kind raises `ValueError` or `KeyError`: an answer that cannot be read
is no answer. A status that is not known here is taken for working, so that nothing is ended by a new word.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vanta.common.instruments import Instrument
from vanta.common.times import parse_iso
from vanta.executor.brokers.port import Ended, Fill
from vanta.executor.core.reconcile import VenueOrder

ENDINGS = {"canceled": "cancelled", "expired": "expired", "rejected": "rejected", "replaced": "cancelled"}
"""How an order can end without being filled. `done_for_day` is none: the order may go on, or expire at the close."""

OVER = frozenset({*ENDINGS, "filled"})


def number(value: Any) -> Decimal:
    """An exact number. Raises `ValueError` on what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is no number")
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        raise ValueError(f"{value!r} is no number") from None
    if not found.is_finite():
        raise ValueError(f"{value!r} is no number")
    return found


def filled(order: Mapping[str, Any]) -> Decimal:
    """How much of an order was executed, as the venue says."""
    return number(order["filled_qty"] or "0")


def fill(activity: Mapping[str, Any], order_id: str) -> Fill:
    """One execution. Alpaca takes no commission on shares; what regulators take is billed at the end of the day."""
    return Fill(order_id, str(activity["id"]), number(activity["qty"]), number(activity["price"]), Decimal(0),
                parse_iso(str(activity["transaction_time"])))


def ended(order: Mapping[str, Any], order_id: str) -> Ended | None:
    """The end of an order that was not filled; `None` if it was, or works."""
    status = str(order["status"])
    if status not in ENDINGS:
        return None
    by = f", replaced by {order['replaced_by']}" if order.get("replaced_by") else ""
    return Ended(order_id=order_id, how=ENDINGS[status], detail=f"alpaca: {status}{by}")


def venue_order(order: Mapping[str, Any], spelled: Mapping[str, str]) -> VenueOrder:
    """A working order. One that was given as an amount of money has no quantity, and is none of ours."""
    quantity = number(order["qty"]) if order["qty"] is not None else filled(order)
    return VenueOrder(str(order["client_order_id"] or ""), str(order["id"]), symbol(str(order["symbol"]), spelled),
                      str(order["side"]), quantity - filled(order))


def position(item: Mapping[str, Any], spelled: Mapping[str, str]) -> tuple[str, Decimal]:
    """Symbol as ours and signed quantity."""
    quantity = abs(number(item["qty"]))
    return symbol(str(item["symbol"]), spelled), -quantity if item["side"] == "short" else quantity


def spelling(instruments: Mapping[str, Instrument]) -> dict[str, str]:
    """Alpaca's spellings that are not ours: it trades BTC/USD and holds BTCUSD."""
    return {item.symbol.replace("/", ""): item.symbol for item in instruments.values() if "/" in item.symbol}


def symbol(theirs: str, spelled: Mapping[str, str]) -> str:
    """A symbol as `Instrument.symbol` has it."""
    return spelled.get(theirs, theirs)
