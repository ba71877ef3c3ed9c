"""What a broker is to the executor. The public methods enforce the contract; adapters fill in the hooks.

- `submit` takes an `Approved` order and nothing else, makes one request, and answers `Accepted`, `Rejected`
  or `Postponed`. Anything that leaves the outcome open raises `OutcomeUnknown`; whatever else an adapter lets
  escape becomes `OutcomeUnknown` too, because an order may be live.
- `lookup` asks for an order by client order id. `None` means that the venue says it does not know it.
- `poll` returns what happened since the last call: fills, endings, executions taken back. Duplicates are
  allowed, the executor books each `fill_id` once.
- `holdings` is what the venue says the account holds and has working, to be compared with the books.

- Order terms: an adapter that says `limit` sends `order.terms.limit_price` as that exact number, and never another
  order than a limit at it; one that says `gtc` leaves such an order working beyond the day and finds it again by
  `OrderEntry.venue_id` or client order id after a restart days later. Where the venue has no order for the day, it
  may be sent as good until cancelled: the executor cancels it. One that says `stop` puts a stop with exactly
  `order.terms.stop_price` to the venue, which makes a market order of it when the market is there, with us or without
  us, and which may end such an order like any other. What it does not say is never asked of it.

`Capabilities` is what the executor must know about a venue to act rightly after a crash, and what it may ask for.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import NamedTuple, TypeVar

from vanta.common.errors import Bug, OutcomeUnknown, OutsideError, VantaError
from vanta.common.instruments import Instrument
from vanta.common.models.configuration import AccountSettings
from vanta.common.outside.out import Out, unwatched
from vanta.executor.brokers.trouble import trouble
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.reconcile import Holdings
from vanta.executor.core.terms import GTC, LIMIT, STOP

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """How a venue treats a repeated client order id, and how long it can be asked about one.

    `deduplicates`: a second request under the same id never makes a second order. `settle_s`: "not found"
    counts only so long after sending. `lookup_window_s`: for how long an id can be asked about. `limit`: it takes limit
    orders. `gtc`: it keeps them beyond the day. `stop`: it takes stop orders. Market orders for the day are what every
    venue takes.
    """

    deduplicates: bool
    lookup_window_s: int
    settle_s: int
    limit: bool = False
    gtc: bool = False
    stop: bool = False

    @property
    def terms(self) -> frozenset[str]:
        """What its orders may ask for beyond that, as `Terms.needs` names it."""
        return frozenset(name for name in (LIMIT, STOP, GTC) if getattr(self, name))


class Accepted(NamedTuple):
    """The venue took the order. `venue_id` is its own name for it."""

    venue_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue definitely did not take the order, and says why."""

    message: str


class Postponed(NamedTuple):
    """The venue definitely did not take the order because it is busy. `retry_after_s` is how long to leave it alone."""

    message: str
    retry_after_s: float


Answer = Accepted | Rejected | Postponed


class Fill(NamedTuple):
    """One execution. `price` per unit, `fee` in the instrument's currency, `at` the venue's time.

    `fill_id` is unique in the account. `quote_ms` is the time of the quote that a paper fill used, else 0. `fee_units`
    are units of the instrument that the venue kept for itself: so much less than `quantity` arrives where it is bought,
    and so much more is gone where it is sold. The cash is that of the whole quantity.
    """

    order_id: str
    fill_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at: datetime
    quote_ms: int = 0
    fee_units: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The venue ended an order without filling the rest. `how` is `cancelled`, `expired` or `rejected`."""

    order_id: str
    how: str
    detail: str


class Busted(NamedTuple):
    """The venue took an execution back."""

    fill_id: str
    detail: str


Event = Fill | Ended | Busted


class Found(NamedTuple):
    """Answer of `lookup`: the order exists at the venue. `events` is what has become of it so far."""

    venue_id: str
    events: tuple[Event, ...] = ()


class Broker(ABC):
    """See the module's contract."""

    name: str
    capabilities: Capabilities
    out: Out = unwatched()
    """What every request passes: the node's list of hosts, and the line that it leaves."""

    def submit(self, order: Approved, *, now: datetime) -> Answer:
        """Send one order. Raises `OutcomeUnknown` if it may or may not be live."""
        if not isinstance(order, Approved):
            raise Bug("a broker was handed an order that passed no fence")
        try:
            with localcontext(), self.out.doing("venue:submit"):  # a library may leave its own rounding behind
                return self._submit(order, now)
        except OutcomeUnknown:
            raise
        except Exception as error:  # whatever a client library throws, the order may be live
            what = error.what if isinstance(error, VantaError) else trouble(error)
            raise OutcomeUnknown(f"{self.name}: {what}",
                                 "The executor asks the venue before anything else happens.") from error

    def lookup(self, order_id: str) -> Found | None:
        """Ask the venue. Raises `OutsideError` if it does not answer; that is not "not found"."""
        return self._asked("lookup", lambda: self._lookup(order_id))

    def cancel(self, order_id: str, *, now: datetime) -> None:
        """Ask the venue to cancel. The outcome arrives with `poll`. Asking twice does no harm."""
        self._asked("cancel", lambda: self._cancel(order_id, now))

    def poll(self, now: datetime) -> Sequence[Event]:
        """Events since the last call, in the venue's order. Raises `OutsideError`."""
        return self._asked("poll", lambda: self._poll(now))

    def holdings(self, now: datetime) -> Holdings | None:
        """What the account holds. `None`: the venue has no books of its own. Raises `OutsideError`."""
        return self._asked("holdings", lambda: self._holdings(now))

    def _asked(self, what: str, hook: Callable[[], T]) -> T:
        """A question to the venue: whatever a client library throws means that there was no answer."""
        try:
            with localcontext(), self.out.doing(f"venue:{what}"):
                return hook()
        except VantaError:
            raise
        except Exception as error:
            raise OutsideError(f"{self.name}: {trouble(error)}", "It is asked again.") from error

    def close(self) -> None:  # noqa: B027 - most brokers hold nothing
        """Let go of connections. Nothing is cancelled by it."""

    @abstractmethod
    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """Told once at start-up which orders the journal believes to be working. Makes no call."""

    @abstractmethod
    def _submit(self, order: Approved, now: datetime) -> Answer: ...

    @abstractmethod
    def _lookup(self, order_id: str) -> Found | None: ...

    @abstractmethod
    def _cancel(self, order_id: str, now: datetime) -> None: ...

    @abstractmethod
    def _poll(self, now: datetime) -> Sequence[Event]: ...

    @abstractmethod
    def _holdings(self, now: datetime) -> Holdings | None: ...


class RealBroker(Broker):
    """A broker outside this process. Made from settings and secrets; contacts nobody before it is asked something.

    Whatever it asks goes out by `out`.
    """

    @abstractmethod
    def __init__(self, settings: AccountSettings, secrets: Mapping[str, str],
                 instruments: Callable[[], Mapping[str, Instrument]], *, live: bool, out: Out | None = None) -> None:
        if out is not None:
            self.out = out

    @abstractmethod
    def urls(self) -> list[str]:
        """Every address that the client object would contact, read back from it. `tws://host:port` for a gateway."""
