"""Executors with one safeguard taken out. The simulation has to find each of them; if it does not, it proves nothing.

No code is patched: each mutant is put together from another part, handed in where the real one would be.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from tests.simulation.assembly import Assembly
from tests.simulation.disk import SimJournal
from tests.simulation.exchange import Gateway
from vanta.common.errors import OutcomeUnknown
from vanta.common.events import Kind
from vanta.common.reasons import Reason
from vanta.executor.brokers.port import Answer, Busted, Event, Fill
from vanta.executor.core.approval import Approved
from vanta.executor.core.book import Book
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.fences import halt
from vanta.executor.core.proposal import Context, Line
from vanta.executor.gate import Reading
from vanta.executor.outbox import Outbox
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


class _AlarmsLate(Venue):
    """Records what happened first, and latches afterwards."""

    def _take(self, account: str, event: Event, now: datetime) -> int:
        self._late: list[tuple[Any, ...]] = []
        booked = super()._take(account, event, now)
        for alarm in self._late:
            super()._alarm(*alarm)
        return booked

    def _alarm(self, code: Reason, value: str, limit: str, detail: str, now: datetime) -> None:
        self._late.append((code, value, limit, detail, now))


class _DeafToEarlyBusts(Venue):
    """Passes over an execution that is taken back before it is told."""

    def _busted(self, account: str, event: Busted, now: datetime) -> int:
        return super()._busted(account, event, now) if (account, event.fill_id) in self._book.fills else 0


class _ClosesAll(Venue):
    """Cancels with the session what may outlive it."""

    def close_of_day(self, now: datetime) -> int:
        rests = [order for order in self._book.working.values() if order.time_in_force == "gtc"]
        return super().close_of_day(now) + self.cancel(rests, "the session is over", now)


class _TrustsAtOnce(Venue):
    """"Not found" counts although the venue may still take the order."""

    def settle(self, order: OrderEntry, now: datetime) -> str:
        broker = self._brokers[order.account]
        able, broker.capabilities = broker.capabilities, replace(broker.capabilities, settle_s=0)
        try:
            return super().settle(order, now)
        finally:
            broker.capabilities = able


def with_venue(kind: type[Venue]) -> type[Executor]:
    """An executor with another side towards venues."""

    class Mutant(Executor):
        """See `with_venue`."""

        def __init__(self, parts: Parts) -> None:
            super().__init__(parts)
            self._venue = kind(parts.recorder, parts.brokers, self._reconciler)

    return Mutant


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


class SizesAnew(Executor):
    """What may have reached the venue is sent again in another quantity."""

    def _context(self, reading: Reading, now: datetime) -> Context:
        for order in self._book.orders.values():
            order.out = False
        return super()._context(reading, now)


class TrustsOldVerdicts(Executor):
    """A verdict never grows old."""

    def _last_look(self, order: Approved, now: datetime) -> Line:
        self._began = float("inf")
        return super()._last_look(order, now)


class KeepsThePermit(Executor):
    """A start leaves the permit where it finds a grave latch."""

    def start(self) -> str:
        parts, self._parts = self._parts, replace(self._parts, disarm=lambda: None)
        said = super().start()
        self._parts = parts
        return said


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


class Mutant(NamedTuple):
    """An executor without a safeguard, the promise that it breaks, and what schedules are to be about, if need be."""

    assembly: Assembly
    breaks: str
    focus: Mapping[str, float] = {}


LOST = {"lose_request": 0.5, "late_after_settling": 0.4, "settle_s": 0, "deduplicates": 1}

MUTANTS: Mapping[str, Mutant] = {
    "no sync before a request": Mutant(Assembly(executor=SendsBeforeSync), "I1: "),
    "no look-up after a lost answer": Mutant(Assembly(executor=with_venue(_NeverAsks)), "I1: paper accepted"),
    "a blind resend": Mutant(Assembly(gateway=SendsAgain), "accepted"),
    "executions are not de-duplicated": Mutant(Assembly(executor=with_venue(_BooksTwice)), "I7: executions differ"),
    "no last look": Mutant(Assembly(executor=NeverLooks), "I3: "),
    "one look for a batch": Mutant(Assembly(executor=LooksOnce), "I3: "),
    "not found counts at once": Mutant(Assembly(executor=with_venue(_TrustsAtOnce)), "I2: "),
    "what is in flight is not counted": Mutant(Assembly(executor=CountsNothing), "I8: "),
    "a restart forgets latches": Mutant(Assembly(executor=ForgetsLatches), "I3: "),
    "a failed write is forgiven": Mutant(Assembly(journal=ForgivesFailure), "", {"disk": 0.02}),
    "a torn record stays": Mutant(Assembly(journal=LosesTheTail), "StateError", {"crash": 0.6}),
    "alarms come after what gives rise to them": Mutant(
        Assembly(executor=with_venue(_AlarmsLate)), "I9: ",
        {"overfill": 0.4, "bust": 0.3, "stranger": 0.3, "crash": 0.5, "tear": 1}),
    "an early bust is passed over": Mutant(
        Assembly(executor=with_venue(_DeafToEarlyBusts)), "I7: executions differ",
        {"bust": 0.6, "reorder": 1, "delay": 0.5}),
    "a second request has another quantity": Mutant(
        Assembly(executor=SizesAnew), "I2: ", {**LOST, "late_after_settling": 0.9, "lose_request": 0, "replay": 0}),
    "what may rest is cancelled with the session": Mutant(
        Assembly(executor=with_venue(_ClosesAll)), "I12: "),
    "verdicts never grow old": Mutant(Assembly(executor=TrustsOldVerdicts), "I11: ", {"freeze": 0.5}),
    "a start leaves the permit": Mutant(
        Assembly(executor=KeepsThePermit), "I3: ", {"crash": 0.6, "stranger": 0.3, "overfill": 0.3}),
}
