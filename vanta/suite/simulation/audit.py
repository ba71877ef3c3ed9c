"""An account of its own, kept from the trade log alone, to hold against what the executor publishes. Pure.

It folds what the log says was paid in, bought, sold and charged, and knows nothing of lots, profit or marks. Every
day of a simulation has to satisfy, for every vault and to the cent:

    cash = paid in − paid for fills − fees
    quantity = Σ bought − Σ sold
    value = quantity × newest price × multiplier, rounded to cents
    nav = cash + Σ values, and the account holds what its vaults hold

Example: 100,000 paid in, 10 shares bought at 200.00 with a fee of 0.40, newest price 210.00: cash 97,999.60,
nav 100,099.60.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from vanta.common.events import Kind
from vanta.common.models.account import Portfolio, VaultHoldings
from vanta.common.money import ZERO, plain, round_amount
from vanta.common.store.ports import Record


@dataclass(slots=True)
class _Account:
    """One vault as the log tells it."""

    currency: str
    paid_in: Decimal = ZERO
    cash: Decimal = ZERO
    fees: Decimal = ZERO
    quantities: dict[str, Decimal] = field(default_factory=dict)
    multipliers: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class Counts:
    """What happened, in numbers."""

    intents: int = 0
    orders: int = 0
    fills: int = 0
    expired: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    holds: Counter[str] = field(default_factory=Counter)
    latches: Counter[str] = field(default_factory=Counter)


class Audit:
    """See the module's contract."""

    def __init__(self) -> None:
        self.accounts: dict[str, _Account] = {}
        self.counts = Counts()

    def see(self, record: Record) -> None:
        """Fold one record of the trade log."""
        kind, body, counts = record.kind, record.payload, self.counts
        if kind == Kind.ADJUSTMENT:
            self._adjusted(body)
        elif kind == Kind.FILL:
            self._filled(body)
            counts.fills += 1
        elif kind == Kind.INTENT_SEEN:
            counts.intents += 1
        elif kind == Kind.ORDER_ACCEPTED:
            counts.orders += 1
        elif kind == Kind.INTENT_EXPIRED:
            counts.expired += 1
        elif kind == Kind.INTENT_REFUSED:
            counts.refusals.update(sorted({line[1] for line in body["lines"] if line[1]}))
        elif kind == Kind.INTENT_HELD:
            counts.holds.update(body["codes"])
        elif kind == Kind.LATCH_SET:
            counts.latches[body["code"]] += 1

    def _adjusted(self, body: Mapping[str, Any]) -> None:
        account = self.accounts.setdefault(body["vault"], _Account(body["currency"]))
        amount = Decimal(body["amount"])
        account.cash += amount
        if body["type"] == "transfer":
            account.paid_in += amount

    def _filled(self, body: Mapping[str, Any]) -> None:
        account, name = self.accounts[body["vault"]], body["instrument_id"]
        quantity, kept = Decimal(body["quantity"]), Decimal(body["fee_units"])
        fee = Decimal(body["fee"])
        account.cash -= Decimal(body["cash"]) + fee
        account.fees += fee
        account.multipliers[name] = Decimal(body["multiplier"])
        account.quantities[name] = account.quantities.get(name, ZERO) + (
            quantity if body["side"] == "buy" else -quantity) - kept

    def differences(self, portfolio: Portfolio, prices: Mapping[str, Decimal]) -> list[str]:
        """Everything in which the published portfolio differs from this account, one sentence each."""
        found = [] if {row.vault_id for row in portfolio.vaults} == set(self.accounts) else [
            f"vaults {sorted(row.vault_id for row in portfolio.vaults)} where the log has {sorted(self.accounts)}"]
        for row in portfolio.vaults:
            if row.vault_id in self.accounts:
                found += self._vault(row, self.accounts[row.vault_id], prices)
        return found + _accounts(portfolio)

    def _vault(self, row: VaultHoldings, account: _Account, prices: Mapping[str, Decimal]) -> list[str]:
        found = [_different(f"{row.vault_id}: cash", row.cash, account.cash)]
        published = {position.instrument_id: position for position in row.positions}
        total = account.cash
        for name in sorted({*published, *(name for name, held in account.quantities.items() if held)}):
            held, position = account.quantities.get(name, ZERO), published.get(name)
            said, price = position.quantity if position else ZERO, prices.get(name)
            found.append(_different(f"{row.vault_id}: quantity of {name}", said, held))
            if not held:
                continue
            if price is None:
                found.append(f"{row.vault_id}: {name} is held and has no price")
                continue
            value = round_amount(held * price * account.multipliers[name], account.currency)
            total += value
            found.append(_different(f"{row.vault_id}: value of {name}", position.value if position else None, value))
        found.append(_different(f"{row.vault_id}: nav", row.nav, total))
        return [text for text in found if text]


def _accounts(portfolio: Portfolio) -> list[str]:
    cash: dict[tuple[str, str], Decimal] = {}
    held: dict[tuple[str, str], Decimal] = {}
    for vault in portfolio.vaults:
        key = vault.account, vault.currency
        cash[key] = cash.get(key, ZERO) + vault.cash
        for position in vault.positions:
            place = vault.account, position.instrument_id
            held[place] = held.get(place, ZERO) + position.quantity
    said_cash = {(row.account, code): amount for row in portfolio.accounts for code, amount in row.cash.items()}
    said_held = {(row.account, name): amount for row in portfolio.accounts for name, amount in row.positions.items()}
    return [text for table, said in ((cash, said_cash), (held, said_held)) for key in sorted({*table, *said})
            if (text := _different(f"account {key[0]}: {key[1]}", said.get(key, ZERO), table.get(key, ZERO)))]


def _different(what: str, published: Decimal | None, counted: Decimal) -> str:
    if published == counted:
        return ""
    return f"{what} is published as {'unknown' if published is None else plain(published)}, counted as {plain(counted)}"
