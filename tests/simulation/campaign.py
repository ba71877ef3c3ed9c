"""Many schedules in a row: what went wrong, which hard states were reached, where processes died."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.assembly import Assembly
from tests.simulation.simulation import Simulation
from tests.simulation.sometimes import NAMES

OFTEN = 0.3
"""A pair of neighbouring boundaries that is met so often a schedule has to have seen a process die between the two."""


@dataclass(slots=True)
class Campaign:
    """The sum over all schedules so far. `violations` holds the first finding of each bad seed."""

    schedules: int = 0
    next_seed: int = 0
    violations: dict[int, str] = field(default_factory=dict)
    facts: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    died: Counter[str] = field(default_factory=Counter)

    def run(self, seeds: Iterable[int], assembly: Assembly | None = None) -> "Campaign":
        """Run schedules one after the other."""
        for seed in seeds:
            self.add(seed, assembly)
        return self

    def add(self, seed: int, assembly: Assembly | None = None) -> None:
        """Run one schedule."""
        outcome = Simulation(seed, assembly).run()
        self.schedules += 1
        self.next_seed = seed + 1
        self.facts.update(outcome.facts)
        self.met.update({" → ".join(pair): count for pair, count in outcome.met.items()})
        self.died.update({" → ".join(pair): count for pair, count in outcome.died.items()})
        if outcome.violations:
            self.violations[seed] = outcome.violations[0]

    def never_reached(self) -> list[str]:
        """Hard states that no schedule has reached."""
        return [name for name in NAMES if not self.facts[name]]

    def never_died(self) -> list[str]:
        """Boundaries between which no process has died, though there was plenty of occasion."""
        return sorted(pair for pair, count in self.met.items()
                      if count >= OFTEN * self.schedules and not self.died[pair])

    def report(self) -> list[str]:
        """What people want to read."""
        between = sum(1 for pair in self.met if self.died[pair])
        rows = [f"{self.schedules:,} schedules, seeds below {self.next_seed:,}; {len(self.violations)} violations",
                f"processes died at {sum(self.died.values()):,} boundaries, between {between} of {len(self.met)} pairs"]
        rows += [f"  seed {seed}: {what}" for seed, what in sorted(self.violations.items())[:20]]
        rows += [f"never reached: {name}" for name in self.never_reached()]
        rows += [f"never died between: {pair}" for pair in self.never_died()]
        return rows

    def saved(self) -> dict[str, Any]:
        """As plain JSON values, to go on from later."""
        return {"schedules": self.schedules, "next_seed": self.next_seed, "violations": {
            str(seed): what for seed, what in self.violations.items()}, "facts": dict(self.facts),
            "met": dict(self.met), "died": dict(self.died)}

    @classmethod
    def loaded(cls, body: Mapping[str, Any]) -> "Campaign":
        """The inverse of `saved`."""
        return cls(body["schedules"], body["next_seed"], {int(seed): what for seed, what in body["violations"].items()},
                   Counter(body["facts"]), Counter(body["met"]), Counter(body["died"]))
