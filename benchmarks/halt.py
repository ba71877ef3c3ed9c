"""From a halt to the last order: an executor that sends flat out, an operator who saves `full_halt` or kills.

The executor is that of tests/halt: a process of its own with every fence on, whose venues only note when orders leave.
For a save the time runs from right before the call that makes it visible (a rename, as with `sed -i`) to when the last
order had left, 0 if none left after it; for a kill from its call to its return, after which none leaves. A halt counts
if it kept orders from leaving. Milliseconds; prints one JSON object. Nothing else is measured: the intervals of peers
in the report are those that they publish.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.halt.editors import STYLES, Save
from tests.halt.homes import overlay
from tests.halt.rig import Rig, monotonic_ns, real_kill


class Halt(NamedTuple):
    """Milliseconds, orders that left after it had returned, and whether it kept any from leaving."""

    ms: float
    late: int
    kept: bool


def flow(rig: Rig, chance: random.Random) -> None:
    """Let orders leave for a random while."""
    rig.stage()
    before = len(rig.stamps())
    rig.overlay.write_bytes(overlay())
    rig.permit()
    rig.until(lambda: len(rig.stamps()) > before)
    time.sleep(chance.uniform(0, 0.03))
    rig.log.mark()


def kept(rig: Rig) -> bool:
    """Whether orders were kept from leaving."""
    return bool(rig.calm()["intents"])


def late(rig: Rig, returned: int) -> int:
    """How many orders left after that, once all is calm."""
    rig.calm()
    return sum(stamp > returned for stamp in rig.stamps())


def last_order(rig: Rig) -> int:
    """When the last order had left, once all is calm."""
    rig.calm()
    return rig.stamps()[-1]


def saved(rig: Rig, number: int) -> Halt:
    """One save, until the last order had left."""
    raw = overlay(full_halt={"enabled": True, "reason": f"trial {number}", "by": "ann"})
    saving = Save(rig.overlay, raw)
    *before, last = STYLES["rename_over"](saving)
    for step in before:
        step(saving)
    start = monotonic_ns()
    last(saving)
    returned = monotonic_ns()
    rig.seen(raw)
    return Halt(max(0, last_order(rig) - start) / 1e6, late(rig, returned), kept(rig))


def killed(rig: Rig) -> Halt:
    """One kill, until it had returned."""
    start = monotonic_ns()
    if real_kill(rig.home) != 0:
        raise SystemExit("a kill was not answered")
    returned = monotonic_ns()
    rig.gone()
    return Halt((returned - start) / 1e6, late(rig, returned), kept(rig))


def figures(name: str, rows: list[Halt]) -> dict[str, float]:
    """Percentiles of one kind of halt, and the most orders that left after one had returned."""
    times = sorted(row.ms for row in rows if row.kept)
    return {f"{name}_p50_ms": round(statistics.median(times), 3),
            f"{name}_p99_ms": round(times[min(len(times) - 1, int(len(times) * 0.99))], 3),
            f"{name}_max_ms": round(times[-1], 3), f"{name}_most_orders_after": max(row.late for row in rows),
            f"{name}_trials": len(times)}


def run(trials: int, folder: str | None) -> dict[str, float]:
    """Measure so many halts of each kind, in turns."""
    root, chance = Path(tempfile.mkdtemp(dir=folder, prefix="vanta-bench-")), random.Random(1)
    saves: list[Halt] = []
    kills: list[Halt] = []
    try:
        with Rig(root) as rig:
            for number in range(trials):
                flow(rig, chance)
                saves.append(saved(rig, number))
                flow(rig, chance)
                kills.append(killed(rig))
    finally:
        shutil.rmtree(root)
    return {**figures("save", saves), **figures("kill", kills)}


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--trials", type=int, default=100)
    options.add_argument("--folder", default=None)
    chosen = options.parse_args()
    json.dump(run(chosen.trials, chosen.folder), sys.stdout)
    print()
