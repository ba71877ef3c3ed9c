"""What the executor remembers about one intent, order, quote and vault. Pure records; only `book.py` changes them."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.common.store.ports import Record
from vanta.common.times import millis_of
from vanta.executor.core.lots import Ledger, Position, Tags, Weights
from vanta.executor.core.machine import STAGED

SENT = 256
"""So many times of orders of one instrument and side are remembered; the most that `max_repeats` may allow."""


def key_of(vault: str, instrument_id: str) -> str:
    """The key of `basis` and `live`."""
    return f"{vault}|{instrument_id}"


class IntentEntry(msgspec.Struct, array_like=True):
    """One intent as the executor knows it. `raw` is what the promoter wrote, `sha256` its content hash.

    Once it is over, only what a late execution or an exit may still need of `raw` is kept.
    `exit`: the executor asked for it itself, by an exit plan or a command; it only shrinks a position.
    """

    intent_id: str
    key: str
    vault: str
    account: str
    instrument_id: str
    side: str
    notional: Decimal
    close: bool
    basis_seq: int
    created_ms: int
    expires_ms: int
    sha256: str
    raw: Mapping[str, Any]
    tags: Tags
    state: str
    seen_seq: int
    exit: bool
    held: set[str] = msgspec.field(default_factory=set)
    order_id: str | None = None
    other_bytes: set[str] = msgspec.field(default_factory=set)

    @property
    def resting(self) -> bool:
        """Whether it is a stop that is to rest at the venue (see `protect.py`): the one exit that has a plan itself."""
        return self.exit and self.raw["exit_plan"]["stop_pct"] is not None


def in_turn(entry: IntentEntry) -> tuple[bool, int, str]:
    """The order of verdicts: the oldest first; a stop that is to rest comes after whatever is to trade now."""
    return entry.resting, entry.created_ms, entry.intent_id


def wished(payload: Mapping[str, Any], seq: int) -> IntentEntry:
    """The entry of an intent as `intent.seen` number `seq` records it."""
    raw = payload["intent"]
    why = raw["provenance"]
    return IntentEntry(
        raw["intent_id"], key_of(raw["vault"], raw["instrument_id"]), raw["vault"], raw["account"],
        raw["instrument_id"], raw["side"], Decimal(raw["notional"]), raw["close"], raw["basis_seq"],
        millis_of(raw["created_at"]), millis_of(raw["expires_at"]), payload["sha256"], raw,
        _tags(why["band"], tuple(why["personas"].items()), tuple(why["sources"].items()),
              tuple([(line["reason"], line["bp"]) for line in why.get("reasons", ())])), STAGED, seq,
        payload.get("from") == "executor")


def remains(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is kept of an intent that is over: all but its size, reasons and inputs, which the log still tells."""
    why = raw["provenance"]
    if "reasons" not in why:
        return raw
    return {"flip_id": raw["flip_id"], "expires_at": raw["expires_at"], "exit_plan": raw["exit_plan"],
            "provenance": {name: said for name, said in why.items() if name not in ("reasons", "inputs")}}


@lru_cache(maxsize=1024)
def _tags(band: str, personas: Weights, sources: Weights, reasons: Weights) -> Tags:
    """Remembered: one conviction makes the intents of many vaults."""
    return Tags(band, _weights(personas), _weights(sources), _weights(reasons, reasons[0][0] if reasons else "none"))


def _weights(table: Weights, otherwise: str = "none") -> Weights:
    """By name. Where nothing has a weight, as the one reason of an exit, all of it is `otherwise`'s."""
    return tuple(sorted((name, abs(weight)) for name, weight in table if weight)) or ((otherwise, 1),)


