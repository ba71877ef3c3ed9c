"""The instrument is known, tradable, not restricted, on a rail the vault uses, in the vault's currency."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "instrument"


def check(proposal: Proposal, context: Context) -> Line:
    """Stops on the first thing about the instrument that is not allowed. What is held may always be sold."""
    instrument, vault, ledger = proposal.instrument, proposal.vault, proposal.ledger
    name = proposal.entry.instrument_id
    if instrument is None:
        return Line(NAME, context.why_no_instrument, name, "in the registry")
    if not instrument.tradable:
        return Line(NAME, Reason.INSTRUMENT_NOT_TRADABLE, name, "tradable")
    if vault is None or ledger is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    if context.vaults is None or name in vault.risk.restricted or name in context.vaults.house.restricted:
        return Line(NAME, Reason.INSTRUMENT_RESTRICTED, name, "not restricted")
    if vault.risk.permitted is not None and not proposal.reduces and name not in vault.risk.permitted:
        return Line(NAME, Reason.NOT_PERMITTED, name, "in risk.permitted")
    if not proposal.reduces and not vault.may_hold(instrument.asset_class):
        return Line(NAME, Reason.RAIL_CLOSED, instrument.asset_class, "enabled in vault.json")
    if instrument.currency != ledger.currency:
        return Line(NAME, Reason.CURRENCY_MISMATCH, instrument.currency, ledger.currency)
    return Line(NAME, None, name, "allowed")
