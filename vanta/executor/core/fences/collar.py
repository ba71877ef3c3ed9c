"""The price the order would trade at is close to the last trade, its limit too: a collar around the quote.

A stop is meant to be away from it; what it is executed at nobody knows yet.
"""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "collar"


def check(proposal: Proposal, context: Context) -> Line:  # noqa: ARG001 - every fence has the same shape
    """Compares touched side and limit with the last price; a missing or zero reference is refused."""
    if proposal.vault is None or proposal.quote is None or proposal.quote.last <= 0 or proposal.price <= 0:
        return Line(NAME, Reason.QUOTE_MISSING, str(proposal.price), "a price")
    limit, last, own = proposal.vault.risk.price_collar_pct, proposal.quote.last, proposal.terms.limit_price
    for named in (own, proposal.terms.stop_price):
        if named is not None and named <= 0:
            return Line(NAME, Reason.LIMIT_ZERO, str(named), "a price above 0")
    touch = proposal.quote.ask if proposal.entry.side == "buy" else proposal.quote.bid
    away = max(abs(touch - last), abs((own or touch) - last)) / last
    return Line(NAME, Reason.PRICE_COLLAR if away > limit else None, f"{away:.4f}", str(limit))
