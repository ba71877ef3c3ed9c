"""Records of a trade log made by hand, folded as they are made: for state machines that drive the book itself."""

from collections.abc import Mapping
from typing import Any

from vanta.common.clock import ManualClock
from vanta.common.errors import VantaError
from vanta.common.events import Kind
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.times import iso
from vanta.executor.core.book import Book
from vanta.executor.recorder import Recorder

PLAN = {"stop_pct": None, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None}


class Desk:
    """A journal, a book and a clock. `put` folds a record or raises what the fold raises, and then keeps nothing."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.journal = MemoryJournal()
        self.book = Book()
        self.recorder = Recorder(self.journal, self.book)

    def put(self, kind: Kind, payload: Mapping[str, Any], ids: Mapping[str, str] | None = None) -> None:
        """Fold one record; only what the book accepts is kept in the journal."""
        head = self.journal._head
        record = self.journal.append(kind, payload, at=iso(self.clock.now()), ids=ids)
        try:
            self.book.apply(record)
        except VantaError:
            self.journal._lines.pop()
            self.journal._head = head
            raise

    def fund(self, vault: str, amount: str, *, account: str = "paper") -> None:
        """A vault with capital."""
        self.put(Kind.ADJUSTMENT, {"type": "transfer", "vault": vault, "account": account, "currency": "USD",
                                   "amount": amount, "evidence": "test"})

    def see(self, intent_id: str, key: tuple[str, str, str], *, band: str = "low", account: str = "paper") -> None:
        """An intent; `key` is vault, instrument and side."""
        vault, instrument, side = key
        now = iso(self.clock.now())
        self.put(Kind.INTENT_SEEN, {"intent_state": "seen", "sha256": intent_id, "intent": {
            "intent_id": intent_id, "account": account, "vault": vault, "instrument_id": instrument, "side": side,
            "notional": "1000", "target_notional": "0", "close": False, "basis_seq": 0, "created_at": now,
            "expires_at": now, "flip_id": None, "exit_plan": PLAN, "provenance": {
                "signal_id": "s", "dag_id": "d", "entity": "e", "conviction_bp": 1, "band": band,
                "personas": {"Athena": 2, "Apollo": 1}, "sources": {"news.rss": 3, "sec.form4": 4}, "reasons": [],
                "inputs": {}}}}, {"intent_id": intent_id})

    def about(self, kind: Kind, intent_id: str, **payload: Any) -> None:
        """A record about an intent and its order, which bears the intent's name."""
        self.put(kind, payload, {"intent_id": intent_id, "order_id": f"o-{intent_id}"})

    def send(self, intent_id: str, quantity: str, *, price: str = "10", account: str = "paper", **more: Any) -> None:
        """The outbox record. `more` is what differs from a market order for the day."""
        self.about(Kind.ORDER_SUBMITTING, intent_id, **{
            "intent_state": "submitting", "broker": account, "symbol": "S", "side": "buy", "quantity": quantity,
            "reference_price": price, "type": "market", "limit_price": None, "time_in_force": "day",
            "good_until": None, "attempt": 1, "legs": [], "currency": "USD", "multiplier": "1", **more})

    def fill(self, intent_id: str, fill_id: str, **body: Any) -> None:
        """An execution. `body` has quantity, price, cash, fee and what else differs."""
        self.about(Kind.FILL, intent_id, **{
            "intent_state": None, "fill_id": fill_id, "fee": "0", "currency": "USD", "multiplier": "1",
            "at": iso(self.clock.now()), "quote_ms": 0, "fee_units": "0", **body})

    def quote(self, instrument: str, price: str) -> None:
        """A mark."""
        self.put(Kind.QUOTE_SEEN, {"instrument_id": instrument, "bid": price, "ask": price, "last": price, "size": None,
                                   "at": iso(self.clock.now()), "volume": None, "source": "test"})

    def refolded(self) -> Book:
        """A book that has read the whole journal again."""
        book = Book()
        for record in self.journal.read():
            book.apply(record)
        return book


def picture(book: Book) -> dict[str, Any]:
    """Everything that two equal books have equal, as plain values."""
    return {
        "seq": book.seq, "hash": book.hash, "basis": dict(book.basis), "waiting": list(book.waiting),
        "live": {key: entry.intent_id for key, entry in book.live.items()}, "working": sorted(book.working),
        "intents": {name: (entry.state, sorted(entry.held), entry.order_id) for name, entry in book.intents.items()},
        "orders": {name: (order.state, order.quantity, order.filled, order.out, order.limit_price, order.time_in_force,
                          order.venue_id, order.stop_price) for name, order in book.orders.items()},
        "fills": {name: tuple(fill) for name, fill in book.fills.items()},
        "vaults": {name: (vault.cash, vault.ledger.realised, vault.ledger.fees, {
            one: (position.quantity, position.cost()) for one, position in vault.positions.items()})
            for name, vault in book.vaults.items()}}
