"""The life of an intent and its order, as one table. Pure.

The only place that says which event may follow which state. An event that is not in the table is a
`StateError`: the log contradicts itself, and nobody guesses. docs/ARCHITECTURE.md draws this table.

    next_state("submitting", Kind.ORDER_WITHHELD)  ->  "seen"
"""

from vanta.common.errors import StateError
from vanta.common.events import Kind

STAGED = "staged"
TERMINAL = frozenset({"filled", "cancelled", "rejected", "refused", "expired", "withdrawn", "quarantined"})
IN_FLIGHT = frozenset({"submitting", "unknown", "working", "partially_filled", "cancelling"})
WAITING = frozenset({"seen", "held", "approved"})
"""Judged in every step. `approved` is found here only after a crash between verdict and outbox record."""

FILL_PART = "fill.part"
FILL_LAST = "fill.last"
FILL_LATE = "fill.late"
"""An execution that arrives after the order has ended: booked, because it is real; the state stays."""

_FILLS = {FILL_PART: "partially_filled", FILL_LAST: "filled"}
_FOUND = {Kind.ORDER_ACCEPTED: "working", **_FILLS}
"""A venue that knows an order after all which it did not know before: the order is live, never sent again."""

TABLE: dict[str, dict[str, str]] = {
    STAGED: {Kind.INTENT_SEEN: "seen"},
    "seen": {
        Kind.INTENT_HELD: "held", Kind.INTENT_REFUSED: "refused", Kind.INTENT_APPROVED: "approved",
        Kind.INTENT_EXPIRED: "expired", Kind.INTENT_WITHDRAWN: "withdrawn", Kind.INTENT_QUARANTINED: "quarantined",
        **_FOUND,
    },
    "held": {
        Kind.INTENT_HELD: "held", Kind.INTENT_REFUSED: "refused", Kind.INTENT_APPROVED: "approved",
        Kind.INTENT_EXPIRED: "expired", Kind.INTENT_WITHDRAWN: "withdrawn", Kind.INTENT_QUARANTINED: "quarantined",
        **_FOUND,
    },
    "approved": {  # a crash between the verdict and the outbox record: every fence is passed again
        Kind.ORDER_SUBMITTING: "submitting", Kind.INTENT_HELD: "held", Kind.INTENT_REFUSED: "refused",
        Kind.INTENT_APPROVED: "approved", Kind.INTENT_EXPIRED: "expired", Kind.INTENT_WITHDRAWN: "withdrawn",
        Kind.INTENT_QUARANTINED: "quarantined", **_FOUND,
    },
    "submitting": {
        Kind.ORDER_WITHHELD: "seen", Kind.ORDER_ACCEPTED: "working", Kind.ORDER_REJECTED: "rejected",
        Kind.ORDER_UNKNOWN: "unknown", Kind.ORDER_QUARANTINED: "quarantined", Kind.ORDER_CANCELLED: "cancelled",
        Kind.ORDER_EXPIRED: "expired", **_FILLS,
    },
    "unknown": {
        Kind.ORDER_UNKNOWN: "unknown", Kind.ORDER_WITHHELD: "seen", Kind.ORDER_ACCEPTED: "working",
        Kind.ORDER_REJECTED: "rejected", Kind.ORDER_CANCELLED: "cancelled", Kind.ORDER_EXPIRED: "expired",
        Kind.ORDER_QUARANTINED: "quarantined", **_FILLS,
    },
    "working": {
        Kind.ORDER_ACCEPTED: "working", Kind.ORDER_CANCELLING: "cancelling", Kind.ORDER_CANCELLED: "cancelled",
        Kind.ORDER_EXPIRED: "expired", Kind.ORDER_REJECTED: "rejected", Kind.ORDER_QUARANTINED: "quarantined",
        **_FILLS,
    },
    "partially_filled": {
        Kind.ORDER_ACCEPTED: "partially_filled", Kind.ORDER_CANCELLING: "cancelling",
        Kind.ORDER_CANCELLED: "cancelled", Kind.ORDER_EXPIRED: "expired", Kind.ORDER_REJECTED: "rejected",
        Kind.ORDER_QUARANTINED: "quarantined", **_FILLS,
    },
    "cancelling": {
        Kind.ORDER_CANCELLED: "cancelled", Kind.ORDER_EXPIRED: "expired", Kind.ORDER_CANCELLING: "cancelling",
        Kind.ORDER_ACCEPTED: "cancelling", Kind.ORDER_REJECTED: "rejected", Kind.ORDER_QUARANTINED: "quarantined",
        FILL_PART: "cancelling", FILL_LAST: "filled",
    },
    **{state: {FILL_LATE: state} for state in sorted(TERMINAL)},
}


def next_state(state: str, event: str) -> str:
    """The state after `event` (a `Kind`, or `FILL_PART`/`FILL_LAST`). Raises `StateError` if it cannot happen."""
    try:
        return TABLE[state][event]
    except KeyError as error:
        raise StateError(f"event {event} cannot follow state {state}") from error