class OrderEntry(msgspec.Struct, array_like=True):
    """One order at a venue. `quantity` and `filled` are unsigned; `realised` is what closing with it earned, if it did.

    `worth` is what its executions came to, quantity times price: a venue that tells only totals is asked from there on.

    `prior_basis` is the basis of its key before record `sent_seq`, which says that it is sent. `out`: it was withheld
    and may have reached the venue all the same; under its id nothing else may be sent. `limit_price` is None for a
    market order. `venue_id` is the venue's own name for the order, empty until it is told. `stop_price` is that of a
    stop that rests there, and of nothing else.
    """

    order_id: str
    intent_id: str
    vault: str
    account: str
    instrument_id: str
    side: str
    quantity: Decimal
    reference_price: Decimal
    submitted_at: str
    time_in_force: str
    good_until: str | None
    prior_basis: int
    attempt: int
    currency: str
    multiplier: Decimal
    filled: Decimal = ZERO
    worth: Decimal = ZERO
    last_fill_ms: int = 0
    fill_count: int = 0
    realised: Decimal | None = None
    sent_seq: int = 0
    state: str = "submitting"
    out: bool = False
    limit_price: Decimal | None = None
    venue_id: str = ""
    stop_price: Decimal | None = None

    @property
    def leaves(self) -> Decimal:
        """What may still be filled."""
        return self.quantity - self.filled


def submitted(entry: IntentEntry, record: Record, prior_basis: int) -> OrderEntry:
    """The entry of an order as its outbox record tells it."""
    body = record.payload
    limit, stop = body.get("limit_price"), body.get("stop_price")  # older logs do not say, nor do most orders
    return OrderEntry(
        record.ids["order_id"], entry.intent_id, entry.vault, entry.account, entry.instrument_id, entry.side,
        Decimal(body["quantity"]), Decimal(body["reference_price"]), record.at, body["time_in_force"],
        body["good_until"], prior_basis, body["attempt"], body["currency"], Decimal(body["multiplier"]),
        sent_seq=record.seq, limit_price=None if limit is None else Decimal(limit),
        stop_price=None if stop is None else Decimal(stop))


def pause_ms(state: str) -> int:
    """How long no stop is put to the venue after one ended like this. The executor watches meanwhile."""
    if state == "quarantined":  # it may be there all the same: a person or the venue's own list tells before a second
        return 86_400_000
    return 60_000 if state in ("cancelled", "filled", "expired") else 600_000


@dataclass(frozen=True, slots=True)
class QuoteEntry:
    """The newest recorded quote. `previous` is the last price of the quote before, if there was one."""

    bid: Decimal
    ask: Decimal
    last: Decimal
    size: Decimal | None
    at_ms: int
    volume: Decimal | None
    previous: Decimal | None
    seq: int


class LastMinute:
    """Times of what happened within the last minute, in milliseconds: what is older goes when something new comes."""

    __slots__ = ("_times",)

    def __init__(self, times: Iterable[int] = ()) -> None:
        self._times: deque[int] = deque(times)

    @property
    def times(self) -> list[int]:
        """What is remembered, oldest first."""
        return list(self._times)

    def add(self, at_ms: int) -> None:
        """It happened once more."""
        self._times.append(at_ms)
        while self._times[0] <= at_ms - 60_000:
            self._times.popleft()

    def count(self, now_ms: int) -> int:
        """How often within the minute before `now_ms`."""
        over = 0
        for at_ms in self._times:
            if at_ms > now_ms - 60_000:
                break
            over += 1
        return len(self._times) - over


class BookedFill(NamedTuple):
    """One execution as it was booked: units, cash paid (negative: received), fee; `busted` when taken back.

    `kept` are units that the venue kept as a fee.
    """

    order_id: str
    quantity: Decimal
    cash: Decimal
    fee: Decimal
    busted: bool = False
    kept: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class SyncEntry:
    """Whether an account's venue answers and agrees: `in_sync`, `unknown` or `differs`.

    `readings` counts how often in a row it differed.
    """

    state: str
    detail: str
    readings: int


class Edit(NamedTuple):
    """An operator's file that was changed: which, its hash when it could be read last, and what was seen then."""

    what: str
    before: str | None
    after: str


