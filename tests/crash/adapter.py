"""The broker adapter of the crash tests: one small request per call over a plain socket, no retries, no state on disk.

Its cursor into the venue's events lives in memory, as that of a real client does: after a restart the venue tells
everything again. `deduplicates` is what it declares about the venue; what the venue does is the venue's own knob.
"""

import json
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from vanta.common.errors import OutsideError
from vanta.executor.brokers.port import (
    Accepted,
    Answer,
    Broker,
    Capabilities,
    Ended,
    Event,
    Fill,
    Found,
    Postponed,
    Rejected,
)
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.reconcile import Holdings, VenueOrder

SETTLE_S = 3
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
TIMEOUT_S = 30.0
"""Nobody waits for it: a venue that does not want to answer hangs up."""


def ask(address: str, **request: Any) -> dict[str, Any]:
    """One request, one answer. Raises `OutsideError` if there is none, or only half of one."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(address)
        connection.sendall(json.dumps(request).encode() + b"\n")
        raw = b""
        while not raw.endswith(b"\n"):
            part = connection.recv(65536)
            if not part:
                raise OutsideError(f"no answer to {request['op']}")
            raw += part
    answer: dict[str, Any] = json.loads(raw)
    return answer


class SocketBroker(Broker):
    """See the module's contract."""

    name = "venue"

    def __init__(self, address: str, *, deduplicates: bool) -> None:
        self.capabilities = Capabilities(deduplicates=deduplicates, lookup_window_s=3600, settle_s=SETTLE_S)
        self._address = address
        self._cursor = 0

    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """Nothing: the venue tells everything again."""

    def _submit(self, order: Approved, now: datetime) -> Answer:
        said = ask(self._address, op="submit", id=order.order_id, intent=order.intent_id, symbol=order.symbol,
                   side=order.side, quantity=str(order.quantity))
        if "rejected" in said:
            return Rejected(said["rejected"])
        if "busy" in said:
            return Postponed("slow down", said["busy"])
        return Accepted(said["accepted"])

    def _lookup(self, order_id: str) -> Found | None:
        said = ask(self._address, op="lookup", id=order_id)
        return None if "unknown" in said else Found(said["found"], tuple(map(_event, said["events"])))

    def _cancel(self, order_id: str, now: datetime) -> None:
        ask(self._address, op="cancel", id=order_id)

    def _poll(self, now: datetime) -> Sequence[Event]:
        said = ask(self._address, op="poll", after=self._cursor)
        self._cursor = said["next"]
        return [_event(one) for one in said["events"]]

    def _holdings(self, now: datetime) -> Holdings | None:
        said = ask(self._address, op="holdings")
        return Holdings(
            positions={name: Decimal(amount) for name, amount in said["positions"].items() if Decimal(amount)}, cash={},
            orders=tuple(VenueOrder(one["id"], one["venue_id"], one["symbol"], one["side"], Decimal(one["leaves"]))
                         for one in said["orders"]))


def _event(one: dict[str, Any]) -> Event:
    if one["kind"] == "ended":
        return Ended(order_id=one["id"], how=one["how"], detail="says the venue")
    return Fill(one["id"], one["fill"], Decimal(one["quantity"]), Decimal(one["price"]), Decimal(one["fee"]), EPOCH)
