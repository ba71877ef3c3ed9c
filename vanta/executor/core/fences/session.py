"""The venue is open."""

from datetime import datetime
from functools import lru_cache

from vanta.common.calendars import Calendar
from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "session"


def check(proposal: Proposal, context: Context) -> Line:
    """Stops outside the session of the instrument's calendar; a day that no calendar covers is refused."""
    if proposal.instrument is None:
        return Line(NAME, context.why_no_instrument, proposal.entry.instrument_id, "in the registry")
    name = proposal.instrument.calendar
    calendar = context.calendars.get(name)
    return _line(name, calendar, context.now)


@lru_cache(maxsize=64)
def _line(name: str, calendar: Calendar | None, now: datetime) -> Line:
    """Asked for every order of a step, which all share one time."""
    if calendar is None or not calendar.covers(now):
        return Line(NAME, Reason.SESSION_UNKNOWN, name, "a calendar that covers today")
    code = None if calendar.is_open(now) else Reason.SESSION_CLOSED
    return Line(NAME, code, "open" if code is None else "closed", f"{name} open")
