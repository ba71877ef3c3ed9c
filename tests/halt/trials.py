"""Halts at random moments while an executor sends flat out and the CPUs are busy.

    python -m tests.halt.trials --count 10000 --seed 20261127

A trial stages intents, releases, waits until orders flow, and at a random moment either saves an overlay with
`full_halt` in one of the ways in which editors save, or kills. After the save has returned at most one order may leave
(there is one lane); after the kill has returned 0, none. In some trials the executor is stopped in its tracks (SIGSTOP)
around the halt, in some its venue is slow, so that an order is on its way more often. A trial counts if orders left
before the halt and some were kept from leaving by it. Prints the seed, counts and the worst case; ends with 1 if
anything was violated or not shown.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.halt.editors import STYLES, save
from tests.halt.homes import overlay
from tests.halt.rig import ROOT, Killer, Load, Rig, monotonic_ns, real_kill

SEED = 20261127
PER_PROCESS = 60
ENOUGH = 80
"""More intents are staged where fewer wait."""

LATENCIES_US = (400, 0, 100)
"""Of the venues, one executor process after the other."""

ALLOWED = {"save": 1, "kill": 0}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is tried. `folder` has to be on a disk outside /tmp if editors' saves are to be what they are there."""

    count: int
    seed: int
    folder: Path
    mutant: str = "none"
    killer: Killer = real_kill
    modes: tuple[str, ...] = ("save", "kill")
    commands: int = 0
    """So many of the kills are the real command, in a process of its own."""
    until_violated: bool = False


@dataclass
class Tally:
    """What came out. `late` counts, by kind of halt, how many trials had so many orders after it."""

    trials: int = 0
    void: int = 0
    stopped: int = 0
    commands: int = 0
    processes: int = 0
    late: dict[str, Counter[int]] = field(default_factory=lambda: {"save": Counter(), "kill": Counter()})
    styles: Counter[str] = field(default_factory=Counter)
    worst_ms: float = 0.0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        saves, kills = self.late["save"], self.late["kill"]
        return (f"{self.trials:,} trials in {self.processes} executor processes ({self.void:,} more had nothing to "
                f"show); {sum(saves.values()):,} saves in {len(self.styles)} styles, orders that left afterwards: "
                f"{_counts(saves)}; {sum(kills.values()):,} kills ({self.commands} by the real command), orders that "
                f"left afterwards: {_counts(kills)}; the executor was stopped in its tracks in {self.stopped:,}; "
                f"the latest order left {self.worst_ms:.2f} ms after a save; {len(self.violations)} violations")

    def missing(self) -> list[str]:
        """What a run has to have seen to mean anything."""
        gaps = [f"no save in the style {name}" for name in STYLES if not self.styles[name]]
        if not self.late["save"][1]:
            gaps.append("no order was past its last look when a save returned")
        if not self.late["kill"][0]:
            gaps.append("nothing was killed")
        return gaps


def _counts(late: Counter[int]) -> str:
    return ", ".join(f"{count} in {times:,}" for count, times in sorted(late.items())) or "no trial"


