"""One step of the executor: look, decide, record, act, publish. The daemon repeats it; a sweep makes one.

1. look: controls, vaults, instruments, queue, quotes, broker events, each recorded before it is used; a day that is
   over is closed right after the controls
2. watch: open the day, latch on losses or on an overlay that stays unreadable
3. dispatch: every waiting intent passes all fences; approved ones go through the outbox
4. publish: documents, at most every 250 ms and when idle

With `sends` off nothing leaves, and nothing is cancelled to make room for what would: what is approved just waits, and
so do commands, because half of a flatten is worse than none.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from vanta.common.calendars import Calendar
from vanta.common.clock import Clock
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.models.configuration import ExecutorSettings
from vanta.common.models.vault import VaultRegistry
from vanta.common.money import plain, settle_context
from vanta.common.outside.out import Out, unwatched
from vanta.common.reasons import Reason
from vanta.common.store.lock import FileLock
from vanta.common.store.ports import Snapshots
from vanta.common.times import iso, millis, parse_iso
from vanta.executor.attribution import Editor, nobody
from vanta.executor.brokers.port import Broker
from vanta.executor.closing import close_day
from vanta.executor.commands import end_overrides, leave
from vanta.executor.core import daily, protect, terms, views, watch
from vanta.executor.core.alerts import Alert, of_books, of_lines, of_losses
from vanta.executor.core.approval import Approved, judge
from vanta.executor.core.controls import Known, Scope, stops, summary
from vanta.executor.core.entries import in_turn
from vanta.executor.core.fences import halt
from vanta.executor.core.fences.sync import IN_SYNC
from vanta.executor.core.overrides import in_force
from vanta.executor.core.proposal import Context, Line
from vanta.executor.core.reach import Reach
from vanta.executor.core.size import propose
from vanta.executor.core.stops import aside
from vanta.executor.core.verdict import good_until
from vanta.executor.edits import START, Edits
from vanta.executor.ending import let_go
from vanta.executor.gate import Gate, Reading
from vanta.executor.memory import Keeper
from vanta.executor.observe import Observer
from vanta.executor.outbox import Outbox
from vanta.executor.publish import Publisher
from vanta.executor.reconcile import NOT_ASKED, Reconciler
from vanta.executor.recorder import Recorder
from vanta.executor.recovery import restore, settle_all
from vanta.executor.venue import Venue
from vanta.executor.verdicts import record_stop, set_latch

BATCH = 64
_RETHINK_S = 1.0
_ASK_AGAIN_S = 2.0
_VERDICT_S = 10.0
"""Nothing is sent on what was known longer ago: the process was stopped, or venues took their time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the composition root hands in."""

    clock: Clock
    settings: ExecutorSettings
    recorder: Recorder
    observer: Observer
    gate: Gate
    brokers: Mapping[str, Broker]
    snapshots: Snapshots
    calendars: Mapping[str, Calendar]
    publisher: Publisher
    lock: FileLock | None
    disarm: Callable[[], object]
    program: str
    pid: int
    keeper: Keeper | None = None
    out: Out = field(default_factory=unwatched)
    latch_s: float = 30.0
    editor: Callable[[str, str], Editor] = nobody


@dataclass(slots=True)
class StepReport:
    """What one step did, in counts. `halted` is empty while dispatch is permitted."""

    seen: int = 0
    judged: int = 0
    accepted: int = 0
    fills: int = 0
    halted: str = ""
    alerts: list[Alert] = field(default_factory=list)
    latched: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Nothing new came in or went out."""
        return not (self.seen or self.accepted or self.fills)


