"""No second order with the effect of the one just before it, under whatever id it comes."""

from vanta.common.reasons import Reason
from vanta.common.times import millis_of
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "economic"
FIRST = Line(NAME, None, "first", "first")
_CAME_TO_NOTHING = frozenset({"withheld", "rejected", "quarantined"})
_MAY_HAVE = frozenset({"cancelled", "expired"})


def check(proposal: Proposal, context: Context) -> Line:
    """Compares side and quantity with the last order of the same vault and instrument within `duplicate_window_s`.

    An order that was cancelled or has expired without an execution had no effect.
    """
    vault, entry = proposal.vault, proposal.entry
    if vault is None:
        return Line(NAME, context.why_no_vault, entry.vault, "in vault.json")
    last = context.book.last_sent.get(entry.key)
    nothing = last is not None and (last.state in _CAME_TO_NOTHING or (last.state in _MAY_HAVE and not last.filled))
    if last is None or nothing or proposal.reduces or last.intent_id == entry.intent_id:
        return FIRST
    age = context.now_ms - millis_of(last.submitted_at)
    alike = (last.side, last.quantity) == (entry.side, proposal.quantity)
    if alike and age < vault.risk.duplicate_window_s * 1000:
        return Line(NAME, Reason.ECONOMIC_DUPLICATE, f"{age} ms after {last.order_id}",
                    f"{vault.risk.duplicate_window_s} s")
    return Line(NAME, None, f"{age} ms", f"{vault.risk.duplicate_window_s} s")
