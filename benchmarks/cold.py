"""Cold commands as whole processes beside a named floor, in turn A B A B, medians over several rounds.

Milliseconds that passed, and of processor time, which other work on the machine disturbs less. `status` and diagnostics
stand beside a bare interpreter; one `collect` of a small recorded payload beside importing that feed's library. Prints
one JSON object.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.orders import prepare

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = {"sec": "import httpx, lxml.etree", "news": "import feedparser", "reddit": "import praw",
           "crypto": "import ccxt"}


def times_ms(command: list[str]) -> tuple[float, float]:
    """One run of a command: what passed, and the processor time of it."""
    cpu, start = children_s(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return (time.perf_counter() - start) * 1000, (children_s() - cpu) * 1000


def children_s() -> float:
    """Processor seconds of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def pair(ours: list[str], floor: list[str], rounds: int) -> dict[str, float]:
    """Medians of two commands run in turn, after one uncounted run of each."""
    times_ms(ours)
    times_ms(floor)
    times = [(*times_ms(ours), *times_ms(floor)) for _ in range(rounds)]
    mine, mine_cpu, other, other_cpu = (statistics.median(column) for column in zip(*times, strict=True))
    return {"ours_ms": round(mine), "floor_ms": round(other), "more_ms": round(mine - other),
            "ratio": round(mine / other, 2), "ours_cpu_ms": round(mine_cpu), "floor_cpu_ms": round(other_cpu)}


def vanta(*words: str) -> list[str]:
    """A command of the installed package."""
    return [str(Path(sys.executable).with_name(words[0])), *words[1:]]


def run(rounds: int, folder: str | None) -> dict[str, object]:
    """Measure every pair on a home that has run before."""
    root = Path(tempfile.mkdtemp(dir=folder, prefix="vanta-bench-"))
    result: dict[str, object] = {}
    try:
        prepare(root)
        home = ["--home", str(root)]
        subprocess.run(vanta("vanta", "executor", "once", *home), check=True, stdout=subprocess.DEVNULL)
        bare = [sys.executable, "-c", "pass"]
        result["vanta-diagnostics"] = pair(vanta("vanta-diagnostics", *home), bare, rounds)
        result["vanta-run status"] = pair(vanta("vanta-run", "status", *home), bare, rounds)
        for feed, statement in LIBRARY.items():
            payloads = smallest(feed)
            if payloads is not None:
                result[f"collect {feed}"] = pair(
                    vanta("vanta", "markets", "collect", feed, "--from", str(payloads), *home),
                    [sys.executable, "-c", statement], rounds)
    finally:
        shutil.rmtree(root)
    return result


def smallest(feed: str) -> Path | None:
    """The smallest shipped payload of a feed."""
    files = [path for path in (ROOT / "memory_fixtures").rglob("*") if path.is_file() and feed in path.parts]
    return min(files, key=lambda path: (path.stat().st_size, path.name), default=None)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--folder", default=None)
    chosen = options.parse_args()
    json.dump(run(chosen.rounds, chosen.folder), sys.stdout)
    print()
