"""How many orders left in the last minute, and how many are working.

Counted from the journal, so that a restart forgets nothing. Exits and cancels are never limited.
"""

from collections import deque

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "rate"
WINDOW_MS = 60_000


def check(proposal: Proposal, context: Context) -> Line:
    """Counts the vault's own orders."""
    vault, ledger = proposal.vault, proposal.ledger
    if vault is None or ledger is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    if proposal.reduces:
        return Line(NAME, None, "reduces", "")
    limit = vault.risk.max_orders_per_minute
    sent = _sent(ledger.sent_ms, context.now_ms, limit)
    if sent >= limit:
        return Line(NAME, Reason.RATE, str(sent), f"{limit} a minute")
    working = sum(1 for order in context.book.working.values() if order.vault == vault.vault_id)
    if working >= vault.risk.max_open_orders:
        return Line(NAME, Reason.OPEN_ORDERS, str(working), str(vault.risk.max_open_orders))
    return Line(NAME, None, f"{sent} sent, {working} working",
                f"{limit} a minute, {vault.risk.max_open_orders} working")


def _sent(times: deque[int], now_ms: int, enough: int) -> int:
    """Orders of the last minute, counted from the newest and no further than the limit."""
    count = 0
    for sent in reversed(times):
        if sent <= now_ms - WINDOW_MS or count >= enough:
            break
        count += 1
    return count
