"""One live order for a vault and instrument, and no intent twice."""

from vanta.common.reasons import Reason
from vanta.executor.core.machine import TERMINAL
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "duplicate"
FIRST = Line(NAME, None, "first", "first")


def check(proposal: Proposal, context: Context) -> Line:
    """Stops when this intent already had an order that ended, or another intent of the same key is in flight."""
    entry = proposal.entry
    order = context.book.orders.get(entry.order_id) if entry.order_id else None
    if entry.state in TERMINAL or (order is not None and order.state != "withheld"):
        return Line(NAME, Reason.DUPLICATE_INTENT, entry.state, "not yet carried out")
    live = context.book.live.get(entry.key)
    if live is not None and live is not entry:
        return Line(NAME, Reason.DUPLICATE_LIVE, live.intent_id, "no other live intent")
    return FIRST
