"""The screen that says what a home is about: feeds, convictions, plans, intents, profit, logs, what to try next.

It reads the documents and the trade log as they are and decides nothing. What is missing or cannot be read is said in
its place; one bad file never hides the rest.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from vanta.common.errors import VantaError
from vanta.common.events import Kind
from vanta.common.models.account import ExecutorState, PnlSummary, Portfolio, VaultHoldings
from vanta.common.models.allocation import Target, VaultAllocation, VaultTarget
from vanta.common.models.configuration import Settings
from vanta.common.models.conviction import Reason, TradeSignals
from vanta.common.models.quotes import MarketQuotes
from vanta.common.models.signal import FeedDocument
from vanta.common.money import ZERO
from vanta.common.paths import (
    ALLOCATION,
    COLLECTION_LOG,
    EXECUTOR_STATE,
    FEEDS,
    JOURNALS,
    MARKET_QUOTES,
    PNL,
    PORTFOLIO,
    TRADE_LOG,
    TRADE_SIGNALS,
    Home,
    signals_file,
)
from vanta.common.store.atomic import read
from vanta.common.store.chain import chain
from vanta.common.store.document import load_if_any
from vanta.common.store.ports import Record
from vanta.markets.core.freshness import age_s, reason_at, status_at
from vanta.suite.render import Column, Section
from vanta.suite.story import Story, stories
from vanta.suite.verdict import holding, verdict
from vanta.suite.wire import files

MOST_CONVICTIONS = 12
_STEADIED = "ranks go by the steadied value, which follows a conviction only once that has moved by the rank margin"
M = TypeVar("M", FeedDocument, MarketQuotes, TradeSignals, VaultAllocation, Portfolio, PnlSummary, ExecutorState)


@dataclass(frozen=True, slots=True)
class View:
    """A home at one moment."""

    home: Home
    settings: Settings
    now: datetime

    def document(self, name: str, model: type[M]) -> M | str:
        """The document, or why it cannot be shown."""
        try:
            loaded = load_if_any(files(self.home), name, model)
        except VantaError as error:
            return error.what
        return f"{name} does not exist yet" if loaded is None else loaded.value

    def journal(self, name: str) -> list[Record] | str:
        """The records of a log whose chain holds, or why it does not."""
        try:
            data = read(self.home.file(name))
            records = list(chain(data[: data.rfind(b"\n") + 1], name=name))
        except VantaError as error:
            return error.what
        return records if data.endswith(b"\n") else f"{name}: the last line is torn"


def screen(view: View) -> list[Section]:
    """All sections, in the order in which money moves."""
    parts: tuple[Callable[[View], Section], ...] = (feeds, convictions, views, allocation, intents,
                                                       profit, logs)
    return [part(view) for part in parts]


def feeds(view: View) -> Section:
    """Each feed with its freshness, and the reason it gave."""
    rows = [*(_feed(view, name) for name in FEEDS if view.settings.markets.feed(name).enabled), _prices(view)]
    return Section(title="Feeds", rows=rows, columns=(
        Column("feed"), Column("status"), Column("age", "right"), Column("holds", "right"), Column("last pass")))


def _feed(view: View, name: str) -> list[str]:
    document = view.document(signals_file(name), FeedDocument)
    if isinstance(document, str):
        return [name, "unknown", "-", "-", document]
    limit, age = view.settings.markets.feed(name).stale_after_s, age_s(document, view.now)
    return [name, status_at(document, view.now, limit), "never" if age is None else f"{age} s",
            f"{len(document.signals)} signals", reason_at(document, view.now, limit)]


def _prices(view: View) -> list[str]:
    document, log = view.document(MARKET_QUOTES, MarketQuotes), view.journal(COLLECTION_LOG)
    last = next((record.payload for record in reversed(log) if record.kind == Kind.COLLECTED
                 and record.payload["feed"] == "prices"), None) if isinstance(log, list) else None
    status, reason = (str(last["status"]), str(last["status_reason"])) if last else ("unknown", "never collected")
    if isinstance(document, str):
        return ["prices", status if last else "unknown", "-", "-", reason if last else document]
    newest = max((quote.at for quote in document.quotes.values()), default="-")
    return ["prices", status, "-", f"{len(document.quotes)} quotes", f"{reason}; newest quote {newest}"]


def convictions(view: View) -> Section:
    """The ranked convictions; the basis points of their reasons add up to them."""
    document = view.document(TRADE_SIGNALS, TradeSignals)
    if isinstance(document, str):
        return Section(title="Convictions", notes=[document])
    shown = document.convictions[:MOST_CONVICTIONS]
    more = len(document.convictions) - len(shown)
    missing = [f"no weight: {name}: {why}" for name, why in document.missing.items()]
    return Section(
        title="Convictions (evidence in basis points, not a probability)",
        columns=(Column("#", "right"), Column("entity"), Column("view"), Column("steadied", "right"),
                 Column("bp", "right"), Column("because")),
        rows=[[str(row.rank), row.entity, row.direction, f"{row.rank_bp:,}", f"{row.conviction_bp:,}",
               _because(row.reason_vector, row.conviction_bp)] for row in shown],
        notes=[*([f"and {more} more in {TRADE_SIGNALS}"] if more else []), *missing,
               *([_STEADIED] if any(row.rank_bp != row.conviction_bp for row in shown) else [])])


def _because(reasons: Sequence[Reason], bp: int) -> str:
    lines = [line for line in reasons if line.bp or line.reason != "baseline"]
    told = " ".join(f"{line.reason.removeprefix('source:')} {line.bp:+,}" for line in lines) or "no evidence"
    total = sum(line.bp for line in reasons)
    return told if total == bp else f"{told} (adds up to {total:,}!)"


def views(view: View) -> Section:
    """What the strongest persona of each vault makes of a conviction, where it differs from the evidence."""
    document = view.document(ALLOCATION, VaultAllocation)
    if isinstance(document, str):
        return Section(title="Personas", notes=[document])
    found = [(plan.vault_id, target) for plan in document.vaults for target in plan.targets
             if any(line.reason.startswith(("persona:", "cap:")) for line in target.reasons)]
    return Section(
        title="Personas (how they see the evidence, in basis points)",
        columns=(Column("vault"), Column("entity"), Column("bp", "right"), Column("because")),
        rows=[[vault, target.entity, f"{target.conviction_bp:,}", _because(target.reasons, target.conviction_bp)]
              for vault, target in found],
        notes=[] if found else ["no persona sees anything but the evidence"])


def allocation(view: View) -> Section:
    """What each vault wants against what it holds."""
    wanted, held = view.document(ALLOCATION, VaultAllocation), view.document(PORTFOLIO, Portfolio)
    if isinstance(wanted, str) or isinstance(held, str):
        return Section(title="Allocation", notes=[one for one in (wanted, held) if isinstance(one, str)])
    rows, notes = [], []
    for plan in wanted.vaults:
        holdings = next((one for one in held.vaults if one.vault_id == plan.vault_id), None)
        if holdings is None:
            notes.append(f"{plan.vault_id}: not funded yet")
            continue
        rows += list(_plan(plan, holdings))
        nav = "unknown" if holdings.nav is None else money(holdings.nav)
        notes.append(f"{plan.vault_id}: NAV {nav} {holdings.currency}, cash {money(holdings.cash)}, "
                     f"kept back from investing {money(plan.reserved)}")
        if plan.unallocated:
            notes.append(f"{plan.vault_id} left alone: {'; '.join(plan.unallocated)}")
    return Section(title="Allocation against portfolio", rows=rows, notes=notes, columns=(
        Column("vault"), Column("instrument"), Column("weight", "right"), Column("wanted", "right"),
        Column("held", "right"), Column("worth", "right"), Column("limited by")))


def _plan(plan: VaultTarget, holdings: VaultHoldings) -> Iterator[list[str]]:
    held = {row.instrument_id: row for row in holdings.positions}
    targets: dict[str, Target] = {one.instrument_id: one for one in plan.targets}
    for name in [*targets, *(name for name in held if name not in targets)]:
        target, row = targets.get(name), held.get(name)
        worth = "-" if row is None else "unknown" if row.value is None else money(row.value)
        yield [plan.vault_id, name, f"{target.weight_bp / 100:.2f} %" if target else "-",
               money(target.notional) if target else "-", quantity(row.quantity) if row else "-", worth,
               "; ".join(target.limits) if target else "no target"]


def intents(view: View) -> Section:
    """Every intent with its verdict and what was filled."""
    log = view.journal(TRADE_LOG)
    if isinstance(log, str):
        return Section(title="Intents", notes=[log])
    told, state = stories(log), view.document(EXECUTOR_STATE, ExecutorState)
    halted = isinstance(state, str) or state.dispatch != "open"
    rows = [[one.vault, one.instrument_id, one.side, money(one.notional), one.state, verdict(one, halted=halted)]
            for one in told]
    return Section(title="Intents, verdicts and fills", rows=rows, notes=_intent_notes(told), columns=(
        Column("vault"), Column("instrument"), Column("side"), Column("for", "right"), Column("state"),
        Column("verdict")))


def _intent_notes(told: list[Story]) -> list[str]:
    notes = [] if told else ["no intent was staged"]
    held = sorted({code for one in told for code in one.held})
    return notes + [f"{code}: held {sum(code in one.held for one in told)} of {len(told)} intents for a while, "
                    f"because {holding(code)}" for code in held]


def profit(view: View) -> Section:
    """Profit and loss by vault, and whether it adds up."""
    document = view.document(PNL, PnlSummary)
    if isinstance(document, str):
        return Section(title="Profit and loss", notes=[document])
    lines = {**document.by_vault, "total": document.total}
    rows = [[name, money(line.realised), money(line.unrealised), money(line.total), money(line.fees)]
            for name, line in lines.items()]
    sound = all(line.realised + line.unrealised == line.total for line in lines.values()) and all(
        sum((line.total for line in table.values()), ZERO) == document.total.total
        for table in (document.by_vault, document.by_band, document.by_persona, document.by_source))
    said = "adds up: realised + unrealised = total, by vault, band, persona and source"
    return Section(
        title=f"Profit and loss ({document.currency})", rows=rows, notes=[said if sound else "DOES NOT ADD UP"],
        columns=(Column("vault"), Column("realised", "right"), Column("unrealised", "right"), Column("total", "right"),
                 Column("fees in it", "right")))


def logs(view: View) -> Section:
    """Every log with the state of its chain."""
    rows = []
    for name in JOURNALS:
        if view.home.file(name).exists():
            found = view.journal(name)
            whole = isinstance(found, list)
            rows.append([name, "verified" if whole else "broken",
                         f"{len(found):,} records, head {found[-1].hash[:12] if found else 'none'}"
                         if isinstance(found, list) else found])
    return Section(title="Logs (hash chains)", rows=rows, notes=[] if rows else ["there are no logs yet"],
                   columns=(Column("log"), Column("chain"), Column("what")))


def money(amount: Decimal) -> str:
    """`1,234.56`."""
    return f"{amount:,.2f}"


def quantity(units: Decimal) -> str:
    """Units without trailing zeros, at most six decimals."""
    text = f"{units:,.6f}"
    return text.rstrip("0").rstrip(".")
