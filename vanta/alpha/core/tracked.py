"""The tracker's log under verification: can its records have happened, is `thread_tracker.json` their fold? Pure."""

from collections.abc import Sequence

from vanta.alpha.core.tracker import Tracker
from vanta.alpha.core.verification import Finding
from vanta.common.errors import StateError, VantaError
from vanta.common.exitcodes import Check
from vanta.common.models.tracker import ThreadTracker
from vanta.common.paths import THREAD_TRACKER
from vanta.common.store.document import parse
from vanta.common.store.ports import Record


class TrackerFold:
    """A watcher of the tracker's log. `raw` is the document's bytes, `None` where there is none."""

    def __init__(self, raw: bytes | None) -> None:
        self._tracker = Tracker()
        self._said = None if raw is None else _read(raw)
        self._equal = False

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        try:
            self._tracker.apply(record)
        except StateError as error:
            return error.what
        if self._said is not None and self._said.revision == record.seq:
            self._equal = self._tracker.same(self._said)
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:
        """See `Watcher.end`. Behind a break nothing is known."""
        if self._said is None:
            return ()
        last, seq = self._tracker.seq, self._said.revision
        if seq > last:
            return [_found(Check.CRITICAL if whole else Check.UNKNOWN,
                           f"says record {seq:,}, but the log ends at {last:,}")]
        if not self._equal:
            return [_found(Check.CRITICAL, f"is not the fold of the log at record {seq:,}")]
        if seq < last:
            return [_found(Check.UNKNOWN, f"is the fold at record {seq:,}, the log ends at {last:,}: a command was cut "
                                          "off or is under way; the next one writes it anew")]
        return [_found(Check.OK, "is the fold of the log")]


def _read(raw: bytes) -> ThreadTracker | None:
    """What the document says; `None` where it cannot be read, which another finding tells."""
    try:
        return parse(raw, ThreadTracker, file=THREAD_TRACKER)
    except VantaError:
        return None


def _found(level: Check, text: str) -> Finding:
    return Finding(level=level, file=THREAD_TRACKER, text=text)
