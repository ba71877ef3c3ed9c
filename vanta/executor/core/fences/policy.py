"""The executor's policy: every fence an order passes, in this order. This list is the whole of it.

Each fence is one file with one function. It sees a proposal and the recorded world, and answers with one
line: its name, a reason code or None, the value it saw and the limit it held it against. All fences are
always asked; one that lacks what it needs refuses.
"""

from collections.abc import Callable

from vanta.executor.core.fences import (
    basis,
    broker,
    cash,
    collar,
    concentration,
    cooldown,
    credit,
    duplicate,
    economic,
    exposure,
    flip,
    freshness,
    gateway,
    halt,
    instrument,
    liquidity,
    period,
    persona,
    quote,
    rate,
    repeat,
    selfmatch,
    session,
    size,
    sync,
    vault,
)
from vanta.executor.core.proposal import Context, Line, Proposal

Fence = Callable[[Proposal, Context], Line]

POLICY: tuple[Fence, ...] = (
    halt.check,           # kill switches, permit, latches
    vault.check,          # vault, account and personas are known
    sync.check,           # the venue answers and agrees with the books
    instrument.check,     # known, tradable, permitted, not restricted, right rail and currency
    duplicate.check,      # no intent twice, one live order per vault and instrument
    basis.check,          # the holding has not moved since
    freshness.check,      # not expired, not from the future
    session.check,        # the venue is open
    quote.check,          # a fresh and sane quote
    collar.check,         # the price is close to the last trade
    period.check,         # the price has not run away over the last minutes
    size.check,           # lots, minimum, most value, most units, share of volume
    liquidity.check,      # the instrument trades enough a day
    cooldown.check,       # not just left by its exit plan
    economic.check,       # not the effect of the last order once more
    selfmatch.check,      # nothing of ours on the other side
    exposure.check,       # one position as a share of NAV, nothing sold that is not held
    concentration.check,  # asset class, sector, gross and net as shares of NAV, envelope of capital
    persona.check,        # within the persona's budget
    flip.check,           # its flip is on, and within its slice
    cash.check,           # paid from cash that is there
    credit.check,         # all vaults of the account together, counted on orders entered
    rate.check,           # the vault's orders a minute, its working orders
    broker.check,         # the account's messages a minute, its working orders
    repeat.check,         # not the same thing over and over: latches
    gateway.check,        # never more than was asked for: latches
)

PRICED = frozenset({"collar", "size", "economic", "exposure", "concentration", "persona", "flip", "cash", "credit",
                    "gateway"})
"""Fences whose refusal rests on a price. While anything holds the intent (halt, closed session, stale quote)
their refusals wait: the price that counts is the one at dispatch."""
