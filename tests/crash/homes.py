"""The homes that the crash tests run in: real files, one vault, crypto instruments (their venue never closes).

What people and other nodes write (vaults, overlay, permit, quotes, queue) is written here, by hand and synced; the
executor's own files come from executors that ran in the home before.
"""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vanta.common import ids
from vanta.common.canonical import document
from vanta.common.clock import ManualClock
from vanta.common.models.configuration import ExecutorSettings, Settings
from vanta.common.paths import MARKET_QUOTES, OVERLAY, QUEUE, VAULTS, Home
from vanta.common.permit import arm
from vanta.common.times import iso

BEGIN = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
RUN_S = 60
"""Between the starts of two runs, by their manual clocks."""

ACCOUNT, VAULT, CAPITAL = "paper", "V_CORE", "100000"
COINS = ("crypto:BTC-USD", "crypto:ETH-USD")
PRICE = "50000"
CLEAR = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False,
         "reduce_only": False}
SETTINGS = Settings(executor=ExecutorSettings(publish_ms=0))


def clock(run: int) -> ManualClock:
    """The clock of the run of that number (from 0)."""
    return ManualClock(BEGIN + timedelta(seconds=RUN_S * run))


def found(root: Path) -> Home:
    """A new home in which dispatch is permitted and nothing has run."""
    home = Home(root).prepare()
    overlay(home)
    home.file(VAULTS).write_bytes(document({"vaults": [{
        "vault_id": VAULT, "label": "Core", "account": ACCOUNT, "capital": CAPITAL, "crypto_enabled": True,
        "personas": ["Athena"], "risk": {"max_single_pos_pct": "0.20", "max_asset_class_pct": {"crypto": "0.5"}}}]}))
    quotes(home, 0)
    arm(home, by="ann", reason="test", now=BEGIN)
    return home


def overlay(home: Home, **switches: Any) -> None:
    """Save the kill switches."""
    home.file(OVERLAY).write_bytes(json.dumps({**CLEAR, **switches}).encode())


def quotes(home: Home, run: int, price: str = PRICE) -> None:
    """Quotes as of the start of a run."""
    at = iso(BEGIN + timedelta(seconds=RUN_S * run))
    rows = {name: {"bid": price, "ask": price, "last": price, "size": None, "at": at, "source": "test",
                   "average_daily_volume": None} for name in COINS}
    home.file(MARKET_QUOTES).write_bytes(document({**_header(run), "quotes": rows}))


def stage(home: Home, run: int, wishes: int = 1, *, stop: str | None = None) -> None:
    """Put so many intents into the queue, one a coin. `stop` is the share of a fall that ends the position."""
    now = BEGIN + timedelta(seconds=RUN_S * run)
    home.file(QUEUE).write_bytes(document({
        **_header(run), "intents": [_intent(coin, now, stop) for coin in COINS[:wishes]], "withdrawals": []}))


def withdraw(home: Home, run: int) -> None:
    """Say that nothing of what is staged is wanted any more."""
    queue = json.loads(home.file(QUEUE).read_bytes())
    at = iso(BEGIN + timedelta(seconds=RUN_S * run))
    home.file(QUEUE).write_bytes(document({**queue, **_header(run), "withdrawals": [
        {"intent_id": one["intent_id"], "at": at, "reason": "changed its mind"} for one in queue["intents"]]}))


def _header(run: int) -> dict[str, Any]:
    at = iso(BEGIN + timedelta(seconds=RUN_S * run))
    return {"schema_version": 1, "revision": run + 1, "written_at": at, "written_by": "test", "now": at}


def _intent(coin: str, now: datetime, stop: str | None) -> dict[str, Any]:
    return {
        "intent_id": ids.intent_id(ACCOUNT, VAULT, coin, 0, "1000"), "account": ACCOUNT, "vault": VAULT,
        "instrument_id": coin, "side": "buy", "notional": "1000", "target_notional": "1000", "close": False,
        "basis_seq": 0, "created_at": iso(now), "expires_at": iso(now + timedelta(minutes=15)), "flip_id": None,
        "exit_plan": {"stop_pct": stop, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None},
        "provenance": {"signal_id": "cv1_" + "a" * 26, "dag_id": "dag1_x", "entity": coin.partition("-")[0],
                       "conviction_bp": 4000, "band": "medium", "personas": {"Athena": 300},
                       "sources": {"news.rss": 4000}, "reasons": [], "inputs": {}}}


def copy(source: Path, target: Path) -> None:
    """A copy of a home, anew."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=shutil.copy)


def settle(path: Path) -> None:
    """Make the whole file system durable, so that a later power cut takes only what the executor did."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    os.sync()
