"""What a persona asked for stays within its budget: its share of all lots, and of this order, as a share of NAV.

`downsized` makes an entry as small as the tightest budget wants it, before the fences look. One that no whole lot is
left for keeps its size, and the fence says why it is refused.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from vanta.common.models.vault import Vault, persona_name
from vanta.common.money import ZERO, floor_to
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
    for one in _budgets(proposal, vault, ledger, nav, context):
        taken = one.taken + proposal.value * one.share
        if taken > one.budget:
            return Line(NAME, Reason.EXPOSURE_PERSONA, f"{taken:.2f}", f"{one.budget:.2f}", one.name)
    return Line(NAME, None, "within", "budgets")


def downsized(proposal: Proposal, context: Context) -> Proposal:
    """The proposal within every budget, if that leaves a lot of it."""
    vault, ledger, instrument = proposal.vault, proposal.ledger, proposal.instrument
    if vault is None or ledger is None or instrument is None or not vault.persona_budgets or proposal.reduces:
        return proposal
    unit, nav = proposal.price * instrument.multiplier, context.totals(ledger).nav
    if nav is None or unit <= 0:
        return proposal
    rooms = [(one.budget - one.taken) / (unit * one.share)
             for one in _budgets(proposal, vault, ledger, nav, context)]
    most = floor_to(max(min(rooms, default=proposal.quantity), ZERO), instrument.lot)
    return proposal._replace(quantity=most) if 0 < most < proposal.quantity else proposal


class _Budget(NamedTuple):
    """A persona's budget and what is taken of it, in base currency, and its share of the order."""

    name: str
    budget: Decimal
    taken: Decimal
    share: Decimal


def _budgets(proposal: Proposal, vault: Vault, ledger: VaultBook, nav: Decimal, context: Context) -> Iterator[_Budget]:
    """Of every persona that asked for the order."""
    weights = proposal.entry.tags.persona
    for name, weight in weights:
        if name not in ("none", "neutral"):
            yield _Budget(name, nav * vault.budget(persona_name(name)), _taken(ledger, name, context),
                          _share(weights, weight))


def _taken(ledger: VaultBook, persona: str, context: Context) -> Decimal:
    """The value of the persona's shares of all lots and of all working orders but resting stops."""
    total = ZERO
    for name, position in ledger.positions.items():  # NAV is known, so whatever has lots has a quote
        total += sum((abs(lot.quantity) * context.book.quotes[name].last * position.multiplier
                      * _of(lot.tags.persona, persona) for lot in position.lots), ZERO)
    for order in ledger.working.values():
        if order.stop_price is not None:
            continue
        tags = context.book.intents[order.intent_id].tags
        total += order.leaves * order.reference_price * order.multiplier * _of(tags.persona, persona)
    return total


def _of(weights: tuple[tuple[str, int], ...], persona: str) -> Decimal:
    return _share(weights, sum(weight for name, weight in weights if name == persona))


def _share(weights: tuple[tuple[str, int], ...], weight: int) -> Decimal:
    return Decimal(weight) / Decimal(sum(each for _, each in weights))
