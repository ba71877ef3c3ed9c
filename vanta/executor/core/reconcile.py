"""Does the venue agree with the books? Pure: what it says about one account against the fold of the log.

Compares what all vaults of the account hold together with the venue's positions, and the orders that work here with
those that it lists. An order under another home's name means that two homes trade one account. Orders without a name
of ours are somebody's business outside VANTA: `foreign` names them, nobody touches them. Cash is not compared: fees,
interest and settlement move it at times that no order tells.

    differences(book, "alpaca", holdings, {"equity:AAPL": "AAPL"})
        -> ["position AAPL: 5 in the books, 3 at the venue"]
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from vanta.common.money import ZERO, plain
from vanta.executor.core.book import Book

_OURS = re.compile(r"v([a-z2-7]{6})-[a-z2-7]{20}-[0-9]+")
_AT_THE_VENUE = frozenset({"working", "partially_filled", "cancelling"})


class VenueOrder(NamedTuple):
    """One working order as the venue lists it. `order_id` is the client order id, empty where there is none."""

    order_id: str
    venue_id: str
    symbol: str
    side: str
    leaves: Decimal


class Holdings(NamedTuple):
    """What the venue says. Signed quantities by instrument symbol, cash by currency, working orders."""

    positions: Mapping[str, Decimal]
    cash: Mapping[str, Decimal]
    orders: tuple[VenueOrder, ...]


def differences(book: Book, account: str, said: Holdings, symbols: Mapping[str, str]) -> list[str]:
    """Every disagreement in words, sorted. `symbols` spells instrument ids as the venue does."""
    return sorted([*_positions(book, account, said, symbols), *_orders(book, account, said)])


def body(said: Holdings) -> dict[str, Any]:
    """What the venue said as plain JSON values, for the record."""
    return {"positions": {name: plain(amount) for name, amount in sorted(said.positions.items())},
            "cash": {name: plain(amount) for name, amount in sorted(said.cash.items())},
            "orders": [[order.order_id, order.venue_id, order.symbol, order.side, plain(order.leaves)]
                       for order in said.orders]}


def named_by_a_home(order_id: str) -> bool:
    """Whether a client order id is one that VANTA makes, here or elsewhere."""
    return _OURS.fullmatch(order_id) is not None


def foreign(said: Holdings) -> list[VenueOrder]:
    """Working orders that do not bear a name of any home."""
    return [order for order in said.orders if not named_by_a_home(order.order_id)]


def _positions(book: Book, account: str, said: Holdings, symbols: Mapping[str, str]) -> list[str]:
    ours: dict[str, Decimal] = {}
    for vault in book.vaults.values():
        if vault.account == account:
            for instrument_id, position in vault.positions.items():
                symbol = symbols.get(instrument_id, instrument_id)
                ours[symbol] = ours.get(symbol, ZERO) + position.quantity
    names = sorted({*ours, *said.positions})
    return [f"position {name}: {plain(ours.get(name, ZERO))} in the books, {plain(said.positions.get(name, ZERO))} "
            "at the venue" for name in names if ours.get(name, ZERO) != said.positions.get(name, ZERO)]


def _orders(book: Book, account: str, said: Holdings) -> list[str]:
    here = {order.order_id: order for order in book.working.values()
            if order.account == account and order.state in _AT_THE_VENUE}
    there = {order.order_id: order for order in said.orders}
    found = [f"order {name}: works here, is not listed by the venue" for name in here if name not in there]
    for name, order in there.items():
        owner = _OURS.fullmatch(name)
        if owner is None:
            continue
        if owner.group(1) != book.home:
            found.append(f"order {name}: home {owner.group(1)} trades this account too")
        elif name not in here:
            found.append(f"order {name}: listed by the venue, does not work here")
        elif order.leaves != here[name].leaves:
            found.append(f"order {name}: {plain(here[name].leaves)} left in the books, {plain(order.leaves)} "
                         "at the venue")
    return found
