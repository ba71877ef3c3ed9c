"""An order that a flip asked for leaves only while that flip is on, and within its slice of NAV.

Whatever the flip bought is left again by its exit plan, not by another flip: what shrinks a position passes.
"""

from datetime import timedelta

from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.common.times import parse_iso
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "flip"


def check(proposal: Proposal, context: Context) -> Line:
    """Compares the intent's `flip_id` with the overlay's flip, and what was sent for it with its slice."""
    entry, ledger = proposal.entry, proposal.ledger
    flip_id = entry.raw["flip_id"]
    if flip_id is None or proposal.reduces:
        return Line(NAME, None, "none" if flip_id is None else "reduces", "")
    overlay = context.controls.flips
    flip = overlay.flip if overlay else None
    if flip is None or (flip.flip_id, flip.vault) != (flip_id, entry.vault):
        return Line(NAME, Reason.FLIP_OVER, str(flip_id), flip.flip_id if flip else "no flip")
    ends = parse_iso(flip.started_at) + timedelta(minutes=flip.ttl_min)
    if not parse_iso(flip.started_at) <= context.now < ends:
        return Line(NAME, Reason.FLIP_OVER, str(flip_id), f"until {ends:%Y-%m-%dT%H:%M:%SZ}")
    nav = context.totals(ledger).nav if ledger else None
    if ledger is None or nav is None:
        return Line(NAME, Reason.NAV_UNKNOWN, "unknown", "a NAV")
    sent = ledger.flips.get(flip_id, ZERO) + proposal.value
    return Line(NAME, Reason.FLIP_SLICE if sent > nav * flip.slice else None, f"{sent:.2f}", f"{nav * flip.slice:.2f}")
