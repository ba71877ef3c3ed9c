"""What one vault has at stake, with every working order but resting stops counted as filled. Pure.

One walk over positions and working orders, remembered on the vault until something in it moves or a quote comes in,
so that every fence can ask. An instrument counts with the larger of what it would be if all its buys, or all its
sells, were filled, at its last price or at the worst that they may trade at, whichever is higher.

    totals(book, vault, instruments).by_class["equity"]  ->  Decimal("42000")
    together(book, "paper", instruments).gross           ->  Decimal("87000")
"""

from collections.abc import Iterable, Mapping
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


class Together(NamedTuple):
    """All vaults of an account. `nav` is None while that of `unknown`, the first of those, is."""

    gross: Decimal
    nav: Decimal | None
    unknown: str


class _Rows:
    """The vaults of an account one by one, in the order in which they are summed."""

    __slots__ = ("gross", "instruments", "nav", "place", "quotes_seq")

    def __init__(self, book: Book, account: str, instruments: Mapping[str, Instrument]) -> None:
        self.quotes_seq, self.instruments = book.quotes_seq, instruments
        names = [vault.vault_id for vault in book.vaults.values() if vault.account == account]
        self.place = {name: place for place, name in enumerate(names)}
        self.gross = [ZERO for _ in names]
        self.nav: list[Decimal | None] = [None for _ in names]
        self.update(book, names)

    def update(self, book: Book, names: Iterable[str]) -> None:
        """Take over what some vaults have at stake now."""
        for name in names:
            found = totals(book, book.vaults[name], self.instruments)
            self.gross[self.place[name]], self.nav[self.place[name]] = found.gross, found.nav

    def together(self) -> Together:
        """Their sum."""
        known = [nav for nav in self.nav if nav is not None]
        if len(known) < len(self.nav):
            return Together(ZERO, None, list(self.place)[self.nav.index(None)])
        return Together(sum(self.gross, ZERO), sum(known, ZERO), "")


def together(book: Book, account: str, instruments: Mapping[str, Instrument]) -> Together:
    """What all vaults of an account have at stake. Only those are looked at that something has happened to."""
    at_venue = book.accounts.get(account)
    if at_venue is None:
        return _Rows(book, account, instruments).together()
    rows: _Rows | None = at_venue.remembered
    if (rows is None or rows.quotes_seq != book.quotes_seq or rows.instruments is not instruments
            or not rows.place.keys() >= at_venue.changed):
        rows = at_venue.remembered = _Rows(book, account, instruments)
    else:
        rows.update(book, at_venue.changed)
    at_venue.changed.clear()
    return rows.together()


def _walk(book: Book, vault: VaultBook, instruments: Mapping[str, Instrument]) -> Totals:
    buys: dict[str, Decimal] = {}
    sells: dict[str, Decimal] = {}
    prices: dict[str, tuple[Decimal, Decimal]] = {}
    for order in vault.working.values():
        if order.stop_price is not None:  # it only makes smaller, and not before the market asks for it
            continue
        side = buys if order.side == "buy" else sells
        side[order.instrument_id] = side.get(order.instrument_id, ZERO) + order.leaves
        prices[order.instrument_id] = (order.reference_price, order.multiplier)
    for name, position in vault.positions.items():
        if position.quantity and (quote := book.quotes.get(name)) is not None:
            working = prices.get(name)
            prices[name] = (max(quote.last, working[0]) if working else quote.last, position.multiplier)
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
