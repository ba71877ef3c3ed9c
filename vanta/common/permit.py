"""The dispatch permit: the file that has to exist for an order to leave this host.

Only `arm` makes it, with a person and a reason; `disarm` removes it durably and needs nothing, not even free
space. It is never copied between hosts. Who armed and disarmed is in `control_log.jsonl`; the executor
records in its own log when it sees the permit appear or vanish.
"""

from datetime import datetime

import orjson

from vanta.common.errors import UsageError
from vanta.common.paths import PERMIT, Home
from vanta.common.store import atomic
from vanta.common.times import iso


def arm(home: Home, *, by: str, reason: str, now: datetime) -> bool:
    """Allow dispatch. Returns False if it was allowed already. Raises `UsageError` without a reason."""
    if not reason.strip() or not by.strip():
        raise UsageError("releasing dispatch needs a reason and a name", "Add --reason TEXT (and --by NAME).")
    path = home.file(PERMIT)
    if path.exists():
        return False
    atomic.replace(path, orjson.dumps({"by": by, "reason": reason, "at": iso(now)}) + b"\n")
    return True


def disarm(home: Home) -> bool:
    """Stop all dispatch. Returns False if it was stopped already."""
    return atomic.remove(home.file(PERMIT))
