"""Replaying a home: everything that its logs record, made again from the inputs that they name, from raw payloads on.

Collector passes, reflections and promotions are made again record by record, the executor's log is decided again as it
is folded, and its documents are compared at their records; promotions are made again at the record of the trade log
that they rested on. Files are read against the flow of data: documents, promotions, reflections, passes; the trade log
after the promotions that rest on it, and commands after the trade log that answers them, so that what a running program
adds meanwhile is never missed.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

from vanta.alpha.core.asked import commands
from vanta.alpha.core.cuts import DOCUMENTS, CutFinding, Cuts
from vanta.alpha.core.cycles import Stand
from vanta.alpha.core.differ import ABSENT, Difference
from vanta.alpha.core.inputs import BROKEN, PROMISING, wanted
from vanta.alpha.core.replay import Replay
from vanta.alpha.core.scope import CYCLES, EVERYTHING, Scope, Selection, lineage
from vanta.alpha.portfolios import Portfolios
from vanta.alpha.reading import log
from vanta.alpha.wire import snapshots
from vanta.alpha.workbench import Different, Replayed, Workbench
from vanta.common.errors import Missing, StateError, UsageError
from vanta.common.events import Kind
from vanta.common.paths import (
    COLLECTION_LOG,
    OPERATOR_COMMANDS,
    PROMOTION_LOG,
    REFLECTION_LOG,
    STATE,
    TRADE_LOG,
    Home,
    command_logs,
)
from vanta.common.store.atomic import read
from vanta.common.store.chain import START, chain
from vanta.common.store.ports import Head, Record
from vanta.common.uncollected import uncollected
from vanta.markets.core.outcomes import Outcomes

__all__ = ["Different", "Replayed", "Replayer"]

_READ = (PROMOTION_LOG, REFLECTION_LOG, COLLECTION_LOG, TRADE_LOG, OPERATOR_COMMANDS)


@dataclass(frozen=True, slots=True)
class _Log:
    """The bytes of a log and where they begin: later than at its first record if older ones were put away."""

    name: str
    raw: bytes
    begins: Head

    def records(self) -> Iterator[Record]:
        """Raises `StateError` where the chain breaks."""
        return chain(self.raw, name=self.name, previous=self.begins)

    def until_break(self) -> Iterator[Record]:
        """The records up to there; the walk that makes them again reports the break."""
        try:
            yield from self.records()
        except StateError:
            return


class Replayer:
    """One walk over one home, or over any folder of its shape; nothing else is looked at."""

    def __init__(self, home: Home, scope: Scope = EVERYTHING) -> None:
        self._home = home
        documents = dict(self._read_documents())
        self._bench = Workbench(snapshots(home), documents)
        self._cuts = Cuts({name: raw for name, raw in documents.items() if name in DOCUMENTS and scope.documents})
        self._logs = {name: self._log(name) for name in _READ}
        self._bench.cut = any(one.begins.seq for one in self._logs.values())
        self._selection = Selection(scope)
        self._portfolios = Portfolios(self._bench, ())
        self._before: Record | None = None

    @property
    def result(self) -> Replayed:
        """What became of it so far."""
        return self._bench.result

    def run(self) -> Replayed:
        """Everything that is in scope. A log that contradicts itself is a difference at that record.

        Raises `UsageError` if there is no such cycle.
        """
        self._narrow()
        for record in self._records(COLLECTION_LOG):
            self._bench.wrote(record)
        for record in self._records(COLLECTION_LOG, tell=True):
            if self._selection.compares(COLLECTION_LOG, record):
                self._bench.collected(record)
        for record in self._records(REFLECTION_LOG, tell=True):
            self._bench.wrote(record)
            if self._selection.compares(REFLECTION_LOG, record):
                self._bench.reflected(record)
        for record in self._records(PROMOTION_LOG):
            self._bench.wrote(record)
        with uncollected():
            self._executor()
        self.result.sort()
        return self.result

    def _read_documents(self) -> Iterator[tuple[str, bytes]]:
        for row in STATE:
            if row.model is not None:
                try:
                    yield row.name, read(self._home.file(row.name))
                except StateError:
                    continue

    def _log(self, name: str) -> _Log:
        path = self._home.file(name)
        try:
            return _Log(name, *log(path))
        except Missing:
            return _Log(name, b"", START)
        except StateError as error:
            self.result.missing.append(error.what)
            return _Log(name, b"", START)

    def _asked_elsewhere(self) -> Iterator[_Log]:
        """Commands that were given on another host."""
        for path in command_logs(self._home)[1:]:
            try:
                yield _Log(path.name, *log(path))
            except StateError as error:
                self.result.missing.append(error.what)

    def _records(self, name: str, *, tell: bool = False) -> Iterator[Record]:
        """The records of a log that are made again; where it breaks, that is a difference and the walk ends."""
        try:
            for record in self._logs[name].records():
                self.result.newest = max(self.result.newest, record.at)
                if record.kind == CYCLES[name]:
                    yield record
        except StateError as error:
            if tell:
                self._bench.differs(name, None, "the log", Difference("", "a broken log", error.what))

    def _narrow(self) -> None:
        """Find what belongs to the cycle that is asked for."""
        dag = self._selection.scope.dag
        if dag is None:
            return
        self._selection.lineage = lineage(dag, *(self._records(name) for name in CYCLES))
        if self._selection.lineage is None:
            raise UsageError(f"no reflection and no promotion of this home is called {dag}",
                             "`vanta explain ID` names the cycle of an intent or a conviction.")

    def _executor(self) -> None:
        """The trade log with the executor's documents, and the promotions at their places in it."""
        everyone, log = deque(self._records(PROMOTION_LOG, tell=True)), self._logs[TRADE_LOG]
        if log.begins.seq:
            self.result.missing.append(f"{TRADE_LOG}: records 1 to {log.begins.seq:,} were put away, and without them "
                                       "neither promotions nor what the executor did can be made again")
            return
        self._skip_first(everyone)
        waiting = [one for one in everyone if self._selection.compares(PROMOTION_LOG, one)]
        self._portfolios = Portfolios(self._bench, waiting)
        last = self._last(waiting)
        given = [commands(one.until_break()) for one in (self._logs[OPERATOR_COMMANDS], *self._asked_elsewhere())]
        replay, outcomes = Replay(self._bench.load(()), given), Outcomes()
        self._promote(everyone, outcomes, START)
        try:
            for record in log.records():
                if last is not None and record.seq > last:
                    break
                self._take(record, replay)
                if everyone:
                    outcomes.apply(record)
                    self._promote(everyone, outcomes, Head(record.seq, record.hash, 0))
        except StateError as error:
            self._bench.differs(TRADE_LOG, None, "the log", Difference("", "a record that cannot follow", error.what))
        self._cuts.end(replay.book)
        self._portfolios.end()
        self._gather(replay)
        self.result.missing += [f"{PROMOTION_LOG}:{record.seq}: the trade log ends before record {_rests_on(record)}"
                                for record in everyone if self._selection.compares(PROMOTION_LOG, record)]

    def _skip_first(self, everyone: deque[Record]) -> None:
        """A promotion goes on from what the one before left; where that was put away, the first cannot be made."""
        if self._logs[PROMOTION_LOG].begins.seq and everyone:
            self._before = everyone.popleft()
            self._bench.untold = True
            if self._selection.compares(PROMOTION_LOG, self._before):
                self.result.missing.append(f"{PROMOTION_LOG}:{self._before.seq}: the promotion before was put away")

    def _last(self, waiting: list[Record]) -> int | None:
        """The last record of the trade log that anything in scope needs; `None`: all of them."""
        if self._selection.scope.everything:
            return None
        for record in self._logs[TRADE_LOG].until_break():
            self._selection.scan(record)
        if self._selection.scope.documents:
            return None
        return max([self._selection.last, self._portfolios.last, *map(_rests_on, waiting)])

    def _take(self, record: Record, replay: Replay) -> None:
        selection = self._selection
        self.result.newest = max(self.result.newest, record.at)
        if record.kind in PROMISING:
            self._bench.load((digest for _, digest in wanted(record)), replay.blobs)
        tell = selection.scope.everything or selection.compares(TRADE_LOG, record)
        if tell and record.kind == Kind.INTENT_SEEN:
            self._staged(record, replay)
        replay.take(record, decide=tell or selection.decides(record), tell=tell)
        self._cuts.look(replay.book)
        self._portfolios.look(replay.book)

    def _staged(self, record: Record, replay: Replay) -> None:
        """An intent that came through the queue was staged by a promotion, in these words."""
        name, body, bench = record.ids.get("intent_id", ""), record.payload, self._bench
        ours = bench.staged.get(name)
        if body.get("from") == "executor" or body.get("sha256") == ours or bench.untold or not bench.promotions:
            return
        bench.differs(TRADE_LOG, (record.seq, record.kind), name, by=replay.program, found=Difference(
            "sha256", f'"{body.get("sha256")}"', ABSENT if ours is None else f'"{ours}"'))

    def _promote(self, everyone: deque[Record], outcomes: Outcomes, head: Head) -> None:
        """Make every promotion again that rested on the trade log up to `head`; the others go on waiting."""
        while everyone and _rests_on(everyone[0]) <= head.seq:
            record = everyone.popleft()
            if self._selection.compares(PROMOTION_LOG, record):
                self._bench.promoted(record, Stand(outcomes=outcomes, log=(head.seq, head.hash), before=self._before))
            else:
                self._bench.untold = True
            self._before = record

    def _gather(self, replay: Replay) -> None:
        bench, cuts = self._bench, self._cuts
        self.result.checked += replay.checked
        self.result.checked += Counter({"document": len(cuts.compared) + len(cuts.findings)})
        for step in replay.differences:
            bench.differs(TRADE_LOG, (step.seq, step.kind), step.subject, step.found, by=step.by)
        for finding in cuts.findings:
            bench.differs(finding.file, None, "the document", _as_difference(finding))
        self.result.missing += [f"{TRADE_LOG}:{seq}: {what}" for what, seq in replay.missing.items()]


def _rests_on(record: Record) -> int:
    """The record of the trade log that a promotion names; 0 if it names none, which is then found out."""
    try:
        return int(record.payload["trade_log"]["seq"])
    except BROKEN:
        return 0


def _as_difference(finding: CutFinding) -> Difference:
    return finding.found or Difference("", "the document as it is", finding.text)
