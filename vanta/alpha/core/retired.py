"""Did the home itself put away what a log no longer has? Pure; watches the control log.

A log may begin later than at its first record only where `log.retired` says so, with the very head that the first
checkpoint covers: whoever deletes old pieces of a log by hand cannot pass that off as housekeeping.
"""

from collections.abc import Sequence

from vanta.alpha.core.retention import RETIRABLE
from vanta.alpha.core.verification import Finding
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.paths import CONTROL_LOG
from vanta.common.store.ports import Head, Record


class Retirements:
    """What was put away by whom. `took` tells it where each log begins."""

    def __init__(self) -> None:
        self._said: dict[tuple[object, ...], Record] = {}
        self._begun: dict[str, Head] = {}

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        if record.kind == Kind.LOG_RETIRED:
            self._said[tuple(record.payload.get(name) for name in ("journal", "seq", "head"))] = record
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:  # noqa: ARG002 - the watcher's shape
        """See `Watcher.end`."""
        return ()

    def begins(self, journal: str, head: Head) -> None:
        """A journal begins after this record."""
        if head.seq:
            self._begun[journal] = head

    def judge(self, signed: int) -> list[Finding]:
        """Once every journal was watched: beginnings that nobody accounts for, and what accounts for the others.

        `signed` is the last record of the control log that a checkpoint covers: what follows could be anybody's.
        """
        found = []
        for journal, head in self._begun.items():
            record = self._said.get((journal, head.seq, head.hash))
            if record is None or record.seq > signed or journal not in RETIRABLE:
                found.append(Finding(level=Check.CRITICAL, file=journal, text=f"begins after record {head.seq:,}, and "
                                     f"no signed record of {CONTROL_LOG} says that what came before was put away"))
            else:
                found.append(Finding(level=Check.OK, file=journal, text=f"records 1 to {head.seq:,} were put away at "
                                     f"{record.at} (line {record.seq} of {CONTROL_LOG})"))
        return found
