"""May a lease that arrived take the place of the one before it? Pure.

Its counter only grows. One that goes back, or says something else under the same counter, means that Alpha's state was
put back to an older one or that somebody else answers in its place: it is refused, and the replica's lease is taken
away, which halts the executor at once.
"""

from vanta.common import strictjson
from vanta.common.errors import BadInput
from vanta.common.models.base import validate
from vanta.common.models.lease import ControlsLease
from vanta.transport.core.replica import Refusal


def parsed(raw: bytes, name: str) -> ControlsLease:
    """The lease in these bytes. Raises `Refusal`."""
    try:
        return validate(ControlsLease, strictjson.loads_object(raw, file=name), file=name)
    except BadInput as error:
        raise Refusal("broken", error.what, raw) from error


def counter_of(raw: bytes, name: str) -> int:
    """The counter of the lease that is held; 0 of none, and of what is none (any more)."""
    try:
        return parsed(raw, name).revision if raw else 0
    except Refusal:
        return 0


def succeeds(raw: bytes, before: bytes, floor: int, name: str) -> bool:
    """Whether these bytes are a newer lease than `before` (empty: none). Raises `Refusal`.

    `floor` is the highest counter that was seen when a lease was taken away, 0 if none was.
    """
    if raw == before:
        return False
    counter = parsed(raw, name).revision
    highest = max(floor, counter_of(before, name))
    if counter <= highest:
        raise Refusal("forked", f"{name} has counter {counter:,}, but {highest:,} was seen before: Alpha's state went "
                      "back, or somebody else answers in its place", raw)
    return True
