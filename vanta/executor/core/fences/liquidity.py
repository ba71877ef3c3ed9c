"""The instrument trades enough a day to be left again. Unknown is not enough, where a minimum is set."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "liquidity"


def check(proposal: Proposal, context: Context) -> Line:
    """Compares average daily volume with `min_average_daily_volume`, both in units."""
    vault, quote = proposal.vault, proposal.quote
    if vault is None or quote is None:
        return Line(NAME, context.why_no_vault if vault is None else Reason.QUOTE_MISSING, "none", "a quote")
    least = vault.risk.min_average_daily_volume
    if proposal.reduces or not least:
        return Line(NAME, None, str(quote.volume), str(least))
    enough = quote.volume is not None and quote.volume >= least
    return Line(NAME, None if enough else Reason.LIQUIDITY, str(quote.volume), str(least))
