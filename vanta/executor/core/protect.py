"""When is a position left again, by its recorded exit plan or by a command? Pure.

Every position carries the exit plan of the intent that opened or last enlarged it, the time it was opened and the best
price seen since. A stop is measured from its average cost, a trailing stop from that best price, a time exit from the
opening. What comes out is an intent like any other: it passes every fence, and only ever shrinks what is held.
Where the vault asks for it, the stop is an order that rests at the venue (`stops.py`).

    wishes(book, now_ms)  ->  [Wish("V_CORE", "equity:AAPL", "stop", "fell 5.2 % below its cost, 5 % are allowed")]
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from vanta.common import ids
from vanta.common.money import plain
from vanta.common.times import iso
from vanta.executor.core import stops
from vanta.executor.core.book import Book
from vanta.executor.core.entries import Guard, OrderEntry, VaultBook, key_of

LIVES_FOR = timedelta(days=1)
"""An exit that could not leave for so long is asked for anew."""


class Wish(NamedTuple):
    """One position to be left, and why: `stop`, `trail`, `take_profit`, `time` or `flatten`, or `resting_stop`."""

    vault: str
    instrument_id: str
    cause: str
    text: str


def wishes(book: Book, now_ms: int, asked: Mapping[str, bool]) -> list[Wish]:
    """Exits that are due and not under way, in order of vault and instrument. `asked`: whose stops are to rest."""
    found = []
    for vault_id, vault in sorted(book.vaults.items()):
        for instrument_id, guard in sorted(vault.guards.items()):
            if key_of(vault_id, instrument_id) not in book.exits:
                place = (vault_id, instrument_id)
                due = next(_due(book, place, guard, now_ms), None)
                if due is None and asked.get(vault_id):
                    due = stops.due(book, place, guard, now_ms)
                if due is not None:
                    found.append(Wish(vault_id, instrument_id, *due))
    return found


def everything(book: Book, vault_id: str | None) -> list[Wish]:
    """Every position of a vault, or of all, that is not being left already. A stop that rests does not leave it."""
    return [Wish(name, instrument_id, "flatten", "an operator asked to leave every position")
            for name, vault in sorted(book.vaults.items()) if vault_id in (None, name)
            for instrument_id, position in sorted(vault.positions.items())
            if position.quantity and key_of(name, instrument_id) not in book.exits]


def in_the_way(book: Book) -> list[OrderEntry]:
    """Orders that work where a position is to be left: an exit waits for nothing but their end.

    Orders of the vault's own, and those of any vault of the same account that an exit would trade against: a limit
    may rest for days, and so may a stop.
    """
    found: dict[str, OrderEntry] = {}
    for key in sorted(book.exits):
        vault_id, _, instrument_id = key.partition("|")
        account = book.accounts.get(book.vaults[vault_id].account)
        held = book.held(vault_id, instrument_id)
        against = "buy" if held > 0 else "sell" if held < 0 else ""
        for order in account.working.values() if account else ():
            if order.instrument_id == instrument_id and (order.vault == vault_id or order.side == against):
                found[order.order_id] = order
    return [order for order in found.values() if order.stop_price is not None
            or not book.intents[order.intent_id].exit]


def _due(book: Book, place: tuple[str, str], guard: Guard, now_ms: int) -> Iterator[tuple[str, str]]:
    """Causes that have come about, gravest first. What cost less than half a cent has no price to measure from."""
    plan, quote, position = guard.plan, book.quotes.get(place[1]), book.vaults[place[0]].positions[place[1]]
    if quote is not None:
        sign = 1 if position.quantity > 0 else -1
        average, trail = position.average(), plan.get("trail_pct")
        resting = stops.at_rest(book, key_of(*place))
        for name, start, limit in (("stop", average, stops.allowed(plan, resting)),
                                   ("trail", guard.best, None if trail is None else Decimal(trail))):
            if limit is not None and start and (lost := (start - quote.last) * sign / start) >= limit:
                what = "the best price since it was opened" if name == "trail" else "its cost"
                yield name, f"{_percent(lost)} worse than {what}, {_percent(limit)} are allowed"
        target = plan.get("take_profit_pct")
        if target is not None and average and (won := (quote.last - average) * sign / average) >= Decimal(target):
            yield "take_profit", f"{_percent(won)} better than its cost, {_percent(Decimal(target))} were aimed at"
    longest = plan.get("max_holding_s")
    if longest is not None and now_ms - guard.opened_ms >= int(longest) * 1000:
        yield "time", f"held for {(now_ms - guard.opened_ms) // 1000} s, {longest} s are allowed"


def _percent(share: Decimal) -> str:
    return f"{share * 100:.2f} %"


def intent(book: Book, wish: Wish, now: datetime) -> dict[str, Any]:
    """The intent that leaves the position: the form of `models/intent.py`, linked to what opened it."""
    vault = book.vaults[wish.vault]
    position = vault.positions[wish.instrument_id]
    key, opener = key_of(wish.vault, wish.instrument_id), _opener(book, vault, wish.instrument_id)
    basis = book.basis.get(key, 0)
    quote = book.quotes.get(wish.instrument_id)
    worth = abs(position.value(quote.last) if quote is not None else position.cost())
    target = ["exit", wish.cause, iso(now)]
    return {
        "intent_id": ids.intent_id(vault.account, wish.vault, wish.instrument_id, basis, target),
        "account": vault.account, "vault": wish.vault, "instrument_id": wish.instrument_id,
        "side": "sell" if position.quantity > 0 else "buy", "notional": plain(max(worth, Decimal("0.01"))),
        "target_notional": "0", "close": True, "basis_seq": basis, "created_at": iso(now),
        "expires_at": iso(now + LIVES_FOR), "flip_id": None,
        "exit_plan": {"stop_pct": vault.guards[wish.instrument_id].plan["stop_pct"] if wish.cause == stops.RESTING
                      else None, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None},
        "provenance": {**opener, "reasons": [{
            "reason": f"exit:{wish.cause}", "bp": 0, "evidence": 0, "text": wish.text, "signals": [], "count": 0}]},
    }


def _opener(book: Book, vault: VaultBook, instrument_id: str) -> dict[str, Any]:
    """The provenance of the intent whose exit plan guards the position."""
    guard = vault.guards.get(instrument_id)
    opener: dict[str, Any] = dict(book.intents[guard.intent_id].raw["provenance"]) if guard is not None else {
        "signal_id": "none", "dag_id": "none", "entity": instrument_id, "conviction_bp": 0, "band": "none",
        "personas": {}, "sources": {}}
    return {**opener, "inputs": {}}
