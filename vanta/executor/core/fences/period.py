"""The price has not run away over a period: a collar around every price of the last minutes, not only the last one."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "period"


def check(proposal: Proposal, context: Context) -> Line:
    """Compares the order's price with the lowest and the highest price of the last `period_s` seconds."""
    vault = proposal.vault
    if vault is None or proposal.quote is None or proposal.price <= 0:
        return Line(NAME, Reason.QUOTE_MISSING, str(proposal.price), "a price")
    since = context.now_ms - vault.risk.period_s * 1000
    recent = [price for at_ms, price in context.book.prices[proposal.entry.instrument_id] if at_ms >= since]
    limit = vault.risk.max_period_move_pct
    if not recent or proposal.reduces:
        return Line(NAME, None, "none before" if not recent else "reduces", str(limit))
    low, high = min(recent), max(recent)
    moved = max(abs(proposal.price - low) / low, abs(proposal.price - high) / high)
    return Line(NAME, Reason.PRICE_PERIOD if moved > limit else None, f"{moved:.4f}", str(limit))
