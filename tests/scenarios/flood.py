"""A queue that is far too long: a million entries are refused whole, and as many as are read pass the throttles.

    python -m tests.scenarios.flood --entries 1000000

Each part runs the executor in a process of its own and says what it did and how much memory it took. Ends with 1 if
anything of the long queue was carried out, memory was not bounded, or a vault sent more than its limit in a minute.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from tests.processes import ROOT
from tests.unit.executor.world import ALL_CLEAR
from vanta.common import ids
from vanta.common.canonical import document
from vanta.common.clock import SystemClock
from vanta.common.models.intent import MOST_BYTES, MOST_ENTRIES
from vanta.common.paths import MARKET_QUOTES, OVERLAY, QUEUE, TRADE_LOG, VAULTS, Home
from vanta.common.permit import arm
from vanta.common.times import iso, millis_of

VAULT_NAMES = [f"V_{number:02}" for number in range(25)]
COINS = ("BTC", "ETH", "SOL", "XRP")
A_MINUTE = 2
"""Orders that a vault may send in a minute."""

MEMORY_REFUSED, MEMORY_READ = 256 << 20, 1 << 30
"""How much memory an executor may take that does not even read the queue, and one that reads all it ever does."""


PROGRAM = """
import atexit, pathlib, runpy, sys
atexit.register(lambda: sys.stderr.write(pathlib.Path("/proc/self/status").read_text()))
runpy.run_module("vanta.suite.dispatch", run_name="__main__")
"""
"""The command line, which ends by saying what it took. What the system says of it afterwards counts its parent, too."""


class Outcome(NamedTuple):
    """What one run of the executor did, and the most memory it took, in bytes."""

    status: int
    items: dict[str, object]
    peak: int


def prepare(root: Path, now: datetime) -> Home:
    """A home whose vaults may send little, with a quote for each coin."""
    home = Home(root).prepare()
    home.file(OVERLAY).write_bytes(ALL_CLEAR)
    home.file(VAULTS).write_bytes(document({"vaults": [
        {"vault_id": name, "label": name, "crypto_enabled": True, "personas": ["Athena"],
         "risk": {"max_orders_per_minute": A_MINUTE, "max_quote_age_s": 86_400}} for name in VAULT_NAMES]}))
    quote = {"bid": "100", "ask": "100.02", "last": "100.01", "size": None, "at": iso(now), "source": "test",
             "average_daily_volume": None}
    home.file(MARKET_QUOTES).write_bytes(document(
        {**header(now), "quotes": {f"crypto:{coin}-USD": quote for coin in COINS}}))
    arm(home, by="test", reason="test", now=now)
    return home


def header(now: datetime) -> dict[str, object]:
    """The header of a program-written document."""
    return {"schema_version": 1, "revision": 1, "written_at": iso(now), "written_by": "test", "now": iso(now)}


def write(home: Home, entries: int, now: datetime) -> int:
    """A queue of so many different intents in the promoter's form, written bit by bit. Returns its bytes."""
    path = home.file(QUEUE)
    start, _, end = document({**header(now), "intents": [{}], "withdrawals": []}).partition(b"{}")
    with path.open("wb") as file:
        file.write(start)
        for number, line in enumerate(lines(entries, now)):
            file.write((b",\n" if number else b"") + line)
        file.write(end)
    return path.stat().st_size


def lines(entries: int, now: datetime) -> Iterator[bytes]:
    """One entry a line, over all vaults and coins in turn."""
    plan = {"stop_pct": None, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None}
    why = {"signal_id": "cv1_" + "a" * 26, "dag_id": "dag1_x", "entity": "crypto:BTC", "conviction_bp": 4000,
           "band": "medium", "personas": {"Athena": 300}, "sources": {}, "reasons": [], "inputs": {}}
    for number in range(entries):
        vault = VAULT_NAMES[number % len(VAULT_NAMES)]
        coin = f"crypto:{COINS[number // len(VAULT_NAMES) % len(COINS)]}-USD"
        yield json.dumps({
            "intent_id": ids.intent_id("paper", vault, coin, 0, number), "account": "paper", "vault": vault,
            "instrument_id": coin, "side": "buy", "notional": "1000", "target_notional": "1000", "close": False,
            "basis_seq": 0, "created_at": iso(now), "expires_at": iso(now + timedelta(hours=1)), "flip_id": None,
            "exit_plan": plan, "provenance": why}, separators=(",", ":")).encode()


