"""Asset class, sector, all positions together, long less short: as shares of NAV, and the class's envelope of capital.

Everything else that the vault holds or has at work counts as filled. An order that only shrinks a position passes.
"""

from collections.abc import Iterator
from decimal import Decimal

from vanta.common.instruments import Instrument
from vanta.common.models.vault import Vault
from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.executor.core.entries import VaultBook
from vanta.executor.core.proposal import Context, Line, Proposal
from vanta.executor.core.totals import NOTHING, Totals

NAME = "concentration"
REDUCES = Line(NAME, None, "reduces", "")


def check(proposal: Proposal, context: Context) -> Line:
    """Stops at the first share that the order would push over its limit; passing, names the one nearest to it."""
    vault, instrument, ledger = proposal.vault, proposal.instrument, proposal.ledger
    if instrument is None:
        return Line(NAME, context.why_no_instrument, proposal.entry.instrument_id, "in the registry")
    if vault is None or ledger is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    if proposal.reduces:
        return REDUCES
    found = context.totals(ledger)
    if found.nav is None or found.nav <= 0:
        return Line(NAME, Reason.NAV_UNKNOWN, str(found.nav), "a positive NAV")
    nearest = (ZERO, ZERO, Decimal(1), "")
    for code, amount, limit, what in _limits(proposal, vault, instrument, (ledger, found, found.nav)):
        if amount > limit:
            return Line(NAME, code, f"{amount:.2f}", f"{limit:.2f}", what)
        nearest = max(nearest, (amount / limit if limit else ZERO, amount, limit, what))
    return Line(NAME, None, f"{nearest[1]:.2f}", f"{nearest[2]:.2f}", nearest[3])


def _limits(proposal: Proposal, vault: Vault, instrument: Instrument,
            stand: tuple[VaultBook, Totals, Decimal]) -> Iterator[tuple[Reason, Decimal, Decimal, str]]:
    """Code, amount after the order, most that it may be, and what of."""
    (ledger, found, nav), risk, kind = stand, vault.risk, instrument.asset_class
    own = found.by_instrument.get(instrument.instrument_id, NOTHING)
    signed = proposal.after * proposal.price * instrument.multiplier
    more = max(abs(signed), own.most) - own.most
    in_class = found.by_class.get(kind, ZERO) + more
    yield Reason.EXPOSURE_ASSET_CLASS, in_class, nav * risk.max_asset_class_pct.get(kind, ZERO), kind
    envelope = vault.envelope.get(kind, vault.capital) + max(ZERO, ledger.ledger.realised)
    yield Reason.EXPOSURE_ENVELOPE, in_class, envelope, f"envelope of {kind}"
    if instrument.sector is not None:
        in_sector = found.by_sector.get(instrument.sector, ZERO) + more
        yield Reason.EXPOSURE_SECTOR, in_sector, nav * risk.max_sector_pct, instrument.sector
    yield Reason.EXPOSURE_GROSS, found.gross + more, nav * risk.max_gross_pct, "gross"
    yield Reason.EXPOSURE_NET, abs(found.net - own.signed + signed), nav * risk.max_net_pct, "net"
