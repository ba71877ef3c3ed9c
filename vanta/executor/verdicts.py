"""Recording a verdict that is not an approval: hold, refuse, expire, quarantine, latch.

A hold is recorded once for each (intent, reason), so that a halt over a weekend is one line and not a
million. A refusal records every line that stopped, with the value seen and the limit.
"""

from datetime import datetime

from vanta.common.events import Kind
from vanta.common.ids import latch_id
from vanta.common.reasons import TABLE, Effect, Reason
from vanta.executor.core.approval import Stopped
from vanta.executor.core.book import IntentEntry
from vanta.executor.core.proposal import Line
from vanta.executor.core.watch import Latch
from vanta.executor.recorder import Recorder, words


def record_stop(recorder: Recorder, entry: IntentEntry, stopped: Stopped, *, now: datetime) -> bool:
    """Record what a verdict other than approval means. Returns whether anything was recorded."""
    codes = {line.code for line in stopped.stopping}
    if Reason.INTENT_EXPIRED in codes:
        recorder.about(Kind.INTENT_EXPIRED, entry, {
            "intent_state": "expired", "held": sorted(entry.held), "lines": words(stopped.stopping)}, now=now)
        return True
    if stopped.effect is Effect.LATCH:
        worst = next(line for line in stopped.stopping if line.code and TABLE[line.code].effect is Effect.LATCH)
        set_latch(recorder, _latch_of(worst), now=now)
    elif stopped.effect is not Effect.HOLD:
        kind = Kind.INTENT_REFUSED if stopped.effect is Effect.REFUSE else Kind.INTENT_QUARANTINED
        state = "refused" if stopped.effect is Effect.REFUSE else "quarantined"
        recorder.about(kind, entry, {"intent_state": state, "lines": words(stopped.lines)}, now=now)
        return True
    holding = tuple(line for line in stopped.stopping if line.code and TABLE[line.code].effect is not Effect.REFUSE)
    news = sorted({str(line.code) for line in holding} - entry.held)
    if not news:
        return False
    recorder.about(Kind.INTENT_HELD, entry, {"intent_state": "held", "codes": news, "lines": words(holding)}, now=now)
    return True


def _latch_of(line: Line) -> Latch:
    code = line.code or Reason.GATEWAY_MORE_THAN_QUEUED
    return Latch(code=code, vault=None, exits=False, value=line.value, limit=line.limit,
                 detail=f"{TABLE[code].meaning}: {line.value} against {line.limit}")


def set_latch(recorder: Recorder, latch: Latch, *, now: datetime) -> str:
    """Record a latch and return its id."""
    name = latch_id(f"{latch.code}|{latch.vault}", recorder.book.seq + 1)
    recorder.put(Kind.LATCH_SET, {
        "latch_id": name, "code": latch.code, "vault": latch.vault, "exits": latch.exits, "value": latch.value,
        "limit": latch.limit, "detail": latch.detail}, now=now)
    return name
