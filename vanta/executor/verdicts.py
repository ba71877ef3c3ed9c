"""Recording verdicts and latches: what `core/verdict.py` says, into the journal."""

from datetime import datetime

from vanta.common.events import Kind
from vanta.executor.core import verdict, watch
from vanta.executor.core.approval import Stopped
from vanta.executor.core.entries import IntentEntry
from vanta.executor.core.watch import Latch
from vanta.executor.recorder import Recorder


def record_stop(recorder: Recorder, entry: IntentEntry, stopped: Stopped, *, now: datetime) -> bool:
    """Record what a verdict other than approval means. Returns whether anything was recorded."""
    notes = verdict.stop(entry, stopped, recorder.book.seq)
    for note in notes:
        recorder.about(note.kind, entry, note.payload, now=now)
    return bool(notes)


def latch_once(recorder: Recorder, latch: Latch, *, now: datetime) -> None:
    """Record a latch unless one of the same code and vault is set already."""
    if not watch.latched(recorder.book, latch.code, latch.vault):
        set_latch(recorder, latch, now=now)


def set_latch(recorder: Recorder, latch: Latch, *, now: datetime) -> str:
    """Record a latch and return its id."""
    payload = verdict.latch(latch, recorder.book.seq)
    recorder.put(Kind.LATCH_SET, payload, now=now)
    return str(payload["latch_id"])
