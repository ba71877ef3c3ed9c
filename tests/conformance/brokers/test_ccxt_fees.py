"""Fees that an exchange keeps in the coin that is bought: books and account agree, to the unit and to the cent."""

from decimal import Decimal

from tests.conformance.brokers.bybit_server import BybitServer
from tests.conformance.brokers.executor_suite import UnderTheExecutor, VenueWorld
from tests.conformance.brokers.test_ccxt import OnBybit


class TestFeesInCoins(OnBybit, UnderTheExecutor):
    """Bybit takes its fee from what is bought."""

    def test_a_fee_kept_in_coins_leaves_the_account_in_agreement(self, world: VenueWorld,
                                                                 server: BybitServer) -> None:
        """Position and what is left of the order are as there, while it rests and when all of it was executed."""
        server.fee = Decimal("0.001")
        cash = world.cash()
        name, order_id = self.sent(world)
        server.fill(order_id, "2", "200", fill_id="e1")
        world.until_state(name, "partially_filled")
        for _ in range(3):
            world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync while it rests")
        assert world.held(self.instrument_id) == Decimal("1.998")
        server.fill(order_id, str(Decimal(self.quantity) - 2), "200", fill_id="e2")
        world.until_state(name, "filled")
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync again")
        assert world.held(self.instrument_id) == Decimal("4.995")
        assert cash - world.cash() == 1000
        assert "differs" not in {record.payload["state"] for record in world.journal.read()
                                 if record.kind == "broker.sync"}
        assert not world.latched()

    def test_what_arrived_can_be_left_and_adds_up(self, world: VenueWorld, server: BybitServer) -> None:
        """Bought with a fee in coins, sold with one in money: flat here and there, and the loss is both fees."""
        server.fee = Decimal("0.001")
        name, order_id = self.sent(world)
        server.fill(order_id, self.quantity, "200", fill_id="e1")
        world.until_state(name, "filled")
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync after the entry")
        away = world.want(self.instrument_id, self.notional, side="sell", close=True)
        world.until_state(away, "working")
        server.fill(world.order_id(away), "4.995", "200", fill_id="e2")
        world.until_state(away, "filled")
        world.until(lambda: world.book.sync["paper"].state == "in_sync", "in sync when flat")
        vault = world.book.vaults["V_CORE"]
        assert world.held(self.instrument_id) == 0
        assert vault.ledger.realised == Decimal("-1.00") - Decimal("1.00") == world.cash() - 100_000
        assert vault.ledger.fees == Decimal("1.00")
