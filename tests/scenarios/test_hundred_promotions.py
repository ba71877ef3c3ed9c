"""A hundred promotions while executor and transport lag behind, each in its own way: every intent is accounted for.

The real promoter and the real executor share nothing but files, which a slow transport carries: the queue one way,
the portfolio and the trade log the other, each late by its own whim, the log cut in the middle of a line.
"""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.executor.world import ALL_CLEAR, INSTRUMENTS, World
from tests.unit.markets.core.book import conviction
from vanta.common.canonical import document
from vanta.common.events import Kind
from vanta.common.models.allocation import VaultAllocation
from vanta.common.models.configuration import MarketsSettings
from vanta.common.models.intent import AutotradeQueue, Intent
from vanta.common.paths import ALLOCATION, OVERLAY, PORTFOLIO, QUEUE, TRADE_LOG, TRADE_SIGNALS, VAULTS
from vanta.common.store.chain import encode
from vanta.common.store.document import load, parse
from vanta.common.store.inmemory import MemoryFiles, MemoryJournal, MemorySnapshots
from vanta.common.times import iso
from vanta.executor.core.machine import TERMINAL
from vanta.executor.core.size import working
from vanta.markets.promoter import PromoteOutcome, Promoter

PRICES = {"equity:AAPL": "190", "equity:MSFT": "410", "crypto:BTC-USD": "60000", "crypto:ETH-USD": "2500"}
ENTITIES = ("equity:AAPL", "equity:MSFT", "crypto:BTC", "crypto:ETH")


class Pipe:
    """One file on its way: versions arrive in order, some late, some never because a newer one overtook them."""

    def __init__(self) -> None:
        self.versions: list[bytes] = []
        self.at = -1

    def send(self, data: bytes) -> None:
        if not self.versions or self.versions[-1] != data:
            self.versions.append(data)

    def deliver(self, steps: int) -> bytes | None:
        """Move on by some versions; the one that arrives, or `None` if nothing newer did."""
        before, self.at = self.at, min(self.at + steps, len(self.versions) - 1)
        return self.versions[self.at] if self.at != before else None


class Lag:
    """Promoter and executor with a slow transport between them. `late` is the chance that a file is late."""

    def __init__(self, seed: int, late: float) -> None:
        self.chance, self.late = random.Random(seed), late
        self.world = World()
        self.files = MemoryFiles({OVERLAY: ALL_CLEAR, VAULTS: self.world.files.read(VAULTS)})
        self.journal = MemoryJournal()
        self.promoter = Promoter(self.files, MemorySnapshots(), self.journal, MarketsSettings(), lambda: INSTRUMENTS)
        self.pipes = {name: Pipe() for name in (QUEUE, PORTFOLIO, TRADE_LOG)}
        self.log, self.logged = b"", 0
        self.staged: dict[str, Intent] = {}
        self.removed: dict[str, str] = {}
        self.opinions: dict[str, int] = dict.fromkeys(ENTITIES, 0)

    def think(self, *, anew: bool = True) -> None:
        """Change an opinion more often than not: its size, or having one at all. Without `anew` only renew them."""
        if anew and self.chance.random() < 0.7:
            self.opinions[self.chance.choice(ENTITIES)] = self.chance.choice([0, 0, 150, 400, 700, 1_000, 1_390])
        now = self.world.clock.now()
        rows = [conviction(name, {"sec.form4": said}, expires_at=iso(now + timedelta(hours=1)))
                for name, said in self.opinions.items() if said]
        self.files.replace(TRADE_SIGNALS, document({
            "schema_version": 1, "revision": 1, "written_at": iso(now), "written_by": "test", "now": iso(now),
            "dag_id": "dag1_x", "status": "uncalibrated", "inputs": {}, "rules": {}, "missing": {},
            "convictions": [row.model_dump(mode="json") for row in rows]}))

    def promote(self) -> PromoteOutcome:
        """One promotion, with what it staged and removed written down."""
        outcome = self.promoter.run(self.world.clock.now())
        if outcome.written:
            raw = self.files.read(QUEUE)
            self.pipes[QUEUE].send(raw)
            queue = parse(raw, AutotradeQueue, file=QUEUE)
            keys = [(one.vault, one.instrument_id) for one in queue.intents]
            assert len(keys) == len(set(keys)), "two live intents for one key"
            for one in queue.intents:
                assert self.staged.setdefault(one.intent_id, one) == one, "an intent changed its bytes"
            assert not set(outcome.removed) & set(self.removed), "an intent left twice"
            self.removed.update(outcome.removed)
        return outcome

    def execute(self) -> None:
        """One step of the executor over fresh quotes that show only a part of what is asked for."""
        for name, price in PRICES.items():
            self.world.quote(name, price, size=str(self.chance.choice([1, 2, 5, 1_000])))
        self.world.step(seconds=1)
        self.pipes[PORTFOLIO].send(self.world.files.read(PORTFOLIO))
        for one in self.world.journal.read(self.logged + 1):
            self.log += encode({"seq": one.seq, "at": one.at, "kind": one.kind, "dag_id": one.dag_id, "ids": one.ids,
                                "payload": one.payload, "prev": one.prev}) + b"\n"
            self.logged = one.seq
        self.pipes[TRADE_LOG].send(self.log)

    def carry(self, *, all_of_it: bool = False) -> None:
        """Let the transport do its part."""
        for name, pipe in self.pipes.items():
            steps = len(pipe.versions) if all_of_it else self.chance.randint(1, 3)
            late = not all_of_it and self.chance.random() < self.late
            data = None if late else pipe.deliver(steps)
            if data is not None:
                (self.world.files if name == QUEUE else self.files).replace(name, self._torn(name, data, all_of_it))

    def _torn(self, name: str, data: bytes, whole: bool) -> bytes:
        """A log may arrive in the middle of a line, but never shorter than it was."""
        if name != TRADE_LOG or whole or self.chance.random() < 0.5:
            return data
        had = len(self.files.read(TRADE_LOG)) if self.files.exists(TRADE_LOG) else 0
        return data[:max(had, len(data) - self.chance.randint(0, 200))]

    def value(self, name: str) -> Decimal:
        """What is really held and working, in money."""
        buying, selling = working(self.world.book, f"V_CORE|{name}")
        return (self.world.held(name) + buying - selling) * Decimal(PRICES[name])

    def settle(self) -> None:
        """Everything arrives, until nothing moves any more and every intent's time is over."""
        for _ in range(30):
            self.world.clock.sleep(60)
            self.think(anew=False)
            self.promote()
            self.carry(all_of_it=True)
            self.execute()
            self.carry(all_of_it=True)


