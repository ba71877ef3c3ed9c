"""What is remembered of the days that were closed: the fold of `day.closed`. Pure.

What a day made is what was made so far, less what was made when the last day was closed. The sums of the days that the
log tells are that, so that no cent can be lost between two days or counted in both. Each currency has sums of its own.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from vanta.common.money import ZERO
from vanta.common.times import millis_of
from vanta.executor.core.lots import TABLES, Line

BOOKS_DIFFER = "books differ"
ALL_TABLES = ("vault", *TABLES)


class Mark(NamedTuple):
    """A benchmark's price, and when it was that."""

    instrument_id: str
    price: Decimal
    at_ms: int


class Base(msgspec.Struct):
    """All vaults of one currency at the end of day `since`: NAV, what was paid in, and what was made until then."""

    since: str | None = None
    navs: dict[str, Decimal] = msgspec.field(default_factory=dict)
    flows: dict[str, Decimal] = msgspec.field(default_factory=dict)
    tables: dict[str, dict[str, Line]] = msgspec.field(default_factory=lambda: {name: {} for name in ALL_TABLES})
    mark: Mark | None = None


class Daily(msgspec.Struct):
    """`day` is the day that is open, empty before anything is funded.

    `told` says in a few words what the last record of a day said, a row a currency; `wrong` by how much books differed
    in it, empty if they did not.
    """

    day: str = ""
    bases: dict[str, Base] = msgspec.field(default_factory=dict)
    told: list[dict[str, Any]] = msgspec.field(default_factory=list)
    wrong: str = ""

    def opened(self, day: str) -> None:
        """A day on which something happened. None is open twice."""
        self.day = max(self.day, day)

    def take(self, body: Mapping[str, Any]) -> None:
        """Fold one `day.closed`. Where a mark was missing the next record goes on from the one before."""
        self.day, self.told, self.wrong = body["next"], [], ""
        for code, group in body["currencies"].items():
            if group["total"] is not None:
                _advance(self.bases.setdefault(code, Base()), group, body["day"])
            sanity = group["sanity"]
            self.told.append({
                "day": body["day"], "since": group["since"], "currency": code, "nav": sanity["nav"],
                "pnl": group["total"] and group["total"]["total"], "benchmark": sanity["benchmark"],
                "benchmark_nav": sanity["benchmark_nav"], "ahead": sanity["ahead"], "verdict": sanity["verdict"]})
            if sanity["verdict"] == BOOKS_DIFFER:
                self.wrong = f"{sanity['difference']} {code}"


def _advance(base: Base, group: Mapping[str, Any], day: str) -> None:
    base.since = day
    for vault, row in group["vaults"].items():
        base.navs[vault] = Decimal(row["nav_close"])
        base.flows[vault] = base.flows.get(vault, ZERO) + Decimal(row["flows"])
    for table, lines in base.tables.items():
        for name, said in group[f"by_{table}"].items():
            lines.setdefault(name, Line()).add(
                Line(Decimal(said["realised"]), Decimal(said["unrealised"]), Decimal(said["fees"])))
    mark = group["marks"]["close"] or group["marks"]["open"]
    base.mark = Mark(group["sanity"]["benchmark"], Decimal(mark["price"]), millis_of(mark["at"])) if mark else None
