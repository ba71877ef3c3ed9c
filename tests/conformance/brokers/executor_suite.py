"""The adapter under the real executor, in memory: one order for each intent, whatever the venue does."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from tests.conformance.brokers.faults import VenueServer
from tests.conformance.brokers.setting import PLANTED, TAIL, Setting, wait_for
from tests.unit.executor.world import World, without_permission
from vanta.common.models.configuration import ExecutorSettings
from vanta.executor.brokers.port import Broker, RealBroker

ACCOUNTS = ("VA00000001", "DU1234567", "U7654321")
"""The numbers of accounts at the venues of these tests."""


class VenueWorld(World):
    """A world whose account is at the server, through the adapter."""

    def __init__(self, setting: Setting, server: VenueServer) -> None:
        self.setting, self.server = setting, server
        self.adapter: RealBroker | None = None
        super().__init__(settings=ExecutorSettings(reconcile_s=2))
        server.clock = self.clock.now
        self.quote(setting.instrument_id, setting.price)

    def make_brokers(self) -> dict[str, Broker]:
        """A new adapter for each start; the old one is let go."""
        self.close()
        self.adapter = self.setting.make_broker(self.server, 20.0)
        return {"paper": self.adapter}

    def close(self) -> None:
        """Let go of the adapter."""
        if self.adapter is not None:
            self.adapter.close()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Step, two seconds each, until it is so. The quote stays fresh."""

        def satisfied() -> bool:
            self.quote(self.setting.instrument_id, self.setting.price)
            self.step(seconds=2)
            return condition()

        try:
            if not condition():
                wait_for(satisfied, what)
        except AssertionError as error:
            told = [(record.kind, dict(record.payload)) for record in self.journal.read()][-5:]
            error.add_note(f"{self.book.sync}; {self.server.requests} requests; the log ends with {told}")
            raise

    def until_state(self, intent_id: str, state: str) -> None:
        """Step until an intent is in a state."""
        self.until(lambda: intent_id in self.book.intents and self.state(intent_id) == state, f"{intent_id} {state}")

    def order_id(self, intent_id: str) -> str:
        """The client order id of an intent."""
        return str(self.book.intents[intent_id].order_id)

    def latched(self) -> set[str]:
        """Codes of the latches that are set."""
        return {str(latch["code"]) for latch in self.book.latches.values()}


class UnderTheExecutor(Setting):
    """The adapter in use, and an order at the venue."""

    @pytest.fixture
    def world(self, server: VenueServer) -> Iterator[VenueWorld]:
        """A world in which the account is in sync."""
        with closing(VenueWorld(self, server)) as world:
            world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync")
            yield world

    def sent(self, world: VenueWorld) -> tuple[str, str]:
        """One order at the venue: intent and order."""
        name = world.want(self.instrument_id, self.notional)
        world.until_state(name, "working")
        return name, world.order_id(name)


