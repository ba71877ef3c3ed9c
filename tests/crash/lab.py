"""Where cases are carried out: a folder with the stories' homes, a venue in its own process, a way to cut the power.

A case is a story, the faults that strike its first runs one after the other, and undisturbed restarts until every
intent has come to an end. Each fault has to prove that it fired; a case whose fault did not fire has shown nothing and
counts as not run.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from tests.crash import homes, oracle, runs
from tests.crash.adapter import ask
from tests.crash.injector import Fault
from tests.crash.powercut import Disk
from tests.crash.stories import STORIES, Story
from vanta.common.paths import TRADE_LOG

RESTARTS = 5
LOCK_HELD, UNEXPLAINED = 75, 70
Sabotage = Callable[[], None]


@dataclass
class Case:
    """What became of one case. `violations` empty and `fired` true is what one hopes for."""

    story: str
    faults: tuple[Fault, ...]
    fired: bool = True
    violations: list[str] = field(default_factory=list)
    restarts: int = 0

    def __str__(self) -> str:
        return f"{self.story}: {', then '.join(map(str, self.faults)) or 'nothing'}"


class Lab:
    """One venue and one folder. With a `disk`, homes lie on it, and faults may cut its power."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk
        self._home = (disk.mount if disk else folder) / "home"
        self._ledger = folder / "ledger"
        self._address = str(folder / "venue")
        self._first: dict[str, int] = {}
        self._venue = subprocess.Popen([sys.executable, "-S", str(Path(__file__).with_name("venue.py")), self._address,
                                        str(self._ledger)], stdout=subprocess.DEVNULL)
        self.venue_pid = self._venue.pid
        while not Path(self._address).exists():
            if self._venue.poll() is not None:
                raise RuntimeError("the venue did not start")
            time.sleep(0.01)

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        ask(self._address, op="halt")
        self._venue.wait()

    def begin(self, story: Story) -> int:
        """The story's home and venue as they are before the first strike. Returns the number of the first run."""
        root = self._folder / f"story-{story.name}"
        if story.name not in self._first:
            ask(self._address, op="restore", name="")
            ask(self._address, op="set", knobs=dict(story.knobs))
            self._first[story.name] = story.make(root, lambda number, steps: self._quietly(story, root, number, steps))
            ask(self._address, op="keep", name=story.name)
        ask(self._address, op="restore", name=story.name)
        homes.copy(root, self._home)
        if self._disk is not None:
            self._disk.settle()
        return self._first[story.name]

    def _quietly(self, story: Story, root: Path, number: int, steps: int) -> None:
        ended = runs.run(runs.Order(home=root, address=self._address, number=number, steps=steps,
                                    deduplicates=story.declares))
        if ended.code != 0:
            raise RuntimeError(f"preparing {story.name}: {ended.said}")

    def order(self, story: Story, number: int, fault: Fault, sabotage: Sabotage | None = None) -> runs.Order:
        """What a run of the story is asked to do."""
        if fault.mode.startswith("cut") and self._disk is not None:
            fault = self._disk.cutting(fault)
        return runs.Order(home=self._home, address=self._address, number=number, steps=story.steps,
                          deduplicates=story.declares, fault=fault, sabotage=sabotage, reader=story.reader)

    def run(self, story: Story, number: int, fault: Fault = runs.NOTHING,
            sabotage: Sabotage | None = None) -> runs.Ended:
        """One run of the executor; afterwards the venue has dealt with all that was sent, and the power is back."""
        ended = runs.run(self.order(story, number, fault, sabotage))
        if fault.mode.startswith("cut") and ended.fired and self._disk is not None:
            self._disk.power_on()
        ask(self._address, op="settle")
        return ended

    def warm_up(self) -> None:
        """Make one run in this very process, so that no child has to import or prepare what all of them need."""
        story = STORIES["next"]
        runs.work(self.order(story, self.begin(story), runs.NOTHING))

    def look(self) -> oracle.Evidence:
        """What there is to see now."""
        return oracle.gather(self._home, self._ledger)

    def case(self, name: str, *faults: Fault, sabotage: Sabotage | None = None) -> Case:
        """Strike, restart, judge."""
        story, case = STORIES[name], Case(name, faults)
        number = self.begin(story)
        tails = self.look().tails
        for fault in faults:
            ended = self.run(story, number, fault, sabotage)
            number += 1
            if not ended.fired or ended.killed != fault.kills:
                case.fired = False
                return case
            # A torn end that only the page cache held may be gone after a power cut; one that is seen again counts.
            tails = (set() if fault.mode.startswith("cut") else tails) | self._glance(story, ended, case).tails
        self._restart(story, number, case, sabotage)
        case.violations += oracle.unsaid(self.look(), tails)
        return case

    def two(self, name: str, at: int, sabotage: Sabotage | None = None, *, unlocked: bool = False) -> Case:
        """One executor is stopped before a call, a second one is started meanwhile, then the first goes on.

        `unlocked`: somebody deletes the lock file before the second one is started.
        """
        fault = Fault(mode="pause", at=at)
        story, case = STORIES[name], Case(name, (fault,))
        number = self.begin(story)
        pid, reading = runs.start(self.order(story, number, fault, sabotage))
        try:
            said = os.read(reading, 4096)
            case.fired = said.startswith(b"fired") and os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
            if case.fired:
                lock = self._home / "memory" / "executor.lock"
                held = _is_locked(self._home / "memory" / TRADE_LOG if unlocked else lock)
                if unlocked:
                    lock.unlink(missing_ok=True)
                self._let_in(story, number, case, sabotage, held=held)  # at the same time by its own clock
        finally:
            os.kill(pid, signal.SIGCONT)
        self._glance(story, runs.finish(pid, reading, said), case)
        self._restart(story, number + 2, case, sabotage)
        return case

    def _let_in(self, story: Story, number: int, case: Case, sabotage: Sabotage | None, *, held: bool) -> None:
        """A second executor: while the first holds what it writes it is turned away, without a word to the venue."""
        before = len(self.look().said)
        second = self.run(story, number, sabotage=sabotage)
        if held and (second.code != LOCK_HELD or len(self.look().said) != before):
            case.violations.append(f"LET IN: a second executor ended with {second.code}: {second.said}")

    def _glance(self, story: Story, ended: runs.Ended, case: Case) -> oracle.Evidence:
        if ended.code == UNEXPLAINED:
            case.violations.append(f"UNEXPLAINED: {ended.said}")
        evidence = self.look()
        case.violations += (oracle.witnessed if story.reader else oracle.glance)(evidence)
        return evidence

    def _restart(self, story: Story, number: int, case: Case, sabotage: Sabotage | None) -> None:
        for case.restarts in range(1, RESTARTS + 1):
            ended = self.run(story, number, sabotage=sabotage)
            number += 1
            if ended.code == 0 and oracle.arrived(self.look(), story.expect):
                break
        if ended.code != 0:
            case.violations.append(f"STUCK: {ended.said}")
        case.violations += oracle.witnessed(self.look()) if story.reader else oracle.judge(self.look(), story.expect)

    def points(self, name: str, *faults: Fault) -> runs.Ended:
        """The calls of the run that follows these faults, counted in an undisturbed run."""
        story = STORIES[name]
        number = self.begin(story)
        for fault in faults:
            self.run(story, number, fault)
            number += 1
        return self.run(story, number)


def _is_locked(path: Path) -> bool:
    """Whether the kernel knows a lock on that file."""
    return path.exists() and f":{path.stat().st_ino} " in Path("/proc/locks").read_text("ascii")
