"""Stops that rest at the venue: when one is asked for, and when it steps aside. Pure.

A vault may ask for it (`orders.stops: "venue"`), where its venue can. Then the stop of an exit plan is an order of our
own that waits there, and a position is protected while this host is down. It is an exit like any other, under an
intent, through every fence, with two differences. It counts as nothing until it is executed: it moves no basis, and
neither the promoter nor a limit sees it. And it steps aside for whatever else wants to trade where it rests.

    due(book, place, guard, now_ms)     ->  ("resting_stop", "8.00 % below what 100 units cost")  or  None
    aside(book, holding, asked, table)  ->  (order, "makes room for another order"), …
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from vanta.common.instruments import Instrument
from vanta.common.money import ONE, ZERO, floor_to
from vanta.common.reasons import Reason
from vanta.executor.core.book import Book
from vanta.executor.core.entries import Guard, IntentEntry, OrderEntry, key_of
from vanta.executor.core.terms import stop_price

RESTING = "resting_stop"
ROOM = Decimal("0.01")
"""So much worse than planned, as a share of the cost, the market may be before the executor no longer leaves it to a
stop at the venue that was not executed."""

_ONLY_IN_ITS_WAY = frozenset({Reason.DUPLICATE_LIVE, Reason.SELF_MATCH})
_AT_VENUE = frozenset({"working", "partially_filled"})


def at_rest(book: Book, key: str) -> OrderEntry | None:
    """The stop that rests at the venue for `key`, if it is known to be there and is not being cancelled."""
    live = book.live.get(key)
    order = book.working.get(live.order_id) if live is not None and live.order_id else None
    return order if order is not None and order.stop_price is not None and order.state in _AT_VENUE else None


def allowed(plan: Mapping[str, Any], resting: OrderEntry | None) -> Decimal | None:
    """From which loss on the executor itself leaves by the stop; `None`: from none."""
    limit = plan.get("stop_pct")
    if limit is None or resting is None:
        return None if limit is None else Decimal(limit)
    return None if resting.filled else Decimal(limit) + ROOM  # once it trades it is a market order, and ends by itself


def due(book: Book, place: tuple[str, str], guard: Guard, now_ms: int) -> tuple[str, str] | None:
    """Cause and words, if a stop is to be put to the venue: nothing rests or is in flight, and there is a price."""
    key, limit = key_of(*place), guard.plan.get("stop_pct")
    position = book.vaults[place[0]].positions[place[1]]
    if limit is None or Decimal(limit) >= ONE or not position.average() or place[1] not in book.quotes:
        return None
    if key in book.stops or key in book.live or now_ms < book.stop_after_ms.get(key, 0):
        return None
    return RESTING, f"to rest at the venue, {Decimal(limit) * 100:.2f} % from what it cost"


def aside(book: Book, holding: Mapping[str, list[str]], asked: Mapping[str, bool],
          instruments: Mapping[str, Instrument]) -> Iterator[tuple[OrderEntry, str]]:
    """Stops that are to be cancelled, and why. `holding` has what holds each waiting intent, `asked` who wants stops.

    One that is in the way of an exit is found by `protect.in_the_way`.
    """
    room = _in_the_way(book, holding) if book.stops else {}
    for key in sorted(book.stops):
        order = at_rest(book, key)
        if order is not None:
            why = room.get(order.order_id) or _misfit(book, order, asked, instruments.get(order.instrument_id))
            if why:
                yield order, why


def _in_the_way(book: Book, holding: Mapping[str, list[str]]) -> dict[str, str]:
    """By order: for which intent it makes room, one that nothing else holds.

    What is held by anything else as well has no use for the room, and the position would be without its stop meanwhile.
    """
    found: dict[str, str] = {}
    for intent_id, entry in book.waiting.items():
        codes = holding.get(intent_id)
        if codes and _ONLY_IN_ITS_WAY.issuperset(codes) and not entry.resting:
            before = list(_before(book, entry))
            if all(order.stop_price is not None for order in before):
                found.update((order.order_id, "makes room for another order") for order in before)
    return found


def _before(book: Book, entry: IntentEntry) -> Iterator[OrderEntry]:
    """Orders that an intent waits for: its key's own, and those of its account on the other side."""
    live = book.live.get(entry.key)
    if live is not None and live.order_id is not None:
        yield book.orders[live.order_id]
    account = book.accounts.get(entry.account)
    if account is not None:
        other = "sell" if entry.side == "buy" else "buy"
        yield from account.sides.get((entry.instrument_id, other), {}).values()


def _misfit(book: Book, order: OrderEntry, asked: Mapping[str, bool], instrument: Instrument | None) -> str:
    """What is wrong with a stop for the position as it is now; empty if nothing."""
    if asked.get(order.vault) is False:
        return "the vault asks for no stops at the venue any more"
    vault = book.vaults[order.vault]
    guard, held = vault.guards.get(order.instrument_id), book.held(order.vault, order.instrument_id)
    limit = guard.plan.get("stop_pct") if guard is not None else None
    if limit is None:
        return "there is nothing that it protects"
    if instrument is None or order.stop_price is None:
        return ""
    if floor_to(max(ZERO, held if order.side == "sell" else -held), instrument.lot) != order.leaves:
        return "the position has another size now"
    price = stop_price(vault.positions[order.instrument_id].average(), Decimal(limit), order.side, instrument)
    moved = not order.filled and abs(price - order.stop_price) > instrument.tick
    return "the position has another cost now" if moved else ""
