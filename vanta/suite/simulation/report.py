"""What a simulation says at the end: the numbers for `simulation.json`, and the same for people. Pure."""

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from vanta.common.models.account import Portfolio
from vanta.common.models.signal import FeedCounts, FeedProblem
from vanta.common.models.simulation import DayRow, FeedResult, Simulation, VaultResult
from vanta.common.money import ZERO, plain
from vanta.common.times import iso
from vanta.markets.core.records import Problem
from vanta.suite.simulation.audit import Audit

MOST_PROBLEMS = 200


class Shelved(Sized, Protocol):
    """What is counted of a feed's shelf: its length in records, its payloads, and the records nobody saw."""

    urls: list[str]

    def unseen(self) -> int:
        """Records that no pass was handed."""
        ...


@dataclass(slots=True)
class Tally:
    """What is counted while a simulation runs. `counts` are sums over a feed's passes."""

    feeds: Mapping[str, Shelved]
    moments: int = 0
    cycles: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    counts: dict[str, FeedCounts] = field(default_factory=dict)

    def passed(self, feed: str, counts: FeedCounts, *, failed: bool) -> None:
        """Add one pass."""
        before = self.counts.get(feed, FeedCounts())
        names = FeedCounts.model_fields
        self.counts[feed] = FeedCounts(**{name: getattr(before, name) + getattr(counts, name) for name in names})
        self.failed[feed] = self.failed.get(feed, 0) + failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that goes into the result."""

    starts: datetime
    ends: datetime
    every: timedelta
    at: datetime
    by: str
    home_id: str
    instruments: Sequence[str]
    latency: Mapping[str, timedelta]
    problems: Sequence[Problem]
    days: Sequence[DayRow]
    audit: Audit
    tally: Tally
    convictions: int
    halted: str


def told(given: Told) -> Simulation:
    """The result as its file holds it."""
    counts, tally = given.audit.counts, given.tally
    return Simulation(
        revision=1, written_at=iso(given.at), written_by=given.by, starts=iso(given.starts), ends=iso(given.ends),
        every_s=given.every // timedelta(seconds=1), home_id=given.home_id, instruments=list(given.instruments),
        moments=tally.moments, cycles=tally.cycles, convictions=given.convictions,
        feeds=[_feed(feed, given) for feed in tally.feeds], intents=counts.intents, orders=counts.orders,
        fills=counts.fills, refusals=dict(sorted(counts.refusals.items())), holds=dict(sorted(counts.holds.items())),
        expired=counts.expired, latches=dict(sorted(counts.latches.items())),
        vaults=_vaults(given.days, given.audit), days=list(given.days), problems=_listed(given.problems),
        halted=given.halted)


def _feed(feed: str, given: Told) -> FeedResult:
    shelf, counts = given.tally.feeds[feed], given.tally.counts.get(feed, FeedCounts())
    return FeedResult(
        feed=feed, latency_s=given.latency[feed] // timedelta(seconds=1), payloads=len(shelf.urls), records=len(shelf),
        unseen=shelf.unseen(), passes=given.tally.cycles, failed_passes=given.tally.failed.get(feed, 0),
        signals=counts.signals_new, updates=counts.signals_updated, late=counts.late, expired=counts.expired,
        not_signals=counts.not_signals, rejected=counts.rejected)


def _listed(problems: Sequence[Problem]) -> list[FeedProblem]:
    shown = [FeedProblem(code=one.code, detail=one.detail, where=one.where) for one in problems[:MOST_PROBLEMS]]
    left = len(problems) - len(shown)
    return [*shown, *([FeedProblem(code="more", detail=f"{left} more were left out", where="")] if left else [])]


def day_rows(day: date, portfolio: Portfolio) -> list[DayRow]:
    """One row a vault. The portfolio has been checked: every value is known."""
    return [DayRow.model_validate({
        "day": day, "vault_id": vault.vault_id, "cash": vault.cash, "nav": vault.nav, "realised": vault.realised,
        "positions": sum((row.value or ZERO for row in vault.positions), ZERO),
        "unrealised": sum((row.unrealised or ZERO for row in vault.positions), ZERO)}) for vault in portfolio.vaults]


def drawdown(values: Iterable[Decimal]) -> Decimal:
    """The deepest fall from the highest value so far, as a fraction of it, to four places."""
    peak = worst = ZERO
    for value in values:
        peak = max(peak, value)
        worst = max(worst, (peak - value) / peak) if peak > 0 else worst
    return round(worst, 4)


def _vaults(days: Sequence[DayRow], audit: Audit) -> list[VaultResult]:
    """Every vault by its last row; drawdown counts from what was paid in."""
    last = {row.vault_id: row for row in days}
    return [VaultResult(
        vault_id=name, currency=account.currency, capital=account.paid_in, nav=last[name].nav,
        realised=last[name].realised, unrealised=last[name].unrealised, fees=account.fees,
        max_drawdown=drawdown([account.paid_in, *(row.nav for row in days if row.vault_id == name)]))
        for name, account in sorted(audit.accounts.items())]


def lines(result: Simulation) -> list[str]:
    """The summary for people."""
    days = len({row.day for row in result.days})
    return [
        (f"{result.starts[:10]} to {result.ends[:10]}: {days} days with prices, {len(result.instruments)} instruments,"
         f" {result.moments} moments, {result.cycles} cycles, {result.convictions} convictions in the last"),
        "", *map(_said_of_feed, result.feeds), "",
        f"{result.intents} intents, {result.orders} orders, {result.fills} fills, {result.expired} expired",
        *(f"  {what} {code}: {count}"
          for what, table in (("refused", result.refusals), ("waited", result.holds), ("latched", result.latches))
          for code, count in table.items()),
        "", *map(_said_of_vault, result.vaults)]


def _said_of_feed(one: FeedResult) -> str:
    said = (f"{one.feed:<8} {one.signals} signals ({one.updates} updates) from {one.records} records in"
            f" {one.payloads} payloads, seen {one.latency_s} s after publication")
    said += f"; {one.unseen} published too late" if one.unseen else ""
    return said + (f"; {one.failed_passes} of {one.passes} passes failed" if one.failed_passes else "")


def _said_of_vault(one: VaultResult) -> str:
    return (f"{one.vault_id}: {_money(one.capital)} → {_money(one.nav)} {one.currency}, realised"
            f" {_money(one.realised)}, unrealised {_money(one.unrealised)}, fees {_money(one.fees)},"
            f" largest fall {one.max_drawdown:.2%}")


def warnings(result: Simulation) -> list[str]:
    """What a person should look at."""
    said = [f"at the end nothing may be dispatched: {result.halted}"] if result.halted else []
    return said + [f"left out: {one.where}: {one.detail} ({one.code})" for one in result.problems]


def _money(amount: Decimal) -> str:
    whole, _, cents = plain(abs(amount)).partition(".")
    return f"{'-' if amount < 0 else ''}{int(whole):,}.{cents:0<2}"