@dataclass(slots=True)
class Guard:
    """What watches over a position: the exit plan and id of the intent that opened or last enlarged it.

    `best` is the best price seen since it was opened: the highest for a long position, the lowest for a short one.
    """

    intent_id: str
    plan: Mapping[str, Any]
    opened_ms: int
    best: Decimal


class Measured:
    """The marks that loss limits are measured from: the day's opening NAV, the peak, and losses in a row."""

    __slots__ = ("day", "day_open", "losses", "peak")

    def __init__(self) -> None:
        self.day: str | None = None
        self.day_open: Decimal | None = None
        self.peak: Decimal | None = None
        self.losses = 0

    def opened(self, day: str, nav: Decimal) -> None:
        """A new day begins at this NAV."""
        self.day, self.day_open = day, nav
        self.peak = nav if self.peak is None else max(self.peak, nav)

    def forgive(self, code: str) -> None:
        """A person has looked at a latch: measure from here on, or the same loss would latch again at once."""
        if code in (Reason.LOSS_DAILY, Reason.LOSS_DRAWDOWN):
            self.day = self.day_open = self.peak = None
        elif code == Reason.LOSS_STREAK:
            self.losses = 0


class VaultBook(Measured):
    """One vault's sub-ledger: cash, positions, working orders and results.

    `flows` is what was paid in so far, less what was taken out. `sent` holds the times of recent orders by (instrument,
    side), `flips` the value sent for each flip. `remembered` is
    what `totals.py` found last; whatever changes the vault clears it. `marked` is the NAV at the quotes of that number.
    """

    __slots__ = ("account", "cash", "currency", "flips", "flows", "guards", "ledger", "marked", "orders", "positions",
                 "remembered", "sent", "vault_id", "working")

    def __init__(self, vault_id: str, account: str, currency: str) -> None:
        super().__init__()
        self.vault_id = vault_id
        self.account = account
        self.currency = currency
        self.cash = ZERO
        self.flows = ZERO
        self.positions: dict[str, Position] = {}
        self.guards: dict[str, Guard] = {}
        self.ledger = Ledger(currency)
        self.working: dict[str, OrderEntry] = {}
        self.orders = LastMinute()
        self.sent: dict[tuple[str, str], deque[int]] = {}
        self.flips: dict[str, Decimal] = {}
        self.remembered: tuple[int, object, Any] | None = None
        self.marked: tuple[int, Decimal | None] | None = None

    def count_sent(self, order: OrderEntry, flip_id: str | None, at_ms: int) -> None:
        """For the limits that count what was sent."""
        self.orders.add(at_ms)
        times = self.sent.get((order.instrument_id, order.side))
        if times is None:
            times = self.sent[order.instrument_id, order.side] = deque(maxlen=SENT)
        times.append(at_ms)
        if flip_id is not None:
            worth = order.quantity * order.reference_price * order.multiplier
            self.flips[flip_id] = self.flips.get(flip_id, ZERO) + worth

    def forgive(self, code: str) -> None:
        """See `Measured.forgive`."""
        super().forgive(code)
        if code == Reason.REPEATED:
            self.sent.clear()


class AccountBook:
    """What all vaults of one broker account have at the venue, and the messages to it.

    `sides` holds the working orders by (instrument, side). `remembered` is what `totals.py` summed up last, `changed`
    the vaults that something has happened to since.
    """

    __slots__ = ("changed", "messages", "remembered", "sides", "working")

    def __init__(self) -> None:
        self.working: dict[str, OrderEntry] = {}
        self.sides: dict[tuple[str, str], dict[str, OrderEntry]] = {}
        self.messages = LastMinute()
        self.changed: set[str] = set()
        self.remembered: Any = None

    def enter(self, order: OrderEntry) -> None:
        """It works."""
        self.working[order.order_id] = order
        self.sides.setdefault((order.instrument_id, order.side), {})[order.order_id] = order

    def leave(self, order: OrderEntry) -> None:
        """It works no longer."""
        del self.working[order.order_id]
        del self.sides[order.instrument_id, order.side][order.order_id]
