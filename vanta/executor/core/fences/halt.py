"""Kill switches, permit and latches: may anything leave at all, and may this?

`reduce_only`, `maintenance` and loss latches let an order through that only shrinks a position. The same
question is asked twice: as a fence, and again from freshly read bytes right before the order is sent.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from vanta.common.reasons import Reason
from vanta.executor.core.controls import Controls, Known, Scope, stops
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "halt"
OPEN = Line(NAME, None, "open", "open")
_LETS_EXITS_THROUGH = frozenset({Reason.HALT_MAINTENANCE, Reason.HALT_REDUCE_ONLY})


class Switches(NamedTuple):
    """Everything that can stop an order regardless of what the order is worth."""

    controls: Controls
    permit: bool
    latches: Mapping[str, Mapping[str, Any]]
    known: Known


def check(proposal: Proposal, context: Context) -> Line:
    """Stops on any switch in scope, a missing permit, or a latch in scope."""
    instrument = proposal.instrument
    scope = Scope(proposal.entry.vault, proposal.entry.account, proposal.entry.instrument_id,
                  instrument.asset_class if instrument else "")
    switches = Switches(context.controls, context.permit, context.book.latches, context.known)
    return look(switches, scope, reduces=proposal.reduces, now=context.now)


def look(switches: Switches, scope: Scope, *, reduces: bool, now: datetime) -> Line:
    """The fence itself. `reduces` says whether the order only shrinks a position."""
    if not switches.permit:
        return Line(NAME, Reason.HALT_NO_PERMIT, "no permit", "dispatch.permit exists")
    for stop in stops(switches.controls, scope, switches.known, now=now):
        if not (stop.code in _LETS_EXITS_THROUGH and reduces):
            return Line(NAME, stop.code, stop.where, "off", stop.note)
    for latch in switches.latches.values():
        concerned = latch["vault"] in (None, scope.vault)
        if concerned and not (latch["exits"] and reduces):
            return Line(NAME, Reason.HALT_LATCHED, str(latch["latch_id"]), "no latch", str(latch["code"]))
    return OPEN
