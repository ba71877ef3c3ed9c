"""Promoter and executor over the same files: what rested is cancelled, what is still wanted is asked for anew."""

from datetime import timedelta
from typing import Any

from tests.unit.alpha.homes import kept
from tests.unit.executor.world import HEADER, INSTRUMENTS, OPEN, World, vault
from tests.unit.markets.core.book import conviction
from tests.unit.markets.test_promoter import line_of
from vanta.alpha.core.course import course
from vanta.alpha.core.replay import Replay
from vanta.alpha.core.trail import Trail
from vanta.common.canonical import document
from vanta.common.models.account import OpenOrders
from vanta.common.models.configuration import MarketsSettings
from vanta.common.paths import OPEN_ORDERS, OVERLAY, TRADE_LOG, TRADE_SIGNALS
from vanta.common.store.document import load
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.times import iso
from vanta.markets.promoter import Promoter

AAPL = "equity:AAPL"
WAITING = {"type": "limit", "limit_offset_pct": "-0.01", "time_in_force": "gtc", "replace_after_s": 10}


class Suite:
    """Both programs in one process, by turns, as on one host. One conviction, one vault, a quote that tests move."""

    def __init__(self, *, of: type[World] = World, **orders: Any) -> None:
        self.world = of(vaults=[vault(orders={**WAITING, **orders})])
        files = self.world.files
        self.believe(900)
        files.replace(OVERLAY, self.world.gate.raw or b"")
        self.promoter = Promoter(files, self.world.snapshots, MemoryJournal(), MarketsSettings(), lambda: INSTRUMENTS)

    def believe(self, bp: int) -> None:
        """The one conviction is that strong from now on; 0: there is none any more."""
        strong = conviction(AAPL, {"sec.form4": bp}, expires_at=iso(OPEN + timedelta(days=9)))
        self.world.files.replace(TRADE_SIGNALS, document({
            **HEADER, "now": iso(self.world.clock.now()), "dag_id": "dag1_x", "status": "uncalibrated", "inputs": {},
            "rules": {}, "missing": {}, "convictions": [strong.model_dump(mode="json")] if bp else []}))

    def turn(self, price: str = "200.00", *, seconds: float = 2, **more: Any) -> None:
        """A quote, one step of the executor, one pass of the promoter."""
        self.world.quote(AAPL, price, **more)
        self.world.step(seconds=seconds)
        self.world.files.replace(TRADE_LOG, b"".join(line_of(record) for record in self.world.journal.read()))
        self.promoter.run(self.world.clock.now())

    def sent(self) -> list[dict[str, Any]]:
        """Every outbox record."""
        return [dict(record.payload) for record in self.world.journal.read() if record.kind == "order.submitting"]

    def ends(self) -> list[str]:
        """How each order's intent stands, in the order in which they were sent."""
        return [self.world.state(record.ids["intent_id"]) for record in self.world.journal.read()
                if record.kind == "order.submitting"]


def test_what_rested_is_asked_for_again_at_the_new_price() -> None:
    """Nothing was executed: the same quantity again is no duplicate, and each order has the price of its moment."""
    suite = Suite()
    for _ in range(16):
        suite.turn()
    for _ in range(8):
        suite.turn("202.00")
    sent = suite.sent()
    assert [(one["quantity"], one["limit_price"]) for one in sent] == [
        ("99", "198"), ("99", "198"), ("99", "198"), ("98", "199.98")]
    assert suite.ends() == ["cancelled", "cancelled", "cancelled", "working"]
    assert "intent.refused" not in suite.world.kinds()
    assert suite.world.held(AAPL) == 0
    assert not suite.world.book.latches


def test_what_was_executed_is_not_bought_again() -> None:
    """Part of an order is filled before it is cancelled: the next one asks for the rest and no more."""
    suite = Suite()
    suite.turn()
    suite.turn()
    suite.turn("198.00", size="7")
    assert suite.world.held(AAPL) == 7
    for _ in range(6):
        suite.turn("198.50")
    for _ in range(12):
        suite.turn("190.00")
    assert [one["quantity"] for one in suite.sent()] == ["99", "92"]
    assert suite.ends() == ["cancelled", "filled"]
    assert suite.world.held(AAPL) == 99
    assert not suite.world.book.latches


def test_a_replay_comes_to_the_same_orders() -> None:
    """Limit, quantity and time in force follow from vault.json, quote and tick; what the venue can do is recorded."""
    suite = Suite()
    for _ in range(16):
        suite.turn()
    suite.world.start()
    suite.turn("195.00")
    replay = Replay(kept(suite.world))
    for record in suite.world.journal.read():
        replay.take(record)
    assert (replay.differences, replay.missing) == ([], {})
    assert replay.checked["order.submitting"] == len(suite.sent()) == 3


def test_whoever_asks_is_told_the_terms() -> None:
    """In open_orders.json, and in the sentence that explains the order."""
    suite = Suite()
    suite.turn()
    suite.turn()
    (order,) = load(suite.world.files, OPEN_ORDERS, OpenOrders).value.orders
    assert (str(order.limit_price), order.time_in_force) == ("198", "gtc")
    said = [node.text for node in course(list(suite.world.journal.read()), Trail(suite.world.journal.read()))
            if node.kind == "order.submitting"]
    assert "buy 99 AAPL limit 198, good until cancelled;" in said[0]
