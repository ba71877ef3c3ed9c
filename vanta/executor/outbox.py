"""From verdict to venue: record, sync, look once more, send, record the answer.

    approve(...)   verdict and outbox record into the batch (not durable yet)
    flush(...)     one sync for the batch; then for each order: lock, overlay and permit are read again,
                   and only if nothing stops it is it sent, in one request

What is stopped at the last look is recorded as withheld: proof that nothing was sent. What the venue leaves
open is recorded as unknown and never sent again blindly.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from vanta.common.errors import OutcomeUnknown
from vanta.common.events import Kind
from vanta.common.reasons import Reason
from vanta.executor.brokers.port import Accepted, Broker, Postponed
from vanta.executor.core import verdict
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import IntentEntry
from vanta.executor.core.proposal import Line
from vanta.executor.core.verdict import link
from vanta.executor.recorder import Recorder

LastLook = Callable[[Approved, datetime], Line]


class Outbox:
    """A batch of approved orders. `last_look` reads the gate freshly; a line with a code stops the order.

    `leave_alone` says for how many seconds a venue asked not to be sent anything; whoever dispatches takes it out.
    """

    def __init__(self, recorder: Recorder, brokers: Mapping[str, Broker], last_look: LastLook) -> None:
        self._recorder = recorder
        self._brokers = brokers
        self._last_look = last_look
        self._batch: list[tuple[IntentEntry, Approved]] = []
        self.leave_alone: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._batch)

    def approve(self, entry: IntentEntry, order: Approved, *, good_until: str | None, now: datetime) -> None:
        """Put the verdict and the outbox record of one order into the batch."""
        for note in verdict.approval(order, good_until):
            self._recorder.about(note.kind, entry, note.payload, now=now, order_id=note.order_id)
        self._batch.append((entry, order))

    def flush(self, now: datetime) -> int:
        """Send the batch. Returns how many orders were accepted."""
        if not self._batch:
            return 0
        self._recorder.sync()
        batch, self._batch = self._batch, []
        accepted = sum(self._send(entry, order, now) for entry, order in batch)
        self._recorder.sync()
        return accepted

    def _send(self, entry: IntentEntry, order: Approved, now: datetime) -> bool:
        look = self._last_look(order, now)
        if look.code is not None:
            self._answer(Kind.ORDER_WITHHELD, entry, order,
                         {"intent_state": "seen", "code": look.code, "detail": look.detail or look.value}, now)
            return False
        try:
            answer = self._brokers[order.account].submit(order, now=now)
        except OutcomeUnknown as error:
            self._answer(Kind.ORDER_UNKNOWN, entry, order, {"intent_state": "unknown", "detail": error.what}, now)
            return False
        if isinstance(answer, Postponed):
            self.leave_alone[order.account] = answer.retry_after_s
            self._answer(Kind.ORDER_WITHHELD, entry, order,
                         {"intent_state": "seen", "code": Reason.BROKER_BUSY, "detail": answer.message}, now)
            return False
        if isinstance(answer, Accepted):
            self._answer(Kind.ORDER_ACCEPTED, entry, order,
                         {"intent_state": "working", "venue_id": answer.venue_id, "at": self._recorder.text(now)}, now)
            return True
        self._answer(Kind.ORDER_REJECTED, entry, order,
                     {"intent_state": "rejected", "code": Reason.BROKER_REJECTED, "detail": answer.message}, now)
        return False

    def _answer(self, kind: Kind, entry: IntentEntry, order: Approved, payload: Mapping[str, Any],
                now: datetime) -> None:
        self._recorder.put(kind, payload, now=now, ids=link(entry, order.order_id),
                           dag_id=entry.raw["provenance"]["dag_id"])
