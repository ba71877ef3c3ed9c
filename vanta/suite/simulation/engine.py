"""The driver of a simulation: one clock, recorded prices and feeds, and the programs as they are, in a fixed order.

At every moment at which a bar opened or closed:

1. the clock moves there and `market_quotes.json` is published with the newest price of every instrument
2. the executor makes a step: fills what was sent before, sends what has been waiting for its venue to open
3. at the first close of each period of `every`: all feeds are collected, then reflect, promote, one more executor step

There is no second engine: normalisers, reflector, promoter, executor, fences and paper broker are those of every other
run, over the same files. An order never fills on a price that was known when it was sent: decided at one close, it is
sent while its venue is open (a coin's at once, a share's at the next opening) and fills at the close after that.
At the end of every day the published portfolio is held against an account of its own (`audit`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType

from vanta import __version__
from vanta.common.canonical import document
from vanta.common.clock import ManualClock
from vanta.common.errors import Bug, OperatorError, UsageError
from vanta.common.ids import derived_home_id
from vanta.common.models.account import ExecutorState, Portfolio
from vanta.common.models.conviction import TradeSignals
from vanta.common.models.simulation import DayRow, Simulation
from vanta.common.paths import EXECUTOR_STATE, PORTFOLIO, SIMULATION, TRADE_LOG, TRADE_SIGNALS, Home
from vanta.common.resources import calendars
from vanta.common.settings import load
from vanta.common.store import document as documents
from vanta.common.store.chain import START, chain
from vanta.common.store.ports import Head
from vanta.common.times import iso
from vanta.markets.core.records import Problem
from vanta.markets.wire import Shelf
from vanta.suite.simulation.audit import Audit
from vanta.suite.simulation.bars import Series
from vanta.suite.simulation.feeds import read_feeds
from vanta.suite.simulation.home import prepare, simulated
from vanta.suite.simulation.prices import read_prices
from vanta.suite.simulation.report import Tally, Told, day_rows, told
from vanta.suite.simulation.tape import Mark, Moment, Tape, ticker
from vanta.suite.simulation.wire import BY, Programs, assemble

PRICES = "prices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to simulate: from `starts` until before `ends`. `latency` is by feed; `home_id=None` derives one."""

    home: Home
    feeds: Path
    prices: Path
    starts: datetime
    ends: datetime
    every: timedelta
    latency: Mapping[str, timedelta]
    home_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that is read before anything is written."""

    series: Sequence[Series]
    shelves: Mapping[str, Shelf]
    problems: Sequence[Problem]
    home_id: str


def read_inputs(plan: Plan) -> Inputs:
    """Read prices and feeds. Raises `OperatorError` if nothing can be simulated with them."""
    if plan.starts >= plan.ends:
        raise UsageError(f"--from {iso(plan.starts)} does not lie before --to {iso(plan.ends)}", "Swap them.")
    series, problems = read_prices(plan.prices, calendars(), plan.starts)
    if next(Tape(series).moments(plan.starts, plan.ends), None) is None:
        raise OperatorError(f"no bar in {plan.prices} opens or closes between {iso(plan.starts)} and {iso(plan.ends)}",
                            "Give prices that reach into that time.")
    shelves, more = read_feeds(plan.feeds, plan.latency, ManualClock(plan.starts))
    names = {"prices": [one.instrument.instrument_id for one in series],
             "feeds": {feed: shelf.urls for feed, shelf in shelves.items()}}
    return Inputs(series=series, shelves=shelves, problems=[*problems, *more],
                  home_id=plan.home_id or derived_home_id(names))


def simulate(plan: Plan) -> Simulation:
    """Run it and write `simulation.json`.

    Raises `OperatorError` for inputs that cannot be used, before anything is written, and `Bug` on the first day on
    which cash and positions are not NAV.
    """
    inputs = read_inputs(plan)
    prepare(plan.home)
    clock = ManualClock(plan.starts)
    programs = assemble(plan.home, simulated(load(plan.home)), clock, inputs.home_id)
    with Run(plan, inputs, programs, clock) as run:
        for moment in Tape(inputs.series).moments(plan.starts, plan.ends):
            run.live(moment)
        return run.finished()


class Run:
    """One simulation under way."""

    def __init__(self, plan: Plan, inputs: Inputs, programs: Programs, clock: ManualClock) -> None:
        self._plan = plan
        self._inputs = inputs
        self._programs = programs
        self._clock = clock
        self._audit = Audit()
        self._head: Head = START
        self._tally = Tally(feeds=inputs.shelves)
        self._days: list[DayRow] = []
        self._last: Moment | None = None
        self._period: int | None = None
        self._marks: Mapping[str, Mark] = {}
        self._symbols = {one.instrument.instrument_id: one.instrument.symbol for one in inputs.series}

    def live(self, moment: Moment) -> None:
        """Everything that happens at one moment."""
        if self._last is not None and moment.at.date() != self._last.at.date():
            self._end_day(self._last)
        self._last = moment
        self._clock.move_to(moment.at)
        self._tally.moments += 1
        self._publish(moment)
        self._programs.executor.executor.step()
        period = (moment.at - self._plan.starts) // self._plan.every
        if moment.closing and period != self._period:
            self._period = period
            self._cycle(moment.at)

    def _publish(self, moment: Moment) -> None:
        """A pass of the prices feed over what changed. A bar has no spread and offers no stated size."""
        news = [ticker(self._symbols[name], mark) for name, mark in sorted(moment.marks.items())
                if self._marks.get(name) != mark]
        self._marks = moment.marks
        self._programs.markets.collect_records(PRICES, news, self._plan.prices.name)

    def _cycle(self, now: datetime) -> None:
        """Collect, reflect, promote, and let the executor take it up."""
        markets = self._programs.markets
        for feed, shelf in self._inputs.shelves.items():
            result = markets.collect_with(shelf.collector, shelf.pass_at(now)).result
            self._tally.passed(feed, result.counts, failed=result.status == "error")
        markets.reflect()
        markets.promote()
        self._tally.cycles += 1
        self._programs.executor.executor.step()

    def _end_day(self, moment: Moment) -> None:
        """Hold the published portfolio against the log, and note the day. Raises `Bug` if they differ."""
        self._follow()
        portfolio = documents.load(self._programs.files, PORTFOLIO, Portfolio).value
        day: date = moment.at.date()
        prices = {name: mark.price for name, mark in moment.marks.items()}
        found = self._audit.differences(portfolio, prices)
        if portfolio.as_of_seq != self._head.seq:
            found.append(f"portfolio.json is of record {portfolio.as_of_seq}, the log has {self._head.seq}")
        if found:
            raise Bug(f"{day}: {'; '.join(found[:5])}",
                      "Compare trade_log.jsonl with portfolio.json, and report it.")
        self._days += day_rows(day, portfolio)

    def _follow(self) -> None:
        """Fold what is new in the trade log. Raises `StateError` if its chain is broken."""
        data = self._programs.files.read_from(TRADE_LOG, self._head.size)
        seq, digest = self._head.seq, self._head.hash
        for record in chain(data, name=TRADE_LOG, previous=self._head):
            self._audit.see(record)
            seq, digest = record.seq, record.hash
        self._head = Head(seq, digest, self._head.size + len(data))

    def finished(self) -> Simulation:
        """The result, written and returned."""
        if self._last is None:
            raise Bug("a simulation without a moment")
        self._end_day(self._last)
        files = self._programs.files
        signals = documents.load_if_any(files, TRADE_SIGNALS, TradeSignals)
        state = documents.load(files, EXECUTOR_STATE, ExecutorState).value
        plan, inputs = self._plan, self._inputs
        result = told(Told(
            starts=plan.starts, ends=plan.ends, every=plan.every, home_id=inputs.home_id, at=self._clock.now(),
            by=f"{BY} {__version__}", instruments=[one.instrument.instrument_id for one in inputs.series],
            latency=plan.latency, problems=inputs.problems, days=self._days, audit=self._audit, tally=self._tally,
            convictions=len(signals.value.convictions) if signals else 0,
            halted="" if state.dispatch == "open" else state.dispatch_reason))
        files.replace(SIMULATION, document(result.model_dump(mode="json")))
        return result

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._programs.markets.close()
        self._programs.executor.executor.close()
