"""Verification and replay of an executor's home, beside parsing and hashing its log and nothing else.

The log is made by the product: orders through all fences, filled, durable. Each of the three is a process of its own:
`floor` decodes every line and hashes it, `verify` is `vanta verify` of the whole home, `replay` decides everything
again. Prints one JSON object.
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

from benchmarks.orders import prepare, stage
from vanta.common.clock import SystemClock
from vanta.common.paths import MARKET_QUOTES, QUEUE, TRADE_LOG, Home
from vanta.common.settings import Settings
from vanta.common.store import segments
from vanta.executor.wire import build


def fill(home: Home, records: int) -> None:
    """Buy and sell until the log is so long, then stop in order."""
    executor = build(home, Settings(), SystemClock()).executor
    wave = 0
    while executor.recorder.book.seq < records:
        stage(home, executor.recorder.book.basis, wave)
        executor.step()
        wave += 1
    executor.close()
    for name in (QUEUE, MARKET_QUOTES):  # written by this benchmark: no record vouches for them
        home.file(name).unlink()


def floor(home: Home) -> None:
    """Each line decoded and hashed."""
    for line in segments.whole(home.file(TRADE_LOG)).split(b"\n")[:-1]:
        orjson.loads(line)
        hashlib.sha256(line).hexdigest()


def verify(home: Home) -> None:
    """As `vanta verify` does."""
    from vanta.suite.dispatch import main
    if main(["verify", "--home", str(home.root), "--json"]):
        raise SystemExit("it does not verify")


def replay(home: Home) -> None:
    """As `vanta replay` does."""
    from vanta.suite.dispatch import main
    if main(["replay", "--home", str(home.root), "--json"]):
        raise SystemExit("it does not replay")


PARTS = {"floor": floor, "verify": verify, "replay": replay}


def measured(part: str, home: Home) -> float:
    """CPU seconds of one part in a fresh process."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.proof", "--part", part, "--home", str(home.root)],
                          capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def run(records: int, folder: str | None, runs: int) -> dict[str, object]:
    """Make the log, then each part in turn."""
    root = Path(tempfile.mkdtemp(dir=folder, prefix="vanta-bench-"))
    try:
        home = prepare(root)
        child = os.fork()
        if child == 0:
            fill(home, records)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            raise SystemExit("the log could not be made")
        log = segments.whole(home.file(TRADE_LOG))  # a long one is sealed in pieces
        times = {part: statistics.median(found) for part, found in {
            part: [measured(part, home) for _ in range(runs)] for part in PARTS}.items()}
    finally:
        shutil.rmtree(root)
    count = log.count(b"\n")
    return {"records": count, "log_mb": round(len(log) / 1e6), **{f"{part}_cpu_s": one for part, one in times.items()},
            "replayed_per_cpu_s": round(count / times["replay"]),
            "verify_times": round(times["verify"] / times["floor"], 2)}


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--folder", default=None, help="where to put the home; a real disk, not tmpfs")
    options.add_argument("--part", default=None, choices=sorted(PARTS))
    options.add_argument("--home", default=None)
    chosen = options.parse_args()
    if chosen.part:
        before = time.process_time()
        PARTS[chosen.part](Home(Path(chosen.home)))
        print(time.process_time() - before)
    else:
        json.dump(run(chosen.records, chosen.folder, chosen.runs), sys.stdout)
        print()
