"""A start on a log of a million records, from its newest state, beside decoding the log's lines.

The log is made by the product itself: orders through all fences until it is nearly that long, a start and an orderly
stop, and some 20,000 records more from a process that vanishes. What is measured is the composition root in a fresh
process, from nothing to an executor that could dispatch. Prints one JSON object.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

from benchmarks.orders import prepare, stage
from vanta.common.clock import SystemClock
from vanta.common.paths import TRADE_LOG, Home
from vanta.common.settings import Settings
from vanta.common.store.checkpoint import FOLDER
from vanta.executor.wire import build

LEFT_OVER = 20_000
"""Records that no state covers."""


def fill(home: Home, records: int) -> None:
    """In a process of its own: buy and sell until the log is so long, then vanish without a stop."""
    child = os.fork()
    if child == 0:
        executor = build(home, Settings(), SystemClock()).executor
        while executor.recorder.book.seq < records:
            for wave in (0, 1):
                stage(home, executor.recorder.book.basis, wave)
                executor.step()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the log could not be made")


def stop(home: Home) -> None:
    """Start and stop in order, which makes a state."""
    build(home, Settings(), SystemClock()).executor.close()


def start(home: Home) -> None:
    """In a process of its own: start, say how long it took and what was said, and vanish."""
    cpu, wall = time.process_time(), time.perf_counter()
    built = build(home, Settings(), SystemClock())
    json.dump({"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "said": built.recovered,
               "records": built.executor.recorder.book.seq}, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


def decode(log: Path) -> float:
    """CPU seconds to read the log and decode each line, and nothing else."""
    cpu = time.process_time()
    with log.open("rb") as file:
        for line in file:
            orjson.loads(line)
    return time.process_time() - cpu


def run(records: int, folder: str | None, runs: int) -> dict[str, object]:
    """Make the log, then start from its state, decode it, and start once without a state."""
    root = Path(tempfile.mkdtemp(dir=folder, prefix="vanta-bench-"))
    try:
        home = prepare(root)
        fill(home, records - LEFT_OVER)
        stop(home)
        fill(home, records)
        kept = root / "kept"
        shutil.copytree(home.memory / FOLDER, kept)
        log_bytes = home.file(TRADE_LOG).stat().st_size
        rows, floors = [], []
        for _ in range(runs):
            rows.append(_started(home, kept, log_bytes))
            floors.append(decode(home.file(TRADE_LOG)))
        for path in kept.glob("*.state"):
            path.unlink()
        whole = _started(home, kept, log_bytes)
    finally:
        shutil.rmtree(root)
    best = sorted(rows, key=lambda row: row["wall_s"])[len(rows) // 2]
    return {"records": records, "log_mb": round(log_bytes / 1e6), "wall_s": round(best["wall_s"], 2),
            "cpu_s": round(best["cpu_s"], 2), "said": best["said"], "decode_cpu_s": round(sorted(floors)[runs // 2], 2),
            "whole_cpu_s": round(whole["cpu_s"], 2), "whole_wall_s": round(whole["wall_s"], 2)}


def _started(home: Home, kept: Path, log_bytes: int) -> dict[str, float]:
    """One start in a fresh process on the log as it was."""
    os.truncate(home.file(TRADE_LOG), log_bytes)
    shutil.rmtree(home.memory / FOLDER)
    shutil.copytree(kept, home.memory / FOLDER)
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "benchmarks.recovery", "--start", str(home.root)],
                          capture_output=True, text=True, check=False, cwd=Path(__file__).resolve().parent.parent)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--folder", default=None, help="where to put the home; a real disk, not tmpfs")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--start", type=Path, default=None, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.start is not None:
        start(Home(chosen.start))
    json.dump(run(chosen.records, chosen.folder, chosen.runs), sys.stdout)
    print()
