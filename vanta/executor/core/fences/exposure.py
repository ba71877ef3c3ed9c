"""Concentration: one position, one asset class and all positions together, as shares of NAV.

Working orders count as filled. An order that only shrinks a position passes; one that would sell more than is
held needs `allow_short`.
"""

from decimal import Decimal

from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.executor.core.book import Book
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "exposure"


def check(proposal: Proposal, context: Context) -> Line:
    """Stops at the first share that the order would push over its limit."""
    vault, instrument, ledger = proposal.vault, proposal.instrument, proposal.ledger
    if instrument is None:
        return Line(NAME, context.why_no_instrument, proposal.entry.instrument_id, "in the registry")
    if vault is None or ledger is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    if proposal.reduces:
        return Line(NAME, None, "reduces", "")
    after = proposal.held + proposal.working_buy - proposal.working_sell + proposal.signed
    if after < 0 and not vault.allocation.allow_short:
        return Line(NAME, Reason.EXPOSURE_SHORT, str(after), "0")
    nav = context.book.nav(vault.vault_id)
    if nav is None or nav <= 0:
        return Line(NAME, Reason.NAV_UNKNOWN, str(nav), "a positive NAV")
    risk = vault.risk
    position = abs(after) * proposal.price * instrument.multiplier
    if position > nav * risk.max_single_pos_pct:
        return Line(NAME, Reason.EXPOSURE_POSITION, _share(position, nav), str(risk.max_single_pos_pct))
    gross, classes = _others(context.book, proposal, context)
    class_limit = risk.max_asset_class_pct.get(instrument.asset_class, ZERO)
    in_class = classes.get(instrument.asset_class, ZERO) + position
    if in_class > nav * class_limit:
        return Line(NAME, Reason.EXPOSURE_ASSET_CLASS, _share(in_class, nav), str(class_limit))
    if gross + position > nav * risk.max_gross_pct:
        return Line(NAME, Reason.EXPOSURE_GROSS, _share(gross + position, nav), str(risk.max_gross_pct))
    return Line(NAME, None, _share(position, nav), str(risk.max_single_pos_pct))


def _share(amount: Decimal, nav: Decimal) -> str:
    return f"{amount / nav:.4f}"


def _others(book: Book, proposal: Proposal, context: Context) -> tuple[Decimal, dict[str, Decimal]]:
    """Gross value of everything else the vault holds or is buying, in all and by asset class."""
    classes: dict[str, Decimal] = {}
    ledger = book.vaults[proposal.entry.vault]
    for instrument_id, position in ledger.positions.items():
        quote = book.quotes.get(instrument_id)
        if instrument_id != proposal.entry.instrument_id and position.quantity and quote is not None:
            _add(classes, context, instrument_id, abs(position.value(quote.last)))
    for order in book.working.values():
        if order.vault == proposal.entry.vault and order.instrument_id != proposal.entry.instrument_id \
                and order.side == "buy":
            _add(classes, context, order.instrument_id, order.leaves * order.reference_price)
    return sum(classes.values(), ZERO), classes


def _add(classes: dict[str, Decimal], context: Context, instrument_id: str, value: Decimal) -> None:
    instrument = context.instruments.get(instrument_id)
    name = instrument.asset_class if instrument else instrument_id.partition(":")[0]
    classes[name] = classes.get(name, ZERO) + value * (instrument.multiplier if instrument and value else 1)
