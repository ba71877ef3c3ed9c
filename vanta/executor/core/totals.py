"""What one vault has at stake, with every working order counted as filled. Pure.

One walk over positions and working orders, remembered on the vault until something in it moves or a quote comes in,
so that every fence can ask. An instrument counts with the larger of what it would be if all its buys, or all its
sells, were filled.

    totals(context, vault).by_class["equity"]  ->  Decimal("42000")
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from vanta.common.instruments import Instrument
from vanta.common.money import ZERO
from vanta.executor.core.book import Book
from vanta.executor.core.entries import VaultBook


class Worth(NamedTuple):
    """One instrument: the most it may be worth, and what it is worth with its sign."""

    most: Decimal
    signed: Decimal


class Totals(NamedTuple):
    """A vault's values in its currency. `nav` is None while a held instrument has no mark."""

    nav: Decimal | None
    gross: Decimal
    net: Decimal
    by_class: Mapping[str, Decimal]
    by_sector: Mapping[str, Decimal]
    by_instrument: Mapping[str, Worth]


NOTHING = Worth(ZERO, ZERO)


def totals(book: Book, vault: VaultBook, instruments: Mapping[str, Instrument]) -> Totals:
    """See the module's contract."""
    before = vault.remembered
    if before is None or before[0] != book.quotes_seq or before[1] is not instruments:
        before = vault.remembered = (book.quotes_seq, instruments, _walk(book, vault, instruments))
    found: Totals = before[2]
    return found


def _walk(book: Book, vault: VaultBook, instruments: Mapping[str, Instrument]) -> Totals:
    buys: dict[str, Decimal] = {}
    sells: dict[str, Decimal] = {}
    prices: dict[str, tuple[Decimal, Decimal]] = {}
    for order in vault.working.values():
        side = buys if order.side == "buy" else sells
        side[order.instrument_id] = side.get(order.instrument_id, ZERO) + order.leaves
        prices[order.instrument_id] = (order.reference_price, order.multiplier)
    for name, position in vault.positions.items():
        quote = book.quotes.get(name)
        if position.quantity and quote is not None:
            prices[name] = (quote.last, position.multiplier)
    gross = net = ZERO
    by_class: dict[str, Decimal] = {}
    by_sector: dict[str, Decimal] = {}
    by_instrument: dict[str, Worth] = {}
    for name, (price, multiplier) in prices.items():
        position_ = vault.positions.get(name)
        held = position_.quantity if position_ else ZERO
        bought, sold = held + buys.get(name, ZERO), held - sells.get(name, ZERO)
        unit = price * multiplier
        worth = by_instrument[name] = Worth(max(abs(bought), abs(sold)) * unit, (bought + sold - held) * unit)
        item = instruments.get(name)
        kind = item.asset_class if item else name.partition(":")[0]
        by_class[kind] = by_class.get(kind, ZERO) + worth.most
        if item is not None and item.sector is not None:
            by_sector[item.sector] = by_sector.get(item.sector, ZERO) + worth.most
        gross += worth.most
        net += worth.signed
    return Totals(book.nav(vault.vault_id), gross, net, by_class, by_sector, by_instrument)
