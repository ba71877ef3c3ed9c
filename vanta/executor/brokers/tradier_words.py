"""What Tradier's answers mean in the port's words. Pure: no client, no clock.

Three habits of its JSON: a list of one is the element itself, an empty list is the string "null", and errors come with
status 200. Orders are told by totals (executed quantity, average price), so an execution here is the difference to what
was told before, and is named for the total that it leads to. Symbols of share classes are written with a slash.
Whatever is missing or of the wrong kind raises `KeyError` or `ValueError`: an answer that cannot be read is no answer.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vanta.common.money import ZERO, plain
from vanta.common.times import parse_iso
from vanta.executor.brokers.following import Followed
from vanta.executor.brokers.port import Ended, Fill
from vanta.executor.core.reconcile import VenueOrder

ENDINGS = {"canceled": "cancelled", "expired": "expired", "rejected": "rejected", "error": "rejected"}
OVER = frozenset({*ENDINGS, "filled"})
SIDES = {"buy": "buy", "buy_to_cover": "buy", "sell": "sell", "sell_short": "sell"}
_PRICE = Decimal("0.000001")


def rows(body: Mapping[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    """The rows of `{"orders": {"order": …}}`, whether none, one or many. Raises `ValueError` on anything else."""
    found = body[outer]
    if found in ("null", None):
        return []
    found = found[inner]
    found = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in found):
        raise ValueError(f"{outer} are not {inner}s")
    return found


def number(value: Any) -> Decimal:
    """An exact number, as the strict parser has read it. Raises `ValueError` on what is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r} is no number")
    return Decimal(value)


def side(side: str, *, reduces: bool) -> str:
    """Tradier's word: it tells closing a position from opening one the other way."""
    if side == "buy":
        return "buy_to_cover" if reduces else "buy"
    return "sell" if reduces else "sell_short"


def theirs(symbol: str) -> str:
    """`BRK.B` as Tradier writes it."""
    return symbol.replace(".", "/")


def ours(symbol: str) -> str:
    """`BRK/B` as `Instrument.symbol` has it."""
    return symbol.replace("/", ".")


def fill(order: Mapping[str, Any], order_id: str, told: Followed) -> Fill | None:
    """What was executed beyond what was told; `None` if nothing was.

    Its price is the last execution's where that is all of it, and else what makes the total right.
    """
    executed = number(order["exec_quantity"])
    new = executed - told.told
    if new <= 0:
        return None
    if number(order["last_fill_quantity"]) == new:
        price = number(order["last_fill_price"])
    else:
        price = ((executed * number(order["avg_fill_price"]) - told.worth) / new).quantize(_PRICE)
    return Fill(order_id, f"{order['id']}-{plain(executed)}", new, price, ZERO,
                parse_iso(str(order["transaction_date"])))


def is_over(order: Mapping[str, Any]) -> bool:
    """Whether nothing more comes of an order. One that is called filled has to say that all of it is."""
    if order["status"] == "filled":
        return number(order["exec_quantity"]) >= number(order["quantity"])
    return order["status"] in ENDINGS


def ended(order: Mapping[str, Any], order_id: str) -> Ended | None:
    """The end of an order that was not filled; `None` if it was, or works."""
    status = str(order["status"])
    if status not in ENDINGS:
        return None
    return Ended(order_id=order_id, how=ENDINGS[status],
                 detail=f"tradier: {order.get('reason_description') or status}")


def venue_order(order: Mapping[str, Any]) -> VenueOrder:
    """A working order; its tag is our name for it."""
    return VenueOrder(str(order.get("tag") or ""), str(order["id"]), ours(str(order["symbol"])),
                      SIDES[str(order["side"])], number(order["quantity"]) - number(order["exec_quantity"]))


def problem(body: Any) -> str | None:
    """The errors that an answer speaks of, in its words; `None` if it speaks of none."""
    if not isinstance(body, dict):
        return None
    if "fault" in body:
        return str(body["fault"].get("faultstring", body["fault"]))
    if "errors" not in body:
        return None
    found = body["errors"]["error"]
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)
