"""The second peer of the order path: the release candidate of NautilusTrader 2, whose engine is compiled as a whole.

The same work as `peer_nautilus.py`: each quote makes the strategy, written in Python, send one market order through
its risk engine, execution engine and simulated exchange to the fill and back. In memory: no journal, no sync. Needs
nautilus_trader 2.0.0rc6 in an environment of its own (Python 3.12 or newer); prints one JSON object.
"""

import argparse
import json
import sys
import time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import MakerTakerFeeModel
from nautilus_trader.model import (
    AccountType,
    Currency,
    Money,
    OmsType,
    OrderSide,
    Price,
    Quantity,
    QuoteTick,
    StrategyId,
    TraderId,
    Venue,
)
from nautilus_trader.testkit.providers import TestInstrumentProvider
from nautilus_trader.trading import Strategy, StrategyConfig

VENUE = Venue("SIM")
FEE = Decimal("0.00002")
"""What the instrument itself says in version 1."""


class OneOrderPerQuote(Strategy):  # type: ignore[misc]
    """Opens a large position once, then buys and sells a tenth of it in turn."""

    def __new__(cls, *_: Any) -> "OneOrderPerQuote":
        """The base class is made without arguments."""
        made: OneOrderPerQuote = super().__new__(cls)
        return made

    def __init__(self, instrument: Any) -> None:
        super().__init__(StrategyConfig(strategy_id=StrategyId("PEER-001"), log_events=False, log_commands=False))
        self.instrument = instrument
        self.sent = self.filled = 0

    def on_start(self) -> None:
        """Called by the engine."""
        self.subscribe_quotes(self.instrument.id)

    def on_quote(self, tick: Any) -> None:  # noqa: ARG002 - the engine's signature
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
    usd = Currency.from_str("USD")
    engine = BacktestEngine(BacktestEngineConfig(
        trader_id=TraderId("PEER-001"), bypass_logging=True, logging=LoggerConfig(bypass_logging=True),
        run_analysis=False))
    engine.add_venue(venue=VENUE, oms_type=OmsType.NETTING, account_type=AccountType.MARGIN, base_currency=usd,
                     starting_balances=[Money(100_000_000, usd)], default_leverage=Decimal(10),
                     fee_model=MakerTakerFeeModel(FEE, FEE))
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
    return {"peer": f"nautilus_trader {version('nautilus_trader')}", "orders": filled, "cpu_s": round(cpu, 3),
            "wall_s": round(wall, 3), "orders_per_cpu_s": round(filled / cpu),
            "orders_per_wall_s": round(filled / wall)}


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--orders", type=int, default=20_000)
    json.dump(run(options.parse_args().orders), sys.stdout)
    print()
