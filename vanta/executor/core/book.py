"""The executor's memory: the fold of `trade_log.jsonl`, one function per kind of record. Pure.

The book changes only by `apply(record)`. Start-up folds the journal; running applies each record right after
it was appended; both give the same book, which is what recovery and replay rest on. It knows nothing of
files, clocks or brokers.

`basis[vault|instrument]` is the last record that moved what is held or working there. An intent that was
made on an older basis is not acted on.
"""

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.common.store.ports import GENESIS, Record
from vanta.common.times import millis_of
from vanta.executor.core import marks
from vanta.executor.core.adjustments import adjust
from vanta.executor.core.booking import Move, book_move, fill_event, units
from vanta.executor.core.closes import Daily
from vanta.executor.core.entries import (
    AccountBook,
    BookedFill,
    Edit,
    IntentEntry,
    Measured,
    OrderEntry,
    QuoteEntry,
    SyncEntry,
    VaultBook,
    key_of,
    pause_ms,
    remains,
    submitted,
    wished,
)
from vanta.executor.core.inputs import take
from vanta.executor.core.machine import IN_FLIGHT, TERMINAL, next_state
from vanta.executor.core.overrides import Override

PRICES = 512
"""So many recent prices of an instrument are remembered; ten minutes at one quote a second."""


class Book:
    """See the module's contract."""

    def __init__(self) -> None:
        self.home = ""
        self.host = ""
        self.seq = 0
        self.hash = GENESIS
        self.at = ""
        self.intents: dict[str, IntentEntry] = {}
        self.orders: dict[str, OrderEntry] = {}
        self.waiting: dict[str, IntentEntry] = {}
        self.live: dict[str, IntentEntry] = {}
        self.working: dict[str, OrderEntry] = {}
        self.vaults: dict[str, VaultBook] = {}
        self.quotes: dict[str, QuoteEntry] = {}
        self.basis: dict[str, int] = {}
        self.accounts: dict[str, AccountBook] = {}
        self.last_sent: dict[str, OrderEntry] = {}
        self.prices: dict[str, deque[tuple[int, Decimal]]] = {}
        self.house = Measured()
        self.quotes_seq = 0
        self.latches: dict[str, Mapping[str, Any]] = {}
        self.ended: set[str] = set()
        self.unstated = ""
        self.exits: set[str] = set()
        self.stops: set[str] = set()
        self.stop_after_ms: dict[str, int] = {}
        self.left_ms: dict[str, int] = {}
        self.overrides: dict[str, Override] = {}
        self.alerts: dict[str, int] = {}
        self.inputs: dict[str, str] = {}
        self.edits: dict[int, Edit] = {}  # by the record that saw it; until it is told what changed
        self.daily = Daily()
        self.fills: dict[tuple[str, str], BookedFill] = {}  # by account and the venue's own id
        self.sync: dict[str, SyncEntry] = {}
        self.external: set[tuple[str, str]] = set()
        self.commands: set[str] = set()
        self._moment = ("", 0)

    def apply(self, record: Record) -> None:
        """Fold one record. Raises `StateError` if it contradicts what came before."""
        handler = _HANDLERS.get(record.kind)
        if handler is None:
            raise StateError(f"record {record.seq}: unknown kind {record.kind}", "A newer version wrote this log.")
        handler(self, record)
        self.seq, self.hash, self.at = record.seq, record.hash, record.at

    def move(self, entry: IntentEntry, event: str, record: Record) -> None:
        """Advance an intent by the table and keep the indexes in step."""
        state = next_state(entry.state, event)
        said = record.payload.get("intent_state")
        if said is not None and said != state:
            raise StateError(f"record {record.seq}: says {said} where the table gives {state}")
        entry.state = state
        if state in TERMINAL:
            entry.raw = remains(entry.raw)
            self.waiting.pop(entry.intent_id, None)
            if entry.resting:
                self.stops.discard(entry.key)
                self.stop_after_ms[entry.key] = self.at_ms(record) + pause_ms(state)
            elif entry.exit:
                self.exits.discard(entry.key)
        elif state in IN_FLIGHT:
            self.waiting.pop(entry.intent_id, None)
            self.live[entry.key] = entry
            return
        else:
            self.waiting[entry.intent_id] = entry
        if self.live.get(entry.key) is entry:
            del self.live[entry.key]

    def at_ms(self, record: Record) -> int:
        """The record's time in milliseconds; a batch shares one time, so the last one is remembered."""
        if self._moment[0] != record.at:
            self._moment = (record.at, millis_of(record.at))
        return self._moment[1]

    def nav(self, vault_id: str) -> Decimal | None:
        """Cash plus marked positions, or `None` while a held instrument has no mark."""
        vault = self.vaults[vault_id]
        if vault.marked is None or vault.marked[0] != self.quotes_seq:
            vault.marked = (self.quotes_seq, marks.nav(vault, self.quotes))
        return vault.marked[1]

    def held(self, vault_id: str, instrument_id: str) -> Decimal:
        """Signed quantity held."""
        vault = self.vaults.get(vault_id)
        position = vault.positions.get(instrument_id) if vault else None
        return position.quantity if position else ZERO


