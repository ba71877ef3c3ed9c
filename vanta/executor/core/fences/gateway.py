"""Never send more than was asked for: over all attempts, filled plus leaves plus this order ≤ the intent.

The last look, after sizing and everything else: what leaves is compared with what was queued.
"""

from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "gateway"


def check(proposal: Proposal, context: Context) -> Line:
    """Values at the order's own price; an exit is bounded by what is held instead.

    What may have reached the venue was within the bound then, and is sent again as it was or not at all.
    """
    entry = proposal.entry
    order = context.book.orders.get(entry.order_id) if entry.order_id else None
    earlier = ZERO if order is None or order.state == "withheld" else order.quantity
    if entry.close:
        limit = abs(proposal.held)
        sent = earlier + proposal.quantity
    else:
        limit = entry.notional
        sent = (earlier * proposal.price) + proposal.value
    more = sent > limit and not (order is not None and order.out)
    return Line(NAME, Reason.GATEWAY_MORE_THAN_QUEUED if more else None, f"{sent:.2f}", f"{limit:.2f}")
