"""What was just left by its exit plan is not bought again at once."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "cooldown"


def check(proposal: Proposal, context: Context) -> Line:
    """Compares the time since the last such exit of this vault and instrument with `reentry_cooldown_s`."""
    vault, left_ms = proposal.vault, context.book.left_ms.get(proposal.entry.key)
    if vault is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    if left_ms is None or proposal.reduces:
        return Line(NAME, None, "reduces" if proposal.reduces else "never left", "")
    age, limit = context.now_ms - left_ms, vault.risk.reentry_cooldown_s * 1000
    return Line(NAME, Reason.COOLING_DOWN if age < limit else None, f"{age} ms", f"{limit} ms")
