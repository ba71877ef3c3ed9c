"""What becomes of the claims of one pass when they meet the live window of their feed. Pure.

Decides, claim by claim: new, updated, a duplicate, too old to matter, or from the future and refused. Decides what
leaves the window. Refuses to know where claims come from or what they say.

- The same id with the same content is a duplicate, whatever payload it came from; other content is the next revision.
- A claim that a live claim `supersedes` is retracted, in whichever order the two arrive, and stays in the window so
  that seeing it once more does not bring it back.
- A claim leaves when it was published before the window began, or `history_s` after it expired: some normalisers
  compare with the past. Readers skip claims that are expired or retracted.
- `late` is the part of `new` that was published before something already seen.

Example: known A(09:00) and B(10:00); a pass brings A again, B with another score and C(09:30): one duplicate, one
update to revision 2, one new claim that is late.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vanta.common.models.signal import Signal
from vanta.common.times import iso
from vanta.markets.core.records import Problem
from vanta.markets.core.revise import revise

FUTURE_S = 120
"""How far ahead of our clock a source may date its claims."""

_SUPERSEDED = "superseded by "


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The window's edges. `high` is the newest publication time ever seen, `None` before the first claim."""

    now: datetime
    window_s: int
    history_s: int = 0
    high: str | None

    @property
    def begins(self) -> str:
        """Claims published before this leave."""
        return iso(self.now - timedelta(seconds=self.window_s))

    @property
    def forgets(self) -> str:
        """Claims that expired at this time or before leave."""
        return iso(self.now - timedelta(seconds=self.history_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The window after the pass, oldest first, and what became of the incoming claims."""

    signals: tuple[Signal, ...]
    high: str | None
    new: int
    updated: int
    duplicates: int
    late: int
    expired: int
    problems: tuple[Problem, ...]


def merge(known: Iterable[Signal], incoming: Sequence[Signal], frame: Frame) -> Merged:
    """Put `incoming` into the window of `known`. Counts are of incoming claims."""
    live = {signal.id: signal for signal in known}
    counts = dict.fromkeys(("new", "updated", "duplicates", "late", "expired"), 0)
    problems = []
    latest, begins, forgets = iso(frame.now + timedelta(seconds=FUTURE_S)), frame.begins, frame.forgets
    high = frame.high

    def gone(signal: Signal) -> bool:  # times compare as text: all have one form
        return signal.published_at < begins or signal.expires_at <= forgets

    for claim in incoming:
        if claim.published_at > latest:
            problems.append(_from_the_future(claim))
            continue
        outcome = _place(claim, live, gone)
        counts[outcome] += 1
        if outcome == "new" and frame.high is not None and claim.published_at < frame.high:
            counts["late"] += 1
        if outcome in ("new", "updated"):
            high = max(high or "", claim.published_at)
    _retract_superseded(live)
    kept = [signal for signal in live.values() if not gone(signal)]
    kept.sort(key=lambda signal: (signal.published_at, signal.id))
    return Merged(signals=tuple(kept), high=high, problems=tuple(problems), **counts)


def _place(claim: Signal, live: dict[str, Signal], gone: Callable[[Signal], bool]) -> str:
    """Put one claim into `live` and say what it was."""
    known = live.get(claim.id)
    if known is None:
        if gone(claim):
            return "expired"
        live[claim.id] = claim
        return "new"
    if (known.retracted_reason or "").startswith(_SUPERSEDED) and claim.retracted_reason is None:
        claim = claim.model_copy(update={"retracted_reason": known.retracted_reason})
    revised = revise(claim, live)
    if revised is None:
        return "duplicates"
    live[claim.id] = revised
    return "updated"


def _retract_superseded(live: dict[str, Signal]) -> None:
    for successor in tuple(live.values()):
        old = live.get(successor.supersedes or "")
        if old is not None and old.id != successor.id and old.retracted_reason is None:
            live[old.id] = old.model_copy(update={"revision": old.revision + 1,
                                                  "retracted_reason": f"{_SUPERSEDED}{successor.id}"})


def _from_the_future(claim: Signal) -> Problem:
    where = claim.evidence[0].url if claim.evidence else claim.id
    return Problem(code="from_the_future", where=where,
                   detail=f"{claim.id} says it was published at {claim.published_at}, later than our clock allows")
