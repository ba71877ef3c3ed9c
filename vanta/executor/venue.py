"""What happens to orders that are out: fills, endings, day's end, and the drain of a full halt."""

from collections.abc import Mapping
from datetime import datetime

from vanta.common.errors import OutsideError
from vanta.common.events import Kind
from vanta.common.instruments import Instrument
from vanta.common.money import plain, round_amount
from vanta.common.times import parse_iso
from vanta.executor.brokers.port import Broker, Ended, Fill
from vanta.executor.core.book import OrderEntry
from vanta.executor.core.verdict import link
from vanta.executor.recorder import Recorder


class Venue:
    """The executor's side of all brokers."""

    def __init__(self, recorder: Recorder, brokers: Mapping[str, Broker]) -> None:
        self._recorder = recorder
        self._brokers = brokers
        self.sync: dict[str, str] = dict.fromkeys(brokers, "in sync")

    def collect(self, instruments: Mapping[str, Instrument], now: datetime) -> int:
        """Record everything brokers report. Returns the number of fills."""
        fills = 0
        for name, broker in self._brokers.items():
            try:
                events = broker.poll(now)
                self.sync[name] = "in sync"
            except OutsideError as error:
                self.sync[name] = f"unknown: {error.what}"
                continue
            for event in events:
                if isinstance(event, Fill):
                    self._fill(event, instruments, now)
                    fills += 1
                else:
                    self._ended(event, now)
        return fills

    def _fill(self, fill: Fill, instruments: Mapping[str, Instrument], now: datetime) -> None:
        order = self._recorder.book.orders[fill.order_id]
        instrument = instruments[order.instrument_id]
        notional = round_amount(fill.quantity * fill.price * instrument.multiplier, instrument.currency)
        done = order.filled + fill.quantity >= order.quantity
        entry = self._recorder.book.intents[order.intent_id]
        state = "filled" if done else "cancelling" if entry.state == "cancelling" else "partially_filled"
        self._recorder.put(Kind.FILL, {
            "intent_state": state, "fill_id": fill.fill_id, "vault": order.vault, "instrument_id": order.instrument_id,
            "side": order.side, "quantity": plain(fill.quantity), "price": plain(fill.price),
            "cash": plain(notional if order.side == "buy" else -notional), "fee": plain(fill.fee),
            "currency": instrument.currency, "multiplier": plain(instrument.multiplier),
            "at": self._recorder.text(fill.at), "quote_ms": fill.quote_ms}, now=now, ids=link(entry, order.order_id),
            dag_id=entry.raw["provenance"]["dag_id"])

    def _ended(self, event: Ended, now: datetime) -> None:
        order = self._recorder.book.orders[event.order_id]
        kind = Kind.ORDER_EXPIRED if event.how == "expired" else Kind.ORDER_CANCELLED
        self._about(kind, order, {"intent_state": event.how, "detail": event.detail}, now)

    def close_of_day(self, now: datetime) -> int:
        """Cancel day orders whose session is over. Returns how many."""
        return self.cancel([order for order in self._recorder.book.working.values()
                            if order.good_until is not None and parse_iso(order.good_until) <= now],
                           "the session is over", now)

    def drain(self, now: datetime) -> int:
        """Full halt: cancel every working order that is not being cancelled yet."""
        return self.cancel(list(self._recorder.book.working.values()), "full halt", now)

    def cancel(self, orders: list[OrderEntry], why: str, now: datetime) -> int:
        """Record the wish, make it durable, then ask the venue. An order without an answer is left to recovery."""
        wanted = [order for order in orders if order.state in ("working", "partially_filled")]
        for order in wanted:
            self._about(Kind.ORDER_CANCELLING, order, {"intent_state": "cancelling", "detail": why}, now)
        if wanted:
            self._recorder.sync()
        for order in wanted:
            try:
                self._brokers[order.account].cancel(order.order_id, now=now)
            except OutsideError as error:
                self.sync[order.account] = f"unknown: {error.what}"
        return len(wanted)

    def _about(self, kind: Kind, order: OrderEntry, payload: Mapping[str, str], now: datetime) -> None:
        entry = self._recorder.book.intents[order.intent_id]
        self._recorder.put(kind, payload, now=now, ids=link(entry, order.order_id),
                           dag_id=entry.raw["provenance"]["dag_id"])
