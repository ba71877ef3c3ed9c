"""From a saved signal file to a paper order that is acknowledged and durable, with both daemons running.

A home is started as on one host: `vanta markets run` and `vanta executor run` as processes. Each trial saves a new
`news_signals.json` with one strong claim about a crypto asset that was not there before (crypto trades at all hours),
and watches `trade_log.jsonl` for that asset's `order.accepted`. The floors are the disk's, in the same run: fdatasync
of a small append, and one document replaced durably, of which a trial needs about a dozen. Milliseconds; prints one
JSON object. Collectors are off: the benchmark plays the collector.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.orders import HOUSE, OVERLAY_BYTES, RISK, header
from vanta.common import ids
from vanta.common.canonical import document
from vanta.common.clock import SystemClock
from vanta.common.paths import MARKET_QUOTES, OVERLAY, TRADE_LOG, VAULTS, Home, signals_file
from vanta.common.permit import arm
from vanta.common.store.atomic import replace
from vanta.common.times import iso

COINS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "BCH", "DOT", "LINK", "AVAX", "UNI", "XLM", "TRX", "ATOM",
         "ETC")
CONFIG = "".join(f"[markets.feeds.{feed}]\nenabled = {'true' if feed == 'news' else 'false'}\nevery_s = 86400\n"
                 f"source = \"{{empty}}\"\n" for feed in ("sec", "news", "reddit", "crypto", "prices"))


def claim(coin: str) -> dict[str, object]:
    """One strong, fresh claim about a coin."""
    now = SystemClock().now()
    return {
        "id": ids.signal_id("news.rss", "news", f"crypto:{coin}", iso(now)), "revision": 1, "source": "news.rss",
        "source_kind": "aggregate", "kind": "news",
        "entity": {"key": f"crypto:{coin}", "type": "crypto", "id": f"crypto:{coin}", "ticker": coin, "exchange": None,
                   "name": coin, "match": {"method": "cashtag", "confidence": 0.95}},
        "summary": f"a strong claim about {coin}", "direction": 1.0, "strength": 1.0, "confidence": 0.95,
        "confidence_basis": [], "event_at": None, "published_at": iso(now), "observed_at": iso(now),
        "time_quality": "exact", "half_life_s": 86_400, "expires_at": iso(now + timedelta(days=5)), "evidence": [],
        "raw_ref": None, "supersedes": None, "retracted_reason": None, "features": {},
        "collector": {"name": "news", "version": "1", "run_id": "run_0", "params_hash": "0"}, "flags": []}


def save(home: Home, claims: list[dict[str, object]]) -> float:
    """Save the feed file as a collector does; returns when the save was durable."""
    now = iso(SystemClock().now())
    replace(home.file(signals_file("news")), document({
        "schema_version": 1, "revision": len(claims), "written_at": now, "written_by": "benchmark", "feed": "news",
        "status": "ok", "status_reason": "", "generated_at": now, "last_success_at": now, "run_id": "run_0",
        "window_from": None, "window_to": None, "counts": {"payloads": 1}, "errors": [], "signals": claims}))
    return time.perf_counter()


def quotes(home: Home) -> None:
    """Fresh quotes for every coin."""
    quote = {"bid": "100", "ask": "100.02", "last": "100.01", "size": None, "at": iso(SystemClock().now()),
             "source": "benchmark", "average_daily_volume": None}
    replace(home.file(MARKET_QUOTES), document({**header(), "quotes": {f"crypto:{coin}-USD": quote for coin in COINS}}))


def prepare(root: Path) -> Home:
    """A home for one vault that may put a little into every coin."""
    root.mkdir()
    home = Home(root).prepare()
    (root / "empty").mkdir()
    (home.config / "vanta.toml").write_text(CONFIG.format(empty=root / "empty"), "utf-8")
    home.file(OVERLAY).write_bytes(OVERLAY_BYTES)
    vault = {"vault_id": "V_BENCH", "label": "benchmark", "crypto_enabled": True, "capital": "1000000",
             "personas": ["Athena"], "risk": {**RISK, "max_single_pos_pct": "0.02"},
             "allocation": {"mode": "banded", "min_conviction_bp": 100, "max_positions": 100,
                            "bands": {"100": "0.02"}}}
    home.file(VAULTS).write_bytes(document({"vaults": [vault], "house": HOUSE}))
    quotes(home)
    arm(home, by="benchmark", reason="benchmark", now=SystemClock().now())
    return home


def accepted(log: Path, start: int, coin: str, deadline: float) -> float | None:
    """When the log, from byte `start` on, first held the acceptance of an order for that coin."""
    wanted, size = f'"{coin}/USD"'.encode(), start
    while time.perf_counter() < deadline:
        if size_of(log) > size:
            data = log.read_bytes()[start:]
            size = start + len(data)
            lines = data[:data.rfind(b"\n") + 1].splitlines()  # whole ones only: the executor may be writing
            order = next((json.loads(line)["ids"]["order_id"].encode() for line in lines
                          if b'"order.submitting"' in line and wanted in line), None)
            if order is not None and any(b'"order.accepted"' in line and order in line for line in lines):
                return time.perf_counter()
        time.sleep(0.0005)
    return None


def size_of(log: Path) -> int:
    """Bytes of a log that may not be there yet."""
    return log.stat().st_size if log.exists() else 0


def floor_ms(folder: Path, count: int = 200) -> float:
    """Median of an append of 600 bytes with fdatasync."""
    fd = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    times = []
    for _ in range(count):
        start = time.perf_counter()
        os.write(fd, b"x" * 600)
        os.fdatasync(fd)
        times.append((time.perf_counter() - start) * 1000)
    os.close(fd)
    return statistics.median(times)


def replace_ms(folder: Path, count: int = 50) -> float:
    """Median of a document of 5,000 bytes replaced durably."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        replace(folder / "floor.json", b"x" * 5_000)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def trials_of(home: Home) -> Iterator[float | None]:
    """Milliseconds of one trial for each coin but the first, which starts the daemons up; `None`: not accepted."""
    log, claims = home.file(TRADE_LOG), [claim(COINS[0])]
    save(home, claims)
    if accepted(log, 0, COINS[0], time.perf_counter() + 60) is None:
        raise SystemExit("the daemons did not come up within 60 s")
    for coin in COINS[1:]:
        time.sleep(0.3)  # let the last trial's own writes settle
        claims.append(claim(coin))
        start = size_of(log)
        saved = save(home, claims)
        seen = accepted(log, start, coin, saved + 10)
        yield None if seen is None else (seen - saved) * 1000


