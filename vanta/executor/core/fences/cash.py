"""Buys are paid from cash that is there, after what working buys may still take and the cash floor."""

from decimal import Decimal

from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.executor.core.book import Book
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
    nav = context.book.nav(vault.vault_id)
    if nav is None:
        return Line(NAME, Reason.NAV_UNKNOWN, "unknown", "a NAV")
    free = ledger.cash - reserved(context.book, vault.vault_id) - nav * vault.risk.min_cash_pct
    needed = proposal.value * MARGIN
    return Line(NAME, Reason.CASH if needed > free else None, f"{needed:.2f}", f"{free:.2f}")


def reserved(book: Book, vault_id: str) -> Decimal:
    """Cash that working buys of a vault may still take."""
    return sum((order.leaves * order.reference_price * MARGIN for order in book.working.values()
                if order.vault == vault_id and order.side == "buy"), ZERO)
