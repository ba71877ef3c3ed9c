"""Which cases there are: every call of a story's struck run under every fault, pairs, rows of five, two executors.

    single STORY    kill, killafter, torn, short, full, errno, stuck and reading errors, at every call
    power STORY     power cut before and after every call
    pairs STORY     killed or torn at i, then the power cut (without power cuts: killed) at j of the recovery, all i × j
    rows STORY      five faults in a row, drawn by seed
    two STORY       a second executor while the first is stopped before a call, at every call
    unlocked STORY  the same after somebody has deleted the lock file
    mutant NAME     cases near the wound of a mutant until one of them notices

A plan is a list of cases with a key each; who carries it out may draw a sample, take a share, or leave out what a
ledger of an earlier, interrupted campaign says was done.
"""

import errno
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.crash.injector import ERRNOS, TEARABLE, VENUE, Fault
from tests.crash.lab import Case, Lab
from tests.crash.mutants import MUTANTS, Mutant

STUCK = (errno.EIO, errno.ENOSPC, errno.EROFS)
_TURNED_AWAY = (errno.EIO, errno.ESTALE)
READING = {"open": (*_TURNED_AWAY, errno.EMFILE, errno.EACCES), "read": _TURNED_AWAY, "stat": _TURNED_AWAY,
           "lstat": _TURNED_AWAY, "fstat": _TURNED_AWAY}
"""What a reading call may fail with."""

WRITES = ("write", "pwrite", "writev")
PAIR_MODES = ("kill", "torn")
EVERY_START = 40
"""So many calls are made by every run, however little is left to do: the faults of a row fire."""

NEAR = 24
"""So many cases around the wound are tried in the hunt for a mutant, before it counts as having survived."""


@dataclass(frozen=True)
class Planned:
    """One case to be carried out. `key` names it in a ledger; `kind` is the same for like faults at like calls."""

    story: str
    faults: tuple[Fault, ...]
    how: str = ""
    kind: str = ""

    @property
    def key(self) -> str:
        """`order: kill at call 3, then cut at call 9`."""
        return f"{self.story}: {', then '.join(map(str, self.faults))}" + (f" ({self.how})" if self.how else "")

    def carry_out(self, lab: Lab) -> Case:
        """Do it."""
        if self.how:
            return lab.two(self.story, self.faults[0].at, unlocked=self.how == "unlocked")
        return lab.case(self.story, *self.faults)


def single(lab: Lab, story: str, modes: frozenset[str] | None = None) -> list[Planned]:
    """Every fault but power cuts at every call of the struck run."""
    ended = lab.points(story)
    found: list[tuple[Fault, str]] = []
    for at, point in enumerate(ended.points, 1):
        call = point.partition(" ")[0]
        faults = [Fault(mode=mode, at=at) for mode in ("kill", "killafter")]
        faults += [Fault(mode="torn", at=at)] if call in TEARABLE else []
        faults += [Fault(mode=mode, at=at) for mode in ("short", "full")] if call in WRITES else []
        faults += [Fault(mode="errno", at=at, code=code) for code in ERRNOS]
        faults += [Fault(mode="stuck", at=at, code=code) for code in STUCK if not _is_sending(point)]
        found += [(fault, point) for fault in faults]
    for at, point in enumerate(ended.readings, 1):
        codes = READING[point.partition(" ")[0]]
        found += [(Fault(mode="errno", at=at, code=code, reads=True), point) for code in codes]
    return [Planned(story, (fault,), kind=f"{story} {replace(fault, at=0)} {_like(point)}") for fault, point in found
            if modes is None or ("reads" if fault.reads else fault.mode) in modes]


def _like(point: str) -> str:
    """Call and file, without what differs from run to run: all temporary files are alike, and all inputs."""
    call, _, where = point.partition(" ")
    if where.endswith(".tmp") or "/snapshots" in where:
        where = "a temporary file" if where.endswith(".tmp") else "an input"
    return f"{call} {where}"


def _is_sending(point: str) -> bool:
    return f" {VENUE} " in point


