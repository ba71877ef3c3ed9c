"""Log-odds to strength of evidence: `2·g(|L|) − 1` in basis points, g the logistic function. Pure.

Decides how strong a sum of evidence is on a scale on which 0 is none and 10,000 is never reached. Refuses to call
that a probability. A shipped integer table with linear interpolation; no floating point, the same on every host.

Example: 1,099 milli-nats (odds of three to one) → 5,001 basis points; the sign does not matter.
"""

from dataclasses import dataclass
from itertools import pairwise

from vanta.common import strictjson
from vanta.common.errors import StateError

_UNIT = 100_000_000
_PER_BP = _UNIT // 10_000


@dataclass(frozen=True, slots=True)
class Strength:
    """The table: strength in units of 10^-8 at 0, `step`, 2·`step`, … milli-nats."""

    step: int
    table: tuple[int, ...]

    def bp(self, log_odds: int) -> int:
        """0 to 9,999. `log_odds` in milli-nats, either sign. Never falls as |log_odds| grows."""
        at, rest = divmod(abs(log_odds), self.step)
        if at >= len(self.table) - 1:
            return self.table[-1] // _PER_BP
        low, high = self.table[at], self.table[at + 1]
        return (low + (high - low) * rest // self.step) // _PER_BP


def parse(raw: bytes) -> Strength:
    """Read `logistic.json`. Raises `StateError` if it is not a rising table from 0 to just below 1."""
    fields = strictjson.loads_object(raw, file="logistic.json")
    table, step = fields.get("table"), fields.get("step")
    if fields.get("unit") != _UNIT or not isinstance(step, int) or step < 1 or not isinstance(table, list) \
            or not all(isinstance(now, int) and then < now for then, now in pairwise([-1, *table])) \
            or not table or table[0] != 0 or not _UNIT - _PER_BP <= table[-1] < _UNIT:
        raise StateError("logistic.json is not the strength table", "Reinstall VANTA.")
    return Strength(step, tuple(table))
