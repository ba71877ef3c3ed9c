"""`make bench`: every figure beside a named peer or floor from the same run, medians and ratios, in one table.

Each measurement is a process of its own, repeated; peers run in turn with ours, because a shared machine's speed
drifts.
The peers of the order path live in environments of their own; without one its row says "not run" and why.
Writes `benchmarks/out/report.md` and prints it.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PEERS = {"peer_nautilus": HERE.parent / ".peer" / "bin" / "python",
         "peer_nautilus2": HERE.parent / ".peer2" / "bin" / "python"}
"""Peers of the order path, each in an environment of its own (`make bench` makes them)."""


def measure(module: str, *words: str, python: str = sys.executable) -> dict[str, Any]:
    """Run one measurement in a fresh process and read its JSON."""
    command = [python, "-W", "ignore", *(["-m", f"benchmarks.{module}"] if python == sys.executable
                                         else [str(HERE / f"{module}.py")]), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def median(rows: list[dict[str, Any]], key: str) -> float:
    """Median of one figure over runs."""
    return float(statistics.median(row[key] for row in rows))


def orders(runs: int, count: int, folder: list[str]) -> list[str]:
    """The order path beside its peers, in turn."""
    mine: list[dict[str, Any]] = []
    theirs: dict[str, list[dict[str, Any]]] = {module: [] for module in PEERS}
    for _ in range(runs):
        mine.append(measure("orders", "--orders", str(count), *folder))
        for module, python in PEERS.items():
            if python.exists():
                theirs[module].append(measure(module, "--orders", str(count), python=str(python)))
    rate = median(mine, "orders_per_cpu_s")
    what, ours = f"{count:,} orders, fences on, durable", f"{rate:,.0f} orders/CPU-s"
    return [row(what, ours, "≥ 10,000", f"{found[0]['peer']} in memory, not durable: "
                f"{median(found, 'orders_per_cpu_s'):,.0f} orders/CPU-s",
                f"{rate / median(found, 'orders_per_cpu_s'):.2f}×") if found else
            row(what, ours, "≥ 10,000", f"{module}: not run, its environment is not there", "not measured")
            for module, found in theirs.items()]


def reflect(runs: int, folder: list[str]) -> list[str]:
    """The reflect pass beside decoding."""
    rows = [measure("reflect", *folder) for _ in range(runs)]
    what = f"reflect pass over {rows[0]['signals']:,} signals, {rows[0]['bytes'] / 1e6:.0f} MB"
    ours = f"{median(rows, 'pass_cpu_s'):.2f} CPU-s"
    return [row(what, ours, "within 3×", f"{name} decode: {median(rows, f'{name}_decode_cpu_s'):.2f} CPU-s",
                f"{median(rows, f'times_{name}'):.2f}×") for name in ("orjson", "msgspec")]


def latency(runs: int, folder: list[str]) -> list[str]:
    """Signal saved to order acknowledged."""
    rows = [measure("latency", *folder) for _ in range(runs)]
    floor = median(rows, "fdatasync_floor_ms")
    lost = sum(one["not_accepted_within_10_s"] for one in rows)
    trials = sum(one["trials"] for one in rows)
    return [row(f"signal saved → order acknowledged, {trials} trials, {lost} lost",
                f"p50 {median(rows, 'p50_ms'):.0f} ms, p99 {median(rows, 'p99_ms'):.0f} ms",
                "p99 ≤ 100 ms plus its syncs", f"one fdatasync: {floor:.2f} ms",
                f"{median(rows, 'p99_ms') / floor:.0f}×")]


def recovery(runs: int, folder: list[str]) -> list[str]:
    """A start on a long log, from its newest state."""
    found = measure("recovery", "--runs", str(runs), *folder)
    ours = f"{found['wall_s']:.2f} s, {found['cpu_s']:.2f} CPU-s; without a state {found['whole_cpu_s']:.1f} CPU-s"
    return [row(f"start on a log of {found['records']:,} records, {found['log_mb']:,} MB: {found['said']}", ours,
                "≤ 5 s", f"orjson decode of its lines: {found['decode_cpu_s']:.2f} CPU-s",
                f"{found['cpu_s'] / found['decode_cpu_s']:.2f}×")]


def proof(runs: int, folder: list[str]) -> list[str]:
    """Verification and replay of a log, beside parsing and hashing its lines."""
    found = measure("proof", "--runs", str(runs), *folder)
    floor = f"orjson decode and SHA-256 of its lines: {found['floor_cpu_s']:.2f} CPU-s"
    what = f"of a log of {found['records']:,} records, {found['log_mb']:,} MB"
    return [row(f"`vanta verify` {what}", f"{found['verify_cpu_s']:.2f} CPU-s", "within 2×", floor,
                f"{found['verify_times']:.2f}×"),
            row(f"`vanta replay` {what}", f"{found['replayed_per_cpu_s']:,} records/CPU-s", "≥ 50,000", floor,
                f"{found['replay_cpu_s'] / found['floor_cpu_s']:.1f}×")]


def halts(folder: list[str]) -> list[str]:
    """Halting an executor that sends flat out. What peers publish are intervals, and they stand there as such."""
    found = measure("halt", *folder)
    ours = (f"save → last order out: p50 {found['save_p50_ms']:.1f} ms, p99 {found['save_p99_ms']:.1f} ms, at most "
            f"{found['save_most_orders_after']} after it; `kill` called → returned: p50 {found['kill_p50_ms']:.0f} ms, "
            f"p99 {found['kill_p99_ms']:.0f} ms, {found['kill_most_orders_after']} after it")
    return [row(f"{found['save_trials']} saves and {found['kill_trials']} kills while orders flow", ours,
                "≤ 1 order after a save, 0 after a kill",
                "freqtrade looks every 5 s (its loop), hummingbot reads again every 10 s: their published intervals, "
                "not measured here", f"p99 is 1/{5_000 / max(found['save_p99_ms'], 0.001):,.0f} of 5 s")]


def cold(folder: list[str]) -> list[str]:
    """Cold processes beside their floors."""
    lines = []
    for name, figures in measure("cold", *folder).items():
        collect = name.startswith("collect")
        lines.append(row(f"`{name}`, cold", f"{figures['ours_ms']} ms", "≤ 600 ms" if collect else "≤ 300 ms more",
                         f"{'importing its library' if collect else 'bare interpreter'}: {figures['floor_ms']} ms",
                         f"+{figures['more_ms']} ms, {figures['ratio']}×"))
    return lines


def row(*cells: str) -> str:
    """One line of the table."""
    return "| " + " | ".join(cells) + " |"


def machine() -> str:
    """What the figures were taken on."""
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
             if line.startswith("model name")]
    return (f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, Linux {platform.release()}, "
            f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the start")


def main() -> None:
    """Measure everything and write the report."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--orders", type=int, default=20_000)
    options.add_argument("--folder", default=None, help="a folder on a real disk for the homes")
    chosen = options.parse_args()
    folder = ["--folder", chosen.folder] if chosen.folder else []
    head = [f"# Performance report, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "", machine(), "",
            f"Medians over {chosen.runs} runs, each a process of its own; peers and floors in the same run.", "",
            row("what", "measured", "aim", "beside", "ratio"), row(*["---"] * 5)]
    body = [*reflect(chosen.runs, folder), *latency(1, folder),
            *orders(chosen.runs, chosen.orders, folder), *recovery(chosen.runs, folder), *proof(chosen.runs, folder),
            *halts(folder), *cold(folder)]
    text = "\n".join([*head, *body]) + "\n"
    (HERE / "out").mkdir(exist_ok=True)
    (HERE / "out" / "report.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
