"""Buys are paid from cash that is there, after what working buys may still take and the cash floor."""

from decimal import Decimal

from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.executor.core.entries import VaultBook
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "cash"
MARGIN = Decimal("1.01")  # room for slippage and commission between verdict and fill


def check(proposal: Proposal, context: Context) -> Line:
    """Sells pass. A buy needs 1.01 times its value."""
    if proposal.entry.side == "sell":
        return Line(NAME, None, "sell", "")
    vault, ledger = proposal.vault, proposal.ledger
    if vault is None or ledger is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    nav = context.totals(ledger).nav
    if nav is None:
        return Line(NAME, Reason.NAV_UNKNOWN, "unknown", "a NAV")
    free = ledger.cash - reserved(ledger) - nav * vault.risk.min_cash_pct
    needed = proposal.value * MARGIN
    return Line(NAME, Reason.CASH if needed > free else None, f"{needed:.2f}", f"{free:.2f}")


def reserved(ledger: VaultBook) -> Decimal:
    """Cash that working buys of a vault may still take."""
    return sum((order.leaves * order.reference_price * order.multiplier * MARGIN for order in ledger.working.values()
                if order.side == "buy"), ZERO)
