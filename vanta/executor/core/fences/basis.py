"""The holding has not moved since the promoter looked at it."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "basis"


def check(proposal: Proposal, context: Context) -> Line:
    """Stops when the intent's basis is not the newest record that moved its key.

    An exit of the executor's own closes what is held at dispatch, whatever moved since: it has no basis.
    """
    if proposal.entry.exit:
        return Line(NAME, None, "own exit", "")
    current = context.book.basis.get(proposal.entry.key, 0)
    code = None if proposal.entry.basis_seq == current else Reason.STALE_BASIS
    return Line(NAME, code, str(proposal.entry.basis_seq), str(current))