def run(trials: int, folder: str | None) -> dict[str, object]:
    """Measure so many trials, at most one for each coin and home; several homes if more are asked for."""
    found: list[float | None] = []
    floors, documents = [], []
    root = Path(tempfile.mkdtemp(dir=folder, prefix="vanta-bench-"))
    try:
        while len(found) < trials:
            home = prepare(root / str(len(found)))
            daemons = [subprocess.Popen([sys.executable, "-m", "vanta.suite.dispatch", *words, "--home",
                                         str(home.root)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                       for words in (("executor", "run"), ("markets", "run"))]
            try:
                floors.append(floor_ms(home.root))
                documents.append(replace_ms(home.root))
                found += trials_of(home)
            finally:
                for daemon in daemons:
                    daemon.terminate()
                for daemon in daemons:
                    daemon.wait(10)
    finally:
        shutil.rmtree(root)
    times = [one for one in found if one is not None]
    times.sort()
    return {"trials": len(times), "not_accepted_within_10_s": len(found) - len(times),
            "p50_ms": round(statistics.median(times), 1),
            "p99_ms": round(times[min(len(times) - 1, int(len(times) * 0.99))], 1), "max_ms": round(times[-1], 1),
            "fdatasync_floor_ms": round(statistics.median(floors), 2),
            "replaced_document_floor_ms": round(statistics.median(documents), 2)}


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--trials", type=int, default=60)
    options.add_argument("--folder", default=None)
    chosen = options.parse_args()
    json.dump(run(chosen.trials, chosen.folder), sys.stdout)
    print()
