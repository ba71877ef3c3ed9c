"""What moves a vault without an order: transfers, dividends, fees, funding, splits. Pure.

Every kind is one function that changes the vault's sub-ledger and returns the instrument whose holding moved, if one
did. The evidence is in the record.

    adjust(vault, {"type": "split", "instrument_id": "equity:AAPL", "ratio": "4", …})  ->  "equity:AAPL"
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from vanta.common.money import ZERO, round_amount
from vanta.executor.core.entries import VaultBook
from vanta.executor.core.lots import UNTAGGED

Body = Mapping[str, Any]


def adjust(vault: VaultBook, body: Body) -> str | None:
    """Carry out one adjustment. Raises `KeyError` for a type that does not exist."""
    return _KINDS[body["type"]](vault, body)


def _transfer(vault: VaultBook, body: Body) -> None:
    vault.cash += Decimal(body["amount"])
    vault.flows += Decimal(body["amount"])


def _cash_result(vault: VaultBook, body: Body) -> None:
    """Dividends, fees and funding: cash that counts as realised profit (negative for a cost)."""
    amount = round_amount(Decimal(body["amount"]), vault.currency)
    vault.cash += amount
    vault.ledger.add(amount, ZERO, UNTAGGED)


def _split(vault: VaultBook, body: Body) -> str | None:
    """Every lot's quantity times the ratio; its cost stays. The next quote is in new units."""
    instrument_id, ratio = str(body["instrument_id"]), Decimal(body["ratio"])
    position = vault.positions.get(instrument_id)
    if position is None:
        return None
    for lot in position.lots:
        lot.quantity *= ratio
    position.quantity *= ratio
    guard = vault.guards.get(instrument_id)
    if guard is not None:
        guard.best /= ratio
    return instrument_id


_KINDS: dict[str, Callable[[VaultBook, Body], str | None]] = {
    "transfer": _transfer, "dividend": _cash_result, "fee": _cash_result, "funding": _cash_result, "split": _split,
}
