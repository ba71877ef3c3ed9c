"""One schedule: the executor's own code over simulated disk, venue, clock and people, all driven by one seed.

First faults of every kind, then calm: everything has to end within a bound, and the books have to agree. The judge
looks after every step. The same seed gives the same bytes, whatever the interpreter's hash seed.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

import orjson

from tests.simulation.assembly import INSTRUMENTS, PROGRAM, Assembly, Process, SimLock, Surroundings, calendars, reading
from tests.simulation.assembly import start as start_process
from tests.simulation.clock import START, SimClock
from tests.simulation.disk import Disk, SimJournal
from tests.simulation.exchange import Exchange
from tests.simulation.fuse import Crash, Fuse
from tests.simulation.judge import Judge
from tests.simulation.ledger import pretty
from tests.simulation.people import CLEAR, TTL, People
from tests.simulation.sometimes import RESTED, reached
from vanta.alpha.core.replay import Replay
from vanta.common.errors import StateError
from vanta.common.paths import PORTFOLIO
from vanta.common.store.chain import chain
from vanta.common.times import iso
from vanta.executor.brokers.port import Capabilities
from vanta.executor.core.approval import Approved
from vanta.executor.core.book import Book
from vanta.executor.gate import Reading
from vanta.executor.recovery import opening

HOME = "simula"
LAYOUTS: tuple[dict[str, str], ...] = (
    {"V_CORE": "paper"}, {"V_CORE": "paper"}, {"V_CORE": "paper", "V_ALT": "paper"},
    {"V_CORE": "paper", "V_ALT": "other"})
PAUSES = (0.05, 0.5, 1.0, 1.0, 3.0, 11.0, 31.0, 400.0)
PATIENCE, LATER, CALM_STEPS = 1, 12, 40
"""In calm, steps after which the promoter withdraws what still waits, after which New York is open, and within which
all must be over."""

BOUNDARIES = (
    "journal.open", "journal.aside", "journal.opened", "journal.append", "journal.write", "journal.flush",
    "journal.synced", "gate.read", "venue.submit", "venue.taken", "venue.answer", "venue.poll", "venue.polled",
    "venue.lookup", "venue.cancel", "venue.cancelled", "venue.holdings", "files.replace", "files.replaced",
    "snapshot.put", "snapshot.stored", "permit.remove", "permit.removed")

RATES: Mapping[str, tuple[float, ...]] = {
    "crash": (0.0, 0.1, 0.3, 0.6), "tear": (0.0, 0.0, 0.4), "disk": (0.0, 0.0, 0.0, 0.004),
    "lock": (0.0, 0.0, 0.0, 0.03),
    "jump": (0.0, 0.0, 0.0, 0.1), "night": (0.0, 0.0, 0.0, 0.05), "freeze": (0.0, 0.0, 0.0, 0.05),
    "overlay": (0.0, 0.1, 0.4), "permit": (0.0, 0.0, 0.15), "vaults": (0.0, 0.0, 0.2), "command": (0.0, 0.1, 0.4),
    "mid_step": (0.0, 0.2), "stale": (0.0, 0.2), "withdraw": (0.0, 0.15), "disturb": (0.0, 0.0, 0.2),
    "spoil": (0.0, 0.0, 0.1), "fall": (0.0, 0.0, 0.1), "once_more": (0.0, 0.0, 1.0),
    "publish": (0.0,) * 5 + (1.0,), "replay": (0.0,) * 13 + (1.0,)}
"""How likely each fault is in one turn: drawn anew for every schedule, some are full of one and free of others."""


class SimGate:
    """The operator's word at this instant. The judge is told of every look."""

    def __init__(self, people: People, judge: Judge, fuse: Fuse) -> None:
        self._people = people
        self._judge = judge
        self._fuse = fuse

    def read(self) -> Reading:
        """See `Gate.read`."""
        self._fuse.reach("gate.read")
        seen = reading(self._people.overlay)._replace(permit=self._people.permit)
        self._judge.saw(seen)
        return seen


@dataclass(slots=True)
class Outcome:
    """What a schedule came to."""

    seed: int
    violations: list[str]
    log: bytes
    facts: Counter[str]
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    died: Counter[tuple[str, str]] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


