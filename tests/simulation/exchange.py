"""The simulated venue: it outlives every process of the executor, keeps books of its own, and misbehaves as told.

`Exchange` is the venue and the oracle of what really happened. `Gateway` is one process's adapter to it. A new gateway
is told everything again: what an adapter had fetched and the process had not recorded would else be lost.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from random import Random

from tests.simulation.clock import SimClock
from tests.simulation.fuse import Fuse
from vanta.common.errors import OutcomeUnknown, OutsideError
from vanta.common.instruments import Instrument
from vanta.common.models.configuration import PaperSettings
from vanta.executor.brokers.paper import PaperBroker
from vanta.executor.brokers.port import (
    Accepted,
    Answer,
    Broker,
    Busted,
    Capabilities,
    Ended,
    Event,
    Fill,
    Found,
    Postponed,
    Rejected,
)
from vanta.executor.core.approval import Approved
from vanta.executor.core.book import Book
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.reconcile import Holdings, VenueOrder

NO_FEE = Decimal(0)
PAPER = PaperSettings()


@dataclass(slots=True)
class Moods:
    """How likely each misbehaviour is, per request or per order and turn."""

    reject: float = 0.0
    busy: float = 0.0
    lose_request: float = 0.0
    lose_answer: float = 0.0
    late: float = 0.0
    late_after_settling: float = 0.0
    silent: float = 0.0
    slow: float = 0.0
    delay: float = 0.0
    repeat: float = 0.0
    reorder: float = 0.0
    cross: float = 0.0
    partial: float = 0.0
    overfill: float = 0.0
    bust: float = 0.0
    end: float = 0.0
    refuse_cancel: float = 0.0
    forget: float = 0.0
    misstate: float = 0.0
    stranger: float = 0.0

    def draw(self, chance: Random) -> None:
        """Each is off, rare or frequent in this schedule; in some, one of them is nearly always there."""
        for one in fields(self):
            setattr(self, one.name, chance.choice((0.0, 0.0, 0.08, 0.3)))
        self.forget, self.partial = chance.choice((0.0, 0.3, 0.7)), chance.choice((0.0, 0.0, 1.0))
        for rare in ("overfill", "bust", "stranger", "misstate"):
            setattr(self, rare, chance.choice((0.0, 0.0, 0.0, 0.15)))
        if chance.random() < 0.1:
            self.late_after_settling, self.busy = 0.5, 0.0
        if chance.random() < 0.2:
            setattr(self, chance.choice(fields(self)).name, 0.9)

    def calm(self) -> None:
        """No faults from now on."""
        for one in fields(self):
            setattr(self, one.name, 0.0)


@dataclass(slots=True)
class Live:
    """One order as the venue has it."""

    order_id: str
    instrument_id: str
    symbol: str
    side: str
    quantity: Decimal
    sent_at: float
    crypto: bool
    limit: Decimal | None = None
    stop: Decimal | None = None
    state: str = "working"
    filled: Decimal = Decimal(0)
    cancel_asked: bool = False
    events: list[Event] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether it may rest for as long as nobody cancels it."""
        return self.limit is not None or self.stop is not None

    def rests(self, price: Decimal) -> bool:
        """Whether the market has not come to its stop yet."""
        if self.stop is None or self.filled:
            return False
        return price < self.stop if self.side == "buy" else price > self.stop

    def worse(self, price: Decimal) -> bool:
        """Whether a price is beyond its limit."""
        return self.limit is not None and (price > self.limit if self.side == "buy" else price < self.limit)


@dataclass(slots=True)
class Execution:
    """One execution as the venue booked it. `signed` is what moved: it may keep some of the coins that were bought."""

    order_id: str
    symbol: str
    signed: Decimal
    price: Decimal
    fee: Decimal
    quantity: Decimal
    busted: bool = False


