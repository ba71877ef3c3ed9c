"""The documents that the executor publishes, computed from the book. Pure.

All of them come from one cut of the log: `as_of_seq` and `as_of_hash` name it. Amounts are whole minor units,
and every table of `pnl_summary.json` sums to its total.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vanta.common.models.vault import VaultRegistry
from vanta.common.money import ZERO, plain
from vanta.common.times import from_millis, iso
from vanta.executor.core import profit
from vanta.executor.core.book import Book
from vanta.executor.core.entries import VaultBook
from vanta.executor.core.fences.cash import reserved
from vanta.executor.core.size import working

Body = dict[str, Any]


def cut(book: Book, now: str) -> Body:
    """The fields that say which record the document is the fold of."""
    return {"as_of_seq": book.seq, "as_of_hash": book.hash, "now": now}


def portfolio(book: Book, now: str) -> Body:
    """`portfolio.json`."""
    rows = [_vault(book, vault) for _, vault in sorted(book.vaults.items())]
    return {**cut(book, now), "home": book.home, "accounts": _accounts(book), "vaults": rows,
            "basis": dict(sorted(book.basis.items())),
            "intents": {name: entry.state for name, entry in sorted({**book.waiting, **_live(book)}.items())}}


def _live(book: Book) -> dict[str, Any]:
    return {entry.intent_id: entry for entry in book.live.values()}


def _vault(book: Book, vault: VaultBook) -> Body:
    nav = book.nav(vault.vault_id)
    names = {name for name, position in vault.positions.items() if position.quantity}
    names.update(order.instrument_id for order in vault.working.values())
    return {
        "vault_id": vault.vault_id, "account": vault.account, "currency": vault.currency, "cash": plain(vault.cash),
        "reserved_cash": plain(reserved(vault)), "realised": plain(vault.ledger.realised),
        "nav": None if nav is None else plain(nav),
        "positions": [_position(book, vault, name) for name in sorted(names)],
    }


def _position(book: Book, vault: VaultBook, name: str) -> Body:
    position = vault.positions.get(name)
    quote = book.quotes.get(name)
    key = f"{vault.vault_id}|{name}"
    buying, selling = working(book, key)
    quantity = position.quantity if position else ZERO
    cost = position.cost() if position else ZERO
    value = position.value(quote.last) if position and quote else None if position else ZERO
    average = cost / (quantity * position.multiplier) if position and quantity else ZERO
    return {
        "instrument_id": name, "quantity": plain(quantity), "average_price": plain(round(average, 6)),
        "mark": plain(quote.last) if quote else None,
        "marked_at": iso(from_millis(quote.at_ms)) if quote else None,
        "value": None if value is None else plain(value),
        "unrealised": None if value is None else plain(value - cost),
        "working_buy": plain(buying), "working_sell": plain(selling), "basis_seq": book.basis.get(key, 0),
    }


def _accounts(book: Book) -> list[Body]:
    cash: dict[str, dict[str, Decimal]] = {}
    held: dict[str, dict[str, Decimal]] = {}
    for vault in book.vaults.values():
        table = cash.setdefault(vault.account, {})
        table[vault.currency] = table.get(vault.currency, ZERO) + vault.cash
        for name, position in vault.positions.items():
            if position.quantity:
                rows = held.setdefault(vault.account, {})
                rows[name] = rows.get(name, ZERO) + position.quantity
    return [{"account": name, "cash": {code: plain(amount) for code, amount in sorted(cash[name].items())},
             "positions": {item: plain(quantity) for item, quantity in sorted(held.get(name, {}).items())}}
            for name in sorted(cash)]


def open_orders(book: Book, now: str) -> Body:
    """`open_orders.json`."""
    return {**cut(book, now), "orders": [
        {"order_id": order.order_id, "intent_id": order.intent_id, "vault": order.vault, "account": order.account,
         "instrument_id": order.instrument_id, "side": order.side, "quantity": plain(order.quantity),
         "filled": plain(order.filled), "limit_price": None if order.limit_price is None else plain(order.limit_price),
         "stop_price": None if order.stop_price is None else plain(order.stop_price), "state": order.state,
         "submitted_at": order.submitted_at, "time_in_force": order.time_in_force}
        for _, order in sorted(book.working.items())]}


def pnl(book: Book, now: str) -> Body:
    """`pnl_summary.json`. Vaults of several currencies are an error until recorded FX exists."""
    currencies = {vault.currency for vault in book.vaults.values()} or {"USD"}
    found = profit.made(book, book.vaults.values())
    return {**cut(book, now), "currency": "/".join(sorted(currencies)), "total": found.total.body(),
            **{f"by_{table}": {name: line.body() for name, line in sorted(rows.items())}
               for table, rows in found.tables.items()},
            "last_day": list(book.daily.told)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What `executor_state.json` says beyond the book."""

    program: str
    pid: int
    mode: str
    halted: str
    permit: bool
    overlay_sha256: str | None
    queue_depth: int
    broker_sync: Mapping[str, str]
    held: Mapping[str, int]
    alarm: str = ""


def executor_state(book: Book, now: str, condition: Condition) -> Body:
    """`executor_state.json`: latched beats halted beats held beats open."""
    dispatch, reason = _dispatch(book, condition)
    return {
        **cut(book, now), "program": condition.program, "pid": condition.pid, "heartbeat_at": now,
        "mode": condition.mode, "dispatch": dispatch, "dispatch_reason": reason,
        "latches": [{"latch_id": name, "code": latch["code"], "since": latch["since"], "detail": latch["detail"]}
                    for name, latch in sorted(book.latches.items())],
        "overlay_sha256": condition.overlay_sha256, "broker_sync": dict(condition.broker_sync),
        "warnings": [f"loosened without a stated reason: {book.unstated}"] if book.unstated else [],
        "queue_depth": condition.queue_depth, "held": dict(sorted(condition.held.items())), "alarm": condition.alarm,
    }


def _dispatch(book: Book, condition: Condition) -> tuple[str, str]:
    everything = [latch for latch in book.latches.values() if latch["vault"] is None]
    if everything:
        return "latched", str(everything[0]["detail"])
    if condition.halted:
        return "halted", condition.halted
    if not condition.permit:
        return "held", "dispatch.permit does not exist"
    return "open", "dispatch permitted"


def navs(book: Book, vaults: VaultRegistry) -> dict[str, Decimal | None]:
    """NAV of every vault that is funded."""
    return {vault.vault_id: book.nav(vault.vault_id) for vault in vaults.vaults if vault.vault_id in book.vaults}
