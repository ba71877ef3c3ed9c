"""One position as a share of NAV, and nothing sold that is not held. Working orders count as filled.

An order that only shrinks a position passes; one that would sell more than is held needs `allow_short`.
"""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "exposure"
REDUCES = Line(NAME, None, "reduces", "")


def check(proposal: Proposal, context: Context) -> Line:
    """Compares the position after the order with `max_single_pos_pct` of NAV."""
    vault, instrument, ledger = proposal.vault, proposal.instrument, proposal.ledger
    if instrument is None:
        return Line(NAME, context.why_no_instrument, proposal.entry.instrument_id, "in the registry")
    if vault is None or ledger is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    if proposal.reduces:
        return REDUCES
    if proposal.after < 0 and not vault.allocation.allow_short:
        return Line(NAME, Reason.EXPOSURE_SHORT, str(proposal.after), "0")
    nav = context.totals(ledger).nav
    if nav is None or nav <= 0:
        return Line(NAME, Reason.NAV_UNKNOWN, str(nav), "a positive NAV")
    used = abs(proposal.after) * proposal.price * instrument.multiplier / nav
    code = Reason.EXPOSURE_POSITION if used > vault.risk.max_single_pos_pct else None
    return Line(NAME, code, f"{used:.4f}", str(vault.risk.max_single_pos_pct))
