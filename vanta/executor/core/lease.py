"""Does Alpha's word count for the controls that arrived here? Pure.

    wrong(lease, seen)  ->  "" or why not: held at once, latched if it lasts

Neither clock is trusted alone. By ours, a counter that has not moved since `lease_s` is old, however the clocks stand
to each other; by Alpha's, one that was said longer ago than that is old, however often it is shown to us again. The
sentence stays the same while nothing changes, so that it is recorded once.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from vanta.common.models.lease import ControlsLease
from vanta.common.times import parse_iso


class Seen(NamedTuple):
    """What is here: hashes of Alpha's overlay and vaults, bytes of its commands; and what is known of time.

    `waited_s` is how long the counter has not moved, by our clock; `highest` the highest that was ever seen.
    """

    overlay: str | None
    vaults: str | None
    commands: int
    now: datetime
    waited_s: float
    highest: int


def wrong(lease: ControlsLease, seen: Seen, limit_s: float) -> str:
    """Why the lease does not count, empty if it does."""
    said, limit = parse_iso(lease.written_at), timedelta(seconds=limit_s)
    counter = f"lease {lease.revision:,} of Alpha"
    if lease.revision < seen.highest:
        return f"{counter} goes back: {seen.highest:,} was seen before"
    if lease.overlay != seen.overlay:
        return f"{counter} names another vault_overlay.json than the one that arrived"
    if lease.vaults != seen.vaults:
        return f"{counter} names another vault.json than the one that arrived"
    if lease.commands.size > seen.commands:
        return f"{counter} names commands that have not arrived"
    if seen.waited_s > limit_s:
        return f"{counter} has not been followed by another one within {limit_s:g} s"
    if seen.now - said > limit:
        return f"{counter} was said at {lease.written_at}, {limit_s:g} s or more before our time: clocks differ?"
    if said - seen.now > limit:
        return f"{counter} was said at {lease.written_at}, {limit_s:g} s or more after our time: clocks differ"
    return ""
