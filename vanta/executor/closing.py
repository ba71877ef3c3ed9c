"""Closing the day that is over: one record, before anything of the new day is booked or marked."""

from datetime import datetime

from vanta.common.events import Kind
from vanta.executor.core import daily
from vanta.executor.recorder import Recorder


def close_day(recorder: Recorder, benchmark: str | None, now: datetime) -> None:
    """Record what the open day made, if it is over."""
    today = recorder.text(now)[:10]
    if daily.due(recorder.book, today):
        recorder.put(Kind.DAY_CLOSED, daily.closed(recorder.book, today, benchmark), now=now)
