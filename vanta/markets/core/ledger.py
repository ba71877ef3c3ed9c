"""What all claims about an entity add up to, in integers, whatever order they came in. Pure.

    entity → source → claim → milli-nats, and the five-minute bucket in which it was published

Decides what one claim contributes and what a channel's claims are worth now. Refuses to know weights, caps and
baselines. All claims of a bucket are equally old, and sums of integers commute: the same set of claims is worth the
same in any order, a late claim counts as if it had been on time, and retracting is subtracting.

Example: direction 1, strength 0.5, confidence 0.9 with gain 2,000 contributes +900 milli-nats; one half-life after
it was published it is worth +450.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vanta.markets.core.decay import BITS

STRONGEST = 5
_GRID = 10_000
_WHOLE = _GRID**3


def contribution(direction: float, strength: float, confidence: float, gain: int) -> int:
    """Milli-nats of one claim, rounded half away from zero. The three factors lie on the grid of 1/10,000."""
    product = round(direction * _GRID) * round(strength * _GRID) * round(confidence * _GRID) * gain
    size = (2 * abs(product) + _WHOLE) // (2 * _WHOLE)
    return size if product > 0 else -size


@dataclass(frozen=True, slots=True)
class Worth:
    """A channel's say about an entity now: milli-nats, live claims, and the ids of the strongest of them."""

    evidence: int
    count: int
    strongest: tuple[str, ...]


class Cell:
    """The claims of one source about one entity."""

    __slots__ = ("_claims",)

    def __init__(self) -> None:
        self._claims: dict[str, tuple[int, int, int]] = {}

    def add(self, claim: str, revision: int, bucket: int, evidence: int) -> None:
        """Count a claim once: of several revisions of one id the highest stands, whichever comes first."""
        new = (revision, bucket, evidence)
        old = self._claims.get(claim)
        if old is None or old < new:
            self._claims[claim] = new

    def retract(self, claim: str) -> None:
        """Take a claim out again. Raises `KeyError` if it is not there."""
        del self._claims[claim]

    def worth(self, factor: Callable[[int], int]) -> Worth:
        """What is left now. `factor` gives the decay of a bucket in units of 2^-30."""
        total = count = 0
        said = []
        for claim, (_, bucket, evidence) in self._claims.items():
            left = factor(bucket)
            if left:
                count += 1
                if evidence:
                    now = evidence * left
                    total += now
                    said.append((-abs(now), claim))
        return Worth(_towards_zero(total), count, tuple(claim for _, claim in sorted(said)[:STRONGEST]))


def _towards_zero(total: int) -> int:
    return total >> BITS if total >= 0 else -(-total >> BITS)


class Ledger:
    """All cells, by entity and source."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], Cell] = {}

    def cell(self, entity: str, source: str) -> Cell:
        """The cell of a source and an entity, made when it is first asked for."""
        key = (entity, source)
        found = self._cells.get(key)
        if found is None:
            found = self._cells[key] = Cell()
        return found

    def entities(self) -> Iterator[tuple[str, dict[str, Cell]]]:
        """Every entity with its cells by source, both in order of name."""
        table: dict[str, dict[str, Cell]] = {}
        for (entity, source), cell in sorted(self._cells.items(), key=lambda item: item[0]):
            table.setdefault(entity, {})[source] = cell
        return iter(table.items())
