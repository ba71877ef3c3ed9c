"""What adapters that ask over HTTP have in common: how often they ask, and which orders they follow. Pure.

A poll that fails half-way must lose nothing: what it has found waits in `Following` until a poll gets through. The
venue's own total of an order is the measure: it ends here only once every execution of that total was told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from vanta.common.errors import Throttled
from vanta.common.money import ZERO
from vanta.executor.brokers.port import Ended, Event, Fill

_REMEMBERED = 5_000
_LONGEST_S = 3_600.0


class Pace:
    """Asked again after `every_s`, or when something was heard, and never during a pause that the venue asked for.

    A clock that was set back makes it due at once.
    """

    def __init__(self, every_s: float, heard_s: float = 0.25) -> None:
        self._every_s, self._heard_s = every_s, heard_s
        self._last: datetime | None = None
        self._paused: tuple[datetime, float] | None = None

    def due(self, now: datetime, *, heard: bool = False) -> bool:
        """Whether to ask; notes that it was asked. Raises `Throttled` during a pause."""
        if self._paused is not None:
            left = self._paused[1] - _since(self._paused[0], now)
            if left > 0:
                raise Throttled(f"the venue asked to be left alone for {self._paused[1]:g} s", left)
            self._paused = None
        if self._last is not None and _since(self._last, now) < (self._heard_s if heard else self._every_s):
            return False
        self._last = now
        return True

    def pause(self, now: datetime, seconds: float) -> None:
        """The venue asked for it."""
        self._paused = (now, seconds)


def bounded(header: str) -> float:
    """Seconds of a Retry-After header, at most an hour: no answer stops trading for good. Raises `ValueError`."""
    seconds = float(header)
    if seconds != seconds:  # noqa: PLR0124 - not a number
        raise ValueError("not a number of seconds")
    return min(_LONGEST_S, max(0.0, seconds))


def _since(before: datetime, now: datetime) -> float:
    passed = (now - before).total_seconds()
    return passed if passed >= 0 else float("inf")


@dataclass(slots=True)
class Followed:
    """One order that is out, or may be. `venue_id`: empty while it is not known. `told`: executions that were told.

    `worth` is what they cost, quantity times price, for venues that tell only totals.
    """

    venue_id: str = ""
    told: Decimal = ZERO
    worth: Decimal = ZERO


class Following:
    """Orders by client order id, events that wait to be handed over, and orders that are over."""

    def __init__(self) -> None:
        self.orders: dict[str, Followed] = {}
        self._news: list[Event] = []
        self._over: dict[str, None] = {}

    def follow(self, order_id: str, venue_id: str = "") -> Followed:
        """Follow an order, from the beginning unless it is followed already."""
        order = self.orders.setdefault(order_id, Followed())
        order.venue_id = venue_id or order.venue_id
        return order

    def forget(self, order_id: str) -> None:
        """The venue does not have it."""
        self.orders.pop(order_id, None)

    def is_over(self, venue_id: str) -> bool:
        """Whether everything about an order was told, or it is not to be told."""
        return venue_id in self._over

    def over(self, venue_ids: Iterable[str]) -> None:
        """Nothing more is told about these orders. The oldest are forgotten."""
        self._over.update(dict.fromkeys(venue_ids))
        while len(self._over) > _REMEMBERED:
            del self._over[next(iter(self._over))]

    def reopen(self, venue_id: str) -> None:
        """Somebody asks about an order: it is told from the beginning unless it is followed."""
        self._over.pop(venue_id, None)

    def tell(self, events: Iterable[Event]) -> None:
        """Put events where the next poll that gets through finds them."""
        self._news.extend(events)

    def end(self, order_id: str, how: Ended | None) -> None:
        """Tell the end of an order, if it has one to tell, and follow it no more."""
        order = self.orders.pop(order_id)
        self.over([order.venue_id])
        if how is not None:
            self._news.append(how)

    def news(self) -> list[Event]:
        """Hand everything over."""
        found, self._news = self._news, []
        return found


def total(fills: Iterable[Fill]) -> Decimal:
    """How much was executed."""
    return sum((fill.quantity for fill in fills), ZERO)
