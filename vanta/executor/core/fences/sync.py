"""The account's venue answers, and agrees with the books about positions and orders."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "sync"
IN_SYNC = "in_sync"
AGREES = Line(NAME, None, IN_SYNC, IN_SYNC)


def check(proposal: Proposal, context: Context) -> Line:
    """Holds everything for an account that was not asked yet, does not answer or disagrees: exits too."""
    seen = context.book.sync.get(proposal.entry.account)
    if seen is None or seen.state != IN_SYNC:
        return Line(NAME, Reason.BROKER_NOT_IN_SYNC, seen.state if seen else "not asked yet", IN_SYNC,
                    seen.detail if seen else "")
    return AGREES