def _opened(book: Book, record: Record) -> None:
    book.home = str(record.payload["home"])


def _started(book: Book, record: Record) -> None:
    book.host = str(record.payload.get("host") or book.host)


def _nothing(_book: Book, _record: Record) -> None:
    """A record that states a fact the book does not need."""


def _input(book: Book, record: Record) -> None:
    body = record.payload
    take(book.inputs, body)
    if "before" in body:
        book.edits[record.seq] = Edit(body["what"], body["before"], body["sha256"])
    if body.get("loosened"):
        book.unstated = f"{', '.join(body['loosened'])} at {record.at}" if body["by"] is None else ""


def _quote(book: Book, record: Record) -> None:
    instrument_id = record.payload["instrument_id"]
    quote = book.quotes[instrument_id] = marks.quoted(record, book.quotes.get(instrument_id))
    recent = book.prices.get(instrument_id)
    if recent is None:
        recent = book.prices[instrument_id] = deque(maxlen=PRICES)
    book.quotes_seq = record.seq
    recent.append((quote.at_ms, quote.last))
    marks.note_best(book.vaults.values(), instrument_id, quote.last)


def _seen(book: Book, record: Record) -> None:
    raw = record.payload["intent"]
    intent_id = raw["intent_id"]
    if intent_id in book.intents:
        raise StateError(f"record {record.seq}: intent {intent_id} is seen twice")
    entry = wished(record.payload, record.seq)
    book.intents[intent_id] = entry
    if entry.exit:
        (book.stops if entry.resting else book.exits).add(entry.key)
    book.move(entry, Kind.INTENT_SEEN, record)


def _intent_event(book: Book, record: Record) -> None:
    entry = book.intents[record.ids["intent_id"]]
    book.move(entry, record.kind, record)


def _held(book: Book, record: Record) -> None:
    entry = book.intents[record.ids["intent_id"]]
    book.move(entry, record.kind, record)
    entry.held.update(record.payload["codes"])


def _quarantined_intent(book: Book, record: Record) -> None:
    """Other bytes under a known id: the intent is frozen unless its order is already out, and the bytes are noted."""
    entry = book.intents[record.ids["intent_id"]]
    entry.other_bytes.add(record.payload["sha256"])
    if record.payload["intent_state"] is not None:
        book.move(entry, record.kind, record)


def _submitting(book: Book, record: Record) -> None:
    order_id, entry = record.ids["order_id"], book.intents[record.ids["intent_id"]]
    book.move(entry, record.kind, record)
    order = submitted(entry, record, book.basis.get(entry.key, 0))
    order.out = order_id in book.orders and book.orders[order_id].out
    entry.order_id = order_id
    book.orders[order_id] = order
    _at_work(book, order)
    at_ms = book.at_ms(record)
    book.vaults[entry.vault].count_sent(order, entry.raw["flip_id"], at_ms)
    book.accounts[entry.account].messages.add(at_ms)
    if order.stop_price is None:  # a stop moves nothing until it is executed
        book.basis[entry.key] = record.seq
        book.last_sent[entry.key] = order


def _at_work(book: Book, order: OrderEntry) -> None:
    """Into all indexes of working orders."""
    vault = book.vaults[order.vault]
    book.working[order.order_id] = vault.working[order.order_id] = order
    account = book.accounts.get(order.account)
    if account is None:
        account = book.accounts[order.account] = AccountBook()
    account.enter(order)
    _changed(book, vault)


