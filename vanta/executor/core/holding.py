"""Is the executor that holds the lock alive? Pure.

It is, if its heartbeat is as young as its settings promise, or if it started so recently that there need be none yet.
A heartbeat that lies ahead says that a clock is wrong, and nothing about the executor.

    stuck("executor pid=7 since=2026-01-02T03:04:05.000Z", None, now, allowed_s=30.0)  ->  "" or why it is stuck
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vanta.common.models.configuration import ExecutorSettings
from vanta.common.times import parse_iso

BEATS = 6
"""So many heartbeats may be missing; `vanta-diagnostics` says the same."""
AHEAD_S = 120.0


def allowed_s(settings: ExecutorSettings) -> float:
    """How old a heartbeat may be. An executor that has nothing to do looks around every `poll_s`, and beats then."""
    return float(BEATS * settings.heartbeat_s + settings.poll_s)


def stuck(stamp: str, state: Mapping[str, Any] | None, now: datetime, allowed_s: float) -> str:
    """Why the lock's holder is to be looked at; empty if it is well. `state` is its document, if it can be read."""
    signs = [at for at in (_time(stamp.rpartition("since=")[2]), _time((state or {}).get("heartbeat_at"))) if at]
    if not signs:
        return "nothing says when it started, and it has left no heartbeat"
    age = (now - max(signs)).total_seconds()
    if age < -AHEAD_S:
        return f"its last sign of life lies {-age:.0f} s ahead: a clock is wrong"
    return f"its last sign of life is {age:.0f} s old, at most {allowed_s:.0f} s are allowed" if age > allowed_s else ""


def _time(text: object) -> datetime | None:
    try:
        return parse_iso(text) if isinstance(text, str) else None
    except ValueError:
        return None
