"""The named peer of the order path: NautilusTrader's backtest engine, in its own environment.

Each quote makes the strategy send one market order, buys and sells in turn around a position that stays open, through
its risk engine, execution engine and simulated exchange to the fill and back. Everything is in memory: no journal, no
sync.
Logging and the final statistics are off. Needs nautilus_trader 1.231.0 (Python 3.12 or newer); prints one JSON object.
"""

import argparse
import json
import sys
import time
from decimal import Decimal
from typing import Any

from nautilus_trader import __version__
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")


class OneOrderPerQuote(Strategy):  # type: ignore[misc]
    """Opens a large position once, then buys and sells a tenth of it in turn."""

    def __init__(self, instrument: Any) -> None:
        super().__init__(StrategyConfig(strategy_id="PEER-001"))
        self.instrument = instrument
        self.sent = self.filled = 0

    def on_start(self) -> None:
        """Called by the engine."""
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick: Any) -> None:  # noqa: ARG002 - the engine's signature
        """Called by the engine for each quote."""
        size = 100_000 if self.sent else 1_000_000
        side = OrderSide.SELL if self.sent % 2 else OrderSide.BUY
        self.sent += 1
        self.submit_order(self.order_factory.market(self.instrument.id, side, Quantity.from_int(size)))

    def on_order_filled(self, event: Any) -> None:  # noqa: ARG002 - the engine's signature
        """Called by the engine for each fill."""
        self.filled += 1


def run(orders: int) -> dict[str, object]:
    """Time the engine over so many quotes."""
    engine = BacktestEngine(BacktestEngineConfig(
        trader_id=TraderId("PEER-001"), logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(venue=VENUE, oms_type=OmsType.NETTING, account_type=AccountType.MARGIN, base_currency=USD,
                     starting_balances=[Money(100_000_000, USD)], default_leverage=Decimal(10))
    instrument = TestInstrumentProvider.default_fx_ccy("AUD/USD", VENUE)
    engine.add_instrument(instrument)
    depth, start, step = Quantity.from_int(10_000_000), 1_700_000_000_000_000_000, 100_000_000
    engine.add_data([
        QuoteTick(instrument.id, Price(0.7 + index % 50 * 1e-5, 5), Price(0.70002 + index % 50 * 1e-5, 5), depth,
                  depth, start + index * step, start + index * step) for index in range(orders)])
    strategy = OneOrderPerQuote(instrument)
    engine.add_strategy(strategy)
    cpu, wall = time.process_time(), time.perf_counter()
    engine.run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    filled = strategy.filled
    engine.dispose()
    return {"peer": f"nautilus_trader {__version__}", "orders": filled, "cpu_s": round(cpu, 3),
            "wall_s": round(wall, 3), "orders_per_cpu_s": round(filled / cpu),
            "orders_per_wall_s": round(filled / wall)}


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--orders", type=int, default=20_000)
    json.dump(run(options.parse_args().orders), sys.stdout)
    print()
