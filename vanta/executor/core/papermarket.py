"""The paper venue's stated model of the market. Pure and deterministic.

A buy trades at the ask (a sell at the bid), moved against the order by the slippage; where a quote has no
spread of its own, half the stated spread is added first. Prices round against the order to the tick. One
fill takes at most the displayed size if the quote states one, else a stated share of average daily volume,
else everything. Commission is a share of the value with a minimum. The same order and quote give the same
fill, and at most one fill comes from one quote. A limit order trades only at quotes whose touched side is at its limit
or better, at the model's price or at the limit, whichever is better for it; else it rests. A stop rests until a quote's
last price or touched side has come to it, and trades at that quote as a market order; after its
first fill it is one.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from vanta.common.instruments import Instrument
from vanta.common.models.configuration import PaperSettings
from vanta.common.money import BP, CONTEXT, ONE, ceil_to, floor_to, round_amount, share_bp
from vanta.executor.core.entries import QuoteEntry


@dataclass(slots=True)
class PaperOrder:
    """A working order at the paper venue. `last_ms` is the time of the quote that filled it last."""

    order_id: str
    instrument_id: str
    side: str
    leaves: Decimal
    multiplier: Decimal
    currency: str
    submitted_ms: int
    fills: int
    last_ms: int
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


class Execution(NamedTuple):
    """One fill: units, price per unit, commission."""

    quantity: Decimal
    price: Decimal
    fee: Decimal


def execute(order: PaperOrder, quote: QuoteEntry, instrument: Instrument, model: PaperSettings) -> Execution | None:
    """What `quote` fills of `order` in lots and ticks of `instrument`, or `None` if nothing."""
    if quote.at_ms <= order.last_ms:
        return None
    if model.fill == "next_quote" and quote.at_ms <= order.submitted_ms:
        return None
    if not _touches(order, quote):
        return None
    quantity = min(order.leaves, _available(order, quote, instrument.lot, model))
    if quantity <= 0:
        return None
    price = _price(order, quote, instrument.tick, model)
    fee = max(share_bp(quantity * price * order.multiplier, model.commission_bp), model.commission_min)
    return Execution(quantity, price, round_amount(fee, order.currency))


def _available(order: PaperOrder, quote: QuoteEntry, lot: Decimal, model: PaperSettings) -> Decimal:
    if quote.size is not None:
        return floor_to(quote.size, lot)
    if quote.volume is not None:
        return max(lot, floor_to(share_bp(quote.volume, model.participation_bp), lot))
    return order.leaves


def _touches(order: PaperOrder, quote: QuoteEntry) -> bool:
    limit, stop = order.limit_price, order.stop_price
    if stop is not None and not order.fills:
        return max(quote.ask, quote.last) >= stop if order.side == "buy" else min(quote.bid, quote.last) <= stop
    return limit is None or (quote.ask <= limit if order.side == "buy" else quote.bid >= limit)


def _price(order: PaperOrder, quote: QuoteEntry, tick: Decimal, model: PaperSettings) -> Decimal:
    worse = model.slippage_bp + (model.half_spread_bp if quote.bid == quote.ask else 0)
    share = CONTEXT.divide(Decimal(worse), BP)
    limit = order.limit_price
    if order.side == "buy":
        price = ceil_to(quote.ask * (ONE + share), tick)
        return price if limit is None else min(price, limit)
    price = max(tick, floor_to(quote.bid * (ONE - share), tick))
    return price if limit is None else max(price, limit)
