"""Holdings as lots, and profit that adds up to the cent. Pure.

Every fill books whole minor units (cents): what was paid for a lot is its cost, closing part of a lot takes a
rounded share of the cost and leaves the rest, so that always

    cash + cost of all lots = capital + realised

Lots close first in, first out. Each lot remembers why it was bought (`Tags`), and profit is split over
those tags by whole minor units with the largest-remainder rule, so that every table sums to the total.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from vanta.common.money import ZERO, minor_places, plain, round_amount, split_by_largest_remainder

TABLES = ("band", "persona", "source", "reason")
Weights = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Tags:
    """Why a position was taken: conviction band, and integer weights of personas, sources and lines of its reasons."""

    band: str
    persona: Weights
    source: Weights
    reason: Weights

    def weights(self, table: str) -> Weights:
        """Group names and weights for one attribution table."""
        if table == "reason":
            return self.reason
        if table == "source":
            return self.source
        return self.persona if table == "persona" else ((self.band, 1),)


NOBODY: Weights = (("none", 1),)
UNTAGGED = Tags("none", NOBODY, NOBODY, NOBODY)


@dataclass(slots=True)
class Lot:
    """`quantity` is signed, `cost` the cash paid for it (negative for a short), both never of opposite sign."""

    quantity: Decimal
    cost: Decimal
    tags: Tags


class Closed(NamedTuple):
    """What closing a piece of a lot earned, before fees."""

    realised: Decimal
    tags: Tags


class Position:
    """The lots of one instrument in one vault."""

    __slots__ = ("currency", "lots", "multiplier", "quantity")

    def __init__(self, currency: str, multiplier: Decimal) -> None:
        self.currency = currency
        self.multiplier = multiplier
        self.quantity = ZERO
        self.lots: list[Lot] = []

    def cost(self) -> Decimal:
        """What the open lots cost, in minor units' precision."""
        return sum((lot.cost for lot in self.lots), ZERO)

    def average(self) -> Decimal:
        """What a unit cost, 0 where nothing is held."""
        return self.cost() / (self.quantity * self.multiplier) if self.quantity else ZERO

    def value(self, mark: Decimal) -> Decimal:
        """Quantity times mark times multiplier, rounded to the booked unit."""
        return round_amount(self.quantity * mark * self.multiplier, self.currency)

    def fill(self, signed: Decimal, cash: Decimal, tags: Tags) -> list[Closed]:
        """Book a fill: `signed` quantity bought (or sold, negative) for `cash` paid (received, negative).

        Returns what was closed. `cash` must already be rounded to the booked unit.
        """
        closed: list[Closed] = []
        rest, paid = signed, cash
        while rest and self.lots and (self.lots[0].quantity > 0) != (signed > 0):
            lot = self.lots[0]
            part = min(abs(rest), abs(lot.quantity))
            whole = part == abs(rest)
            share = paid if whole else round_amount(cash * part / abs(signed), self.currency)
            closed.append(Closed(-share - self._take(lot, part), lot.tags))
            rest += part if rest < 0 else -part
            paid -= share
        if rest:
            self.lots.append(Lot(rest, paid, tags))
        self.quantity += signed
        return closed

    def _take(self, lot: Lot, part: Decimal) -> Decimal:
        if part == abs(lot.quantity):
            self.lots.pop(0)
            return lot.cost
        cost = round_amount(lot.cost * part / abs(lot.quantity), self.currency)
        lot.cost -= cost
        lot.quantity += -part if lot.quantity > 0 else part
        return cost


@dataclass(slots=True)
class Line:
    """Amounts of one group."""

    realised: Decimal = ZERO
    unrealised: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """What was gained or lost."""
        return self.realised + self.unrealised

    def body(self) -> dict[str, str]:
        """As it is published."""
        return {"realised": plain(self.realised), "unrealised": plain(self.unrealised), "fees": plain(self.fees),
                "total": plain(self.total)}

    def add(self, other: "Line") -> None:
        """Take another group's amounts in."""
        self.realised += other.realised
        self.unrealised += other.unrealised
        self.fees += other.fees

    def less(self, other: "Line") -> "Line":
        """What came since `other`."""
        return Line(self.realised - other.realised, self.unrealised - other.unrealised, self.fees - other.fees)


class Ledger:
    """Realised profit and fees by attribution group, counted in minor units. Every table sums to `realised` and `fees`.

    A fee is part of `realised`, and shown apart as well: a group bears the share of it that is shown.
    """

    __slots__ = ("_places", "groups", "totals")

    def __init__(self, currency: str, totals: list[int] | None = None,
                 groups: dict[str, dict[str, list[int]]] | None = None) -> None:
        """Empty, or as it was: `totals` and, by table and group, `groups` of profit and fees in minor units."""
        self._places = minor_places(currency)
        self.totals = totals if totals is not None else [0, 0]
        self.groups = groups if groups is not None else {name: {} for name in TABLES}

    @property
    def realised(self) -> Decimal:
        """Everything earned so far, after fees."""
        return Decimal(self.totals[0]).scaleb(-self._places)

    @property
    def fees(self) -> Decimal:
        """Everything paid in fees so far."""
        return Decimal(self.totals[1]).scaleb(-self._places)

    def table(self, name: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Realised profit and fees by group of one attribution table."""
        return {group: (Decimal(gain).scaleb(-self._places), Decimal(cost).scaleb(-self._places))
                for group, (gain, cost) in self.groups[name].items()}

    def add(self, realised: Decimal, fee: Decimal, tags: Tags) -> None:
        """Book a result. Both amounts are whole minor units."""
        gross, cost = int(realised.scaleb(self._places)), int(fee.scaleb(self._places))
        if not gross and not cost:
            return
        self.totals[0] += gross - cost
        self.totals[1] += cost
        for name, groups in self.groups.items():
            weights = tags.weights(name)
            gains = parts(gross, weights) if gross else None
            costs = parts(cost, weights) if cost else None
            for index, (group, _) in enumerate(weights):
                line = groups.get(group)
                if line is None:
                    line = groups[group] = [0, 0]
                if gains is not None:
                    line[0] += gains[index]
                if costs is not None:
                    line[0] -= costs[index]
                    line[1] += costs[index]


def parts(units: int, weights: Weights) -> list[int]:
    """Whole minor units over weighted groups; the parts sum to them exactly."""
    if len(weights) == 1:
        return [units]
    return split_by_largest_remainder(units, [weight for _, weight in weights]) if units else [0] * len(weights)