class Trials:
    """Runs a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._waiting = 0
        self.tally = Tally()

    def run(self, *, progress: int = 0) -> Tally:
        """All trials, in as many executor processes as that takes."""
        tally, plan = self.tally, self._plan
        while tally.trials < plan.count and not (plan.until_violated and tally.violations):
            folder = Path(tempfile.mkdtemp(dir=plan.folder, prefix="halt-"))
            try:
                latency = LATENCIES_US[tally.processes % len(LATENCIES_US)]
                with Rig(folder, latency_us=latency, mutant=plan.mutant) as rig:
                    tally.processes += 1
                    self._one_process(rig)
            finally:
                shutil.rmtree(folder)
            if progress:
                print(tally, file=sys.stderr, flush=True)
        return tally

    def _one_process(self, rig: Rig) -> None:
        tally, plan = self.tally, self._plan
        rig.stage()
        before = len(rig.stamps())
        start = monotonic_ns()
        rig.permit()
        rig.until(lambda: not rig.calm()["intents"])
        took = max(1e6, rig.stamps()[-1] - max(start, rig.stamps()[before]))
        rig.log.mark()
        self._kill(rig, command=False)
        self._waiting = 0
        for _ in range(PER_PROCESS):
            if tally.trials < plan.count and not (plan.until_violated and tally.violations):
                self._trial(rig, took / 1e9)

    def _trial(self, rig: Rig, took_s: float) -> None:
        chance, tally = self._random, self.tally
        mode, style = chance.choice(self._plan.modes), chance.choice(sorted(STYLES))
        if self._waiting < ENOUGH:
            rig.stage()
        before = len(rig.stamps())
        save(STYLES[chance.choice(sorted(STYLES))], rig.overlay, overlay())
        rig.permit()
        rig.until(lambda: len(rig.stamps()) > before)
        pause(chance.uniform(0, 0.25 * took_s))
        rig.log.mark()
        after, what = self._halt(rig, mode, style)
        left = rig.calm()["intents"]
        self._waiting = len(left)
        stamps = rig.stamps()[before:]
        late = [stamp for stamp in stamps if stamp > after]
        if not left or len(late) == len(stamps):
            tally.void += 1
        else:
            tally.trials += 1
            tally.late[mode][len(late)] += 1
            tally.styles.update([style] if mode == "save" else [])
        if len(late) > ALLOWED[mode]:
            tally.violations.append(f"{what}: {len(late)} orders left afterwards, the last {late[-1] - after:,} ns "
                                    "later")
        elif late:
            tally.worst_ms = max(tally.worst_ms, (late[-1] - after) / 1e6)

    def _halt(self, rig: Rig, mode: str, style: str) -> tuple[int, str]:
        """Halt in one way and wait until the executor has noticed. Returns when the halt had returned."""
        chance, tally = self._random, self.tally
        stop = chance.random() < 0.25
        tally.stopped += stop
        if mode == "kill":
            command = tally.commands < self._plan.commands
            tally.commands += command
            if not stop or command:
                return self._kill(rig, command=command), "kill"
            with rig.stopped(chance.uniform(0, 0.01)):
                return self._kill(rig, command=False), "kill of a stopped executor"
        raw = overlay(full_halt={"enabled": True, "reason": f"trial {tally.trials}.{tally.void}", "by": "ann"})
        cuts = sorted(chance.sample(range(1, len(raw)), chance.randrange(4)))
        if stop:
            with rig.stopped(chance.uniform(0, 0.01)):
                save(STYLES[style], rig.overlay, raw, cuts)
                after = monotonic_ns()
        else:
            save(STYLES[style], rig.overlay, raw, cuts)
            after = monotonic_ns()
        rig.seen(raw)
        return after, f"save in the style {style}"

    def _kill(self, rig: Rig, *, command: bool) -> int:
        if command:
            words = [sys.executable, "-m", "vanta.suite.run", "kill", "--home", str(rig.home.root), "--timeout", "120"]
            status = subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode
        else:
            status = self._plan.killer(rig.home)
        after = monotonic_ns()
        if status != 0:
            self.tally.violations.append(f"kill returned {status}")
        rig.gone()
        return after


def pause(seconds: float) -> None:
    """Let a part of a dispatch go by. Not slept: the moment is to be anywhere, not on the scheduler's grid."""
    ends = monotonic_ns() + int(seconds * 1e9)
    while monotonic_ns() < ends:
        pass


def main() -> int:
    """Run from the command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--load", type=int, default=os.cpu_count() or 2, help="busy processes beside")
    options.add_argument("--folder", type=Path, default=ROOT / ".pytest-state")
    options.add_argument("--commands", type=int, default=20, help="kills by the real command")
    chosen = options.parse_args()
    chosen.folder.mkdir(exist_ok=True)
    plan = Plan(count=chosen.count, seed=chosen.seed, folder=chosen.folder, commands=chosen.commands)
    with Load(chosen.load):
        tally = Trials(plan).run(progress=1)
    print(f"seed {chosen.seed}, {chosen.load} busy processes: {tally}")
    print(*(f"  VIOLATED: {one}" for one in tally.violations[:20]), *(f"  not shown: {one}" for one in tally.missing()),
          sep="\n")
    return 1 if tally.violations or tally.missing() else 0


if __name__ == "__main__":
    sys.exit(main())
