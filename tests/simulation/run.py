"""The simulation by hand and in torture.

    python -m tests.simulation.run --seed 4711 --trace          one schedule, step by step
    python -m tests.simulation.run --minutes 30 --from-seed 0   as many as fit, then what was reached
    python -m tests.simulation.run --schedules 1000000 --ledger FILE   resumable: goes on where FILE says, unless the
                                                                       code has changed since

Ends with 1 if a schedule broke a promise, or if after 2,000 schedules some hard state was never reached.
"""

import argparse
import gc
import json
import sys
import time
from functools import cache
from hashlib import sha256
from pathlib import Path

from tests.simulation.campaign import Campaign
from tests.simulation.simulation import Simulation

ROOT = Path(__file__).resolve().parents[2]
ENOUGH = 2_000
SAVE_EVERY = 500


def main() -> int:
    """Parse, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="one schedule")
    parser.add_argument("--trace", action="store_true", help="print everything that happens in it")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--schedules", type=int, help="stop after so many, those of the ledger counted")
    parser.add_argument("--from-seed", type=int, default=0)
    parser.add_argument("--ledger", type=Path, help="kept after every 500 schedules, and gone on from")
    parser.add_argument("--digests", type=int, help="print the hash of the log of so many schedules")
    given = parser.parse_args()
    if given.seed is not None:
        return one(given.seed, trace=given.trace)
    if given.digests is not None:
        for seed in range(given.from_seed, given.from_seed + given.digests):
            print(seed, sha256(Simulation(seed).run().log).hexdigest())
        return 0
    gc.set_threshold(20_000, 10, 100)  # a schedule makes many small things and drops them all at once
    return many(given)


def one(seed: int, *, trace: bool) -> int:
    """One schedule, told as it went."""
    outcome = Simulation(seed, trace=trace).run()
    print("\n".join(outcome.trace))
    print(f"seed {seed}: {len(outcome.log.splitlines())} records, log {sha256(outcome.log).hexdigest()[:16]}")
    print("\n".join(f"  reached: {name} × {count}" for name, count in sorted(outcome.facts.items())))
    print("\n".join(f"VIOLATION {what}" for what in outcome.violations) or "every promise was kept")
    return 1 if outcome.violations else 0


@cache
def code() -> str:
    """A hash of everything that a schedule depends on."""
    found = sha256()
    for folder in ("vanta", "tests/simulation"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()


def keep(ledger: Path | None, campaign: Campaign) -> None:
    """Write down how far it has come."""
    if ledger is not None:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        ledger.write_text(json.dumps({"code": code(), **campaign.saved()}), "utf-8")


def resumed(ledger: Path | None) -> Campaign | None:
    """How far it had come, if that was with this code."""
    if ledger is None or not ledger.exists():
        return None
    body = json.loads(ledger.read_text("utf-8"))
    if body["code"] != code():
        print(f"the code has changed since {ledger} was written: counted from the start")
        return None
    return Campaign.loaded(body)


def many(given: argparse.Namespace) -> int:
    """As many schedules as asked for, resumable."""
    ledger: Path | None = given.ledger
    campaign = resumed(ledger) or Campaign(next_seed=given.from_seed)
    before, began, cpu = campaign.schedules, time.monotonic(), time.process_time()
    ends = began + 60 * given.minutes if given.minutes is not None else float("inf")
    most = given.schedules if given.schedules is not None else (sys.maxsize if given.minutes is not None else 1_000)
    while campaign.schedules < most and time.monotonic() < ends:
        campaign.add(campaign.next_seed)
        if campaign.schedules % SAVE_EVERY == 0:
            keep(ledger, campaign)
    keep(ledger, campaign)
    ran, spent = campaign.schedules - before, time.process_time() - cpu
    print(f"{ran:,} schedules in {spent:.0f} CPU-seconds, {ran / max(spent, 0.001):.0f} a CPU-second; "
          f"go on with --from-seed {campaign.next_seed}")
    print("\n".join(campaign.report()))
    short = campaign.schedules >= ENOUGH and (campaign.never_reached() or campaign.never_died())
    return 1 if campaign.violations or short else 0


if __name__ == "__main__":
    sys.exit(main())
