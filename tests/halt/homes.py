"""The homes of these tests: many vaults on some accounts, coins whose venue never closes, a queue that can be long.

Only what people and the promoter write is written here. An intent names the newest basis of its key, which the executor
publishes; orders of these tests end unfilled, so that nothing is ever held.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from vanta.common import ids
from vanta.common.canonical import document
from vanta.common.clock import SystemClock
from vanta.common.models.configuration import ExecutorSettings, Settings
from vanta.common.paths import MARKET_QUOTES, OVERLAY, QUEUE, VAULTS, Home
from vanta.common.times import iso

ACCOUNTS = tuple(f"venue{number:02}" for number in range(12))
COINS = tuple(f"crypto:{coin}-USD" for coin in ("BTC", "ETH", "SOL", "XRP"))
VAULTS_N = 48
KEYS = tuple((f"V_{index:03}", coin) for index in range(VAULTS_N) for coin in COINS)
SETTINGS = Settings(executor=ExecutorSettings(publish_ms=0, poll_s=0.02, heartbeat_s=1.0, clock_step_s=60.0,
                                             unreadable_latch_s=120.0))
"""What latches after a few seconds is given longer here, because a busy machine stops a process for seconds."""

CLEAR = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False,
         "reduce_only": False}
RISK = {"max_single_pos_pct": "0.5", "max_asset_class_pct": {"crypto": "1"}, "max_orders_per_minute": 10**9,
        "max_open_orders": 10**6, "max_order_value": "1000000", "max_quote_age_s": 86_400, "max_repeats": 256,
        "repeat_window_s": 1, "duplicate_window_s": 1}


def overlay(**switches: Any) -> bytes:
    """The bytes of an overlay as a person would write it."""
    return json.dumps({**CLEAR, **switches}, indent=2).encode() + b"\n"


def found(root: Path) -> Home:
    """A new home with vaults and quotes, whose switches are off; dispatch is not permitted yet."""
    home, now = Home(root).prepare(), SystemClock().now()
    home.file(OVERLAY).write_bytes(overlay())
    home.file(VAULTS).write_bytes(document({
        "house": {"max_messages_per_minute": 8_000, "max_open_orders": 10**6},
        "vaults": [{"vault_id": f"V_{index:03}", "label": "test", "account": ACCOUNTS[index % len(ACCOUNTS)],
                    "crypto_enabled": True, "capital": "100000000", "personas": ["Athena"], "risk": RISK}
                   for index in range(VAULTS_N)]}))
    quote = {"bid": "100", "ask": "100.02", "last": "100.01", "size": None, "at": iso(now), "source": "test",
             "average_daily_volume": None}
    home.file(MARKET_QUOTES).write_bytes(document({**_header(), "quotes": dict.fromkeys(COINS, quote)}))
    return home


def stage(home: Home, keys: list[tuple[str, str]], basis: dict[str, int], round_: int) -> list[str]:
    """Put one intent for each key into the queue, in place of what was there. Returns their ids.

    The value differs from round to round, because the same order twice is refused.
    """
    now = SystemClock().now()
    header, expires = _header(), iso(now + timedelta(minutes=30))
    intents = []
    for vault, coin in keys:
        at, notional = basis.get(f"{vault}|{coin}", 0), str(1000 + round_ % 997)
        account = ACCOUNTS[int(vault[2:]) % len(ACCOUNTS)]
        intents.append({
            "intent_id": ids.intent_id(account, vault, coin, at, [notional, round_]), "account": account,
            "vault": vault, "instrument_id": coin, "side": "buy", "notional": notional, "target_notional": notional,
            "close": False, "basis_seq": at, "created_at": iso(now), "expires_at": expires, "flip_id": None,
            "exit_plan": {"stop_pct": None, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None},
            "provenance": {"signal_id": "cv1_" + "a" * 26, "dag_id": "dag1_x", "entity": coin.partition("-")[0],
                           "conviction_bp": 4000, "band": "medium", "personas": {"Athena": 300}, "sources": {},
                           "reasons": [], "inputs": {}}})
    text = document({**header, "intents": intents, "withdrawals": []})
    fresh = home.file(QUEUE).with_suffix(".next")
    fresh.write_bytes(text)
    fresh.rename(home.file(QUEUE))
    return [str(intent["intent_id"]) for intent in intents]


def _header() -> dict[str, object]:
    now = iso(SystemClock().now())
    return {"schema_version": 1, "revision": 1, "written_at": now, "written_by": "test", "now": now}
