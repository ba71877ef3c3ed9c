"""What the fences look at: a proposed order and everything they may know. Pure records.

A `Proposal` is an intent turned into a quantity at a quote. A `Context` is the world at one instant, built by
the shell from the book and the inputs it recorded; no fence can reach anything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from vanta.common.calendars import Calendar
from vanta.common.instruments import Instrument
from vanta.common.models.vault import Vault, VaultRegistry
from vanta.common.reasons import Reason
from vanta.executor.core.book import Book
from vanta.executor.core.controls import Controls, Known
from vanta.executor.core.entries import IntentEntry, QuoteEntry, VaultBook
from vanta.executor.core.terms import AT_MARKET, Terms
from vanta.executor.core.totals import Totals, totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The world at one instant.

    `vaults` is what vault.json said when it could be read last, None if it never could; `vaults_readable` whether it
    can be read now. While it cannot, only a position that is left altogether is judged by what it said last.
    `able` is what each account's venue can do beyond market orders for the day.
    """

    now: datetime
    now_ms: int
    book: Book
    controls: Controls
    permit: bool
    known: Known
    vaults: VaultRegistry | None
    vaults_readable: bool = True
    instruments: Mapping[str, Instrument]
    calendars: Mapping[str, Calendar]
    brokers: frozenset[str]
    able: Mapping[str, frozenset[str]]
    future_skew_ms: int

    def totals(self, vault: VaultBook) -> Totals:
        """What a vault has at stake, every working order counted as filled."""
        return totals(self.book, vault, self.instruments)

    @property
    def why_no_vault(self) -> Reason:
        """What a fence says that finds no vault: a file that cannot be read is waited for, a missing vault is not."""
        unreadable = self.vaults is None or not self.vaults_readable
        return Reason.VAULT_UNREADABLE if unreadable else Reason.VAULT_UNKNOWN

    def vault_of(self, entry: IntentEntry) -> Vault | None:
        """The vault that an intent is judged by. Leaving a position does not wait for a readable vault.json."""
        if self.vaults is None or not (self.vaults_readable or entry.close):
            return None
        return self.vaults.get(entry.vault)

    @property
    def why_no_instrument(self) -> Reason:
        """What a fence says that finds no instrument. There is always some, unless the registry cannot be read."""
        return Reason.INSTRUMENT_UNKNOWN if self.instruments else Reason.INSTRUMENTS_UNREADABLE


class Proposal(NamedTuple):
    """A sized wish. Missing parts are `None`, and the fence whose part it is refuses.

    `price` is what it is valued at: the touched side of the quote, or its limit where that is higher.
    """

    entry: IntentEntry
    vault: Vault | None
    ledger: VaultBook | None
    instrument: Instrument | None
    quote: QuoteEntry | None
    quantity: Decimal
    price: Decimal
    held: Decimal
    working_buy: Decimal
    working_sell: Decimal
    terms: Terms = AT_MARKET

    @property
    def value(self) -> Decimal:
        """Quantity times price times multiplier, in the instrument's currency."""
        return self._worth(self.price)

    @property
    def least(self) -> Decimal:
        """The same at the limit, if there is one: what a venue holds against its smallest order."""
        return self._worth(self.price if self.terms.limit_price is None else self.terms.limit_price)

    def _worth(self, price: Decimal) -> Decimal:
        return self.quantity * (price * (self.instrument.multiplier if self.instrument else 1))

    @property
    def signed(self) -> Decimal:
        """Quantity with its sign."""
        return self.quantity if self.entry.side == "buy" else -self.quantity

    @property
    def after(self) -> Decimal:
        """The position with this order and all working ones filled, signed."""
        return self.held + self.working_buy - self.working_sell + self.signed

    @property
    def reduces(self) -> bool:
        """Whether, with every working exit counted as filled, it shrinks the position without crossing zero."""
        if self.entry.side == "sell":
            return 0 < self.quantity <= self.held - self.working_sell
        return 0 < self.quantity <= -self.held - self.working_buy


class Line(NamedTuple):
    """One fence's word: `code` is None when it passes. `value` and `limit` are what it compared, as text."""

    fence: str
    code: Reason | None
    value: str
    limit: str
    detail: str = ""