class Simulation:
    """See the module's contract."""

    def __init__(self, seed: int, assembly: Assembly | None = None, *, trace: bool = False,
                 focus: Mapping[str, float] | None = None) -> None:
        self.seed = seed
        self.assembly = assembly or Assembly()
        self.chance = Random(seed)
        self.clock = SimClock()
        self.fuse = Fuse()
        self.disk = Disk(self.chance, self.fuse)
        layout = self.chance.choice(LAYOUTS)
        self.people = People(self.chance, self.clock, self.disk, layout)
        self._stops = Random(f"stops of {seed}")
        self.people.rest_stops([name for name in layout if self._stops.random() < 0.5])
        self.people.did = self.note
        self.people.armed = self._armed
        self.judge = Judge(self.clock, INSTRUMENTS, self.people.limits)
        self.judge.exchanges = [self._exchange(account) for account in sorted(set(layout.values()))]
        self.process: Process | None = None
        self.book = Book()
        self.lock = SimLock()
        self.around = Surroundings(
            clock=self.clock, fuse=self.fuse, disk=self.disk, exchanges=self.judge.exchanges,
            gate=SimGate(self.people, self.judge, self.fuse), lock=self.lock, wire=self._on_wire, disarm=self._disarm)
        self.facts: Counter[str] = Counter()
        self.rates = {name: self.chance.choice(rates) for name, rates in RATES.items()}
        self._focus(focus or {})
        self._traced: list[str] | None = [] if trace else None
        self._shown = 0
        self._about = 40
        self._last_wish = ""
        self._asked_anew: set[str] = set()
        self._crashed = False
        self._wired: datetime | None = None

    def _exchange(self, account: str) -> Exchange:
        chance = self.chance
        rules = Capabilities(deduplicates=chance.random() < 0.6, settle_s=chance.choice((0, 4, 30)),
                             lookup_window_s=chance.choice((90, 3600)), limit=chance.random() < 0.95,
                             gtc=chance.random() < 0.95, stop=self._stops.random() < 0.95)
        made = Exchange(account, chance, self.clock, rules)
        made.instruments = INSTRUMENTS
        made.has_books = chance.random() < 0.85
        made.embedded = chance.random() < 0.1
        made.moods.draw(chance)
        made.eager = chance.choice((0.75, 0.75, 0.3))
        made.keeps_coins = chance.random() < 0.3
        return made

    def _focus(self, focus: Mapping[str, float]) -> None:
        """Rates and moods that are given instead of drawn: for a schedule that is to be about something."""
        for name, rate in focus.items():
            if name in self.rates:
                self.rates[name] = rate
            for exchange in self.judge.exchanges:
                exchange.set(name, rate)

    def note(self, what: str) -> None:
        """One line of the trace."""
        if self._traced is not None:
            self._traced.append(f"[{self.clock.monotonic():9.2f}] {what}")

    def hit(self, name: str) -> bool:
        """Whether something of that rate happens now."""
        return self.chance.random() < self.rates[name]

    def run(self) -> Outcome:
        """The whole schedule."""
        self._found_home()
        for _ in range(self.chance.randrange(4, 10)):
            self._pause()
            self._operator()
            self._promoter()
            self._turn(faults=True)
            if self.judge.violations:
                break
        else:
            self._calm()
        facts = sum((exchange.facts for exchange in self.judge.exchanges), self.facts)
        facts += reached(self.judge.ledger, self._last_wish)
        return Outcome(self.seed, self.judge.violations, b"\n".join(self.disk.log), facts, self.fuse.met,
                       self.fuse.died, self._traced or [])

    def _found_home(self) -> None:
        """A home whose short id is not drawn by chance."""
        line = {"seq": 1, "at": iso(START), "kind": "journal.opened", "dag_id": None, "ids": {},
                "payload": opening(HOME, PROGRAM), "prev": "0" * 64}
        self.disk.log.append(orjson.dumps(line))
        if self.chance.random() < 0.15:
            self.clock.sleep(21_300.0)  # five minutes before New York closes
        self.people.edit_vaults(allow_short=self.chance.random() < 0.25)
        self._quote()
        for _ in range(self.chance.randrange(1, 3)):
            self._want()
        self.people.stage()
        self.disk.fails = self.rates["disk"]

    # ---- what happens between two steps ----

    def _pause(self) -> None:
        """Time passes; now and then a whole night does, or somebody sets the clock."""
        self.clock.sleep(self.chance.choice(PAUSES))
        if self.hit("night"):
            self.clock.sleep(7 * 3600.0)
        if self.hit("jump"):
            seconds = self.chance.choice((-3600.0, -30.0, 0.4, 3.0, 7200.0))
            self.note(f"the wall clock jumps by {seconds} s")
            self.clock.jump(seconds)
        for exchange in self.judge.exchanges:
            exchange.progress()

    def _quote(self) -> None:
        self.people.quote()
        for exchange in self.judge.exchanges:
            exchange.prices = {name: Decimal(cents) / 100 for name, cents in self.people.prices.items()}

    def _operator(self) -> None:
        """Prices, overlay, permit, limits and commands."""
        people = self.people
        if self.hit("fall"):
            people.fall()
        if self.chance.random() < 0.6:
            self._quote()
        if self.hit("overlay"):
            people.save(people.any_overlay())
        if self.hit("permit"):
            people.arm(permit=not people.permit)
        if self.hit("vaults"):
            people.any_vaults()
        if self.hit("command"):
            people.any_command(sorted(self.book.latches), sorted(self.book.orders))

    def _promoter(self) -> None:
        """Intents, withdrawals and disturbances of the queue."""
        people, chance = self.people, self.chance
        self._ask_anew()
        if len(people.intents) < 5 and chance.random() < 0.5:
            self._want(**({"basis_seq": 0} if self.hit("stale") else {}))
        if people.intents and self.hit("withdraw"):
            people.withdraw(chance.choice(people.intents)["intent_id"])
        if self.hit("disturb"):
            people.disturb_queue()
        people.stage()
        if self.hit("spoil"):
            people.spoil_queue()

    def _ask_anew(self) -> None:
        """What rested for too long and was cancelled is mostly still wanted."""
        for name, wish in list(self.judge.ledger.wishes.items()):
            rested = any(kind.startswith(RESTED) for kind in wish.path)
            if rested and wish.ended == "cancelled" and wish.basis is not None and name not in self._asked_anew:
                self._asked_anew.add(name)
                before = next(one for one in self.people.intents if one["intent_id"] == name)
                if self.chance.random() < 0.8:
                    self.facts["asked for anew after it had rested"] += 1
                    self._want(vault=wish.vault, instrument=wish.instrument, side=before["side"],
                               notional=before["notional"])

    def _want(self, **more: Any) -> str:
        """Stage an intent; the judge knows when it expires. Mostly what is held is sold."""
        held = [(vault, name) for vault, entry in sorted(self.book.vaults.items())
                for name, position in sorted(entry.positions.items()) if position.quantity]
        if not more and held and self.chance.random() < 0.4:
            vault, name = self.chance.choice(held)
            more = {"vault": vault, "instrument": name, "side": "sell"}
        elif self.chance.random() < 0.8:
            more.setdefault("side", "buy")
        intent_id = self.people.want(self.book.basis, **more)
        self.judge.expires[intent_id] = self.clock.now() + TTL
        return intent_id

    # ---- one start or step ----

    def _turn(self, *, faults: bool) -> None:
        """One start or one step of the process, which may die in it."""
        crashed = False
        self.fuse.begin("start" if self.process is None else "step")
        if faults:
            self._prepare_faults()
        try:
            self._live()
        except Crash as crash:
            self.note(f"the process dies at {crash} ({self.fuse.count} boundaries in)")
            self.facts["crash at start" if self.process is None else "crash in a step"] += 1
            self.facts["crash after crash"] += self._crashed
            crashed = True
            self._drop()
        except StateError as error:
            self._stopped(error)
        except Exception as error:  # noqa: BLE001 - whatever else escapes the executor is a finding
            self.judge.blame(f"{type(error).__name__} escaped: {error}")
        self._crashed = crashed
        self.judge.remember()
        self.judge.accepted()
        self._show()

    def _prepare_faults(self) -> None:
        """Where this turn's process dies, freezes, loses its lock, or meets somebody's edit."""
        fuse, chance = self.fuse, self.chance
        if self.hit("crash"):
            if self.hit("tear"):
                fuse.aim("journal.flush", after=chance.choice((0, 0, 1)))
            elif fuse.met and chance.random() < 0.4:
                fuse.between(chance.choice(sorted(fuse.met)))
            elif chance.random() < 0.5:
                fuse.aim(chance.choice(BOUNDARIES), after=chance.choice((0, 0, 1, 2)))
            else:
                fuse.light(chance.randrange(self._about + 3))
        if self.hit("freeze"):
            fuse.later(chance.randrange(self._about), lambda: self.clock.sleep(1300.0))
        if self.hit("mid_step"):
            if chance.random() < 0.5:
                fuse.when(chance.choice(("venue.submit", "venue.answer", "journal.synced")), self._in_between)
            else:
                fuse.later(chance.randrange(self._about), self._in_between)
        self.lock.held = not self.hit("lock")

    def _in_between(self) -> None:
        """Somebody acts in the middle of a step."""
        kind = self.chance.randrange(8)
        if kind == 0:
            self.lock.held = False
        elif kind < 3:
            self.people.arm(permit=False)
        elif kind == 3:
            self.people.save(orjson.dumps({**CLEAR, "full_halt": True}))
        else:
            self.people.save(self.people.any_overlay())

    def _live(self) -> None:
        """Start where there is no process, then step."""
        starting = self.process is None
        if self.process is None:
            self.process = start_process(self.assembly, self.around, self._opened,
                                         publishes=bool(self.rates["publish"]))
        if not (starting and self.chance.random() < 0.3):
            self.process.executor.step()
        self._about = self.fuse.count
        self.judge.after_step(self.book)
        self._count_outlived()
        if self.rates["publish"]:
            self._compare_documents()

    def _count_outlived(self) -> None:
        """Orders for shares that rest while New York is closed."""
        if any(order.time_in_force == "gtc" and order.state == "working" and order.instrument_id == "equity:AAPL"
               for order in self.book.working.values()) and not calendars()["XNYS"].is_open(self.clock.now()):
            self.facts["an order outlived its session"] += 1

    def _opened(self, journal: SimJournal, book: Book) -> None:
        """A new process has opened the log."""
        self.judge.process(journal)
        self.book = book
        self.facts["a torn tail was set aside"] += bool(journal.set_aside)

    def _stopped(self, error: StateError) -> None:
        """The program ended by itself, as it must when disk or lock fail; never for another reason."""
        if not self.disk.failed and self.lock.held:
            self.judge.blame(f"StateError without a fault: {error}")
        self.note(f"the process ends: {error.what}")
        self.facts["a failed disk ended the process" if self.disk.failed else "a lost lock ended the process"] += 1
        records = len(self.disk.log)
        try:
            if self.process is not None:
                self.process.executor.close()
        except (StateError, Crash):
            self.facts["closing failed as well"] += 1
        if not self.lock.held and len(self.disk.log) != records:
            self.judge.blame("I5: a process that had lost the lock wrote to the log when it closed")
        self._drop()

    def _drop(self) -> None:
        self.disk.failed, self.lock.held = False, True
        self.process = None

    def _armed(self) -> None:
        self.judge.armed_at = self.clock.monotonic()

    def _disarm(self) -> None:
        """The executor takes the permit away."""
        self.fuse.reach("permit.remove")
        self.people.arm(permit=False)
        self.fuse.reach("permit.removed")

    def _on_wire(self, account: str, order: Approved) -> None:
        look, people = self.judge.look, self.people
        if look is not None and (look.raw, look.permit) != (people.overlay, people.permit):
            self.facts["a save landed between the last look and the wire"] += 1
        self.facts["several orders in one batch"] += self._wired == self.clock.now()
        self._wired = self.clock.now()
        self.note(f"-> {account}: {order.side} {order.quantity} {order.instrument_id} as {order.order_id}")
        self.judge.on_wire(account, order)

    def _compare_documents(self) -> None:
        """The portfolio that was written names a record; as of that record it is what the raw lines say."""
        raw, ledger = self.disk.files.get(PORTFOLIO), self.judge.ledger
        document = orjson.loads(raw) if raw is not None else None
        if document is None or document["as_of_seq"] != ledger.seq:
            return
        self.facts["documents were compared"] += 1
        for vault in document["vaults"]:
            name = vault["vault_id"]
            held = {row["instrument_id"]: Decimal(row["quantity"]) for row in vault["positions"]
                    if Decimal(row["quantity"])}
            lines = {one: units for (owner, one), units in ledger.held.items() if owner == name and units}
            if held != lines or Decimal(vault["cash"]) != ledger.cash[name] or document["as_of_hash"] != ledger.last:
                self.judge.blame(f"I7: portfolio.json says {held} and {vault['cash']}, the lines say {lines} and "
                                 f"{ledger.cash[name]}")

    def _show(self) -> None:
        """New lines of the log, for the trace."""
        if self._traced is not None:
            lines = self.disk.log
            self._traced += [pretty(raw) for raw in lines[self._shown:]]
            self._shown = len(lines)

    # ---- calm ----

    def _calm(self) -> None:
        """Faults stop, people put everything right: all must end, and the books agree."""
        self.note("calm")
        for exchange in self.judge.exchanges:
            exchange.calm()
        self.disk.fails, self.lock.held = 0.0, True
        self.people.save(orjson.dumps(CLEAR))
        self.people.terms = {}
        self.people.edit_vaults()
        self.people.mend_queue()
        self.people.thin = False
        for step in range(CALM_STEPS):
            self._calm_pause(step)
            self._put_right(step)
            self._turn(faults=False)
            if self.judge.violations or (self._over() and step > PATIENCE * bool(self.rates["once_more"])):
                break
        if not self.judge.violations:
            self.judge.quiet({entry["intent_id"] for entry in self.people.intents})
        if self.rates["replay"] and not self.judge.violations:
            self._replay()

    def _calm_pause(self, step: int) -> None:
        self.clock.sleep((1.0, 3.0, 31.0)[step % 3])
        if step == 2 * LATER:
            self.clock.sleep(90_000.0)  # an exit that could not leave is asked for anew after a day
        while step in (LATER, 2 * LATER) and not calendars()["XNYS"].is_open(self.clock.now()):
            self.clock.sleep(3600.0)  # what waits for the session, waits
        for exchange in self.judge.exchanges:
            exchange.progress()
        if step % 3 == 0:
            self._quote()

    def _put_right(self, step: int) -> None:
        """The operator permits and releases; the promoter gives up what waits, and may want one thing more."""
        people = self.people
        if not people.permit:
            people.arm(permit=True)
        for name in sorted(self.book.latches):
            people.command("release", latch_id=name)
        for exchange in self.judge.exchanges:  # somebody cancels what rests there and is in no book: nothing else would
            for order in exchange.working():
                if order.waits and order.order_id not in self.book.working and self.process is not None:
                    exchange.end(order, "cancelled", "by hand")
        if step == PATIENCE or step > LATER:
            resting = {order.intent_id for order in self.book.working.values() if order.limit_price is not None}
            for name in sorted(self.judge.expires.keys() & (self.book.waiting.keys() | resting)):
                people.withdraw(name)
        if step == PATIENCE and self.rates["once_more"]:
            self._last_wish = self._want(side="buy", instrument="crypto:BTC-USD", notional="500")
        people.stage()

    def _over(self) -> bool:
        """Whether nothing more is to come."""
        staged = {entry["intent_id"] for entry in self.people.intents}
        return (self.process is not None and not self.book.waiting and not self.book.live
                and staged <= self.book.intents.keys()
                and all(exchange.quiet() for exchange in self.judge.exchanges))

    def _replay(self) -> None:
        """Every verdict follows from what the log names."""
        replay = Replay(self.disk.blobs)
        for record in chain(b"".join(raw + b"\n" for raw in self.disk.log), name="trade_log.jsonl"):
            replay.take(record)
        self.facts["replayed"] += 1
        for one in replay.differences[:3]:
            self.judge.blame(f"I6: replay differs: {one}")
        if replay.missing:
            self.judge.blame(f"I6: replay misses {replay.missing}")
