"""The embedded paper broker: the stated market model over the quotes that the executor recorded.

It keeps no state of its own on disk. Its working orders are the journal's (`restore`), its prices are the
journal's quotes, so it lives and dies with the executor and cannot disagree with it. A repeated client order
id is the same order.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from vanta.common.instruments import Instrument
from vanta.common.models.configuration import PaperSettings
from vanta.common.times import millis, parse_iso
from vanta.executor.brokers.port import (
    Accepted,
    Answer,
    Broker,
    Capabilities,
    Ended,
    Event,
    Fill,
    Found,
)
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry, QuoteEntry
from vanta.executor.core.papermarket import PaperOrder, execute
from vanta.executor.core.reconcile import Holdings


class PaperBroker(Broker):
    """See the module's contract. `quotes` and `instruments` give what the executor has recorded."""

    name = "paper"
    capabilities = Capabilities(deduplicates=True, lookup_window_s=10**9, settle_s=0, limit=True, gtc=True, stop=True)

    def __init__(self, settings: PaperSettings, quotes: Callable[[str], QuoteEntry | None],
                 instruments: Callable[[], Mapping[str, Instrument]]) -> None:
        self._settings = settings
        self._quotes = quotes
        self._instruments = instruments
        self._orders: dict[str, PaperOrder] = {}
        self._taken: set[str] = set()
        self._ended: list[Event] = []

    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """See `Broker.restore`."""
        for order in orders:
            self._taken.add(order.order_id)
            self._orders[order.order_id] = PaperOrder(
                order.order_id, order.instrument_id, order.side, order.leaves,
                order.multiplier, order.currency, millis(parse_iso(order.submitted_at)),
                order.fill_count, order.last_fill_ms, order.limit_price, order.stop_price)

    def _submit(self, order: Approved, now: datetime) -> Answer:
        if order.order_id not in self._taken:
            self._taken.add(order.order_id)
            self._orders[order.order_id] = PaperOrder(
                order.order_id, order.instrument_id, order.side, order.quantity,
                order.multiplier, order.currency, millis(now), 0, 0, order.terms.limit_price,
                order.terms.stop_price)
        return Accepted(f"paper-{order.order_id}")

    def _lookup(self, order_id: str) -> Found | None:
        return Found(f"paper-{order_id}") if order_id in self._orders else None

    def _cancel(self, order_id: str, now: datetime) -> None:  # noqa: ARG002 - the port's shape
        if self._orders.pop(order_id, None) is not None:
            self._ended.append(Ended(order_id=order_id, how="cancelled", detail="cancelled on request"))

    def _holdings(self, now: datetime) -> Holdings | None:  # noqa: ARG002 - the port's shape
        return None

    def _poll(self, now: datetime) -> Sequence[Event]:
        events, self._ended = self._ended, []
        table = self._instruments()
        for order in list(self._orders.values()):
            quote, instrument = self._quotes(order.instrument_id), table.get(order.instrument_id)
            if quote is None or instrument is None:  # without its lot and tick an order waits
                continue
            done = execute(order, quote, instrument, self._settings)
            if done is None:
                continue
            order.fills += 1
            order.leaves -= done.quantity
            order.last_ms = quote.at_ms
            events.append(Fill(order_id=order.order_id, fill_id=f"{order.order_id}-f{order.fills}",
                               quantity=done.quantity, price=done.price, fee=done.fee, at=now,
                               quote_ms=quote.at_ms))
            if order.leaves <= 0:
                del self._orders[order.order_id]
        return events
