"""How far a feed's file can be believed at a given moment. Pure.

The collector writes what it saw (`ok`, `partial`, `error`); only a reader knows what time it is now, so only a
reader can say `stale`. Decides from the document's own clocks and one limit; refuses to know why a collector
stopped or what the signals say.

Example: a file that says `ok`, last success 09:00, read at 11:30 with a limit of one hour: `stale`. Stale is not
neutral: the feed's weight is removed, it does not vote 0.
"""

from datetime import datetime, timedelta

from vanta.common.models.signal import FeedDocument, FeedStatus
from vanta.common.times import parse_iso

AHEAD_S = 120
"""A success this far in the future means that a clock is wrong; the file is not believed."""


def age_s(document: FeedDocument, now: datetime) -> int | None:
    """Whole seconds since the last success, `None` if there never was one. Negative: a success in the future."""
    if document.last_success_at is None:
        return None
    return (now - parse_iso(document.last_success_at)) // timedelta(seconds=1)


def status_at(document: FeedDocument, now: datetime, stale_after_s: int) -> FeedStatus:
    """The feed's status as a reader at `now` must see it.

    `error` while the last success is recent enough to go on with its signals, or if there never was one;
    `stale` as soon as it is not, whatever the last pass said.
    """
    age = age_s(document, now)
    if age is None:
        return "error" if document.status == "error" else "stale"
    if age > stale_after_s or age < -AHEAD_S:
        return "stale"
    return document.status


def usable_at(document: FeedDocument, now: datetime, stale_after_s: int) -> bool:
    """Whether the signals may carry weight at `now`: there was a success, and it is recent."""
    return document.last_success_at is not None and status_at(document, now, stale_after_s) != "stale"


def reason_at(document: FeedDocument, now: datetime, stale_after_s: int) -> str:
    """One sentence for a person that goes with `status_at`."""
    age = age_s(document, now)
    if status_at(document, now, stale_after_s) != "stale":
        return document.status_reason
    if age is None:
        return "no pass has succeeded yet"
    if age < 0:
        return f"the last success lies {-age} s in the future: check the clocks"
    return f"no success for {age} s, the limit is {stale_after_s} s; last pass: {document.status_reason}"
