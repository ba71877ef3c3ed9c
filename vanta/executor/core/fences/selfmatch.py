"""No order meets another of the same account on the other side."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "selfmatch"
ALONE = Line(NAME, None, "alone", "alone")


def check(proposal: Proposal, context: Context) -> Line:
    """Looks at all working orders of the account in this instrument, whichever vault they belong to."""
    entry = proposal.entry
    account = context.book.accounts.get(entry.account)
    other = "sell" if entry.side == "buy" else "buy"
    against = account.sides.get((entry.instrument_id, other)) if account else None
    if against:
        return Line(NAME, Reason.SELF_MATCH, next(iter(against)), "nothing on the other side")
    return ALONE
