"""Profit so far, by vault, conviction band, persona, source and reason: realised, and what the marks add. Pure.

Every table sums to the whole exactly, in the booked unit of the currency: results are split over the tags of their lots
by largest remainder. A fee is inside `realised`, and shown apart as well. A position without a mark adds nothing to
`unrealised` and is named in `unmarked`; whether that may be published is for the reader to decide.

    made(book, book.vaults.values()).tables["band"]["high"].total  ->  Decimal("12.34")
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from vanta.common.money import ZERO, minor_places, round_amount
from vanta.executor.core.book import Book
from vanta.executor.core.entries import VaultBook
from vanta.executor.core.lots import TABLES, Ledger, Line, Lot, Position, parts


@dataclass(slots=True)
class Profit:
    """The whole, and each table by group: `vault` and those of `lots.TABLES`."""

    total: Line = field(default_factory=Line)
    tables: dict[str, dict[str, Line]] = field(default_factory=lambda: {name: {} for name in ("vault", *TABLES)})
    unmarked: set[str] = field(default_factory=set)


def made(book: Book, vaults: Iterable[VaultBook]) -> Profit:
    """See the module's contract. The vaults should be of one currency: amounts are added as they are."""
    found = Profit()
    for vault in sorted(vaults, key=lambda one: one.vault_id):
        line = found.tables["vault"][vault.vault_id] = Line(vault.ledger.realised, ZERO, vault.ledger.fees)
        _realised(vault.ledger, found.tables)
        line.unrealised = _unrealised(book, vault, found)
        found.total.add(line)
    return found


def _realised(ledger: Ledger, tables: dict[str, dict[str, Line]]) -> None:
    for table in TABLES:
        rows = tables[table]
        for name, (amount, fee) in ledger.table(table).items():
            line = rows.get(name)
            if line is None:
                rows[name] = Line(amount, ZERO, fee)
            else:
                line.realised += amount
                line.fees += fee


def _unrealised(book: Book, vault: VaultBook, found: Profit) -> Decimal:
    """Mark every lot, and share what each gained in minor units; one sum a group is made money of."""
    places = minor_places(vault.currency)
    total = ZERO
    units: dict[str, dict[str, int]] = {table: {} for table in TABLES}
    for name, position in sorted(vault.positions.items()):
        if not position.quantity:
            continue
        quote = book.quotes.get(name)
        if quote is None:
            found.unmarked.add(name)
            continue
        for lot, gain in _marked(position, quote.last):
            total += gain
            whole = int(gain.scaleb(places))
            for table, groups in units.items():
                weights = lot.tags.weights(table)
                for (group, _), part in zip(weights, parts(whole, weights), strict=True):
                    groups[group] = groups.get(group, 0) + part
    for table, groups in units.items():
        for group, part in groups.items():
            found.tables[table].setdefault(group, Line()).unrealised += Decimal(part).scaleb(-places)
    return total


def _marked(position: Position, mark: Decimal) -> Iterator[tuple[Lot, Decimal]]:
    """What each lot gained; rounding of the position's value against its lots' values goes to its last lot."""
    rest = position.value(mark)
    last = position.lots[-1] if position.lots else None
    for lot in position.lots:
        value = rest if lot is last else round_amount(lot.quantity * mark * position.multiplier, position.currency)
        rest -= value
        yield lot, value - lot.cost
