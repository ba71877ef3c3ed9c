"""What quotes make of what is held: marks, NAV, and the best price since a position was opened. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from vanta.common.store.ports import Record
from vanta.common.times import millis_of
from vanta.executor.core.entries import QuoteEntry, VaultBook


def quoted(record: Record, before: QuoteEntry | None) -> QuoteEntry:
    """The entry of a quote as `quote.seen` records it. `before` is the one that it replaces."""
    body = record.payload
    size, volume = body["size"], body["volume"]
    return QuoteEntry(
        Decimal(body["bid"]), Decimal(body["ask"]), Decimal(body["last"]), None if size is None else Decimal(size),
        millis_of(body["at"]), None if volume is None else Decimal(volume), before.last if before else None, record.seq)


def note_best(vaults: Iterable[VaultBook], instrument_id: str, last: Decimal) -> None:
    """Trailing stops are measured from the best price: highest of a long position, lowest of a short one."""
    for vault in vaults:
        guard = vault.guards.get(instrument_id)
        if guard is not None:
            long = vault.positions[instrument_id].quantity > 0
            guard.best = max(guard.best, last) if long else min(guard.best, last)


def nav(vault: VaultBook, quotes: Mapping[str, QuoteEntry]) -> Decimal | None:
    """Cash plus marked positions, or `None` while a held instrument has no mark."""
    total = vault.cash
    for instrument_id, position in vault.positions.items():
        if position.quantity:
            quote = quotes.get(instrument_id)
            if quote is None:
                return None
            total += position.value(quote.last)
    return total
