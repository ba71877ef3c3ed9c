"""What a persona asked for stays within its budget: its share of all lots, and of this order, as a share of NAV."""

from decimal import Decimal

from vanta.common.models.vault import persona_name
from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.executor.core.entries import VaultBook
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "persona"


def check(proposal: Proposal, context: Context) -> Line:
    """Stops at the first persona over its budget. Without budgets every persona may take all."""
    vault, ledger = proposal.vault, proposal.ledger
    if vault is None or ledger is None:
        return Line(NAME, context.why_no_vault, proposal.entry.vault, "in vault.json")
    if proposal.reduces or not vault.persona_budgets:
        return Line(NAME, None, "reduces" if proposal.reduces else "no budgets", "")
    nav = context.totals(ledger).nav
    if nav is None:
        return Line(NAME, Reason.NAV_UNKNOWN, "unknown", "a NAV")
    for name, weight in proposal.entry.tags.persona:
        if name in ("none", "neutral"):
            continue
        budget = nav * vault.budget(persona_name(name))
        taken = _taken(ledger, name, context) + proposal.value * _share(proposal.entry.tags.persona, weight)
        if taken > budget:
            return Line(NAME, Reason.EXPOSURE_PERSONA, f"{taken:.2f}", f"{budget:.2f}", name)
    return Line(NAME, None, "within", "budgets")


def _taken(ledger: VaultBook, persona: str, context: Context) -> Decimal:
    """The value of the persona's shares of all lots and of all working orders."""
    total = ZERO
    for name, position in ledger.positions.items():  # NAV is known, so whatever has lots has a quote
        total += sum((abs(lot.quantity) * context.book.quotes[name].last * position.multiplier
                      * _of(lot.tags.persona, persona) for lot in position.lots), ZERO)
    for order in ledger.working.values():
        tags = context.book.intents[order.intent_id].tags
        total += order.leaves * order.reference_price * order.multiplier * _of(tags.persona, persona)
    return total


def _of(weights: tuple[tuple[str, int], ...], persona: str) -> Decimal:
    return _share(weights, sum(weight for name, weight in weights if name == persona))


def _share(weights: tuple[tuple[str, int], ...], weight: int) -> Decimal:
    return Decimal(weight) / Decimal(sum(each for _, each in weights))
