"""The vault exists, employs the personas that asked, and its account has a broker."""

from functools import lru_cache

from vanta.common.models.vault import persona_name
from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "vault"


def check(proposal: Proposal, context: Context) -> Line:
    """Stops when vault.json is unreadable, unless a position shrinks, or does not know what the intent names."""
    entry, vault = proposal.entry, proposal.vault
    if context.vaults is None or not (context.vaults_readable or proposal.reduces):
        return Line(NAME, Reason.VAULT_UNREADABLE, "unreadable", "readable")
    if vault is None or proposal.ledger is None:
        return Line(NAME, context.why_no_vault, entry.vault, "in vault.json")
    if entry.account != vault.account or entry.account not in context.brokers:
        return Line(NAME, Reason.ACCOUNT_UNKNOWN, entry.account, ", ".join(sorted(context.brokers)))
    held_as = f"{proposal.ledger.account} in {proposal.ledger.currency}"
    if held_as != f"{vault.account} in {vault.base_currency}":
        return Line(NAME, Reason.ACCOUNT_MOVED, f"{vault.account} in {vault.base_currency}", held_as)
    employed = _proper(tuple(vault.personas))
    for name in entry.raw["provenance"]["personas"]:
        if name != "neutral" and not proposal.reduces and not _proper((name,)) <= employed:
            return Line(NAME, Reason.PERSONA_NOT_ALLOWED, name, ", ".join(sorted(employed)))
    return Line(NAME, None, entry.vault, "known")


@lru_cache(maxsize=256)
def _proper(names: tuple[str, ...]) -> frozenset[str]:
    """Personas under their proper names. A name that nobody knows stays as it is."""
    return frozenset(_known(name) for name in names)


def _known(name: str) -> str:
    try:
        return persona_name(name)
    except ValueError:
        return name
