"""Orders a CPU-second: intents → verdict → outbox → fill → logged, every fence on, every record durable.

What runs is the product: the composition root, the file journal with its syncs, the overlay read again before
every order, the embedded paper broker, documents published. The queue is written before the clock starts; reading,
parsing and validating it is inside. Prints one JSON object; CPU is of this process, all threads.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from vanta.common import ids
from vanta.common.canonical import document
from vanta.common.clock import SystemClock
from vanta.common.paths import MARKET_QUOTES, OVERLAY, QUEUE, VAULTS, Home
from vanta.common.permit import arm
from vanta.common.settings import Settings
from vanta.common.times import iso
from vanta.executor.wire import build

VAULTS_N = 50
COINS = ("BTC", "ETH", "SOL", "XRP")
OVERLAY_BYTES = (b'{"maintenance": false, "orders_disabled": false, "external_calls_disabled": false, '
                 b'"full_halt": false, "reduce_only": false}')
RISK = {"max_single_pos_pct": "0.5", "max_asset_class_pct": {"crypto": "1"}, "max_orders_per_minute": 10**9,
        "max_open_orders": 10**6, "max_order_value": "1000000", "max_quote_age_s": 86_400, "max_repeats": 256,
        "repeat_window_s": 1, "max_consecutive_losses": 10**9}
HOUSE = {"max_messages_per_minute": 10**9, "max_open_orders": 10**6, "max_consecutive_losses": 10**9}


def header() -> dict[str, object]:
    """The header of a program-written document."""
    now = iso(SystemClock().now())
    return {"schema_version": 1, "revision": 1, "written_at": now, "written_by": "benchmark", "now": now}


def prepare(root: Path) -> Home:
    """A home with many vaults and quotes for 24/7 instruments, permit armed."""
    home = Home(root).prepare()
    home.file(OVERLAY).write_bytes(OVERLAY_BYTES)
    home.file(VAULTS).write_bytes(document({"vaults": [
        {"vault_id": f"V_{index:03}", "label": "benchmark", "crypto_enabled": True, "capital": "100000000",
         "personas": ["Athena", "Apollo"], "risk": RISK} for index in range(VAULTS_N)], "house": HOUSE}))
    quote = {"bid": "100", "ask": "100.02", "last": "100.01", "size": None, "at": iso(SystemClock().now()),
             "source": "benchmark", "average_daily_volume": None}
    quotes = {f"crypto:{coin}-USD": quote for coin in COINS}
    home.file(MARKET_QUOTES).write_bytes(document({**header(), "quotes": quotes}))
    arm(home, by="benchmark", reason="benchmark", now=SystemClock().now())
    return home


def stage(home: Home, basis: dict[str, int], wave: int) -> None:
    """One intent for every vault and instrument, on its current basis; buys and sells take turns."""
    now = SystemClock().now()
    intents = []
    for index in range(VAULTS_N):
        for coin in COINS:
            vault, instrument = f"V_{index:03}", f"crypto:{coin}-USD"
            at = basis.get(f"{vault}|{instrument}", 0)
            intents.append({
                "intent_id": ids.intent_id("paper", vault, instrument, at, wave), "account": "paper", "vault": vault,
                "instrument_id": instrument, "side": "sell" if wave % 2 else "buy", "notional": "1000",
                "target_notional": "1000", "close": bool(wave % 2), "basis_seq": at, "created_at": iso(now),
                "expires_at": iso(now + timedelta(hours=1)), "flip_id": None,
                "exit_plan": {"stop_pct": "0.05", "trail_pct": None, "take_profit_pct": None, "max_holding_s": 86400},
                "provenance": {
                    "signal_id": "cv1_" + "a" * 26, "dag_id": "dag1_" + "b" * 26, "entity": f"crypto:{coin}",
                    "conviction_bp": 4210, "band": "medium", "personas": {"Athena": 300, "Apollo": 121},
                    "sources": {"crypto.funding": 2500, "news.rss": 1710},
                    "reasons": [{"reason": "source:crypto.funding", "bp": 2500, "evidence": 510, "signals": [],
                                 "text": "funding is extreme", "count": 3}],
                    "inputs": {"trade_signals.json": "0" * 64, "portfolio.json": "1" * 64}}})
    home.file(QUEUE).write_bytes(document({**header(), "intents": intents, "withdrawals": []}))


def run(orders: int, folder: str | None) -> dict[str, object]:
    """Send so many orders and report rates and the time of the syncs' floor for comparison."""
    root = Path(tempfile.mkdtemp(dir=folder, prefix="vanta-bench-"))
    try:
        home = prepare(root)
        executor = build(home, Settings(), SystemClock()).executor
        executor.step()
        cpu = wall = 0.0
        filled = wave = 0
        while filled < orders:
            stage(home, executor.recorder.book.basis, wave)
            wave += 1
            cpu_0, wall_0 = time.process_time(), time.perf_counter()
            step = executor.step().fills
            if not step:
                raise SystemExit(f"nothing was filled in wave {wave}: {executor.recorder.book.latches or RISK}")
            filled += step
            cpu += time.process_time() - cpu_0
            wall += time.perf_counter() - wall_0
        records = executor.recorder.book.seq
        executor.close()
    finally:
        shutil.rmtree(root)
    return {"orders": filled, "records": records, "cpu_s": round(cpu, 3), "wall_s": round(wall, 3),
            "orders_per_cpu_s": round(filled / cpu), "orders_per_wall_s": round(filled / wall)}


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--orders", type=int, default=20_000)
    options.add_argument("--folder", default=None, help="where to put the home; a real disk, not tmpfs")
    chosen = options.parse_args()
    json.dump(run(chosen.orders, chosen.folder), sys.stdout)
    print()
