"""No order meets another of the same account on the other side."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "selfmatch"


def check(proposal: Proposal, context: Context) -> Line:
    """Looks at all working orders of the account in this instrument, whichever vault they belong to."""
    entry = proposal.entry
    account = context.book.accounts.get(entry.account)
    for order in account.working.values() if account else ():
        if order.instrument_id == entry.instrument_id and order.side != entry.side:
            return Line(NAME, Reason.SELF_MATCH, order.order_id, "nothing on the other side")
    return Line(NAME, None, "alone", "alone")
