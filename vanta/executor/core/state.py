"""The book as bytes and back: what a start takes in place of the records before. Pure.

`load(dump(book, …), …)` is the book that folding the same records gives, except for what is only remembered to save
work. A state that other code made is not used: what a record does to the book may have changed since.

    dump(book, head, code="5e1f…")   ->  bytes
    load(raw, code="5e1f…")          ->  (Book, Head)  or  None
"""

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec

from vanta.common.errors import StateError
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.ports import Head
from vanta.executor.core.book import PRICES, Book
from vanta.executor.core.closes import Daily
from vanta.executor.core.entries import (
    SENT,
    AccountBook,
    BookedFill,
    Edit,
    Guard,
    IntentEntry,
    LastMinute,
    Measured,
    OrderEntry,
    QuoteEntry,
    SyncEntry,
    VaultBook,
)
from vanta.executor.core.lots import Ledger, Lot, Position
from vanta.executor.core.overrides import Override

S = TypeVar("S")


class _Marks(msgspec.Struct, array_like=True):
    """`Measured`."""

    day: str | None
    day_open: Decimal | None
    peak: Decimal | None
    losses: int


class _Position(msgspec.Struct, array_like=True):
    currency: str
    multiplier: Decimal
    quantity: Decimal
    lots: list[Lot]


class _Vault(msgspec.Struct, array_like=True):
    vault_id: str
    account: str
    currency: str
    marks: _Marks
    cash: Decimal
    flows: Decimal
    positions: dict[str, _Position]
    guards: dict[str, Guard]
    totals: list[int]
    groups: dict[str, dict[str, list[int]]]
    working: list[str]
    orders: list[int]
    sent: dict[tuple[str, str], list[int]]
    flips: dict[str, Decimal]


class _Account(msgspec.Struct, array_like=True):
    working: list[str]
    messages: list[int]


class _Plain(msgspec.Struct):
    """What stands in the book as it is here."""

    home: str
    host: str
    seq: int
    hash: str
    at: str
    quotes: dict[str, QuoteEntry]
    basis: dict[str, int]
    quotes_seq: int
    latches: dict[str, Mapping[str, Any]]
    ended: set[str]
    unstated: str
    exits: set[str]
    stops: set[str]
    stop_after_ms: dict[str, int]
    left_ms: dict[str, int]
    overrides: dict[str, Override]
    alerts: dict[str, int]
    inputs: dict[str, str]
    edits: dict[int, Edit]
    daily: Daily
    fills: dict[tuple[str, str], BookedFill]
    sync: dict[str, SyncEntry]
    external: set[tuple[str, str]]
    commands: set[str]


class _State(msgspec.Struct):
    code: str
    size: int
    plain: _Plain
    intents: list[IntentEntry]
    orders: list[OrderEntry]
    waiting: list[str]
    live: list[str]
    working: list[str]
    last_sent: dict[str, str]
    prices: dict[str, list[tuple[int, Decimal]]]
    house: _Marks
    vaults: list[_Vault]
    accounts: dict[str, _Account]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_State).decode
_PLAIN = _Plain.__struct_fields__


class _Numbered(msgspec.Struct):
    seq: int


class _Named(msgspec.Struct):
    """The part of a state that names it; the rest is passed over."""

    code: str
    size: int
    plain: _Numbered


_decode_name = msgspec.msgpack.Decoder(_Named).decode


def dump(book: Book, head: Head, *, code: str) -> bytes:
    """The book, which is the fold of everything up to `head`. `code` names the code that folded it."""
    if (book.seq, book.hash) != (head.seq, head.hash):
        raise StateError(f"the book ends at record {book.seq:,}, the log at {head.seq:,}")
    return _encode(_taken(book, head.size, code))


def _taken(book: Book, size: int, code: str) -> _State:
    return _State(
        code=code, size=size, plain=_Plain(**{name: getattr(book, name) for name in _PLAIN}),
        intents=list(book.intents.values()), orders=list(book.orders.values()), waiting=list(book.waiting),
        live=[entry.intent_id for entry in book.live.values()], working=list(book.working),
        last_sent={key: order.order_id for key, order in book.last_sent.items()},
        prices={name: list(recent) for name, recent in book.prices.items()}, house=_marks(book.house),
        vaults=[_vault(vault) for vault in book.vaults.values()],
        accounts={name: _Account(list(account.working), account.messages.times)
                  for name, account in book.accounts.items()})