class ExecutorSuite(UnderTheExecutor):
    """What the executor makes of the adapter: one order for each intent, whatever the venue does."""

    def test_an_order_is_filled_and_the_account_agrees(self, world: VenueWorld, server: VenueServer) -> None:
        """From intent to position, in two executions; venue and books agree after it."""
        name, order_id = self.sent(world)
        server.fill(order_id, "2", "200", fill_id="e1")
        world.until_state(name, "partially_filled")
        server.fill(order_id, str(Decimal(self.quantity) - 2), "201", fill_id="e2")
        world.until_state(name, "filled")
        assert world.held(self.instrument_id) == Decimal(self.quantity)
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync again")
        assert server.live() == {order_id: 1}
        assert not world.latched()

    def test_a_position_is_entered_and_left(self, world: VenueWorld, server: VenueServer) -> None:
        """Bought and sold again: flat in the books and at the venue, two orders on the wire."""
        name, order_id = self.sent(world)
        server.fill(order_id, self.quantity, self.price, fill_id="e1")
        world.until_state(name, "filled")
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync after the entry")
        exit_name = world.want(self.instrument_id, self.notional, side="sell")
        world.until_state(exit_name, "working")
        server.fill(world.order_id(exit_name), self.quantity, self.price, fill_id="e2")
        world.until_state(exit_name, "filled")
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync when flat")
        assert world.held(self.instrument_id) == 0
        assert [(seen.side, seen.quantity) for seen in server.seen] == [
            ("buy", Decimal(self.quantity)), ("sell", Decimal(self.quantity))]

    def test_a_lost_answer_is_adopted_with_what_happened_meanwhile(self, world: VenueWorld,
                                                                   server: VenueServer) -> None:
        """The order was taken and filled while the executor did not know: one order, all booked."""
        server.faults.lose_answer = 1
        name = world.want(self.instrument_id, self.notional)
        world.until(lambda: bool(server.live()), "the order at the venue")
        assert "order.unknown" in world.kinds(name)
        server.fill(world.order_id(name), self.quantity, "200", fill_id="e1")
        world.until_state(name, "filled")
        assert list(server.live().values()) == [1]
        assert len(server.seen) == 1

    def test_a_lost_request_is_sent_again_only_where_that_is_safe(self, world: VenueWorld,
                                                                  server: VenueServer) -> None:
        """The venue never had it: under the same id where the venue knows ids again, to a person elsewhere."""
        server.faults.order_status = [(504, None)]
        name = world.want(self.instrument_id, self.notional)
        deduplicates = world.brokers["paper"].capabilities.deduplicates
        world.until_state(name, "working" if deduplicates else "quarantined")
        assert list(server.live().values()) == ([1] if deduplicates else [])
        assert len(server.seen) == (2 if deduplicates else 1)

    def test_an_order_that_is_taken_late_is_one_order(self, world: VenueWorld, server: VenueServer) -> None:
        """The venue does not know it at first, then takes it: found by asking, or met by the same id."""
        server.faults.late_accept = 1
        name = world.want(self.instrument_id, self.notional)
        world.until(lambda: bool(server.late), "the order on its way")
        server.accept_late()
        world.until_state(name, "working")
        assert list(server.live().values()) == [1]

    def test_a_restart_between_two_executions(self, world: VenueWorld, server: VenueServer) -> None:
        """The new process books what happened while there was none, and what was booked before is not booked again."""
        cash = world.cash()
        name, order_id = self.sent(world)
        server.fill(order_id, "2", "200", fill_id="e1")
        world.until_state(name, "partially_filled")
        server.fill(order_id, "1", "199.5", fill_id="e2")
        server.fill(order_id, str(Decimal(self.quantity) - 3), "201.25", fill_id="e3")
        world.start()
        world.until_state(name, "filled")
        assert world.held(self.instrument_id) == Decimal(self.quantity)
        assert cash - world.cash() == Decimal(400) + Decimal("199.5") + (Decimal(self.quantity) - 3) * Decimal("201.25")
        booked = world.kinds(name).count("fill")
        world.start()
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync after another restart")
        assert world.kinds(name).count("fill") == booked

    def test_a_busy_venue_gets_the_order_after_its_pause(self, world: VenueWorld, server: VenueServer) -> None:
        """Withheld with a reason, judged again, sent once more, one order."""
        server.faults.order_status = [(429, 5.0)]
        name = world.want(self.instrument_id, self.notional)
        world.until_state(name, "working")
        assert "broker.busy" in world.codes(name)
        assert list(server.live().values()) == [1]
        assert len(server.seen) == 2

    def test_a_full_halt_cancels_at_the_venue(self, world: VenueWorld, server: VenueServer) -> None:
        """The order ends there, and here because the venue says so."""
        name, order_id = self.sent(world)
        world.gate.raw = without_permission({"full_halt": True})
        world.until_state(name, "cancelled")
        placed = server.find(order_id)
        assert placed is not None
        assert placed.status == "cancelled"

    def test_more_than_was_ordered_is_booked_and_latches(self, world: VenueWorld, server: VenueServer) -> None:
        """It is real money; nothing further leaves until a person has looked."""
        _, order_id = self.sent(world)
        server.fill(order_id, str(Decimal(self.quantity) + 2), "200", fill_id="e1")
        world.until(lambda: "broker.overfill" in world.latched(), "the latch")
        assert world.held(self.instrument_id) == Decimal(self.quantity) + 2

    def test_a_strangers_order_is_reported_once_and_not_touched(self, world: VenueWorld,
                                                                server: VenueServer) -> None:
        """Somebody trades the account by hand: noted, left alone, no latch for an order that only works."""
        venue_id = server.foreign(self.instrument.symbol, "buy", "1")
        world.until(lambda: ("paper", venue_id) in world.book.external, "the report")
        world.step(seconds=60)
        world.step(seconds=60)
        assert world.kinds().count("broker.external") == 1
        placed = server.by_venue_id(venue_id)
        assert placed is not None
        assert placed.status == "open"

    def test_neither_address_nor_account_gets_into_the_log(self, world: VenueWorld, server: VenueServer) -> None:
        """Whatever the venue or the library says: who is to read the log has no business with them."""
        self.sent(world)
        server.faults.unauthorized = True
        assert world.adapter is not None
        self.hung_up(world.adapter)
        world.until(lambda: world.book.sync["paper"].state != "in_sync", "no answer")
        for _ in range(3):  # a gateway is connected to anew, and shows another account
            world.step(seconds=60)
        server.faults.unauthorized = False
        server.stop()
        self.hung_up(world.adapter)
        for _ in range(3):
            world.step(seconds=60)
        said = json.dumps([record.payload for record in world.journal.read()])
        said += world.files.read("executor_state.json").decode()
        assert [word for word in (PLANTED, TAIL, *ACCOUNTS, "127.0.0.1", "localhost") if word in said] == []

    def test_positions_that_differ_latch_at_the_third_reading(self, world: VenueWorld, server: VenueServer) -> None:
        """Held at once, latched only when it stays so."""
        server.position(self.instrument.symbol, "3")
        world.until(lambda: world.book.sync["paper"].state == "differs", "the difference")
        world.until(lambda: "broker.differs" in world.latched(), "the latch")
        assert world.book.sync["paper"].readings == 3
