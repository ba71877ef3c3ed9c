"""The instrument is known, tradable, not restricted, on a rail the vault uses, in the vault's currency."""

from vanta.common.instruments import Instrument
from vanta.common.models.vault import Vault
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
    if not proposal.reduces and not _rail_open(instrument, vault):
        return Line(NAME, Reason.RAIL_CLOSED, instrument.asset_class, "enabled in vault.json")
    if instrument.currency != ledger.currency:
        return Line(NAME, Reason.CURRENCY_MISMATCH, instrument.currency, ledger.currency)
    return Line(NAME, None, name, "allowed")


def _rail_open(instrument: Instrument, vault: Vault) -> bool:
    if instrument.asset_class == "crypto":
        return vault.crypto_enabled
    if instrument.asset_class == "option":
        return vault.options_enabled and vault.fiat_enabled
    return vault.fiat_enabled
