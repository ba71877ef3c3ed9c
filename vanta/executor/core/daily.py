"""What a day made, and whether that can be true: the content of `day.closed`. Pure, so that replay says it again.

A day is the time between two records of this kind: it is closed by the first look on a later day (UTC), before that
look reads a price or books an execution, with the marks that were known until then. After a pause the last open day is
closed, and `days_between` says how many had none of their own.

- Profit by vault, band, persona, source and reason is the difference of two tables of all that was made so far
  (`profit.py`); every table sums to the whole to the cent, and all days sum to the whole life.
- NAV is counted twice: cash and marked positions, and what was paid in plus what was made. If the two differ, or a
  table does not sum to the whole, the verdict is `books differ`: a defect of this program, never of the market.
- The benchmark: what the NAV of the last close would have become in it. What was paid in or out during the day counts
  as cash on both sides. A benchmark that had no new price has none for the day.

A position without a mark makes NAV and profit unknown, not zero: they are null, and the next record covers both days.
Each currency stands for itself: nothing is added without a recorded rate.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from vanta.common.money import ZERO, plain, round_amount
from vanta.common.times import from_millis, iso
from vanta.executor.core import profit
from vanta.executor.core.book import Book
from vanta.executor.core.closes import BOOKS_DIFFER, Base, Mark
from vanta.executor.core.entries import VaultBook
from vanta.executor.core.lots import Line

Body = dict[str, Any]
UNMARKED = "a position has no mark"
UNSET, UNPRICED = "no benchmark configured", "benchmark has no price"
AHEAD, BEHIND, LEVEL = "ahead", "behind", "level"


def due(book: Book, today: str) -> bool:
    """Whether a day is open that is over. `today` as `2026-11-20`."""
    return bool(book.daily.day) and book.daily.day < today


def closed(book: Book, today: str, benchmark: str | None) -> Body:
    """The payload of `day.closed`. Only for a day that is `due`."""
    groups: dict[str, list[VaultBook]] = {}
    for _, vault in sorted(book.vaults.items()):
        groups.setdefault(vault.currency, []).append(vault)
    between = (date.fromisoformat(today) - date.fromisoformat(book.daily.day)).days - 1
    return {"day": book.daily.day, "next": today, "days_between": between,
            "currencies": {code: _Group(book, code, vaults).body(benchmark) for code, vaults in sorted(groups.items())}}


class _Group:
    """All vaults of one currency."""

    def __init__(self, book: Book, code: str, vaults: list[VaultBook]) -> None:
        self._book = book
        self._code = code
        self._vaults = vaults
        self._base = base = book.daily.bases.get(code) or Base()
        self._made = made = profit.made(book, vaults)
        self._day = {table: _since(lines, base.tables[table]) for table, lines in made.tables.items()}
        self._total = _sum(self._day["vault"].values())
        self._flows = {vault.vault_id: vault.flows - base.flows.get(vault.vault_id, ZERO) for vault in vaults}
        self._nav = None if made.unmarked else sum((book.nav(vault.vault_id) or ZERO for vault in vaults), ZERO)

    def body(self, benchmark: str | None) -> Body:
        """Null tables where a mark is missing."""
        known = self._nav is not None
        marks = self._marks(benchmark)
        return {
            "since": self._base.since, "unmarked": sorted(self._made.unmarked),
            "vaults": {vault.vault_id: self._vault(vault) for vault in self._vaults},
            "total": self._total.body() if known else None,
            **{f"by_{table}": {name: line.body() for name, line in sorted(lines.items())} if known else None
               for table, lines in self._day.items()},
            "marks": {name: mark and {"price": plain(mark.price), "at": iso(from_millis(mark.at_ms))}
                      for name, mark in marks.items()},
            "sanity": self._sanity(benchmark, marks)}

    def _vault(self, vault: VaultBook) -> Body:
        nav, before = self._book.nav(vault.vault_id), self._base.navs.get(vault.vault_id, ZERO)
        flows = self._flows[vault.vault_id]
        return {"nav_open": plain(before), "nav_close": None if nav is None else plain(nav), "flows": plain(flows),
                "pnl": None if nav is None else plain(nav - before - flows)}

    def _marks(self, benchmark: str | None) -> dict[str, Mark | None]:
        """The benchmark's price at the last close and now, `None` where there is none, or none newer."""
        before, quote = self._base.mark, self._book.quotes.get(benchmark or "")
        if before is not None and before.instrument_id != benchmark:
            before = None
        if benchmark is None or quote is None or (before is not None and quote.at_ms <= before.at_ms):
            return {"open": before, "close": None}
        return {"open": before, "close": Mark(benchmark, quote.last, quote.at_ms)}

    def _sanity(self, benchmark: str | None, marks: Mapping[str, Mark | None]) -> Body:
        said: Body = {"nav": None, "counted": None, "difference": None, "benchmark": benchmark, "benchmark_nav": None,
                      "ahead": None, "verdict": UNMARKED}
        if self._nav is None:
            return said
        counted = sum((_counted(self._book, vault) for vault in self._vaults), ZERO)
        wrong = self._wrong(self._nav, counted)
        said.update(nav=plain(self._nav), counted=plain(counted), difference=plain(wrong))
        before, after = marks["open"], marks["close"]
        if before is not None and after is not None:
            grown = round_amount(sum(self._base.navs.values(), ZERO) * after.price / before.price, self._code)
            other = grown + sum(self._flows.values(), ZERO)
            ahead = self._nav - other
            said.update(benchmark_nav=plain(other), ahead=plain(ahead),
                        verdict=AHEAD if ahead > 0 else BEHIND if ahead < 0 else LEVEL)
        else:
            said["verdict"] = UNSET if benchmark is None else UNPRICED
        if wrong:
            said["verdict"] = BOOKS_DIFFER
        return said

    def _wrong(self, nav: Decimal, counted: Decimal) -> Decimal:
        """By how much something does not add up that has to; zero if all of it does."""
        moved = nav - sum(self._base.navs.values(), ZERO) - sum(self._flows.values(), ZERO)
        apart = [nav - counted, moved - self._total.total]
        for lines in self._day.values():
            rest = _sum(lines.values()).less(self._total)
            apart += [rest.realised, rest.unrealised, rest.fees]
        return next((one for one in apart if one), ZERO)


def _since(now: Mapping[str, Line], before: Mapping[str, Line]) -> dict[str, Line]:
    """What came since, without the groups in which nothing did."""
    rows = {name: now.get(name, Line()).less(before.get(name, Line())) for name in {**before, **now}}
    return {name: line for name, line in rows.items() if line != Line()}


def _sum(lines: Iterable[Line]) -> Line:
    whole = Line()
    for line in lines:
        whole.add(line)
    return whole


def _counted(book: Book, vault: VaultBook) -> Decimal:
    """NAV without looking at the cash, or at the quantities that positions say they have."""
    total = vault.flows + vault.ledger.realised
    for name, position in vault.positions.items():
        held, quote = sum((lot.quantity for lot in position.lots), ZERO), book.quotes.get(name)
        if held and quote is not None:
            total += round_amount(held * quote.last * position.multiplier, vault.currency)
        total -= position.cost()
    return total
