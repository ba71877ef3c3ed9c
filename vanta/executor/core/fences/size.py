"""The order is neither too small to trade nor larger than its limits."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "size"


def check(proposal: Proposal, context: Context) -> Line:  # noqa: ARG001 - every fence has the same shape
    """Smallest lot, minimum notional, most value, most units, largest share of daily volume.

    An exit may be worth more than `max_order_value`: what is held may be left.
    """
    instrument, vault, quote = proposal.instrument, proposal.vault, proposal.quote
    if instrument is None or vault is None or quote is None:
        return Line(NAME, Reason.QUOTE_MISSING, "unknown", "a known instrument, vault and quote")
    quantity, value = proposal.quantity, proposal.value
    if quantity <= 0:
        return Line(NAME, Reason.SIZE_ZERO, str(quantity), f"one lot of {instrument.lot}")
    if proposal.least < instrument.min_notional and not proposal.entry.close:
        return Line(NAME, Reason.SIZE_MIN_NOTIONAL, f"{proposal.least:.2f}", str(instrument.min_notional))
    if value > vault.risk.max_order_value and not proposal.reduces:
        return Line(NAME, Reason.SIZE_MAX_VALUE, f"{value:.2f}", str(vault.risk.max_order_value))
    if quantity > vault.risk.max_order_quantity:
        return Line(NAME, Reason.SIZE_MAX_QUANTITY, str(quantity), str(vault.risk.max_order_quantity))
    if quote.volume is not None and quantity > quote.volume * vault.risk.max_adv_pct:
        return Line(NAME, Reason.SIZE_MAX_ADV, str(quantity), f"{quote.volume * vault.risk.max_adv_pct:.0f}")
    return Line(NAME, None, f"{value:.2f}", str(vault.risk.max_order_value))
