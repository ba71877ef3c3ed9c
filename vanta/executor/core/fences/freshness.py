"""The intent has not expired and was not made in the future."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "freshness"


def check(proposal: Proposal, context: Context) -> Line:
    """Ages are in milliseconds. The tolerated clock difference to the promoter is a setting."""
    entry = proposal.entry
    age = context.now_ms - entry.created_ms
    life = entry.expires_ms - entry.created_ms
    if context.now_ms >= entry.expires_ms:
        return Line(NAME, Reason.INTENT_EXPIRED, f"{age} ms", f"{life} ms")
    if age < -context.future_skew_ms:
        return Line(NAME, Reason.INTENT_FUTURE, f"{age} ms", f"-{context.future_skew_ms} ms")
    return Line(NAME, None, f"{age} ms", f"{life} ms")
