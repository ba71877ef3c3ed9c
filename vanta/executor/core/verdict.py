"""What is written down about a verdict. Pure, so that replay writes the same records again and compares them.

Decides which records a verdict makes and what each says; refuses to know the journal they go to. A hold is
recorded once for each (intent, reason), so that a halt over a weekend is one line and not a million. A refusal
records every line that stopped, with the value seen and the limit.

    verdict_notes(entry, judge(propose(entry, context), context), context)
        -> (Note("intent.approved", …), Note("order.submitting", …))      or ()  if it is held as before
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vanta.common.calendars import CONTINUOUS, UnknownDay
from vanta.common.errors import Bug
from vanta.common.events import Kind
from vanta.common.ids import latch_id
from vanta.common.money import plain
from vanta.common.reasons import TABLE, Effect, Reason
from vanta.common.times import iso
from vanta.executor.core.approval import Approved, Stopped
from vanta.executor.core.entries import IntentEntry
from vanta.executor.core.proposal import Context, Line
from vanta.executor.core.terms import GTC, Terms
from vanta.executor.core.watch import Latch


@dataclass(frozen=True, slots=True)
class Note:
    """One record to be: its kind, what it says, and the order it is about, if any."""

    kind: Kind
    payload: Mapping[str, Any]
    order_id: str | None = None


def verdict_notes(entry: IntentEntry, verdict: Approved | Stopped, context: Context) -> tuple[Note, ...]:
    """The records of a verdict, in order. None if there is nothing new to say."""
    if isinstance(verdict, Approved):
        return approval(verdict, good_until(entry, verdict.terms, context))
    return stop(entry, verdict, context.book.seq)


def approval(order: Approved, until: str | None) -> tuple[Note, ...]:
    """The verdict and the outbox record of an order that passed."""
    terms = order.terms
    return (Note(Kind.INTENT_APPROVED, {"intent_state": "approved", "lines": words(order.lines)}),
            Note(Kind.ORDER_SUBMITTING, {
                "intent_state": "submitting", "broker": order.account, "symbol": order.symbol, "side": order.side,
                "quantity": plain(order.quantity), "reference_price": plain(order.reference_price), "type": terms.type,
                "limit_price": None if terms.limit_price is None else plain(terms.limit_price),
                **({} if terms.stop_price is None else {"stop_price": plain(terms.stop_price)}),
                "time_in_force": terms.time_in_force, "good_until": until, "attempt": order.attempt, "legs": order.legs,
                "currency": order.currency, "multiplier": plain(order.multiplier),
            }, order.order_id))


def stop(entry: IntentEntry, stopped: Stopped, seq: int) -> tuple[Note, ...]:
    """The records of a verdict that is no approval: hold, refuse, expire, quarantine, latch. `seq` is the book's."""
    codes = {line.code for line in stopped.stopping}
    if Reason.INTENT_EXPIRED in codes:
        return (Note(Kind.INTENT_EXPIRED, {
            "intent_state": "expired", "held": sorted(entry.held), "lines": words(stopped.stopping)}),)
    if stopped.effect is Effect.REFUSE:
        return (Note(Kind.INTENT_REFUSED, {"intent_state": "refused", "lines": words(stopped.lines)}),)
    if stopped.effect is Effect.QUARANTINE:
        return (Note(Kind.INTENT_QUARANTINED, {
            "intent_state": "quarantined", "sha256": entry.sha256, "lines": words(stopped.lines)}),)
    notes = []
    if stopped.effect is Effect.LATCH:
        worst = next(line for line in stopped.stopping if line.code and TABLE[line.code].effect is Effect.LATCH)
        notes.append(Note(Kind.LATCH_SET, latch(_latch_of(worst, entry), seq)))
    holding = tuple(line for line in stopped.stopping if line.code and TABLE[line.code].effect is not Effect.REFUSE)
    news = sorted({str(line.code) for line in holding} - entry.held)
    if news:
        notes.append(Note(Kind.INTENT_HELD, {"intent_state": "held", "codes": news, "lines": words(holding)}))
    return tuple(notes)


def latch(found: Latch, seq: int) -> dict[str, Any]:
    """The record of a latch that is set right after record `seq`."""
    return {"latch_id": latch_id(f"{found.code}|{found.vault}", seq + 1), "code": found.code, "vault": found.vault,
            "exits": found.exits, "value": found.value, "limit": found.limit, "detail": found.detail}


def _latch_of(line: Line, entry: IntentEntry) -> Latch:
    """A runaway latches its vault and lets exits through; everything else latches all."""
    if line.code is None:
        raise Bug("a passing line latches nothing")
    scoped = line.code == Reason.REPEATED
    return Latch(code=line.code, vault=entry.vault if scoped else None, exits=scoped, value=line.value,
                 limit=line.limit, detail=f"{TABLE[line.code].meaning}: {line.value} against {line.limit}")


def good_until(entry: IntentEntry, terms: Terms, context: Context) -> str | None:
    """When an order is cancelled if it still works: at the end of today's session. `None`: never.

    Where the market never closes a limit for the day ends with the day (UTC), and a market order has no end. A limit
    that a flip asked for ends with its intent, which never outlives the flip.
    """
    ends = _end_of_day(entry, terms, context)
    if terms.limit_price is None or entry.raw["flip_id"] is None:
        return ends
    expires = entry.raw["expires_at"]
    return str(expires if ends is None else min(ends, expires))


def _end_of_day(entry: IntentEntry, terms: Terms, context: Context) -> str | None:
    name = context.instruments[entry.instrument_id].calendar
    if terms.time_in_force == GTC:
        return None
    if name == CONTINUOUS:
        return None if terms.limit_price is None else f"{iso(context.now + timedelta(days=1))[:10]}T00:00:00.000Z"
    try:
        close = context.calendars[name].close_of(context.now.date())
    except UnknownDay:
        return iso(context.now)
    return None if close is None else iso(close)


def words(lines: tuple[Line, ...]) -> list[list[str | None]]:
    """Verdict lines as they are journalled: [fence, code, value, limit, detail]."""
    return list(map(list, lines))


def link(entry: IntentEntry, order_id: str | None = None) -> dict[str, str]:
    """The ids of a record about an intent, or about its order."""
    ids = {"intent_id": entry.intent_id, "signal_id": entry.raw["provenance"]["signal_id"], "vault": entry.vault}
    if order_id is not None:
        ids["order_id"] = order_id
    return ids
