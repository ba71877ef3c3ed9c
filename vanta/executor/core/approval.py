"""Approval is a type: a broker accepts an `Approved` and nothing else, and only `judge` can make one.

`judge` shows a proposal to every fence of the policy and returns either an `Approved` order or the lines that
stopped it. There is no argument, setting or subclass that skips a fence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from vanta.common import ids
from vanta.common.errors import Bug
from vanta.common.reasons import TABLE, Effect
from vanta.executor.core.fences.policy import POLICY, PRICED
from vanta.executor.core.proposal import Context, Line, Proposal

_SEAL = object()


class Approved:
    """An order that passed every fence. `legs` names intent, vault and quantity: one leg today."""

    __slots__ = ("account", "asset_class", "attempt", "currency", "instrument_id", "intent_id", "legs", "lines",
                 "multiplier", "order_id", "quantity", "reduces", "reference_price", "side", "symbol", "terms", "tick",
                 "vault")

    def __init__(self, seal: object, proposal: Proposal, home: str, lines: Sequence[Line]) -> None:
        """Only `judge` holds the seal."""
        if seal is not _SEAL:
            raise Bug("an Approved order can only be made by the fence runner")
        entry, instrument = proposal.entry, proposal.instrument
        if instrument is None:
            raise Bug("approved without an instrument")
        self.intent_id = entry.intent_id
        self.vault = entry.vault
        self.account = entry.account
        self.instrument_id = entry.instrument_id
        self.symbol = instrument.symbol
        self.asset_class = instrument.asset_class
        self.currency = instrument.currency
        self.multiplier = instrument.multiplier
        self.tick = instrument.tick
        self.side = entry.side
        self.quantity: Decimal = proposal.quantity
        self.reference_price: Decimal = proposal.price
        self.terms = proposal.terms
        self.reduces = proposal.reduces
        self.attempt = 1
        self.legs = [[entry.intent_id, entry.vault, entry.account, None, str(proposal.quantity)]]
        self.order_id = ids.client_order_id(home, [entry.intent_id, entry.vault, entry.account], self.attempt)
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why not. `effect` is the gravest of the stopping lines: QUARANTINE, REFUSE, then HOLD."""

    lines: tuple[Line, ...]
    effect: Effect

    @property
    def stopping(self) -> tuple[Line, ...]:
        """The lines that said no."""
        return tuple(line for line in self.lines if line.code is not None)


_GRAVITY = (Effect.LATCH, Effect.QUARANTINE, Effect.REFUSE, Effect.HOLD)


def judge(proposal: Proposal, context: Context) -> Approved | Stopped:
    """Ask every fence, in the policy's order, and report all of them."""
    lines = tuple([fence(proposal, context) for fence in POLICY])
    stopping = [(line, TABLE[line.code].effect) for line in lines if line.code is not None]
    if not stopping:
        return Approved(_SEAL, proposal, context.book.home, lines)
    holding = any(effect is Effect.HOLD for _, effect in stopping)
    counted = {effect for line, effect in stopping
               if effect is Effect.HOLD or not (holding and line.fence in PRICED)}
    return Stopped(lines, next(effect for effect in _GRAVITY if effect in counted))
