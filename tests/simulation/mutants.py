"""Executors with one safeguard taken out. The simulation has to find each of them; if it does not, it proves nothing.

No code is patched: each mutant is put together from another part, handed in where the real one would be.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.simulation.assembly import Assembly
from tests.simulation.disk import SimJournal
from tests.simulation.exchange import Gateway
from vanta.common.errors import OutcomeUnknown
from vanta.common.events import Kind
from vanta.common.reasons import Reason
from vanta.executor.brokers.port import Answer, Fill
from vanta.executor.core.approval import Approved
from vanta.executor.core.book import Book
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.fences import halt
from vanta.executor.core.proposal import Context, Line
from vanta.executor.gate import Reading
from vanta.executor.outbox import Outbox
from vanta.executor.reconcile import Reconciler
from vanta.executor.step import Executor, Parts
from vanta.executor.venue import Venue


class _Eager(Outbox):
    """Sends before the outbox record is durable."""

    def flush(self, now: datetime) -> int:
        batch, self._batch = self._batch, []
        return sum(self._send(entry, order, now) for entry, order in batch)


class SendsBeforeSync(Executor):
    """No sync between the outbox record and the request."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._outbox = _Eager(parts.recorder, parts.brokers, self._last_look)


class _NeverAsks(Venue):
    """Takes for granted that what was not answered was not sent."""

    def settle(self, order: OrderEntry, now: datetime) -> str:
        self._about(Kind.ORDER_WITHHELD, order, {
            "intent_state": "seen", "code": Reason.BROKER_UNKNOWN, "detail": "surely not"}, now)
        return "not asked"


class _BooksTwice(Venue):
    """Knows no execution again."""

    def _fill(self, fill: Fill, order: OrderEntry, now: datetime) -> int:
        name = fill.fill_id
        while (order.account, name) in self._book.fills:
            name += "+"
        return super()._fill(fill._replace(fill_id=name), order, now)


class _TrustsAtOnce(Venue):
    """"Not found" counts although the venue may still take the order."""

    def settle(self, order: OrderEntry, now: datetime) -> str:
        broker = self._brokers[order.account]
        able, broker.capabilities = broker.capabilities, replace(broker.capabilities, settle_s=0)
        try:
            return super().settle(order, now)
        finally:
            broker.capabilities = able


def _with_venue(kind: type[Venue], parts: Parts, reconciler: Reconciler) -> Venue:
    return kind(parts.recorder, parts.brokers, reconciler)


class NeverAsks(Executor):
    """No look-up after a lost answer."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._venue = _with_venue(_NeverAsks, parts, self._reconciler)


class BooksTwice(Executor):
    """No de-duplication of executions."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._venue = _with_venue(_BooksTwice, parts, self._reconciler)


class TrustsAtOnce(Executor):
    """No settle time."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._venue = _with_venue(_TrustsAtOnce, parts, self._reconciler)


class NeverLooks(Executor):
    """The last look removed."""

    def _last_look(self, order: Approved, now: datetime) -> Line:
        return Line(halt.NAME, None, "open", "open")


class LooksOnce(Executor):
    """One look for a whole step instead of one for each order."""

    def step(self) -> Any:
        self._seen: Reading | None = None
        return super().step()

    def _last_look(self, order: Approved, now: datetime) -> Line:
        if self._seen is not None:
            return Line(halt.NAME, None, "open", "open")
        line = super()._last_look(order, now)
        self._seen = self._reading
        return line


class _Alone(Book):
    """A book that shows no order in flight."""

    def __init__(self, book: Book) -> None:
        self.__dict__.update(book.__dict__)
        self.live, self.working = {}, {}


class CountsNothing(Executor):
    """Fences do not see what is in flight."""

    def _context(self, reading: Reading, now: datetime) -> Context:
        context = super()._context(reading, now)
        return replace(context, book=_Alone(context.book))


class ForgetsLatches(Executor):
    """A restart forgets what had latched."""

    def start(self) -> str:
        said = super().start()
        self._book.latches.clear()
        return said


class SendsAgain(Gateway):
    """A client library that retries a request whose answer got lost."""

    def _submit(self, order: Approved, now: datetime) -> Answer:
        try:
            return super()._submit(order, now)
        except (OutcomeUnknown, ConnectionError):
            return super()._submit(order, now)


class ForgivesFailure(SimJournal):
    """Goes on after a failed write as if it had succeeded."""

    def _check(self) -> None:
        self._failed = False


class LosesTheTail(SimJournal):
    """Appends after a torn record instead of setting it aside."""

    def __init__(self, disk: Any) -> None:
        if disk.tail:
            disk.log.append(disk.tail)
            disk.tail = b""
        super().__init__(disk)


MUTANTS: Mapping[str, Assembly] = {
    "no sync before a request": Assembly(executor=SendsBeforeSync),
    "no look-up after a lost answer": Assembly(executor=NeverAsks),
    "a blind resend": Assembly(gateway=SendsAgain),
    "executions are not de-duplicated": Assembly(executor=BooksTwice),
    "no last look": Assembly(executor=NeverLooks),
    "one look for a batch": Assembly(executor=LooksOnce),
    "not found counts at once": Assembly(executor=TrustsAtOnce),
    "what is in flight is not counted": Assembly(executor=CountsNothing),
    "a restart forgets latches": Assembly(executor=ForgetsLatches),
    "a failed write is forgiven": Assembly(journal=ForgivesFailure),
    "a torn record stays": Assembly(journal=LosesTheTail),
}
