"""The executor's policy: every fence an order passes, in this order. This list is the whole of it.

Each fence is one file with one function. It sees a proposal and the recorded world, and answers with one
line: its name, a reason code or None, the value it saw and the limit it held it against. All fences are
always asked; one that lacks what it needs refuses.
"""

from collections.abc import Callable

from vanta.executor.core.fences import (
    basis,
    cash,
    collar,
    duplicate,
    exposure,
    freshness,
    gateway,
    halt,
    instrument,
    quote,
    rate,
    session,
    size,
    sync,
    vault,
)
from vanta.executor.core.proposal import Context, Line, Proposal

Fence = Callable[[Proposal, Context], Line]

POLICY: tuple[Fence, ...] = (
    halt.check,        # kill switches, permit, latches
    vault.check,       # vault, account and personas are known
    sync.check,        # the venue answers and agrees with the books
    instrument.check,  # known, tradable, not restricted, right rail and currency
    duplicate.check,   # no intent twice, one live order per vault and instrument
    basis.check,       # the holding has not moved since
    freshness.check,   # not expired, not from the future
    session.check,     # the venue is open
    quote.check,       # a fresh and sane quote
    collar.check,      # the price is close to the last trade
    size.check,        # lots, minimum, most value, most units, share of volume
    exposure.check,    # position, asset class and gross as shares of NAV
    cash.check,        # paid from cash that is there
    rate.check,        # orders a minute, working orders
    gateway.check,     # never more than was asked for
)

PRICED = frozenset({"collar", "size", "exposure", "cash", "gateway"})
"""Fences whose refusal rests on a price. While anything holds the intent (halt, closed session, stale quote)
their refusals wait: the price that counts is the one at dispatch."""