def _changed(book: Book, vault: VaultBook) -> None:
    """What `totals.py` found for it is no longer so."""
    vault.remembered = None
    account = book.accounts.get(vault.account)
    if account is not None:
        account.changed.add(vault.vault_id)


def _at_rest(book: Book, order: OrderEntry) -> None:
    """Out of all indexes of working orders."""
    if book.working.pop(order.order_id, None) is not None:
        vault = book.vaults[order.vault]
        del vault.working[order.order_id]
        book.accounts[order.account].leave(order)
        _changed(book, vault)


def _order_event(book: Book, record: Record) -> None:
    order = book.orders[record.ids["order_id"]]
    entry = book.intents[order.intent_id]
    book.move(entry, record.kind, record)
    _follow(book, order, entry)
    if record.kind == Kind.ORDER_ACCEPTED:
        order.venue_id = record.payload["venue_id"]
    if record.kind == Kind.ORDER_CANCELLING:
        book.accounts[order.account].messages.add(book.at_ms(record))
    if record.kind == Kind.ORDER_WITHHELD:
        order.state = "withheld"
        order.out = order.out or record.payload["code"] == Reason.BROKER_UNKNOWN
        _at_rest(book, order)
        if book.basis.get(entry.key) == order.sent_seq:  # else something else has moved the key meanwhile
            book.basis[entry.key] = order.prior_basis
        entry.held.clear()
    elif entry.state in TERMINAL and order.stop_price is None:
        book.basis[entry.key] = record.seq


def _follow(book: Book, order: OrderEntry, entry: IntentEntry) -> None:
    """The order's state after its intent moved. One that was withheld and turns up after all works again."""
    if order.state == "withheld" and entry.state in IN_FLIGHT:
        _at_work(book, order)
    ended = entry.state in TERMINAL and order.state not in TERMINAL
    order.state = entry.state
    if ended:
        _at_rest(book, order)
        if order.realised is not None:
            for counted in (book.vaults[order.vault], book.house):
                counted.losses = counted.losses + 1 if order.realised < 0 else 0


def _fill(book: Book, record: Record) -> None:
    body = record.payload
    order = book.orders[record.ids["order_id"]]
    name = (order.account, body["fill_id"])
    if name in book.fills:
        raise StateError(f"record {record.seq}: fill {body['fill_id']} is booked twice")
    entry = book.intents[order.intent_id]
    quantity, cash, fee = Decimal(body["quantity"]), Decimal(body["cash"]), Decimal(body["fee"])
    kept = Decimal(body["fee_units"])
    book.move(entry, fill_event(order, entry.state, quantity), record)
    order.filled += quantity
    order.worth += quantity * Decimal(body["price"])
    order.last_fill_ms = body["quote_ms"]
    order.fill_count += 1
    book.fills[name] = BookedFill(order.order_id, quantity, cash, fee, kept=kept)
    _move(book, order, Move(units(order.side, quantity, kept), cash, fee, book.at_ms(record)), record.seq)
    _follow(book, order, entry)


def _busted(book: Book, record: Record) -> None:
    """The venue took an execution back: booked the other way round at the same price. The order's state stays."""
    order = book.orders[record.ids["order_id"]]
    name = (order.account, record.payload["fill_id"])
    fill = book.fills.get(name)
    if fill is None or fill.busted:
        raise StateError(f"record {record.seq}: fill {name[1]} is taken back without having been booked")
    book.fills[name] = fill._replace(busted=True)
    order.filled -= fill.quantity
    order.worth -= abs(fill.cash) / order.multiplier
    back = units(order.side, -fill.quantity, -fill.kept)
    _move(book, order, Move(back, -fill.cash, -fill.fee, book.at_ms(record)), record.seq)


def _move(book: Book, order: OrderEntry, move: Move, seq: int) -> None:
    entry = book.intents[order.intent_id]
    vault = book.vaults[order.vault]
    book_move(vault, entry, order, move)
    vault.marked = None
    _changed(book, vault)
    book.basis[entry.key] = seq
    if entry.exit:
        book.left_ms[entry.key] = move.at_ms


def _override(book: Book, record: Record) -> None:
    body = record.payload
    book.commands.add(body["command_id"])
    book.overrides[body["command_id"]] = Override(
        body["vault"], body["limit"], Decimal(body["value"]), millis_of(body["until"]))


