"""The same instrument and side is not ordered over and over: a runaway latches its vault until a person looks.

Counted from the journal, so that a restart forgets nothing. What shrinks a position is never stopped by it.
"""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "repeat"
REDUCES = Line(NAME, None, "reduces", "")


def check(proposal: Proposal, context: Context) -> Line:
    """Counts the vault's orders of this instrument and side within `repeat_window_s`."""
    vault, ledger, entry = proposal.vault, proposal.ledger, proposal.entry
    if vault is None or ledger is None:
        return Line(NAME, context.why_no_vault, entry.vault, "in vault.json")
    if proposal.reduces:
        return REDUCES
    limit = vault.risk.max_repeats
    since = context.now_ms - vault.risk.repeat_window_s * 1000
    sent = sum(1 for at_ms in ledger.sent.get((entry.instrument_id, entry.side), ()) if at_ms > since)
    return Line(NAME, Reason.REPEATED if sent >= limit else None, str(sent), str(limit))
