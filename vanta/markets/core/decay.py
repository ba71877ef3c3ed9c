"""How much an old claim still says: a shipped integer table instead of a floating-point power. Pure.

Decides the factor `2^(-age/half-life)` in units of 2^-30, from ages in buckets of five minutes. Refuses to know
what decays and what time it is. Nothing is left once the time to live is over, and a claim dated later than now
says nothing yet.

Example: age 144 buckets (twelve hours), half-life 288 (a day) → 759,250,125, which is 0.7071 of 2^30.
"""

from dataclasses import dataclass
from itertools import pairwise

from vanta.common import strictjson
from vanta.common.errors import StateError

BUCKET_S = 300
"""Seconds in one bucket. Claims of the same five minutes are equally old."""

BITS = 30
ONE = 1 << BITS
_STEPS = 1024


@dataclass(frozen=True, slots=True)
class Decay:
    """The table: `2^(-k/1024)` for k from 0 to 1023, in units of 2^-30."""

    table: tuple[int, ...]

    def factor(self, age: int, half_life: int, ttl: int) -> int:
        """Between 0 and 2^30. All three are buckets; `half_life` is at least 1. 0 from `ttl` on, and before time 0."""
        if not 0 <= age < ttl:
            return 0
        halvings, rest = divmod(age * _STEPS // half_life, _STEPS)
        return self.table[rest] >> halvings


def parse(raw: bytes) -> Decay:
    """Read `decay_q30.json`. Raises `StateError` if it is not the falling table that it must be."""
    fields = strictjson.loads_object(raw, file="decay_q30.json")
    table = fields.get("table")
    if fields.get("bits") != BITS or not isinstance(table, list) or len(table) != _STEPS or table[0] != ONE \
            or not all(isinstance(now, int) and then > now for then, now in pairwise([ONE + 1, *table, ONE >> 1])):
        raise StateError("decay_q30.json is not the decay table", "Reinstall VANTA.")
    return Decay(tuple(table))