def run(home: Home, steps: int = 3) -> Outcome:
    """A few steps of the executor."""
    command = [sys.executable, "-c", PROGRAM, "executor", "once", "--steps", str(steps), "--json", "--home",
               str(home.root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", done.stderr, re.MULTILINE)
    return Outcome(done.returncode, json.loads(done.stdout) if done.returncode == 0 else {"output": done.stderr},
                   int(peak[1]) * 1024 if peak else sys.maxsize)


def sent(home: Home) -> dict[str, list[int]]:
    """When each vault's orders were sent, in milliseconds, by the log."""
    found: dict[str, list[int]] = defaultdict(list)
    for line in home.file(TRADE_LOG).read_bytes().splitlines():
        record = json.loads(line)
        if record["kind"] == "order.submitting":
            found[record["ids"]["vault"]].append(millis_of(record["at"]))
    return found


def most_in_a_minute(times: list[int]) -> int:
    """The most that lie within sixty seconds."""
    return max((sum(1 for other in times if 0 <= other - at < 60_000) for at in times), default=0)


def refused(home: Home, entries: int) -> list[str]:
    """What is wrong with how the executor takes a queue of so many entries, which is more than it reads."""
    size = write(home, entries, SystemClock().now())
    found, most = run(home), MEMORY_REFUSED if size > MOST_BYTES else MEMORY_READ
    print(f"  {entries:,} entries, {size:,} bytes: exit {found.status}, {found.peak >> 20} MiB, {found.items}")
    problem = str(found.items.get("problems"))
    return [what for what, wrong in {
        "it did not end well": found.status != 0, "it took too much memory": found.peak > most,
        "the problem is not named": "at most" not in problem or QUEUE not in problem,
        "some of it was taken": found.items.get("seen") != 0 or bool(sent(home))}.items() if wrong]


def throttled(home: Home, entries: int) -> list[str]:
    """What is wrong with how the executor takes a queue of so many entries, which it reads."""
    size = write(home, entries, SystemClock().now())
    found = run(home)
    by_vault = {name: most_in_a_minute(times) for name, times in sent(home).items()}
    print(f"  {entries:,} entries, {size:,} bytes: exit {found.status}, {found.peak >> 20} MiB, {found.items}")
    print(f"  the most that a vault sent within a minute: {max(by_vault.values(), default=0)} of {A_MINUTE}")
    return [what for what, wrong in {
        "it did not end well": found.status != 0, "it took too much memory": found.peak > MEMORY_READ,
        "not everything was read": found.items.get("seen") != entries,
        "a throttle did not hold": any(most > A_MINUTE for most in by_vault.values()),
        "some vault sent nothing": by_vault.keys() != set(VAULT_NAMES)}.items() if wrong]


def main() -> int:
    """Both parts, each in a home of its own."""
    options = argparse.ArgumentParser()
    options.add_argument("--entries", type=int, default=1_000_000)
    entries = options.parse_args().entries
    print(f"flood: at most {MOST_BYTES:,} bytes and {MOST_ENTRIES:,} entries are read")
    with tempfile.TemporaryDirectory(prefix="vanta-flood-") as folder:
        wrong = refused(prepare(Path(folder) / "long", SystemClock().now()), entries)
        wrong += throttled(prepare(Path(folder) / "full", SystemClock().now()), MOST_ENTRIES)
    for what in wrong:
        print(f"  VIOLATION: {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