def power(lab: Lab, story: str) -> list[Planned]:
    """A power cut before and after every call."""
    count = len(lab.points(story).points)
    return [Planned(story, (Fault(mode=mode, at=at),)) for at in range(1, count + 1) for mode in ("cut", "cutafter")]


def firsts(lab: Lab, story: str) -> list[Fault]:
    """The first faults of pairs: killed before a call, or with half of it done."""
    return [Fault(mode=mode, at=at) for at, point in enumerate(lab.points(story).points, 1) for mode in PAIR_MODES
            if mode == "kill" or point.partition(" ")[0] in TEARABLE]


def seconds(lab: Lab, story: str, first: Fault, mode: str) -> list[Planned]:
    """All pairs that begin with `first`; their number depends on what the recovery has to do."""
    count = len(lab.points(story, first).points)
    return [pair(story, first, mode, at) for at in range(1, count + 1)]


def pair(story: str, first: Fault, mode: str, at: int) -> Planned:
    """`first`, then a fault of that mode at call `at` of the recovery."""
    return Planned(story, (first, Fault(mode=mode, at=at)))


def rows(lab: Lab, story: str, seed: int, count: int, modes: tuple[str, ...]) -> list[Planned]:
    """Five faults in a row: the first at any call, the others within what every start does."""
    dice, calls = random.Random(f"{story} {seed}"), len(lab.points(story).points)
    return [Planned(story, tuple(Fault(mode=dice.choice(modes), at=dice.randint(1, most))
                                 for most in (calls, *[EVERY_START] * 4))) for _ in range(count)]


def two(lab: Lab, story: str, how: str) -> list[Planned]:
    """A second executor at every call of the first. `unlocked`: somebody has deleted the lock file meanwhile."""
    count = len(lab.points(story).points)
    return [Planned(story, (Fault(mode="pause", at=at),), how=how) for at in range(1, count + 1)]


def hunt(lab: Lab, name: str, mode: str = "cut") -> Iterator[Case]:
    """Cases near a mutant's wound, nearest first. Whoever asks stops at the first that notices."""
    mutant = MUTANTS[name]
    points = lab.points(mutant.story).points
    wounds = [number for number, point in enumerate(points, 1) if mutant.near in point]
    assert wounds, f"{mutant.story} makes no call like {mutant.near!r}"
    calls = sorted(range(1, len(points) + 1), key=lambda at: (min(abs(at - wound - 0.5) for wound in wounds), at))
    yield from _HUNTS[mutant.needs](lab, mutant, calls, mode)


def _alone(mode: str, code: int = 0) -> Callable[..., Iterator[Case]]:
    def cases(lab: Lab, mutant: Mutant, calls: list[int], _: str) -> Iterator[Case]:
        for at in calls[:NEAR]:
            yield lab.case(mutant.story, Fault(mode=mode, at=at, code=code), sabotage=mutant.make)
    return cases


def _undisturbed(lab: Lab, mutant: Mutant, calls: list[int], _: str) -> Iterator[Case]:
    del calls
    yield lab.case(mutant.story, sabotage=mutant.make)


def _with_another(lab: Lab, mutant: Mutant, calls: list[int], _: str) -> Iterator[Case]:
    for at in calls[:NEAR]:
        yield lab.two(mutant.story, at, sabotage=mutant.make)


def _killed_then_cut(lab: Lab, mutant: Mutant, calls: list[int], mode: str) -> Iterator[Case]:
    for first in (Fault(mode="kill", at=at) for at in calls[:NEAR]):
        for planned in seconds(lab, mutant.story, first, mode):
            yield lab.case(mutant.story, *planned.faults, sabotage=mutant.make)


_HUNTS: dict[str, Callable[[Lab, Mutant, list[int], str], Iterator[Case]]] = {
    "cut": _alone("cut"), "kill": _alone("kill"), "killafter": _alone("killafter"), "errno": _alone("errno", errno.EIO),
    "nothing": _undisturbed, "two": _with_another, "kill, cut": _killed_then_cut,
}
