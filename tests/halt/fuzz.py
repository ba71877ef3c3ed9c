"""A million overlay documents that went wrong: none may permit what an independent checker denies.

    python -m tests.halt.fuzz --count 1000000 --seed 20261127

Prints the seed, the counts and what was found. Ends with 1 if a document was permitted that the checker denies, or if
the run has not seen what it is for (see `Tally.missing`).
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.halt import checker
from tests.halt.mutate import NAMES, NOW, ORDER, Mutator
from vanta.common.times import parse_iso
from vanta.executor.core.controls import Controls, Known, Scope, read_overlay
from vanta.executor.core.fences import halt

SEED = 20261127
KEPT = 20
Subject = Callable[[bytes], bool]

NAME_SETS = {kind: set(names) for kind, names in NAMES.items()}
KNOWN = Known(vault=frozenset(NAMES["vault"]), broker=frozenset(NAMES["broker"]),
              instrument=frozenset(NAMES["instrument"]))
SCOPE = Scope(**ORDER)


def open_gate(controls: Controls) -> bool:
    """Whether the fence that is asked right before an order is sent lets a new order pass, as far as switches go."""
    switches = halt.Switches(controls=controls, permit=True, latches={}, known=KNOWN)
    return halt.look(switches, SCOPE, reduces=False, now=parse_iso(NOW)).code is None


def permits(raw: bytes) -> bool:
    """What VANTA says to these bytes."""
    return open_gate(read_overlay(raw))


def second_opinion(raw: bytes) -> bool:
    """What the checker says."""
    return checker.permits(raw, NAME_SETS, ORDER, NOW)


@dataclass
class Tally:
    """What came out. `violations` were permitted though the checker denies; `cautious` the other way round."""

    documents: int = 0
    permitted: int = 0
    violations: int = 0
    cautious: int = 0
    mutations: Counter[str] = field(default_factory=Counter)
    permitted_after: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[bytes, list[str]]] = field(default_factory=list)
    wary: list[tuple[bytes, list[str]]] = field(default_factory=list)

    def add(self, raw: bytes, done: list[str], subject: Subject) -> None:
        """Judge one document."""
        said, other = subject(raw), second_opinion(raw)
        self.documents += 1
        self.mutations.update(done)
        self.permitted += said
        if said:
            self.permitted_after.update(done or ["nothing"])
        if said and not other:
            self.violations += 1
            self.kept = [*self.kept, (raw, done)][:KEPT]
        elif other and not said:
            self.cautious += 1
            self.wary = [*self.wary, (raw, done)][:KEPT]

    def missing(self) -> Iterator[str]:
        """What a run has to have seen to mean anything: every mutation, and documents that permit after mutations."""
        mutator = Mutator(0)
        for name in mutator.names:
            if not self.mutations[name]:
                yield f"no document went through {name}"
        if not self.permitted_after["nothing"]:
            yield "no untouched document was permitted"
        if self.permitted - self.permitted_after["nothing"] < self.documents // 50:
            yield "hardly any mutated document was permitted: the mutations are too coarse to find a near miss"

    def __str__(self) -> str:
        mutations = f"{sum(self.mutations.values()):,} mutations of {len(self.mutations)} kinds"
        return (f"{self.documents:,} documents, {mutations}; "
                f"{self.permitted:,} permitted; {self.violations:,} permitted though the checker denies; "
                f"{self.cautious:,} denied though the checker permits")


def fuzz(subject: Subject, *, count: int, seed: int, progress: int = 0) -> Tally:
    """Judge so many documents. With `progress`, say so on stderr after so many."""
    mutator, tally = Mutator(seed), Tally()
    for number in range(1, count + 1):
        raw, done = mutator.document()
        tally.add(raw, done, subject)
        if progress and number % progress == 0:
            print(f"{number:,}: {tally}", file=sys.stderr, flush=True)
    return tally


def main() -> int:
    """Run from the command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=SEED)
    chosen = options.parse_args()
    tally = fuzz(permits, count=chosen.count, seed=chosen.seed, progress=100_000)
    print(f"seed {chosen.seed}: {tally}")
    for raw, done in tally.kept:
        print(f"  permitted though the checker denies: {raw[:400]!r} after {done}")
    for raw, done in tally.wary[:5]:
        print(f"  denied though the checker permits: {raw[:200]!r} after {done}")
    gaps = list(tally.missing())
    print(*(f"  not shown: {gap}" for gap in gaps), sep="\n", end="\n" if gaps else "")
    return 1 if tally.violations or gaps else 0


if __name__ == "__main__":
    sys.exit(main())
