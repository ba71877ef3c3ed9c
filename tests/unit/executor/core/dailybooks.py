"""A book that is driven record by record, and an account beside it that knows only cash and quantities."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from vanta.common.events import Kind
from vanta.common.money import ZERO, plain, round_amount
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.times import iso, millis
from vanta.executor.closing import close_day
from vanta.executor.core.book import Book
from vanta.executor.core.entries import key_of
from vanta.executor.recorder import Recorder

BEGIN = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CURRENCY = {"V_CORE": "USD", "V_SWIFT": "USD", "V_EURO": "EUR"}
REASONS = [{"reason": "baseline", "bp": -300}, {"reason": "source:sec.form4", "bp": 3100},
           {"reason": "persona:Apollo", "bp": 1200}, {"reason": "cap:news", "bp": 0}]
WHY: dict[str, dict[str, Any]] = {
    "calm": {"band": "low", "personas": {"Athena": 200, "Apollo": 100}, "sources": {"sec.form4": 3, "news.rss": 4},
             "reasons": REASONS},
    "bold": {"band": "high", "personas": {"Apollo": 1}, "sources": {"reddit.posts": 700}, "reasons": REASONS[:2]},
    "exit": {"band": "low", "personas": {}, "sources": {}, "reasons": [{"reason": "exit:stop", "bp": 0}]},
    "old": {"band": "low", "personas": {}, "sources": {}},
}


class Driven:
    """See the module. `cash`, `held` and `flows` are the account beside the book, by vault."""

    def __init__(self, benchmark: str | None = None) -> None:
        self.journal, self.book, self.now, self.benchmark = MemoryJournal(), Book(), BEGIN, benchmark
        self.recorder = Recorder(self.journal, self.book)
        self.cash: dict[str, Decimal] = {}
        self.flows: dict[str, Decimal] = {}
        self.held: dict[tuple[str, str], Decimal] = {}
        self.price: dict[str, Decimal] = {}
        self.fills: list[tuple[str, str, str, Decimal, Decimal, Decimal]] = []
        self._count = 0

    def put(self, kind: Kind, payload: dict[str, Any], **ids: str) -> None:
        """Append and fold."""
        self.now += timedelta(milliseconds=1)
        self.recorder.put(kind, payload, now=self.now, ids=ids)

    def transfer(self, vault: str, amount: str | Decimal, kind: str = "transfer") -> None:
        """Pay in, or out; or a `dividend`, which is a result."""
        self.cash[vault] = self.cash.get(vault, ZERO) + Decimal(amount)
        if kind == "transfer":
            self.flows[vault] = self.flows.get(vault, ZERO) + Decimal(amount)
        self.put(Kind.ADJUSTMENT, {"type": kind, "vault": vault, "account": "paper", "currency": CURRENCY[vault],
                                   "amount": plain(Decimal(amount)), "evidence": "e", "why": "w"})

    def split(self, vault: str, instrument: str, ratio: int) -> None:
        """So many for one, and the next price in new units."""
        if vault not in self.cash:
            return
        place = vault, instrument
        self.held[place] = self.held.get(place, ZERO) * ratio
        self.put(Kind.ADJUSTMENT, {"type": "split", "vault": vault, "account": "paper", "currency": CURRENCY[vault],
                                   "instrument_id": instrument, "ratio": str(ratio), "evidence": "e", "why": "w"})

    def quote(self, instrument: str, price: str | Decimal) -> None:
        """A newer price."""
        self.price[instrument] = Decimal(price)
        text = plain(Decimal(price))
        self.put(Kind.QUOTE_SEEN, {"instrument_id": instrument, "bid": text, "ask": text, "last": text, "size": None,
                                   "at": iso(self.now), "volume": None, "source": "test"})

    def trade(self, vault: str, instrument: str, quantity: str | Decimal, price: str | Decimal,
              fee: str | Decimal = ZERO, why: str = "calm") -> None:
        """One order that is filled at once; a negative quantity sells."""
        self._count += 1
        signed, fee = Decimal(quantity), Decimal(fee)
        side, size = ("buy" if signed > 0 else "sell"), abs(signed)
        paid = round_amount(signed * Decimal(price), CURRENCY[vault])
        ids = {"intent_id": f"in{self._count}", "signal_id": "s", "vault": vault}
        none = {"stop_pct": None, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None}
        body = {"intent_id": ids["intent_id"], "account": "paper", "vault": vault, "instrument_id": instrument,
                "side": side, "notional": "1", "close": False, "basis_seq": self.book.basis.get(
                    key_of(vault, instrument), 0), "created_at": iso(self.now), "expires_at": iso(self.now),
                "flip_id": None, "exit_plan": none,
                "provenance": {"signal_id": "s", "dag_id": "d", "entity": instrument, **WHY[why]}}
        self.put(Kind.INTENT_SEEN, {"intent_state": "seen", "sha256": "0", "intent": body}, **ids)
        self.put(Kind.INTENT_APPROVED, {"intent_state": "approved", "lines": []}, **ids)
        order = {**ids, "order_id": f"o{self._count}"}
        self.put(Kind.ORDER_SUBMITTING, {
            "intent_state": "submitting", "quantity": plain(size), "reference_price": plain(Decimal(price)),
            "time_in_force": "day", "good_until": None, "attempt": 0, "currency": CURRENCY[vault], "multiplier": "1"},
            **order)
        self.put(Kind.FILL, {"fill_id": f"f{self._count}", "quantity": plain(size), "price": plain(Decimal(price)),
                             "cash": plain(paid), "fee": plain(fee), "fee_units": "0", "quote_ms": millis(self.now)},
                 **order)
        self.fills.append((f"f{self._count}", vault, instrument, signed, paid, fee))
        self._moved(vault, instrument, signed, paid + fee)

    def bust(self, index: int) -> None:
        """The venue takes an execution back."""
        fill, vault, instrument, signed, paid, fee = self.fills.pop(index)
        self.put(Kind.FILL_BUSTED, {"fill_id": fill}, intent_id=fill.replace("f", "in"), vault=vault,
                 order_id=fill.replace("f", "o"))
        self._moved(vault, instrument, -signed, -paid - fee)

    def _moved(self, vault: str, instrument: str, signed: Decimal, paid: Decimal) -> None:
        self.cash[vault] = self.cash.get(vault, ZERO) - paid
        self.held[vault, instrument] = self.held.get((vault, instrument), ZERO) + signed

    def nav(self, code: str) -> Decimal | None:
        """Of all vaults of a currency, by cash and quantities alone."""
        total = sum((cash for vault, cash in self.cash.items() if CURRENCY[vault] == code), ZERO)
        for (vault, instrument), quantity in self.held.items():
            if quantity and CURRENCY[vault] == code:
                if instrument not in self.price:
                    return None
                total += round_amount(quantity * self.price[instrument], code)
        return total

    def paid_in(self, code: str) -> Decimal:
        """Into all vaults of a currency."""
        return sum((amount for vault, amount in self.flows.items() if CURRENCY[vault] == code), ZERO)

    def close(self, days: int = 1) -> dict[str, Any]:
        """So many days later, the day is closed. Returns what was recorded."""
        self.now = datetime.combine(self.now.date() + timedelta(days=days), BEGIN.time(), UTC)
        close_day(self.recorder, self.benchmark, self.now)
        return self.days()[-1]

    def days(self) -> list[dict[str, Any]]:
        """What was recorded of days."""
        return [dict(record.payload) for record in self.journal.read() if record.kind == "day.closed"]
