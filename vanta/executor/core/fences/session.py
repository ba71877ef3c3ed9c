"""The venue is open."""

from vanta.common.reasons import Reason
from vanta.executor.core.proposal import Context, Line, Proposal

NAME = "session"


def check(proposal: Proposal, context: Context) -> Line:
    """Stops outside the session of the instrument's calendar; a day that no calendar covers is refused."""
    if proposal.instrument is None:
        return Line(NAME, context.why_no_instrument, proposal.entry.instrument_id, "in the registry")
    name = proposal.instrument.calendar
    calendar = context.calendars.get(name)
    if calendar is None or not calendar.covers(context.now):
        return Line(NAME, Reason.SESSION_UNKNOWN, name, "a calendar that covers today")
    code = None if calendar.is_open(context.now) else Reason.SESSION_CLOSED
    return Line(NAME, code, "open" if code is None else "closed", f"{name} open")
