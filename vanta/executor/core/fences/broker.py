"""What one broker account's venue is asked to bear: terms that it can do, messages a minute, working orders.

Counted from the journal over all vaults of the account. Cancels count, and are never stopped by it; nor is what only
shrinks a position.
"""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal
from vanta.executor.core.terms import AT_VENUE, STOP

NAME = "broker"
NOTHING: frozenset[str] = frozenset()


def check(proposal: Proposal, context: Context) -> Line:
    """Compares with what the venue can do, and the house's limits; a stop with what the vault asks for."""
    needs, able = proposal.terms.needs, context.able.get(proposal.entry.account, NOTHING)
    if not needs <= able:
        return Line(NAME, Reason.BROKER_TERMS, ", ".join(sorted(needs)), ", ".join(["market", *sorted(able)]))
    if STOP in needs and proposal.vault is not None and proposal.vault.orders.stops != AT_VENUE:
        return Line(NAME, Reason.BROKER_TERMS, STOP, f"orders.stops: {proposal.vault.orders.stops}")
    if context.vaults is None:
        return Line(NAME, context.why_no_vault, "vault.json", "readable")
    house, account = context.vaults.house, context.book.accounts.get(proposal.entry.account)
    if account is None or proposal.reduces:
        return Line(NAME, None, "none yet" if account is None else "reduces", "")
    limit = house.max_messages_per_minute
    messages = account.messages.count(context.now_ms)
    if messages >= limit:
        return Line(NAME, Reason.MESSAGES, str(messages), f"{limit} a minute")
    if len(account.working) >= house.max_open_orders:
        return Line(NAME, Reason.BROKER_ORDERS, str(len(account.working)), str(house.max_open_orders))
    return Line(NAME, None, f"{messages} messages, {len(account.working)} working",
                f"{limit} a minute, {house.max_open_orders} working")
