"""There is a fresh, sane quote: not missing, not stale, not crossed, no jump, no absurd spread."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "quote"


def check(proposal: Proposal, context: Context) -> Line:
    """Stops on the first defect. A jump is measured against the quote before; the first quote has none."""
    quote, vault = proposal.quote, proposal.vault
    if quote is None or vault is None:
        return Line(NAME, Reason.QUOTE_MISSING, "none", "a quote")
    age, limit = context.now_ms - quote.at_ms, vault.risk.max_quote_age_s * 1000
    if age > limit or age < -context.future_skew_ms:
        return Line(NAME, Reason.QUOTE_STALE, f"{age} ms", f"{limit} ms")
    if quote.bid > quote.ask:
        return Line(NAME, Reason.QUOTE_CROSSED, f"{quote.bid} > {quote.ask}", "bid ≤ ask")
    if quote.previous is not None:
        jump = abs(quote.last - quote.previous) / quote.previous
        if jump > vault.risk.max_jump_pct:
            return Line(NAME, Reason.QUOTE_JUMP, f"{jump:.4f}", str(vault.risk.max_jump_pct))
    return Line(NAME, None, f"{age} ms", f"{limit} ms")
