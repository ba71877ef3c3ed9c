"""Carries out a campaign, or a share of it, in a process that was made for it. Prints one JSON report.

    python -m tests.crash.worker single order --modes kill,torn --share 0/2 --sample 100 --seed 7 --minutes 10

It forks a child for each run, so it has one thread, and nothing of the tests' machinery is in it. Power cuts need a
private mount namespace around it (`powercut.PRIVATE`); with `--disk` all homes lie on the disk whose power is cut.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.crash import campaigns, runs
from tests.crash.campaigns import Planned
from tests.crash.lab import Case, Lab
from tests.crash.mutants import MUTANTS
from tests.crash.powercut import Disk, NoPowerCuts
from tests.crash.stories import STORIES


@dataclass
class Report:
    """What came of it. `planned` counts the cases of this share, `before` those that a ledger says were done."""

    campaign: str
    place: str
    planned: int = 0
    before: int = 0
    done: int = 0
    fired: int = 0
    modes: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    unavailable: str = ""

    def take(self, case: Case) -> None:
        """Count one case. A fault that did not fire is a violation: the case has shown nothing."""
        self.done += 1
        self.fired += case.fired
        mode = " + ".join(fault.mode for fault in case.faults)
        self.modes[mode] = self.modes.get(mode, 0) + 1
        if not case.fired:
            self.violations.append(f"{case}: NOT FIRED")
        self.violations += [f"{case}: {what}" for what in case.violations]


class Ledger:
    """Keys of cases that were done, and counts that were taken, one JSON line each; survives an interruption."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.done: set[str] = set()
        self.counts: dict[str, int] = {}
        self.violations: list[str] = []
        if path and Path(path).exists():
            for line in Path(path).read_text("utf-8").splitlines(keepends=True):
                if line.endswith("\n"):  # the last one may have been interrupted
                    self._read(json.loads(line))

    def _read(self, line: dict[str, Any]) -> None:
        if "count" in line:
            self.counts[line["key"]] = line["count"]
        else:
            self.done.add(line["key"])
            self.violations += line["violations"]

    def write(self, key: str, **what: Any) -> None:
        """Append one line."""
        if self._path:
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **what}) + "\n")


