"""A venue outside the executor, in memory, and a world whose account it holds: for what venues do to orders."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.unit.executor.world import World
from vanta.common.errors import OutcomeUnknown, OutsideError
from vanta.executor.brokers.port import (
    Accepted,
    Answer,
    Broker,
    Capabilities,
    Ended,
    Event,
    Fill,
    Found,
    Postponed,
    Rejected,
)
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.reconcile import Holdings


class Venue(Broker):
    """A venue outside the executor: it survives restarts, counts requests, and can be told to misbehave."""

    name = "venue"

    def __init__(self, *, deduplicates: bool = True, settle_s: int = 0) -> None:
        self.capabilities = Capabilities(deduplicates=deduplicates, lookup_window_s=3600, settle_s=settle_s,
                                         limit=True, gtc=True, stop=True)
        self.live: dict[str, int] = {}
        self.requests = 0
        self.questions = 0
        self.polls = 0
        self.mood = "well"
        self.events: list[Event] = []
        self.said: Holdings | None = None
        self.history: list[Event] = []
        self.cancelled: list[str] = []

    def restore(self, orders: Sequence[OrderEntry]) -> None:
        self.restored = [order.order_id for order in orders]

    def _submit(self, order: Approved, now: datetime) -> Answer:
        self.requests += 1
        if self.mood == "is busy":
            return Postponed("slow down", 30)
        if self.mood == "rejects":
            return Rejected("not today")
        if self.mood == "loses the request":
            raise OutcomeUnknown("timeout")
        self.live[order.order_id] = self.live.get(order.order_id, 0) + 1
        if self.mood == "loses the answer":
            raise OutcomeUnknown("timeout")
        if self.mood == "throws":
            raise RuntimeError("library bug")
        return Accepted("x1")

    def _lookup(self, order_id: str) -> Found | None:
        self.questions += 1
        if self.mood == "silent":
            raise OutsideError("no answer")
        return Found("x1", tuple(self.history)) if order_id in self.live else None

    def _cancel(self, order_id: str, now: datetime) -> None:
        if self.mood == "silent":
            raise OutsideError("no answer")
        self.cancelled.append(order_id)
        self.events.append(Ended(order_id=order_id, how="cancelled", detail="as asked"))

    def _holdings(self, now: datetime) -> Holdings | None:
        self.questions += 1
        if self.mood == "silent":
            raise OutsideError("no answer")
        return self.said

    def _poll(self, now: datetime) -> Sequence[Event]:
        self.polls += 1
        if self.mood == "silent":
            raise OutsideError("no answer")
        events, self.events = self.events, []
        return events


class VenueWorld(World):
    """A world whose account is at the venue above, with one quoted instrument."""

    def __init__(self, venue: Venue, **more: Any) -> None:
        self.venue = venue
        super().__init__(**more)
        self.quote("equity:AAPL", "200.00")

    def make_brokers(self) -> dict[str, Broker]:
        return {"paper": self.venue}

    def fill(self, order_id: str, quantity: str, *, fill_id: str = "f1", price: str = "200", fee: str = "0") -> None:
        """Let the venue report an execution with the next poll."""
        self.venue.events.append(Fill(order_id, fill_id, Decimal(quantity), Decimal(price), Decimal(fee),
                                      self.clock.now()))

    def end(self, order_id: str, how: str) -> None:
        """Let the venue report an ending with the next poll."""
        self.venue.events.append(Ended(order_id=order_id, how=how, detail="says the venue"))

    def latched(self) -> set[str]:
        """Codes of the latches that are set."""
        return {str(latch["code"]) for latch in self.book.latches.values()}