class Executor:
    """See the module's contract. All state that outlives a step is in the book."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._recorder = parts.recorder
        self._book = parts.recorder.book
        self._reconciler = Reconciler(parts.recorder, parts.brokers, parts.snapshots, parts.settings.reconcile_s)
        self._venue = Venue(parts.recorder, parts.brokers, self._reconciler)
        self._edits = Edits(parts.recorder, parts.snapshots, parts.editor)
        self._outbox = Outbox(parts.recorder, parts.brokers, self._last_look)
        self.alarm_problem = ""
        self.sends = True
        self._judged: tuple[int, float] = (-1, float("-inf"))
        self._watched: tuple[int, str] = (-1, "")
        self._troubled: dict[Reason, float] = {}
        self._beat = float("-inf")
        self._asked = float("-inf")
        self._not_before: dict[str, float] = {}
        self._holding: dict[str, list[str]] = {}
        self._clock: tuple[datetime, float] | None = None
        self._began = 0.0
        self._amid = False
        self._able = {account: broker.capabilities.terms for account, broker in parts.brokers.items()}
        self._answered_for: set[str] = set()
        self._learn()

    @property
    def recorder(self) -> Recorder:
        """Journal and book."""
        return self._recorder

    def start(self) -> str:
        """Take up working orders and, where calls are allowed, settle every open question. Says what happened."""
        now = self._parts.clock.now()
        said = restore(self._recorder, self._parts.brokers)
        self._reconciler.start(now)
        reading = self._reading = self._parts.gate.read()
        self._parts.observer.controls(reading, now)
        self._venue.reach = self._reach(reading, now)
        said += settle_all(self._recorder, self._venue, now)
        self._recorder.sync()
        if self._parts.keeper is not None:
            self._parts.keeper.when_idle(now)
        self._withdraw_permit()  # a crash may have come between a latch and the removal of the permit
        self._edits.tell(now, noticed=START)
        return said

    def step(self) -> StepReport:
        """Make one step. Raises `StateError` if the journal or the lock is lost: then the program must stop."""
        self._amid = True
        self._insist_on_lock()
        settle_context()
        now, self._began = self._parts.clock.now(), self._parts.clock.monotonic()
        reading = self._reading = self._parts.gate.read()
        report = StepReport()
        observer = self._parts.observer
        observer.controls(reading, now)
        self._close_day(now)
        if observer.registry(now):
            self._learn()
        asked = observer.commands(now) if self.sends else []
        end_overrides(self._recorder, now)
        report.seen = observer.queue(now)
        observer.quotes(now, self._parts.settings.benchmark)
        self._venue.reach = reach = self._reach(reading, now)
        report.fills += self._venue.collect(now)
        self._venue.close_of_day(now)
        if self.sends:
            self._venue.ask_anew(terms.rested(self._book, self._limits(now), millis(now)), now)
        self._ask_again(now)
        self._reconciler.run(reach, self._parts.clock.monotonic())
        self._watch(reading, now, report)
        withdrawn = observer.withdrawals(now)
        stops_asked = terms.stops(self._limits(now), self._able)
        for wish in protect.wishes(self._book, millis(now), stops_asked) if self.sends else ():
            leave(self._recorder, wish, now)
        for unwanted, why in ((asked, "an operator asked for it"), (withdrawn, "withdrawn"),
                              (protect.in_the_way(self._book) if self.sends else [], "in the way of an exit")):
            self._venue.cancel(unwanted, why, now)
        if self.sends:
            self._venue.ask_anew(list(aside(self._book, self._holding, stops_asked, observer.instruments)), now)
        self._dispatch(reading, now, report)
        reading = self._reading  # the last looks may have seen other switches
        report.halted = self._halted(reading, now)
        self._venue.reach = self._reach(reading, now)
        self._venue.drain(now)
        report.fills += self._venue.collect(now)
        self._recorder.sync()
        self._withdraw_permit()
        self._edits.tell(now)
        keeper = self._parts.keeper
        if report.idle and keeper is not None:
            keeper.when_idle(now)
        report.problems = dict(observer.problems)
        if keeper is not None and keeper.problem:
            report.problems["checkpoints"] = f"no state for the next start: {keeper.problem}"
        self._publish(reading, report, now)
        self._amid = False
        return report

    def _close_day(self, now: datetime) -> None:
        """Before prices and executions of the new day are read."""
        benchmark = self._parts.settings.benchmark
        if daily.due(self._book, self._recorder.text(now)[:10]):
            if benchmark is not None:
                self._parts.observer.mark(benchmark, now)
            close_day(self._recorder, benchmark, now)

    def _ask_again(self, now: datetime) -> None:
        """Open questions and cancels without an outcome are asked again; no order is ever sent again blindly."""
        monotonic = self._parts.clock.monotonic()
        if monotonic - self._asked < _ASK_AGAIN_S:
            return
        self._asked = monotonic
        settle_all(self._recorder, self._venue, now)

    def _insist_on_lock(self) -> None:
        lock = self._parts.lock
        if lock is not None and not lock.still_held():
            raise StateError(f"{lock.path} was removed or replaced while the executor ran",
                             "Find the other process; start one executor again.")

    def _learn(self) -> None:
        """Which names a scoped switch may use. Every vault of vault.json is in the book once it was seen."""
        observer = self._parts.observer
        self._known = Known(vault=frozenset(self._book.vaults), broker=frozenset(self._parts.brokers),
                            instrument=frozenset(observer.instruments))

    def _root_stops(self, reading: Reading, now: datetime) -> set[Reason]:
        return {stop.code for stop in stops(reading.controls, None, self._known, now=now)}

    def _reach(self, reading: Reading, now: datetime) -> Reach:
        return Reach(reading.controls, self._known, now, self._parts.observer.instruments)

    def _withdraw_permit(self) -> None:
        """A latch that stops everything takes the permit as well: whoever releases it has to permit dispatch anew."""
        grave = {name for name, latch in self._book.latches.items() if latch["vault"] is None and not latch["exits"]}
        if grave - self._answered_for:
            self._parts.disarm()
        self._answered_for = grave

    def _halted(self, reading: Reading, now: datetime) -> str:
        return summary(reading.controls, self._known, now=now) if self._root_stops(reading, now) else ""

    def _watch(self, reading: Reading, now: datetime, report: StepReport) -> None:
        """See whether anything has to be latched."""
        monotonic, troubles = self._parts.clock.monotonic(), reading.controls.troubles
        self._troubled = {code: self._troubled.get(code, monotonic) for code in troubles}
        found = self._clock_latches(now)
        for code, problem in troubles.items():
            limit = self._parts.latch_s if code is Reason.HALT_NO_LEASE else self._parts.settings.unreadable_latch_s
            found += watch.unreadable(self._book, monotonic - self._troubled[code], limit, problem, code)
        found += self._losses(now, report)
        for latch in found:
            set_latch(self._recorder, latch, now=now)
            report.latched.append(f"{latch.code}: {latch.detail}")

    def _losses(self, now: datetime, report: StepReport) -> list[watch.Latch]:
        """Open the day once NAV is known, then compare losses with limits.

        All of it follows from the log and the day: while neither moves, it was looked at already.
        """
        day, vaults = iso(now)[:10], self._limits(now)
        if vaults is None or self._watched == (self._book.seq, day):
            return []
        self._watched = (self._book.seq, day)
        navs = views.navs(self._book, vaults)
        for vault_id, nav in navs.items():
            if nav is not None and self._book.vaults[vault_id].day != day:
                self._recorder.put(Kind.DAY_OPENED, {"vault": vault_id, "day": day, "nav": plain(nav)}, now=now)
        nav = watch.house_nav(navs)
        if nav is not None and self._book.house.day != day:
            self._recorder.put(Kind.HOUSE_DAY_OPENED, {"day": day, "nav": plain(nav)}, now=now)
        self._alert([*of_books(self._book), *of_losses(self._book, vaults, navs)], now, report)
        return watch.losses(self._book, vaults, navs)

    def _limits(self, now: datetime) -> VaultRegistry | None:
        """vault.json, as it could be read last, with every override that is in force."""
        return in_force(self._parts.observer.vaults, self._book.overrides, millis(now))

    def _alert(self, found: list[Alert], now: datetime, report: StepReport) -> None:
        for alert in found:
            if alert.level > self._book.alerts.get(alert.about, 0):
                report.alerts.append(alert)
            self._recorder.put(Kind.ALERT, alert._asdict(), now=now)

    def _clock_latches(self, now: datetime) -> list[watch.Latch]:
        """A wall clock that jumps against the time that passed, or that is behind the log at start."""
        clock, settings, ends = self._parts.clock, self._parts.settings, self._recorder.found_until
        monotonic = self._began  # read beside `now`: a slow look in between is no jump
        before, self._clock = self._clock, (now, monotonic)
        if not clock.follows_time:
            return []
        if before is None:
            ahead = (parse_iso(ends) - now).total_seconds() if ends else 0.0
            return watch.stepped(self._book, -max(0.0, ahead), settings.future_skew_s,
                                 f"the log ends at {ends}, the clock says {iso(now)}")
        passed = monotonic - before[1]
        return watch.stepped(self._book, (now - before[0]).total_seconds() - passed, settings.clock_step_s,
                             f"the clock went from {iso(before[0])} to {iso(now)} in {passed:.1f} s")

    def _dispatch(self, reading: Reading, now: datetime, report: StepReport) -> None:
        """Judge every waiting intent; nothing is judged again while nothing has changed."""
        monotonic = self._parts.clock.monotonic()
        if self._judged[0] == self._book.seq and monotonic - self._judged[1] < _RETHINK_S:
            return
        context = self._context(reading, now)
        for entry in sorted(self._book.waiting.values(), key=in_turn):
            if self._not_before.get(entry.account, monotonic) > monotonic:
                continue
            report.judged += 1
            verdict = judge(propose(entry, context), context)
            self._holding.pop(entry.intent_id, None)
            if isinstance(verdict, Approved):
                if not self.sends:
                    continue
                self._outbox.approve(entry, verdict, good_until=good_until(entry, verdict.terms, context), now=now)
                if len(self._outbox) >= BATCH:
                    report.accepted += self._outbox.flush(now)
                    context = self._context(self._reading, now)  # the last looks may have seen other switches
                self._alert(of_lines(entry.vault, verdict.lines, self._book.alerts), now, report)
            else:
                self._holding[entry.intent_id] = [str(line.code) for line in verdict.stopping]
                record_stop(self._recorder, entry, verdict, now=now)
        report.accepted += self._outbox.flush(now)
        for account, seconds in self._outbox.leave_alone.items():
            self._not_before[account] = monotonic + seconds
        self._outbox.leave_alone.clear()
        self._judged = (self._book.seq, monotonic)

    def _context(self, reading: Reading, now: datetime) -> Context:
        parts = self._parts
        return Context(
            now=now, now_ms=millis(now), book=self._book, controls=reading.controls, permit=reading.permit,
            known=self._known, vaults=self._limits(now), vaults_readable=parts.observer.vaults_readable,
            instruments=parts.observer.instruments,
            calendars=parts.calendars, brokers=frozenset(parts.brokers),
            able=self._able,
            future_skew_ms=parts.settings.future_skew_s * 1000)

    def _last_look(self, order: Approved, now: datetime) -> Line:
        """Read everything that can stop an order again, from the files, right before it is sent."""
        lock = self._parts.lock
        if lock is not None and not lock.still_held():
            return Line(halt.NAME, Reason.LOCK_LOST, str(lock.path), "held")
        reading = self._reading = self._parts.gate.read()
        self._parts.observer.controls(reading, now)
        age = self._parts.clock.monotonic() - self._began
        if age > _VERDICT_S:
            return Line(halt.NAME, Reason.QUOTE_STALE, f"{age:.1f} s", f"{_VERDICT_S:.1f} s", "the verdict is too old")
        switches = halt.Switches(reading.controls, reading.permit, self._book.latches, self._known)
        scope = Scope(order.vault, order.account, order.instrument_id, order.asset_class)
        return halt.look(switches, scope, reduces=order.reduces, now=now)

    def _held(self) -> Counter[str]:
        """How many waiting intents each code holds at this moment; what is over is not counted."""
        self._holding = {name: codes for name, codes in self._holding.items() if name in self._book.waiting}
        return Counter(code for codes in self._holding.values() for code in codes)

    def _sync_words(self) -> dict[str, str]:
        sync = {account: self._book.sync.get(account, NOT_ASKED) for account in self._parts.brokers}
        return {account: "in sync" if seen.state == IN_SYNC else f"{seen.state}: {seen.detail}"
                for account, seen in sync.items()}

    def _publish(self, reading: Reading, report: StepReport, now: datetime) -> None:
        parts, monotonic = self._parts, self._parts.clock.monotonic()
        due = parts.publisher.due(self._book, monotonic, idle=report.idle)
        if due:
            parts.publisher.folds(self._book, iso(now), monotonic)
        if due or monotonic - self._beat >= parts.settings.heartbeat_s:
            self._beat = monotonic
            parts.publisher.state(self._book, iso(now), views.Condition(
                program=parts.program, pid=parts.pid, mode=parts.settings.mode, halted=report.halted,
                permit=reading.permit, overlay_sha256=reading.sha256, queue_depth=parts.observer.queue_depth,
                broker_sync=self._sync_words(), held=self._held(), alarm=self.alarm_problem))

    def close(self, last: Callable[[], object] = lambda: None) -> None:
        """Record the stop, publish the last cut, do what is `last`, let go. Without the lock nothing is written."""
        now, parts = self._parts.clock.now(), self._parts
        try:
            if parts.lock is None or parts.lock.still_held():  # else the log may be another process's by now
                amid = {"amid": "a step"} if self._amid else {}  # of what it has seen, some may have no verdict
                self._recorder.put(Kind.PROGRAM_STOPPED, {"program": parts.program, **amid}, now=now)
                self._recorder.sync()
                parts.publisher.folds(self._book, iso(now), parts.clock.monotonic())
                if parts.keeper is not None:
                    parts.keeper.at_rest(now)
                self._recorder.journal.close()
        finally:
            let_go(parts.brokers, last, parts.out, parts.lock)
