"""All vaults of one broker account together: what they hold and have entered, against the house's limit.

Counted on orders entered, not on fills: an order counts in full from its outbox record on.
"""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal
from vanta.executor.core.totals import NOTHING, together

NAME = "credit"
REDUCES = Line(NAME, None, "reduces", "")


def check(proposal: Proposal, context: Context) -> Line:
    """Compares the account's gross value with `house.max_gross_pct` of the NAV of its vaults."""
    if context.vaults is None or proposal.instrument is None or proposal.ledger is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    if proposal.reduces:
        return REDUCES
    gross, nav, unknown = together(context.book, proposal.entry.account, context.instruments)
    if nav is None:
        return Line(NAME, Reason.NAV_UNKNOWN, unknown, "a NAV of every vault")
    own = context.totals(proposal.ledger).by_instrument.get(proposal.entry.instrument_id, NOTHING).most
    after = abs(proposal.after) * proposal.price * proposal.instrument.multiplier
    gross += max(after, own) - own
    limit = nav * context.vaults.house.max_gross_pct
    return Line(NAME, Reason.CREDIT if gross > limit else None, f"{gross:.2f}", f"{limit:.2f}")