def main(arguments: list[str]) -> int:
    """Carry out what the command line asks for. Returns 1 if anything was violated."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # or the disk would stay behind
    folder = Path(tempfile.mkdtemp(prefix="crash-", dir=asked.folder))
    image = Path(tempfile.mkdtemp(prefix="crash-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else asked.folder))
    report = Report(f"{asked.campaign} {asked.name}", "")
    try:
        with ExitStack() as stack:
            disk = stack.enter_context(Disk(image)) if asked.disk else None
            lab = stack.enter_context(Lab(folder, disk))
            report.place = _place(disk.mount if disk else folder)
            _carry_out(asked, lab, report)
    except NoPowerCuts as error:
        report.unavailable = str(error)
    finally:
        shutil.rmtree(image, ignore_errors=True)
        if not report.violations:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(asdict(report)))
    return 1 if report.violations else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.worker")
    parser.add_argument("campaign", choices=["single", "power", "pairs", "rows", "two", "unlocked", "mutant"])
    parser.add_argument("name", help="a story, several with commas, or a mutant")
    parser.add_argument("--modes", default="", help="of single, with commas: kill, torn, errno, … reads")
    parser.add_argument("--second", default="cut", help="mode of a pair's second fault")
    parser.add_argument("--share", default="0/1", help="k/n: every n-th case from the k-th")
    parser.add_argument("--sample", type=int, default=0, help="so many cases drawn by seed; 0: all")
    parser.add_argument("--kinds", action="store_true", help="one case of each kind: like faults at like calls")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after so long; 0: never")
    parser.add_argument("--disk", action="store_true", help="homes on a disk whose power can be cut")
    parser.add_argument("--folder", default=None, help="where homes lie otherwise")
    parser.add_argument("--ledger", default="", help="file of what was done; read first, then added to")
    return parser


def _carry_out(asked: argparse.Namespace, lab: Lab, report: Report) -> None:
    started, ends = time.monotonic(), time.monotonic() + (asked.minutes * 60 or float("inf"))
    ledger = Ledger(asked.ledger)
    for name in [MUTANTS[asked.name].story] if asked.campaign == "mutant" else asked.name.split(","):
        lab.begin(STORIES[name])
    lab.warm_up()
    runs.be_a_good_parent()
    if asked.campaign == "mutant":
        _hunt(asked, lab, report, ends)
    else:
        plan = _plan(asked, lab, ledger, ends)
        report.planned = len(plan)
        report.violations += ledger.violations
        for planned in plan:
            if planned.key in ledger.done:
                report.before += 1
            elif time.monotonic() < ends:
                case = planned.carry_out(lab)
                report.take(case)
                ledger.write(planned.key, violations=[f"{case}: {what}" for what in case.violations] if case.fired else
                             [f"{case}: NOT FIRED"])
    report.seconds = round(time.monotonic() - started, 1)
    used = os.times()
    report.cpu = round(used.user + used.system + used.children_user + used.children_system, 1)


def _plan(asked: argparse.Namespace, lab: Lab, ledger: Ledger, ends: float) -> list[Planned]:
    share, of = map(int, asked.share.split("/"))
    modes = frozenset(asked.modes.split(",")) if asked.modes else None
    whole: list[Planned] = []
    for name in asked.name.split(","):
        if asked.campaign == "single":
            whole += campaigns.single(lab, name, modes)
        elif asked.campaign == "power":
            whole += campaigns.power(lab, name)
        elif asked.campaign in ("two", "unlocked"):
            whole += campaigns.two(lab, name, asked.campaign)
        elif asked.campaign == "rows":
            whole += campaigns.rows(lab, name, asked.seed, asked.sample, ("kill", "torn", asked.second))
        elif asked.sample:
            whole += _some_pairs(asked, lab, name)
        else:
            return [one for name in asked.name.split(",") for one in _all_pairs(asked, lab, name, ledger)]
    if asked.kinds:
        random.Random(asked.seed).shuffle(whole)
        whole = list({planned.kind: planned for planned in whole}.values())
    if asked.sample and asked.campaign not in ("rows", "pairs"):
        whole = random.Random(asked.seed).sample(whole, min(asked.sample, len(whole)))
    return whole[share::of]


def _some_pairs(asked: argparse.Namespace, lab: Lab, name: str) -> Iterator[Planned]:
    dice = random.Random(asked.seed)
    for first in dice.sample(campaigns.firsts(lab, name), asked.sample):
        yield dice.choice(campaigns.seconds(lab, name, first, asked.second))


def _all_pairs(asked: argparse.Namespace, lab: Lab, name: str, ledger: Ledger) -> Iterator[Planned]:
    """Every pair whose first fault is this share's. How many there are has to be counted once for each first fault."""
    share, of = map(int, asked.share.split("/"))
    for first in campaigns.firsts(lab, name)[share::of]:
        key = f"{name}: {first}, then {asked.second}"
        count = ledger.counts.get(key)
        if count is None:
            count = len(campaigns.seconds(lab, name, first, asked.second))
            ledger.write(key, count=count)
        for at in range(1, count + 1):
            yield campaigns.pair(name, first, asked.second, at)


def _hunt(asked: argparse.Namespace, lab: Lab, report: Report, ends: float) -> None:
    """Until the first case that notices the mutant; all of them where the mutant is known to be redundant."""
    for case in campaigns.hunt(lab, asked.name, asked.second):
        report.planned += 1
        report.take(case)
        if report.violations or time.monotonic() > ends:
            return


def _place(path: Path) -> str:
    """File system and device that the homes lie on."""
    told = subprocess.run(["stat", "-f", "-c", "%T", str(path)], capture_output=True, text=True, check=False)
    mounts = [line.split()[:3] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    under = max((mount for mount in mounts if path.resolve().is_relative_to(mount[1])), key=lambda mount: len(mount[1]))
    return f"{under[2]} on {under[0]} ({told.stdout.strip()}), Linux {os.uname().release}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
