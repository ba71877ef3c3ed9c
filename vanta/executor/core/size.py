"""From a wish in money to a quantity in lots. Pure.

A buy is sized at the ask, a sell at the bid, or at its limit or stop where that is higher. Quantities are rounded
towards zero to whole lots, so that rounding never makes an order larger than asked. `close` takes what is held less
what is already being sold. What personas may take by their budgets makes an entry smaller.
An order that may have reached its venue keeps quantity and terms: the venue knows its id, and keeps the first it saw.

    1,000 USD of AAPL at ask 190.10, lot 1  ->  5
"""

from decimal import Decimal

from vanta.common.instruments import Instrument
from vanta.common.money import ZERO, floor_to, units_for
from vanta.executor.core.book import Book
from vanta.executor.core.entries import IntentEntry, QuoteEntry
from vanta.executor.core.fences.persona import downsized
from vanta.executor.core.proposal import Context, Proposal
from vanta.executor.core.terms import decide, kept


def propose(entry: IntentEntry, context: Context) -> Proposal:
    """Size an intent against the recorded quote. Whatever is missing stays `None` or 0 for the fences to name."""
    book = context.book
    instrument = context.instruments.get(entry.instrument_id)
    quote = book.quotes.get(entry.instrument_id)
    held = book.held(entry.vault, entry.instrument_id)
    buying, selling = working(book, entry.key)
    touch, vault = _touch(quote, entry.side), context.vault_of(entry)
    earlier = book.orders.get(entry.order_id) if entry.order_id else None
    again = earlier if earlier is not None and earlier.out else None
    terms = kept(again) if again else decide(entry, vault, instrument, touch, _cost(entry, book))
    price = max(touch, terms.limit_price or ZERO, terms.stop_price or ZERO)
    quantity = again.quantity if again else _quantity(entry, instrument, price, held - selling)
    sized = Proposal(
        entry=entry, vault=vault, ledger=book.vaults.get(entry.vault), instrument=instrument, quote=quote,
        quantity=quantity, price=price, held=held, working_buy=buying, working_sell=selling, terms=terms)
    return sized if again else downsized(sized, context)


def working(book: Book, key: str) -> tuple[Decimal, Decimal]:
    """Quantities that working orders of this key may still buy and sell.

    A stop that rests at the venue is none of them: it ends before anything else of its key is sent.
    """
    buying = selling = ZERO
    live = book.live.get(key)
    order = book.working.get(live.order_id) if live and live.order_id else None
    if order is not None and order.stop_price is None:
        if order.side == "buy":
            buying = order.leaves
        else:
            selling = order.leaves
    return buying, selling


def _cost(entry: IntentEntry, book: Book) -> Decimal:
    """What a unit of the position cost: where a stop is measured from."""
    vault = book.vaults.get(entry.vault)
    position = vault.positions.get(entry.instrument_id) if vault else None
    return position.average() if position else ZERO


def _touch(quote: QuoteEntry | None, side: str) -> Decimal:
    if quote is None:
        return ZERO
    return quote.ask if side == "buy" else quote.bid


def _quantity(entry: IntentEntry, instrument: Instrument | None, price: Decimal, free: Decimal) -> Decimal:
    if instrument is None or price <= 0:
        return ZERO
    if entry.close:
        return max(ZERO, floor_to(free if entry.side == "sell" else -free, instrument.lot))
    return units_for(entry.notional, price * instrument.multiplier, instrument.lot)