def _sync(book: Book, record: Record) -> None:
    body = record.payload
    book.sync[body["account"]] = SyncEntry(body["state"], body["detail"], body["readings"])


def _adjustment(book: Book, record: Record) -> None:
    body = record.payload
    vault = book.vaults.get(body["vault"])
    if vault is None:
        vault = book.vaults[body["vault"]] = VaultBook(body["vault"], body["account"], body["currency"])
        book.daily.opened(record.at[:10])
    moved = adjust(vault, body)
    vault.marked = None
    _changed(book, vault)
    if moved is not None:
        book.basis[key_of(vault.vault_id, moved)] = record.seq


def _day_opened(book: Book, record: Record) -> None:
    body = record.payload
    (book.vaults[body["vault"]] if "vault" in body else book.house).opened(body["day"], Decimal(body["nav"]))
    book.daily.opened(body["day"])


def _latch_set(book: Book, record: Record) -> None:
    book.latches[record.payload["latch_id"]] = {**record.payload, "since": record.at}


def _latch_released(book: Book, record: Record) -> None:
    """A loss that a person has looked at is measured from here on, or the same loss would latch again at once."""
    book.commands.add(record.payload["command_id"])
    latch = book.latches.pop(record.payload["latch_id"])
    (book.house if latch["vault"] is None else book.vaults[latch["vault"]]).forgive(latch["code"])


def _alert(book: Book, record: Record) -> None:
    body = record.payload
    book.alerts[body["about"]] = body["level"]


def _command_done(book: Book, record: Record) -> None:
    book.commands.add(record.payload["command_id"])
    if record.kind == Kind.COMMAND_TAKEN and record.payload["kind"] == "acknowledge":
        book.unstated = ""


_HANDLERS: dict[str, Callable[[Book, Record], object]] = {
    Kind.JOURNAL_OPENED: _opened, Kind.PROGRAM_STARTED: _started, Kind.PROGRAM_STOPPED: _nothing,
    Kind.TAIL_REPAIRED: _nothing, Kind.CONTROL_SEEN: _input, Kind.INSTRUMENTS_SEEN: _input,
    Kind.CONTROL_EDITED: lambda book, record: book.edits.pop(record.payload["seen"]),
    Kind.CONTROL_ENDED: lambda book, record: book.ended.add(record.payload["what"]),
    Kind.DAY_CLOSED: lambda book, record: book.daily.take(record.payload),
    Kind.QUOTE_SEEN: _quote, Kind.INTENT_SEEN: _seen, Kind.INTENT_HELD: _held,
    Kind.INTENT_REFUSED: _intent_event, Kind.INTENT_APPROVED: _intent_event, Kind.INTENT_EXPIRED: _intent_event,
    Kind.INTENT_WITHDRAWN: _intent_event, Kind.INTENT_QUARANTINED: _quarantined_intent,
    Kind.ORDER_SUBMITTING: _submitting, Kind.ORDER_WITHHELD: _order_event, Kind.ORDER_ACCEPTED: _order_event,
    Kind.ORDER_REJECTED: _order_event, Kind.ORDER_UNKNOWN: _order_event, Kind.ORDER_CANCELLING: _order_event,
    Kind.ORDER_CANCELLED: _order_event, Kind.ORDER_EXPIRED: _order_event, Kind.ORDER_QUARANTINED: _order_event,
    Kind.FILL: _fill, Kind.FILL_BUSTED: _busted, Kind.BROKER_SYNC: _sync,
    Kind.BROKER_EXTERNAL: lambda book, record: book.external.add((record.payload["account"],
                                                                  record.payload["venue_id"])),
    Kind.ADJUSTMENT: _adjustment, Kind.DAY_OPENED: _day_opened, Kind.HOUSE_DAY_OPENED: _day_opened,
    Kind.ALERT: _alert,
    Kind.LATCH_SET: _latch_set, Kind.LATCH_RELEASED: _latch_released,
    Kind.COMMAND_REFUSED: _command_done, Kind.COMMAND_TAKEN: _command_done, Kind.OVERRIDE_SET: _override,
    Kind.OVERRIDE_ENDED: lambda book, record: book.overrides.pop(record.payload["command_id"]),
}