def name_of(digest: str) -> str:
    """The file of a state."""
    return f"{FOLDER}/book-{digest}.state"


class Claim(NamedTuple):
    """What a state says of itself: the record at which it was taken, and the code that made it."""

    seq: int
    code: str


def claim(raw: bytes) -> Claim:
    """See `Claim`. Raises `StateError` for what this code cannot read."""
    named = _read(raw, _decode_name)
    return Claim(named.plain.seq, named.code)


def agrees(raw: bytes, book: Book) -> bool:
    """Whether a state is this book. Raises `StateError` for what this code cannot read."""
    named = _read(raw, _decode_name)
    again = _encode(_taken(book, named.size, named.code))
    return again == raw or _decode(again) == _read(raw, _decode)  # sets have no order


def _read(raw: bytes, decode: Callable[[bytes], S]) -> S:
    try:
        return decode(raw)
    except msgspec.DecodeError as error:
        raise StateError(f"the state of the book cannot be read: {error}") from error


def load(raw: bytes, *, code: str) -> tuple[Book, Head] | None:
    """The book and the end of what it is the fold of; `None` if other code made it. Raises `StateError`."""
    state = _read(raw, _decode)
    if state.code != code:
        return None
    book = Book()
    for name in _PLAIN:
        setattr(book, name, getattr(state.plain, name))
    book.intents = {entry.intent_id: entry for entry in state.intents}
    book.orders = {order.order_id: order for order in state.orders}
    book.waiting = {name: book.intents[name] for name in state.waiting}
    book.live = {book.intents[name].key: book.intents[name] for name in state.live}
    book.working = {name: book.orders[name] for name in state.working}
    book.last_sent = {key: book.orders[name] for key, name in state.last_sent.items()}
    book.prices = {name: deque(recent, maxlen=PRICES) for name, recent in state.prices.items()}
    _remark(book.house, state.house)
    book.vaults = {one.vault_id: _vault_book(one, book.orders) for one in state.vaults}
    book.accounts = {name: _account_book(one, book.orders) for name, one in state.accounts.items()}
    return book, Head(book.seq, book.hash, state.size)


def _marks(measured: Measured) -> _Marks:
    return _Marks(measured.day, measured.day_open, measured.peak, measured.losses)


def _remark(measured: Measured, marks: _Marks) -> None:
    measured.day, measured.day_open = marks.day, marks.day_open
    measured.peak, measured.losses = marks.peak, marks.losses


def _vault(vault: VaultBook) -> _Vault:
    return _Vault(
        vault.vault_id, vault.account, vault.currency, _marks(vault), vault.cash, vault.flows,
        {name: _Position(one.currency, one.multiplier, one.quantity, one.lots)
         for name, one in vault.positions.items()},
        vault.guards, vault.ledger.totals, vault.ledger.groups, list(vault.working), vault.orders.times,
        {side: list(times) for side, times in vault.sent.items()}, vault.flips)


def _vault_book(one: _Vault, orders: Mapping[str, OrderEntry]) -> VaultBook:
    vault = VaultBook(one.vault_id, one.account, one.currency)
    _remark(vault, one.marks)
    vault.cash, vault.flows = one.cash, one.flows
    for name, held in one.positions.items():
        position = vault.positions[name] = Position(held.currency, held.multiplier)
        position.quantity, position.lots = held.quantity, held.lots
    vault.guards = one.guards
    vault.ledger = Ledger(one.currency, one.totals, one.groups)
    vault.working = {name: orders[name] for name in one.working}
    vault.orders = LastMinute(one.orders)
    vault.sent = {side: deque(times, maxlen=SENT) for side, times in one.sent.items()}
    vault.flips = one.flips
    return vault


def _account_book(one: _Account, orders: Mapping[str, OrderEntry]) -> AccountBook:
    account = AccountBook()
    for name in one.working:
        account.enter(orders[name])
    account.messages = LastMinute(one.messages)
    return account
