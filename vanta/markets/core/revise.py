"""Whether a claim that was made again says anything new. Pure.

A signal's id names the claim; scores may change. `revise` compares a fresh signal with the known one of the
same id: the same content is `None` (a duplicate, whatever payload it came from and whenever it was seen),
other content is the next revision. A time that was exact is not replaced by one that is only a date.
"""

from collections.abc import Mapping

from vanta.common.models.signal import Signal

_SEEN = {"revision", "observed_at", "evidence", "raw_ref", "collector"}
_EXACTNESS = {"exact": 2, "date": 1, "assumed": 0}


def revise(fresh: Signal, known: Mapping[str, Signal]) -> Signal | None:
    """`fresh` with the revision it must carry, or `None` if the known signal already says it."""
    old = known.get(fresh.id)
    if old is None:
        return fresh
    if _EXACTNESS[fresh.time_quality] < _EXACTNESS[old.time_quality]:
        fresh = fresh.model_copy(update={field: getattr(old, field) for field in
                                         ("time_quality", "published_at", "expires_at")})
    if fresh.model_dump(exclude=_SEEN) == old.model_dump(exclude=_SEEN):
        return None
    return fresh.model_copy(update={"revision": old.revision + 1})
