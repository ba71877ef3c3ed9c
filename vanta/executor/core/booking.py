"""What an execution does to a vault: position, lots, cash, result, and who watches over what is held. Pure.

An execution that is taken back is booked the other way round: `Move` then has negative quantity, cash and fee.
"""

from decimal import Decimal
from typing import NamedTuple

from vanta.common.money import ZERO
from vanta.executor.core.entries import Guard, IntentEntry, OrderEntry, VaultBook
from vanta.executor.core.lots import Position
from vanta.executor.core.machine import FILL_LAST, FILL_LATE, FILL_PART, TERMINAL


class Move(NamedTuple):
    """Units in the direction of the order, cash paid (negative: received), fee, and when."""

    quantity: Decimal
    cash: Decimal
    fee: Decimal
    at_ms: int


def fill_event(order: OrderEntry, state: str, quantity: Decimal) -> str:
    """Which event of the table a fill is, by the state of its intent."""
    if state in TERMINAL:
        return FILL_LATE
    return FILL_LAST if order.filled + quantity >= order.quantity else FILL_PART


def units(side: str, quantity: Decimal, kept: Decimal) -> Decimal:
    """What an execution moves in the direction of its order.

    The venue keeps its units from what is bought, and takes them beside what is sold.
    """
    return quantity - kept if side == "buy" else quantity + kept


def book_move(vault: VaultBook, entry: IntentEntry, order: OrderEntry, move: Move) -> None:
    """Book one execution of `order`, which `entry` asked for."""
    position = vault.positions.get(order.instrument_id)
    if position is None:
        position = vault.positions[order.instrument_id] = Position(order.currency, order.multiplier)
    before = position.quantity
    signed = move.quantity if order.side == "buy" else -move.quantity
    for closed in position.fill(signed, move.cash, entry.tags):
        vault.ledger.add(closed.realised, ZERO, closed.tags)
        order.realised = (order.realised or ZERO) + closed.realised
    vault.ledger.add(ZERO, move.fee, entry.tags)
    vault.cash -= move.cash + move.fee
    _guard(vault, entry, position, before, move)


def _guard(vault: VaultBook, entry: IntentEntry, position: Position, before: Decimal, move: Move) -> None:
    """Nobody watches where nothing is left; otherwise whoever enlarged the position last."""
    name, old = entry.instrument_id, vault.guards.get(entry.instrument_id)
    if not position.quantity:
        vault.guards.pop(name, None)
        return
    price = abs(move.cash / (move.quantity * position.multiplier))
    if old is None or (before > 0) != (position.quantity > 0):
        vault.guards[name] = Guard(entry.intent_id, entry.raw["exit_plan"], move.at_ms, price)
    elif abs(position.quantity) > abs(before):
        best = max(old.best, price) if before > 0 else min(old.best, price)
        vault.guards[name] = Guard(entry.intent_id, entry.raw["exit_plan"], old.opened_ms, best)
