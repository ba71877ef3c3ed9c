"""Who says whether a schedule went wrong: the invariants, judged from the venue's side and from raw lines.

I1 no double      at most one accepted order for an intent; the outbox record is durable before anything leaves
I2 no loss        every intent ends exactly once; an order in flight ends once faults stop
I3 halt           no order leaves without a look since the one before, nor against what that look saw
I5 audit          lines without gaps, each naming the hash of the one before; what was durable stays
I7 position       executions by id = holdings = venue, and money adds up
I8 limits         limits hold with every order in flight counted as filled
I9 speak          what a person must be told of latches, also across a crash
I11 fresh         no order leaves after its intent has expired
I12 terms         what leaves has the terms of its record: at most the vault's offset away, on the tick, valued at no
                  less; nothing is executed beyond a limit; exits wait for no price
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from tests.simulation.clock import SimClock
from tests.simulation.disk import SimJournal
from tests.simulation.exchange import Exchange
from tests.simulation.ledger import ZERO, Ledger, Row
from tests.simulation.permits import Order, allows
from vanta.common.instruments import Instrument
from vanta.executor.core.approval import Approved
from vanta.executor.core.book import Book
from vanta.executor.gate import Reading

TOLERANCE = Decimal("0.02")
GRACE = timedelta(seconds=10)
"""How old a verdict may be when its order leaves."""
DEFAULTS: Mapping[str, Any] = {"max_single_pos_pct": "0.05", "max_gross_pct": "1.00", "max_orders_per_minute": 30,
                               "max_open_orders": 50}
Limits = Mapping[str, Mapping[str, Any]]


class Judge:
    """See the module's contract. `limits` says what each version of vault.json, by hash, allows."""

    def __init__(self, clock: SimClock, instruments: Mapping[str, Instrument], limits: Mapping[str, Limits]) -> None:
        self.clock = clock
        self.exchanges: list[Exchange] = []
        self.instruments = instruments
        self.limits = limits
        self.ledger = Ledger()
        self.violations: list[str] = []
        self.look: Reading | None = None
        self.looked_at: datetime | None = None
        self.armed_at = 0.0
        self.grave: dict[str, float] = {}
        self.durable: list[bytes] = []
        self.expires: dict[str, datetime] = {}
        self.intents: dict[str, str] = {}
        self._decoded: dict[bytes, dict[str, Any]] = {}
        self._journal: SimJournal | None = None

    def process(self, journal: SimJournal) -> None:
        """A new process has opened the log: everything is counted again from its first line."""
        if journal.lines[: len(self.durable)] != self.durable:
            self.blame("I5: the log lost or changed a record that was durable")
        self._journal = journal
        self.ledger = Ledger()
        self.look = None
        self.catch_up(again=True)
        self.grave = {name: at for name, at in self.grave.items() if name in self.ledger.grave}

    def saw(self, reading: Reading) -> None:
        """The process has just looked at overlay and permit."""
        self.look, self.looked_at = reading, self.clock.now()

    def blame(self, what: str) -> None:
        """Note a violation."""
        self.violations.append(what)

    def catch_up(self, *, again: bool = False) -> None:
        """Read what was appended since the last look. `again`: it was judged before."""
        if self._journal is None:
            return
        lines, ledger = self._journal.lines, self.ledger
        known = len(ledger.grave)
        for raw in lines[ledger.seq:]:
            line = self._decoded.get(raw)
            if line is None:
                line = self._decoded[raw] = orjson.loads(raw)
            ledger.take(raw, line)
            if ledger.submitted:
                name = ledger.submitted.pop()
                if not again:
                    self._within_limits(ledger.orders[name])
            if ledger.given_up:
                name = ledger.given_up.pop()
                if not again:
                    self._settled(name)
        for name in ledger.grave[known:]:
            self.grave.setdefault(name, self.clock.monotonic())
        if ledger.wrong:
            self.violations += ledger.wrong
            ledger.wrong = []

    def _settled(self, order_id: str) -> None:
        """The venue had its settle time before "not found" was believed, give or take the age of a verdict."""
        for exchange in self.exchanges:
            sent = exchange.sent.get(order_id)
            if sent is not None and not self.clock.jumps:
                passed = self.clock.monotonic() - sent
                if passed < exchange.rules.settle_s - GRACE.total_seconds():
                    self.blame(f"I2: {order_id} was given up {passed} s after it was sent, {exchange.rules.settle_s} "
                               "are its settle time")

    def remember(self) -> None:
        """What is durable now has to stay for ever."""
        if self._journal is not None:
            self.durable = self._journal.lines[: self._journal.durable]

    def on_wire(self, account: str, order: Approved) -> None:
        """An order leaves the process at this moment."""
        self.catch_up()
        row, journal = self.ledger.orders.get(order.order_id), self._journal
        if row is None or journal is None or row.seq > journal.durable:
            self.blame(f"I1: {order.order_id} left before its outbox record was durable")
            return
        self.intents[order.order_id] = row.intent
        if not row.open:
            self.blame(f"I1: {order.order_id} left although its outbox record was closed")
        if tuple(order.terms) != (row.limit, row.time_in_force, row.stop):
            self.blame(f"I12: {order.order_id} left on {order.terms}, its record says {row.limit}, {row.time_in_force}")
        for one in self._in_flight(row.vault):
            if one is not row and one.instrument == row.instrument:
                self.blame(f"I8: {order.order_id} left while {one.intent} has an order in flight")
        self._permitted(account, order, row)
        expires = self.expires.get(row.intent)
        if expires is not None and self.looked_at is not None and self.looked_at >= expires + GRACE:
            self.blame(f"I11: {order.order_id} left after its intent had expired")
        self.look = None
        if self.ledger.sync.get(account) != "in_sync":
            self.blame(f"I7: {order.order_id} left while {account} was {self.ledger.sync.get(account)}")

    def _permitted(self, account: str, order: Approved, row: Row) -> None:
        look, ledger = self.look, self.ledger
        if look is None:
            self.blame(f"I3: {order.order_id} left without a look of its own")
            return
        instrument = self.instruments[row.instrument]
        names = {"vault": row.vault, "broker": account, "instrument": row.instrument,
                 "asset_class": instrument.asset_class, "follower": ""}
        known = {"vault": list(ledger.capital), "broker": sorted(set(ledger.accounts.values()) | {account}),
                 "instrument": list(self.instruments), "asset_class": ["equity", "crypto", "option"], "follower": []}
        reduces = self._reduces(row)
        if not look.permit or not allows(look.raw, Order(names, reduces, self.clock.now()), known):
            self.blame(f"I3: {order.order_id} left against permit or overlay: {look.raw!r}")
        for latch in ledger.latches.values():
            if latch["vault"] in (None, row.vault) and not (latch["exits"] and reduces):
                self.blame(f"I3: {order.order_id} left while {latch['code']} was latched")

        for name, at in self.grave.items():
            if at > self.armed_at:
                self.blame(f"I3: {order.order_id} left on a permit that is older than {name}")

    def _reduces(self, row: Row) -> bool:
        """Whether it only shrinks its position, everything else in flight counted as filled."""
        held = self.ledger.held.get((row.vault, row.instrument), ZERO)
        others = self.ledger.open_of(row.vault, row.instrument) - (row.signed if row.open else ZERO)
        free = held + min(others, ZERO) if held > 0 else held + max(others, ZERO)
        return free * row.signed < 0 and abs(row.signed) <= abs(free)

    def _within_limits(self, row: Row) -> None:
        """I8 at the moment of the outbox record, and that whoever wanted the order knew what is held."""
        basis = self.ledger.wishes[row.intent].basis
        moved = self.ledger.moved.get((row.vault, row.instrument), 0)
        if basis is not None and basis < moved:
            self.blame(f"I8: an order on basis {basis}, but the holding moved at line {moved}")
        ledger, limits = self.ledger, self.limits[self.ledger.vaults].get(row.vault)
        if limits is None:
            self.blame(f"I8: an order for {row.vault}, which vault.json does not name")
            return
        self._on_terms(row, limits["orders"])
        risk = {**DEFAULTS, **limits["risk"], **ledger.overridden(row.vault, row.at)}
        reduces = self._reduces(row)
        if not ledger.readable and not reduces:
            self.blame(f"I8: {row.intent} opens risk while vault.json cannot be read")
        held = ledger.held.get((row.vault, row.instrument), ZERO)
        after = held + ledger.open_of(row.vault, row.instrument)
        if after < 0 and not limits["allow_short"] and not reduces:
            self.blame(f"I8: {row.vault} may go short to {after} {row.instrument}")
        buying = sum((one.signed * one.price for one in self._in_flight(row.vault) if one.side == "buy"), ZERO)
        if row.side == "buy" and buying > ledger.cash[row.vault] + TOLERANCE:
            self.blame(f"I8: {row.vault} may pay {buying} of {ledger.cash[row.vault]}")
        if reduces:
            return
        nav = ledger.cash[row.vault] + sum(
            (quantity * ledger.last_price[name] for (vault, name), quantity in ledger.held.items()
             if vault == row.vault and quantity), ZERO)
        if abs(after) * row.price > nav * Decimal(risk["max_single_pos_pct"]) + TOLERANCE:
            self.blame(f"I8: {row.vault} may hold {after} {row.instrument} at {row.price}, NAV {nav}")
        gross = self._gross(row, after)
        if gross > nav * Decimal(risk["max_gross_pct"]) + TOLERANCE:
            self.blame(f"I8: {row.vault} may hold {gross} gross, NAV {nav}")
        if len(self._in_flight(row.vault)) > int(risk["max_open_orders"]):
            self.blame(f"I8: {row.vault} has {len(self._in_flight(row.vault))} orders in flight")

    def _on_terms(self, row: Row, wanted: Mapping[str, Any]) -> None:
        """I12 at the moment of the outbox record. What was sent before keeps the terms that the venue may know."""
        touch, tick = self.ledger.touch[row.instrument][row.side], self.instruments[row.instrument].tick
        if row.stop is not None and not row.again and (
                wanted.get("stops") != "venue" or row.stop % tick or row.stop <= 0 or not self._reduces(row)):
            self.blame(f"I12: {row.intent} puts a stop of {row.stop} to the venue, {wanted} is asked for")
        if row.price < max(touch, row.limit or ZERO, row.stop or ZERO) and not row.again:
            self.blame(f"I12: {row.intent} is valued at {row.price}, may trade at {touch}, {row.limit} or {row.stop}")
        if row.limit is None or row.again:
            return
        offset = Decimal(wanted.get("limit_offset_pct", "0"))
        edge = touch * (1 + offset if row.side == "buy" else 1 - offset)
        short = edge - row.limit if row.side == "buy" else row.limit - edge
        if wanted.get("type") != "limit" or not 0 <= short < tick or row.limit % tick:
            self.blame(f"I12: {row.intent} has a limit of {row.limit} at {touch}, {wanted} is asked for")
        if row.time_in_force == "gtc" and wanted.get("time_in_force") != "gtc":
            self.blame(f"I12: {row.intent} is good until cancelled, {wanted} is asked for")

    def _in_flight(self, vault: str) -> list[Row]:
        return [row for row in self.ledger.orders.values() if row.open and row.vault == vault]

    def _gross(self, row: Row, after: Decimal) -> Decimal:
        """The value of everything, orders in flight counted as filled at their own price."""
        ledger = self.ledger
        worth: dict[str, Decimal] = {row.instrument: after * row.price}
        for (vault, name), quantity in ledger.held.items():
            if vault == row.vault and name != row.instrument and quantity:
                worth[name] = quantity * ledger.last_price[name]
        for one in self._in_flight(row.vault):
            if one.instrument != row.instrument and one.stop is None:
                worth[one.instrument] = worth.get(one.instrument, ZERO) + one.signed * one.price
        return sum((abs(value) for value in worth.values()), ZERO)

    def after_step(self, book: Book) -> None:
        """The fold and the raw lines agree, money adds up, and whoever has to be told was told."""
        self.catch_up()
        ledger = self.ledger
        for vault, entry in book.vaults.items():
            held = {name: position.quantity for name, position in entry.positions.items() if position.quantity}
            raw = {name: quantity for (one, name), quantity in ledger.held.items() if one == vault and quantity}
            if held != raw or entry.cash != ledger.cash[vault]:
                self.blame(f"I7: {vault}: {held} and {entry.cash} in the book, {raw} and {ledger.cash[vault]} by lines")
            cost = sum((position.cost() for position in entry.positions.values()), ZERO)
            if entry.cash + cost != ledger.capital[vault] + entry.ledger.realised:
                self.blame(f"I7: {vault}: cash {entry.cash} + cost {cost} is not capital {ledger.capital[vault]} + "
                           f"realised {entry.ledger.realised}")
        working = {name for name, row in ledger.orders.items() if row.open}
        if working != set(book.working):
            self.blame(f"I2: in flight {sorted(book.working)} in the book, {sorted(working)} by lines")
        self.violations += ledger.owed()

    def accepted(self) -> None:
        """I1 from the venue's own books."""
        for exchange in self.exchanges:
            for order_id, times in exchange.taken.items():
                if times > 1:
                    self.blame(f"I1: {exchange.account} accepted {order_id} {times} times")
        counted: dict[str, int] = {}
        for order_id, intent in self.intents.items():
            counted[intent] = counted.get(intent, 0) + sum(exchange.taken[order_id] for exchange in self.exchanges)
        for intent, times in counted.items():
            if times > 1:
                self.blame(f"I1: {times} orders were accepted for intent {intent}")

    def quiet(self, staged: Collection[str]) -> None:
        """Everything is over: executions, holdings and endings agree with the venue's books."""
        ledger = self.ledger
        for name in staged:
            if name not in ledger.wishes:
                self.blame(f"I2: intent {name} was staged and never recorded")
        for name, wish in ledger.wishes.items():
            if not wish.ended:
                self.blame(f"I2: intent {name} never ended: {' '.join(wish.path)}")
        there = {(exchange.account, name): (one.order_id, one.signed, one.price, one.busted)
                 for exchange in self.exchanges for name, one in exchange.executions.items()}
        own = {exchange.account for exchange in self.exchanges if exchange.embedded}
        here = {name: (one.order, one.signed, one.price, one.busted) for name, one in ledger.fills.items()
                if name[0] not in own}
        if there != here:
            differ = {name: (here.get(name), there.get(name)) for name in {**here, **there}
                      if here.get(name) != there.get(name)}
            self.blame(f"I7: executions differ (here, there): {differ}")
        for exchange in (one for one in self.exchanges if not one.embedded):
            ours = {self.instruments[name].symbol: units for name, units in ledger.positions(exchange.account).items()}
            theirs = dict(exchange.positions())
            for symbol, units in exchange.stranger_positions.items():
                theirs[symbol] = theirs.get(symbol, ZERO) - units
            if ours != {symbol: units for symbol, units in theirs.items() if units}:
                self.blame(f"I7: {exchange.account} holds {theirs}, the log says {ours}")
