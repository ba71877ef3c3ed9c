"""No second order with the effect of the one just before it, under whatever id it comes."""

from vanta.common.reasons import Reason
from vanta.common.times import millis_of
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "economic"
FIRST = Line(NAME, None, "first", "first")
_CAME_TO_NOTHING = frozenset({"withheld", "rejected", "quarantined"})


def check(proposal: Proposal, context: Context) -> Line:
    """Compares side and quantity with the last order of the same vault and instrument within `duplicate_window_s`."""
    vault, entry = proposal.vault, proposal.entry
    if vault is None:
        return Line(NAME, context.why_no_vault, entry.vault, "in vault.json")
    last = context.book.last_sent.get(entry.key)
    if last is None or proposal.reduces or last.state in _CAME_TO_NOTHING or last.intent_id == entry.intent_id:
        return FIRST
    age = context.now_ms - millis_of(last.submitted_at)
    alike = (last.side, last.quantity) == (entry.side, proposal.quantity)
    if alike and age < vault.risk.duplicate_window_s * 1000:
        return Line(NAME, Reason.ECONOMIC_DUPLICATE, f"{age} ms after {last.order_id}",
                    f"{vault.risk.duplicate_window_s} s")
    return Line(NAME, None, f"{age} ms", f"{vault.risk.duplicate_window_s} s")
