"""How many orders left in the last minute, and how many are working.

Counted from the journal, so that a restart forgets nothing. Exits and cancels are never limited.
"""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "rate"
REDUCES = Line(NAME, None, "reduces", "")


def check(proposal: Proposal, context: Context) -> Line:
    """Counts the vault's own orders."""
    vault, ledger = proposal.vault, proposal.ledger
    if vault is None or ledger is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    if proposal.reduces:
        return REDUCES
    limit = vault.risk.max_orders_per_minute
    sent = ledger.orders.count(context.now_ms)
    if sent >= limit:
        return Line(NAME, Reason.RATE, str(sent), f"{limit} a minute")
    working = len(ledger.working)
    if working >= vault.risk.max_open_orders:
        return Line(NAME, Reason.OPEN_ORDERS, str(working), str(vault.risk.max_open_orders))
    return Line(NAME, None, f"{sent} sent, {working} working",
                f"{limit} a minute, {vault.risk.max_open_orders} working")
