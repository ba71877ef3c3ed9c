"""What happens to orders that are out: answers, fills, endings, cancels, and the drain of a full halt.

Whatever a venue says is recorded before it is used, once: duplicates are passed over, an execution after the end is
booked all the same, one that nobody can explain latches. A question without an answer stays open and is asked again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from vanta.common.errors import OutsideError
from vanta.common.events import Kind
from vanta.common.money import plain, round_amount
from vanta.common.reasons import Reason
from vanta.common.times import parse_iso
from vanta.executor.brokers.port import Broker, Busted, Ended, Event, Fill
from vanta.executor.core.booking import fill_event
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.machine import FILL_LATE, TERMINAL, next_state
from vanta.executor.core.reach import Reach
from vanta.executor.core.verdict import link
from vanta.executor.core.watch import Latch
from vanta.executor.reconcile import Reconciler
from vanta.executor.recorder import Recorder
from vanta.executor.verdicts import latch_once

_ENDINGS = {"cancelled": Kind.ORDER_CANCELLED, "expired": Kind.ORDER_EXPIRED, "rejected": Kind.ORDER_REJECTED}
_EXPLAINED = frozenset({"cancelled", "expired", "filled"})
"""Endings after which an execution may still be under way to us."""

_AT_ONCE = timedelta(seconds=10)
"""An order that is first asked about longer after its record may have left long after it: the process stood still
in between. Its venue then has its settle time from that question on."""


class Venue:
    """The executor's side of all brokers. Whether one answers is the reconciler's to know.

    `reach` says whom the operator lets us call; until it is set nobody has said anything.
    """

    def __init__(self, recorder: Recorder, brokers: Mapping[str, Broker], reconciler: Reconciler) -> None:
        self._recorder = recorder
        self._book = recorder.book
        self._brokers = brokers
        self.reach: Reach | None = None
        self._silent = reconciler.silent
        self._answered = reconciler.answered
        self._asked: dict[str, datetime] = {}

    def collect(self, now: datetime) -> int:
        """Record everything brokers report. Returns the number of fills."""
        fills = 0
        for account, broker in self._brokers.items():
            if self.reach is not None and not self.reach.account(account):
                continue
            try:
                events = broker.poll(now)
            except OutsideError as error:
                self._silent(account, error.what, now)
                continue
            self._answered(account)
            fills += sum(self._take(account, event, now) for event in events)
        return fills

    def _take(self, account: str, event: Event, now: datetime) -> int:
        """One event, if it is news. Returns how many fills it booked."""
        if isinstance(event, Busted):
            return self._busted(account, event, now)
        order = self._book.orders.get(event.order_id)
        if order is None:
            self._unexplained(account, event, now)
            return 0
        if isinstance(event, Fill):
            return self._fill(event, order, now)
        entry = self._book.intents[order.intent_id]
        if entry.state not in TERMINAL:
            if order.state == "withheld":
                self._turned_up(order, "known by its end alone", now)
            self._about(_ENDINGS[event.how], order, {
                "intent_state": event.how, "code": Reason.BROKER_REJECTED if event.how == "rejected" else None,
                "detail": event.detail}, now)
        return 0

    def _fill(self, fill: Fill, order: OrderEntry, now: datetime) -> int:
        if (order.account, fill.fill_id) in self._book.fills:
            return 0
        state = self._book.intents[order.intent_id].state
        event = fill_event(order, state, fill.quantity)
        cash = round_amount(fill.quantity * fill.price * order.multiplier, order.currency)
        filled = order.filled + fill.quantity
        if filled > order.quantity:
            self._alarm(Reason.BROKER_OVERFILL, plain(filled), plain(order.quantity), order.order_id, now)
        elif event == FILL_LATE and (state not in _EXPLAINED or order.state == "withheld"):
            self._alarm(Reason.BROKER_LATE_FILL, plain(fill.quantity), f"nothing after {state}", order.order_id, now)
        self._about(Kind.FILL, order, {
            "intent_state": next_state(state, event), "fill_id": fill.fill_id, "vault": order.vault,
            "instrument_id": order.instrument_id, "side": order.side, "quantity": plain(fill.quantity),
            "price": plain(fill.price), "cash": plain(cash if order.side == "buy" else -cash),
            "fee": plain(round_amount(fill.fee, order.currency)), "currency": order.currency,
            "multiplier": plain(order.multiplier), "at": self._recorder.text(fill.at), "quote_ms": fill.quote_ms,
            "fee_units": plain(fill.fee_units)}, now)
        if (order.account, fill.fill_id) in self._book.external:
            self._busted(order.account, Busted(fill.fill_id, "taken back before it was told"), now)
        return 1

    def _busted(self, account: str, event: Busted, now: datetime) -> int:
        fill = self._book.fills.get((account, event.fill_id))
        if fill is None:
            self._unexplained(account, event, now)
        if fill is None or fill.busted:
            return 0
        order = self._book.orders[fill.order_id]
        self._alarm(Reason.BROKER_BUSTED, plain(fill.quantity), "final executions", f"{event.fill_id} of "
                    f"{order.order_id}: {event.detail}", now)
        self._about(Kind.FILL_BUSTED, order, {
            "fill_id": event.fill_id, "quantity": plain(fill.quantity), "cash": plain(-fill.cash),
            "fee": plain(-fill.fee), "fee_units": plain(-fill.kept), "detail": event.detail}, now)
        return 0

    def _unexplained(self, account: str, event: Event, now: datetime) -> None:
        """Something about an order or execution that this log does not know. An end needs nobody, a fill moved money.

        An execution that is taken back before it is told is noted, so that it is taken back when it is told.
        """
        name = event.order_id if isinstance(event, Ended) else event.fill_id
        if (account, name) in self._book.external:
            return
        what = f"{type(event).__name__.lower()} of {name if isinstance(event, Busted) else f'order {event.order_id}'}"
        if isinstance(event, Fill):
            self._alarm(Reason.BROKER_EXTERNAL, plain(event.quantity), "orders of this log", f"{account}: {what}", now)
        self._recorder.put(Kind.BROKER_EXTERNAL, {"account": account, "venue_id": name, "what": what}, now=now)

    def _alarm(self, code: Reason, value: str, limit: str, detail: str, now: datetime) -> None:
        """Latch. Has to come before the record of what gives rise to it.

        A crash between the two may lose that record, which the venue tells again; what is recorded is passed over
        when it is told again, and an alarm that were lost alone would never be raised.
        """
        latch_once(self._recorder, Latch(code=code, vault=None, exits=False, value=value, limit=limit, detail=detail),
                   now=now)

    def settle(self, order: OrderEntry, now: datetime) -> str:
        """Ask the venue about an order whose outcome is open and record what it says. Returns that in words."""
        asked, broker = self._asked.setdefault(order.order_id, now), self._brokers.get(order.account)
        if broker is None:
            return "no broker is configured for the account; left open"
        if not self._may(order):
            return "no calls are allowed; left open"
        try:
            found = broker.lookup(order.order_id)
        except OutsideError as error:
            self._open(order, error.what, now)
            self._silent(order.account, error.what, now)
            return "the venue did not answer; asked again later"
        if found is not None:
            self._turned_up(order, found.venue_id, now)
            for event in found.events:
                self._take(order.account, event, now)
            return "found at the venue"
        sent, able = parse_iso(order.submitted_at), broker.capabilities
        age = now - sent
        if now - (sent if asked - sent <= _AT_ONCE else asked) < timedelta(seconds=able.settle_s):
            self._open(order, "the venue does not know the order yet", now)
            return "not at the venue yet; asked again after its settle time"
        if able.deduplicates and age <= timedelta(seconds=able.lookup_window_s):
            self._about(Kind.ORDER_WITHHELD, order, {
                "intent_state": "seen", "code": Reason.BROKER_UNKNOWN,
                "detail": "the venue does not know the order and de-duplicates its id"}, now)
            return "not at the venue, back through the fences"
        self._about(Kind.ORDER_QUARANTINED, order, {
            "intent_state": "quarantined", "code": Reason.BROKER_UNKNOWN,
            "detail": "the venue does not know the order and does not de-duplicate" if not able.deduplicates else
            f"the venue can be asked for {able.lookup_window_s} s, and longer have passed"}, now)
        return "not at the venue, quarantined for a person"

    def _turned_up(self, order: OrderEntry, venue_id: str, now: datetime) -> None:
        """The venue has, or had, the order after all."""
        self._about(Kind.ORDER_ACCEPTED, order, {
            "intent_state": "working", "venue_id": venue_id, "at": order.submitted_at}, now)

    def _open(self, order: OrderEntry, detail: str, now: datetime) -> None:
        """Say once that the outcome is open."""
        if order.state == "submitting":
            self._about(Kind.ORDER_UNKNOWN, order, {"intent_state": "unknown", "detail": detail}, now)

    def close_of_day(self, now: datetime) -> int:
        """Cancel day orders whose session is over. Returns how many."""
        return self.cancel([order for order in self._book.working.values()
                            if order.good_until is not None and parse_iso(order.good_until) <= now
                            and self._may(order)],
                           "the session is over", now)

    def ask_anew(self, rested: Iterable[tuple[OrderEntry, str]], now: datetime) -> int:
        """Cancel orders that have rested for long enough, each for its reason. Returns how many."""
        return sum(self.cancel([order], why, now) for order, why in rested if self._may(order))

    def drain(self, now: datetime) -> int:
        """Full halt: cancel every working order in its scope that is not being cancelled yet."""
        reach = self.reach
        return self.cancel([order for order in self._book.working.values()
                            if reach is not None and reach.halted(order) and self._may(order)], "full halt", now)

    def _may(self, order: OrderEntry) -> bool:
        return self.reach is None or self.reach.order(order)

    def cancel(self, orders: list[OrderEntry], why: str, now: datetime) -> int:
        """Record the wish, make it durable, then ask the venue. Without an answer it is asked again.

        While no calls are allowed the wish is kept, and asked for when they are.
        """
        wanted = [order for order in orders if order.state in ("working", "partially_filled")]
        for order in wanted:
            self._about(Kind.ORDER_CANCELLING, order, {"intent_state": "cancelling", "detail": why}, now)
        if wanted:
            self._recorder.sync()
        self._ask_to_cancel(wanted, now)
        return len(wanted)

    def cancel_again(self, now: datetime) -> None:
        """Ask once more for every cancel that has no outcome yet: the one before may never have reached the venue."""
        self._ask_to_cancel([order for order in self._book.working.values() if order.state == "cancelling"], now)

    def _ask_to_cancel(self, orders: list[OrderEntry], now: datetime) -> None:
        for order in orders:
            broker = self._brokers.get(order.account)
            if broker is None or not self._may(order):
                continue
            try:
                broker.cancel(order.order_id, now=now)
            except OutsideError as error:
                self._silent(order.account, error.what, now)

    def _about(self, kind: Kind, order: OrderEntry, payload: Mapping[str, Any], now: datetime) -> None:
        entry = self._book.intents[order.intent_id]
        self._recorder.put(kind, payload, now=now, ids=link(entry, order.order_id),
                           dag_id=entry.raw["provenance"]["dag_id"])