class Exchange:
    """The venue of one account. `embedded`: the paper broker stands in its place, and has no life of its own."""

    def __init__(self, account: str, chance: Random, clock: SimClock, rules: Capabilities) -> None:
        self.account = account
        self.chance = chance
        self.clock = clock
        self.rules = rules
        self.moods = Moods()
        self.has_books = True
        self.embedded = False
        self.eager = 0.75
        self.keeps_coins = False
        self.prices: dict[str, Decimal] = {}
        self.instruments: Mapping[str, Instrument] = {}
        self.orders: dict[str, Live] = {}
        self.taken: Counter[str] = Counter()
        self.sent: dict[str, float] = {}
        self.news: list[tuple[float, Event]] = []
        self.executions: dict[str, Execution] = {}
        self.transit: list[tuple[float, Live]] = []
        self.facts: Counter[str] = Counter()
        self.stranger_positions: Counter[str] = Counter()

    def set(self, name: str, value: float) -> None:
        """One mood, or one of the rules, as somebody wants it."""
        if hasattr(self.moods, name):
            setattr(self.moods, name, value)
        elif name == "deduplicates":
            self.rules = replace(self.rules, deduplicates=bool(value))
        elif name == "settle_s":
            self.rules = replace(self.rules, settle_s=int(value))

    def calm(self) -> None:
        """No faults from now on, and strangers have moved away what was theirs."""
        self.moods.calm()
        self.eager = 0.9
        self.stranger_positions.clear()

    def take(self, order: Live) -> None:
        """An order arrives."""
        if order.order_id in self.orders:
            if self.rules.deduplicates:
                self.facts["a second request was de-duplicated"] += 1
                return
            self.taken[order.order_id] += 1
            order.order_id += f"#{self.taken[order.order_id]}"
        else:
            self.taken[order.order_id] += 1
        self.orders[order.order_id] = order

    def positions(self) -> dict[str, Decimal]:
        """What the account holds, by symbol."""
        held: dict[str, Decimal] = {}
        for one in self.executions.values():
            if not one.busted:
                held[one.symbol] = held.get(one.symbol, NO_FEE) + one.signed
        for symbol, quantity in self.stranger_positions.items():
            held[symbol] = held.get(symbol, NO_FEE) + quantity
        return {symbol: quantity for symbol, quantity in held.items() if quantity}

    def working(self) -> list[Live]:
        """Orders that may still be filled."""
        return [order for order in self.orders.values() if order.state == "working"]

    def quiet(self) -> bool:
        """Nothing is under way and nothing will happen by itself."""
        now = self.clock.monotonic()
        return not self.transit and not self.working() and all(due <= now for due, _ in self.news)

    def progress(self) -> None:
        """Time has passed: what was under way arrives, orders fill or end."""
        if self.embedded:
            return
        now, waiting = self.clock.monotonic(), []
        for due, order in self.transit:
            if due <= now:
                self.facts["a request arrived late"] += 1
                self.take(order)
            else:
                waiting.append((due, order))
        self.transit = waiting
        for order in self.working():
            self._advance(order)
        self._oddities()

    def _advance(self, order: Live) -> None:
        roll, moods = self.chance.random(), self.moods
        if order.cancel_asked and roll < 0.7:
            if moods.refuse_cancel and self.chance.random() < moods.refuse_cancel:
                order.cancel_asked = False
            else:
                self.end(order, "cancelled", "as asked")
            return
        if roll < (3 * moods.end if order.filled else moods.end):
            self.end(order, self.chance.choice(("cancelled", "expired", "rejected")), "the venue's own decision")
        elif order.worse(self.prices[order.instrument_id]):
            self.facts["a limit order rested"] += 1
        elif order.rests(self.prices[order.instrument_id]):
            self.facts["a stop rested at the venue"] += 1
        elif roll < max(self.eager, 3 * moods.end) or order.cancel_asked:  # the execution meets the cancel
            leaves = order.quantity - order.filled
            parts = self.chance.choice((1, 1, 2, 3)) if moods.partial else 1
            step = Decimal("0.00000001") if order.crypto else Decimal(1)
            quantity = max(step, (leaves / parts // step) * step)
            if moods.overfill and self.chance.random() < moods.overfill:
                quantity = leaves + step
                self.facts["an order was over-filled"] += 1
            self.execute(order, quantity)

    def execute(self, order: Live, quantity: Decimal, *, told: bool = True) -> Fill:
        """Fill some of an order."""
        name = f"x{len(self.executions) + 1}"
        price = self.prices[order.instrument_id]
        if order.limit is not None and order.worse(price):
            price = order.limit  # somebody gave in while it was about to be cancelled
        fee = self.chance.choice((NO_FEE, Decimal("0.35"), Decimal("1.00"), Decimal("0.0125")))
        order.filled += quantity
        kept = NO_FEE
        if self.keeps_coins and order.crypto and order.side == "buy":
            kept = (quantity / 1000).quantize(Decimal("0.00000001"), ROUND_DOWN)
            self.facts["a fee was kept in coins"] += bool(kept)
        signed = quantity - kept if order.side == "buy" else -quantity
        self.executions[name] = Execution(order.order_id, order.symbol, signed, price, fee, quantity)
        if order.filled >= order.quantity:
            order.state = "filled"
        fill = Fill(order.order_id, name, quantity, price, fee, self.clock.now(), fee_units=kept)
        order.events.append(fill)
        if told:
            self.tell(fill)
        return fill

    def end(self, order: Live, how: str, why: str) -> None:
        """An order ends without being filled, or its last execution is told after its end."""
        if self.moods.cross and self.chance.random() < self.moods.cross and order.side == "buy" and not order.crypto:
            fill = self.execute(order, Decimal(1), told=False)
            self.news.append((self.clock.monotonic() + 2.0, fill))
        order.state = how
        ended = Ended(order_id=order.order_id, how=how, detail=why)
        order.events.append(ended)
        self.tell(ended)

    def tell(self, event: Event) -> None:
        """An event is on its way to whoever polls."""
        wait = 0.0
        if self.moods.delay and self.chance.random() < self.moods.delay:
            wait = self.chance.choice((0.5, 2.0, 8.0, 90.0))
        self.news.append((self.clock.monotonic() + wait, event))

    def _oddities(self) -> None:
        moods, chance = self.moods, self.chance
        if moods.bust and self.executions and chance.random() < moods.bust:
            name = chance.choice(list(self.executions))
            one = self.executions[name]
            if not one.busted:
                self._bust(name, one)
        if moods.stranger and chance.random() < moods.stranger:
            name = f"s{len(self.news)}"
            self.facts["a stranger traded"] += 1
            if chance.random() < 0.5:
                self.tell(Ended(order_id=f"theirs-{name}", how="cancelled", detail="somebody else's"))
            else:
                self.stranger_positions["AAPL"] += 1
                self.tell(Fill(f"theirs-{name}", name, Decimal(1), Decimal(200), NO_FEE, self.clock.now()))

    def _bust(self, name: str, one: Execution) -> None:
        one.busted = True
        order = self.orders[one.order_id]
        order.filled -= one.quantity
        bust = Busted(name, "erroneous trade")
        order.events.append(bust)
        self.tell(bust)
        if order.state == "filled":  # it does not come back to life
            self.tell(Ended(order_id=order.order_id, how="expired", detail="the rest is void"))
        self.facts["an execution was busted"] += 1


class Gateway(Broker):
    """One process's adapter. `wire` is told of every order at the moment it leaves."""

    name = "sim"

    def __init__(self, exchange: Exchange, fuse: Fuse, wire: Callable[[str, Approved], None]) -> None:
        self.exchange = exchange
        self.capabilities = exchange.rules
        self._fuse = fuse
        self._wire = wire
        self._untold = 0
        self._waiting: list[int] = []

    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """Nothing: everything is told again anyway."""

    def hit(self, rate: float) -> bool:
        """Whether a misbehaviour of that rate happens now."""
        return bool(rate) and self.exchange.chance.random() < rate

    def _submit(self, order: Approved, now: datetime) -> Answer:
        self._fuse.reach("venue.submit")
        self._wire(self.exchange.account, order)
        try:
            answer = self._request(order)
        except Exception:
            self._fuse.reach("venue.answer")
            raise
        self._fuse.reach("venue.answer")
        return answer

    def _request(self, order: Approved) -> Answer:
        exchange, moods = self.exchange, self.exchange.moods
        sent = exchange.sent.setdefault(order.order_id, exchange.clock.monotonic())
        live = Live(order.order_id, order.instrument_id, order.symbol, order.side, order.quantity, sent,
                    order.asset_class == "crypto", order.terms.limit_price, order.terms.stop_price)
        if self.hit(moods.slow):
            exchange.clock.sleep(exchange.chance.choice((0.2, 3.0, 12.0)))
        on_its_way = any(one.order_id == order.order_id for _, one in exchange.transit)
        if self.hit(max(moods.busy, 0.7 * on_its_way)):
            return Postponed("slow down", exchange.chance.choice((0.5, 5.0, 30.0)))
        if self.hit(moods.reject) and order.order_id not in exchange.orders:
            return Rejected("not today")
        if self.hit(moods.lose_request):
            raise self._lost()
        if self.hit(moods.late):
            exchange.transit.append((sent + exchange.chance.random() * exchange.rules.settle_s, live))
            raise self._lost()
        if self.hit(moods.late_after_settling):
            exchange.transit.append((sent + exchange.rules.settle_s + exchange.chance.choice((1.0, 9.0, 70.0)), live))
            raise self._lost()
        exchange.take(live)
        if exchange.chance.random() < 0.15 and live.state == "working":
            exchange._advance(live)  # executed before the answer is there
        self._fuse.reach("venue.taken")
        if self.hit(moods.lose_answer):
            raise self._lost()
        return Accepted(f"sim-{order.order_id}")

    def _lost(self) -> Exception:
        """The answer does not come: said properly, or thrown by a library."""
        self.exchange.facts["an answer was lost"] += 1
        return self.exchange.chance.choice((OutcomeUnknown("timeout"), ConnectionResetError("reset by peer")))

    def _ask(self, boundary: str) -> None:
        self._fuse.reach(boundary)
        if self.hit(self.exchange.moods.silent):
            raise self.exchange.chance.choice((OutsideError("no answer"), TimeoutError("timed out")))

    def _lookup(self, order_id: str) -> Found | None:
        self._ask("venue.lookup")
        exchange = self.exchange
        live, now = exchange.orders.get(order_id), exchange.clock.monotonic()
        if live is None:
            return None
        age = now - live.sent_at
        if age > exchange.rules.lookup_window_s:
            exchange.facts["an order was too old to be asked about"] += 1
            return None
        if age < exchange.rules.settle_s and self.hit(exchange.moods.forget):
            exchange.facts["a look-up came too early"] += 1
            return None
        return Found(f"sim-{order_id}", tuple(live.events) if exchange.chance.random() < 0.7 else ())

    def _cancel(self, order_id: str, now: datetime) -> None:
        self._ask("venue.cancel")
        live = self.exchange.orders.get(order_id)
        if live is not None and live.state == "working":
            if live.cancel_asked:
                self.exchange.facts["a cancel was asked for again"] += 1
            live.cancel_asked = True
        self._ask("venue.cancelled")

    def _holdings(self, now: datetime) -> Holdings | None:
        self._ask("venue.holdings")
        exchange = self.exchange
        if not exchange.has_books:
            return None
        positions, orders = exchange.positions(), exchange.working()
        if self.hit(exchange.moods.misstate):
            exchange.facts["holdings were misstated"] += 1
            positions = exchange.chance.choice(({}, {name: units * 2 for name, units in positions.items()}))
        listed = tuple(VenueOrder(order.order_id, f"sim-{order.order_id}", order.symbol, order.side,
                                  order.quantity - order.filled) for order in orders)
        return Holdings(positions, {}, listed)

    def _poll(self, now: datetime) -> Sequence[Event]:
        self._ask("venue.poll")
        exchange, at = self.exchange, self.exchange.clock.monotonic()
        self._waiting += range(self._untold, len(exchange.news))
        self._untold = len(exchange.news)
        if not self._waiting:
            return ()
        told = [index for index in self._waiting if exchange.news[index][0] <= at]
        self._waiting = [index for index in self._waiting if exchange.news[index][0] > at]
        events = [exchange.news[index][1] for index in told]
        if told and self.hit(exchange.moods.repeat):
            events.append(exchange.news[exchange.chance.randrange(told[-1] + 1)][1])
            exchange.facts["an event was told twice"] += 1
        if len(events) > 1 and self.hit(exchange.moods.reorder):
            exchange.chance.shuffle(events)
            exchange.facts["events came out of order"] += 1
        self._fuse.reach("venue.polled")
        return events


class PaperGateway(PaperBroker):
    """The embedded broker at boundaries: it dies with the process, and what it did comes back from the log."""

    def __init__(self, exchange: Exchange, book: Book, fuse: Fuse, wire: Callable[[str, Approved], None]) -> None:
        super().__init__(PAPER, book.quotes.get, lambda: exchange.instruments)
        self._exchange = exchange
        self._fuse = fuse
        self._wire = wire

    def _submit(self, order: Approved, now: datetime) -> Answer:
        self._fuse.reach("venue.submit")
        self._wire(self._exchange.account, order)
        answer = super()._submit(order, now)
        self._fuse.reach("venue.answer")
        return answer

    def _cancel(self, order_id: str, now: datetime) -> None:
        self._fuse.reach("venue.cancel")
        super()._cancel(order_id, now)
        self._fuse.reach("venue.cancelled")

    def _poll(self, now: datetime) -> Sequence[Event]:
        self._fuse.reach("venue.poll")
        events = super()._poll(now)
        self._exchange.facts["the embedded broker executed"] += sum(isinstance(event, Fill) for event in events)
        if events:
            self._fuse.reach("venue.polled")
        return events
