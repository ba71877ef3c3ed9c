"""What a broker is to the executor. The public methods enforce the contract; adapters fill in the hooks.

- `submit` takes an `Approved` order and nothing else, makes one request, and answers `Accepted` or
  `Rejected`. Anything that leaves the outcome open raises `OutcomeUnknown`; whatever else an adapter lets
  escape becomes `OutcomeUnknown` too, because an order may be live.
- `lookup` asks for an order by client order id. `None` means that the venue does not know it.
- `poll` returns what happened to working orders since the last call: fills, cancellations, expiries.

`Capabilities` is what the executor must know about a venue to act rightly after a crash.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from vanta.common.errors import Bug, OutcomeUnknown, VantaError
from vanta.executor.core.approval import Approved
from vanta.executor.core.book import OrderEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """How a venue treats a repeated client order id, and how long it can be asked about one."""

    deduplicates: bool
    lookup_window_s: int
    settle_s: int


class Accepted(NamedTuple):
    """The venue took the order. `venue_id` is its own name for it."""

    venue_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue definitely did not take the order, and says why."""

    message: str


class Fill(NamedTuple):
    """One execution. `price` per unit, `fee` in the instrument's currency, `at` the venue's time."""

    order_id: str
    fill_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at: datetime
    quote_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The venue ended an order without filling the rest. `how` is `cancelled` or `expired`."""

    order_id: str
    how: str
    detail: str


@dataclass(frozen=True, slots=True)
class Found:
    """Answer of `lookup`: the order exists at the venue."""

    venue_id: str


class Broker(ABC):
    """See the module's contract."""

    name: str
    capabilities: Capabilities

    def submit(self, order: Approved, *, now: datetime) -> Accepted | Rejected:
        """Send one order. Raises `OutcomeUnknown` if it may or may not be live."""
        if not isinstance(order, Approved):
            raise Bug("a broker was handed an order that passed no fence")
        try:
            return self._submit(order, now)
        except VantaError:
            raise
        except Exception as error:  # whatever a client library throws, the order may be live
            raise OutcomeUnknown(f"{self.name}: {type(error).__name__}: {error}",
                                 "The executor asks the venue before anything else happens.") from error

    def lookup(self, order_id: str) -> Found | None:
        """Ask the venue. Raises `OutsideError` if it does not answer; that is not "not found"."""
        return self._lookup(order_id)

    def cancel(self, order_id: str, *, now: datetime) -> None:
        """Ask the venue to cancel. The outcome arrives with `poll`."""
        self._cancel(order_id, now)

    def poll(self, now: datetime) -> Sequence[Fill | Ended]:
        """Events since the last call, in the venue's order."""
        return self._poll(now)

    @abstractmethod
    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """Told once at start-up which orders the journal believes to be working."""

    @abstractmethod
    def _submit(self, order: Approved, now: datetime) -> Accepted | Rejected: ...

    @abstractmethod
    def _lookup(self, order_id: str) -> Found | None: ...

    @abstractmethod
    def _cancel(self, order_id: str, now: datetime) -> None: ...

    @abstractmethod
    def _poll(self, now: datetime) -> Sequence[Fill | Ended]: ...
