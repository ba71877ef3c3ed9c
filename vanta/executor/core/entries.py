"""What the executor remembers about one intent, order, quote and vault. Pure records; only `book.py` changes them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from vanta.common.money import ZERO
from vanta.executor.core.lots import Ledger, Position, Tags


def key_of(vault: str, instrument_id: str) -> str:
    """The key of `basis` and `live`."""
    return f"{vault}|{instrument_id}"


@dataclass(slots=True)
class IntentEntry:
    """One intent as the executor knows it. `raw` is what the promoter wrote, `sha256` its content hash."""

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
    held: set[str] = field(default_factory=set)
    order_id: str | None = None
    other_bytes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class OrderEntry:
    """One order at a venue. `quantity` and `filled` are unsigned; `reserved` is the cash a buy may still need."""

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
    last_fill_ms: int = 0
    fill_count: int = 0
    state: str = "submitting"

    @property
    def leaves(self) -> Decimal:
        """What may still be filled."""
        return self.quantity - self.filled


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


class BookedFill(NamedTuple):
    """One execution as it was booked: units, cash paid (negative: received), fee; `busted` when taken back."""

    order_id: str
    quantity: Decimal
    cash: Decimal
    fee: Decimal
    busted: bool = False


@dataclass(frozen=True, slots=True)
class SyncEntry:
    """Whether an account's venue answers and agrees: `in_sync`, `unknown` or `differs`.

    `readings` counts how often in a row it differed.
    """

    state: str
    detail: str
    readings: int


class VaultBook:
    """One vault's sub-ledger: cash, positions, results, and the marks its loss limits are measured from."""

    __slots__ = ("account", "cash", "currency", "day", "day_open", "ledger", "peak", "positions", "sent_ms", "vault_id")

    def __init__(self, vault_id: str, account: str, currency: str) -> None:
        self.vault_id = vault_id
        self.account = account
        self.currency = currency
        self.cash = ZERO
        self.positions: dict[str, Position] = {}
        self.ledger = Ledger(currency)
        self.day: str | None = None
        self.day_open: Decimal | None = None
        self.peak: Decimal | None = None
        self.sent_ms: deque[int] = deque(maxlen=4096)
