"""The documents that the executor publishes, computed from the book. Pure.

All of them come from one cut of the log: `as_of_seq` and `as_of_hash` name it. Amounts are whole minor units,
and every table of `pnl_summary.json` sums to its total.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vanta.common.models.vault import VaultRegistry
from vanta.common.money import ZERO, plain, round_amount
from vanta.common.times import from_millis, iso
from vanta.executor.core.book import Book
from vanta.executor.core.entries import VaultBook
from vanta.executor.core.fences.cash import reserved
from vanta.executor.core.lots import TABLES, Ledger, split
from vanta.executor.core.size import working

Body = dict[str, Any]


@dataclass(slots=True)
class _Line:
    realised: Decimal = ZERO
    unrealised: Decimal = ZERO
    fees: Decimal = ZERO

    def body(self) -> Body:
        return {"realised": plain(self.realised), "unrealised": plain(self.unrealised), "fees": plain(self.fees),
                "total": plain(self.realised + self.unrealised)}


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
    total, by_vault = _Line(), {}
    tables: dict[str, dict[str, _Line]] = {name: {} for name in TABLES}
    for vault_id, vault in sorted(book.vaults.items()):
        line = by_vault[vault_id] = _Line(vault.ledger.realised, ZERO, vault.ledger.fees)
        _realised(vault.ledger, tables)
        line.unrealised = _unrealised(book, vault, tables)
        total.realised += line.realised
        total.unrealised += line.unrealised
        total.fees += line.fees
    return {**cut(book, now), "currency": "/".join(sorted(currencies)), "total": total.body(),
            "by_vault": {name: line.body() for name, line in by_vault.items()},
            **{f"by_{table}": {name: line.body() for name, line in sorted(rows.items())}
               for table, rows in tables.items()}}


def _realised(ledger: Ledger, tables: dict[str, dict[str, _Line]]) -> None:
    for table, rows in tables.items():
        for name, (amount, fee) in ledger.table(table).items():
            line = rows.setdefault(name, _Line())
            line.realised += amount
            line.fees += fee


def _unrealised(book: Book, vault: VaultBook, tables: dict[str, dict[str, _Line]]) -> Decimal:
    """Mark every lot; rounding of a position's value against its lots' values goes to its last lot."""
    total = ZERO
    for name, position in sorted(vault.positions.items()):
        quote = book.quotes.get(name)
        if not position.quantity or quote is None:
            continue
        rest = position.value(quote.last)
        for index, lot in enumerate(position.lots):
            last = index == len(position.lots) - 1
            value = rest if last else round_amount(lot.quantity * quote.last * position.multiplier, vault.currency)
            rest -= value
            gain = value - lot.cost
            total += gain
            for table in TABLES:
                weights = lot.tags.weights(table)
                for (group, _), part in zip(weights, split(gain, weights, vault.currency), strict=True):
                    tables[table].setdefault(group, _Line()).unrealised += part
    return total


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