def _run(seed: int, *, late: float, longest_s: int) -> tuple[Lag, int]:
    lag = Lag(seed, late)
    lag.execute()
    lag.carry(all_of_it=True)
    too_much = 0
    for _ in range(100):
        lag.think()
        before = set(lag.staged)
        lag.promote()
        for intent_id in set(lag.staged) - before:
            intent = lag.staged[intent_id]
            if intent.side == "buy" and lag.value(intent.instrument_id) + intent.notional > intent.target_notional + 1:
                too_much += 1
        lag.carry()
        if lag.chance.random() > late:
            lag.execute()
        lag.world.clock.sleep(lag.chance.randint(1, longest_s))
        lag.carry()
    lag.settle()
    return lag, too_much


@pytest.mark.parametrize("seed", range(3))
def test_every_intent_is_accounted_for(seed: int) -> None:
    """Late by minutes: staged once, ended once, never more asked for than is wanted, and in the end it fits."""
    lag, too_much = _run(seed, late=0.5, longest_s=30)
    book = lag.world.book
    assert len(lag.staged) >= 25, "the scenario has to move something"
    assert too_much == 0
    _accounted(lag)
    for name, price in PRICES.items():
        off = abs(lag.value(name) - _wanted(lag, name))
        assert off <= 1_000 + Decimal(price) * INSTRUMENTS[name].lot, f"{name} is off by {off}"
    assert {entry.state for entry in book.intents.values()} >= {"filled", "withdrawn"}


@pytest.mark.parametrize("seed", range(3))
def test_later_than_any_grace(seed: int) -> None:
    """Late by hours: intents expire unheard of, and still nothing is ordered twice or beyond its target."""
    lag, _ = _run(seed, late=0.85, longest_s=150)
    assert any(why.startswith("expired, and the executor never told") for why in lag.removed.values())
    _accounted(lag)


def _accounted(lag: Lag) -> None:
    """Each intent is staged in one cycle, leaves in one, has one fate at the executor, and no order beyond its size."""
    book = lag.world.book
    cycles = [record.payload for record in lag.journal.read() if record.kind == Kind.PROMOTED]
    staged = [intent_id for cycle in cycles for intent_id in cycle["staged"]]
    assert len(staged) == len(set(staged))
    assert set(staged) == set(lag.staged)
    still = {intent_id for intent_id in lag.staged if intent_id not in lag.removed}
    assert all(book.intents[intent_id].state not in TERMINAL for intent_id in still)
    assert not still, "after everything has arrived, nothing is left in the queue"
    for intent_id, entry in book.intents.items():
        assert intent_id in lag.staged
        assert entry.state in TERMINAL
        assert lag.removed[intent_id] in (entry.state, "expired, and the executor never told of it")
    for order in book.orders.values():
        intent = lag.staged[order.intent_id]
        assert order.filled <= order.quantity
        assert intent.close or order.filled * Decimal(PRICES[order.instrument_id]) <= intent.notional
        assert abs(lag.value(order.instrument_id)) <= Decimal(20_000)
    by_intent = [order.intent_id for order in book.orders.values() if order.filled]
    assert len(by_intent) == len(set(by_intent))
    unseen = set(lag.staged) - set(book.intents)
    assert all(lag.removed[intent_id].startswith("expired") for intent_id in unseen)


def _wanted(lag: Lag, name: str) -> Decimal:
    targets = load(lag.files, ALLOCATION, VaultAllocation).value.vaults[0].targets
    return next((one.notional for one in targets if one.instrument_id == name), Decimal(0))
