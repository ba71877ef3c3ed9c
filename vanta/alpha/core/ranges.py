"""Which part of a home's records is meant by "from … to …". Pure.

Logs are folds, so each goes in from its first record; where it ends, a signed head has to stand, or nobody could tell
that its tail is all there. The range chooses the snapshots: those that its records promise, and those that were in
force when it began.
"""

from collections.abc import Callable, Sequence

from vanta.alpha.core.bundle import LogEnd
from vanta.alpha.core.inputs import BROKEN, wanted
from vanta.alpha.core.verification import Finding
from vanta.alpha.core.watchers import Promise, Promises
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.store.chain import START
from vanta.common.store.checkpoint import Checkpoint, decode
from vanta.common.store.ports import GENESIS, Head, Record


class InRange(Promises):
    """The promises of the records from number `since()` on, and of what was in force by the records before."""

    def __init__(self, name: str, since: Callable[[], int]) -> None:
        super().__init__(name)
        self._since = since
        self._standing: dict[str, Promise] = {}

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        if record.seq >= self._since():
            return super().take(record)
        try:
            found = list(wanted(record))
        except BROKEN as error:
            return f"is not what a {record.kind} record says: {error!r}"
        if record.kind == Kind.PROGRAM_STARTED and found:
            self._standing = {what: one for what, one in self._standing.items() if not _is_of_start(what)}
        self._standing.update((what, Promise(digest, what, self._name, record.seq)) for what, digest in found)
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:
        """See `Watcher.end`."""
        for one in self._standing.values():
            self.all.setdefault((one.digest, one.what), one)
        return super().end(whole=whole)


def _is_of_start(what: str) -> bool:
    """Whether a start names it anew."""
    return what == "settings" or what.startswith("calendar ")


class Begins:
    """Where a range begins in a log: its first record that is not older than `since`, and the hash of the one before.

    After the last record if there is none. `last` is the newest record that was seen.
    """

    def __init__(self, since: str, begin: Head = START) -> None:
        """`begin` is where the log begins, if older records were put away."""
        self._since = since
        self._found = not since
        self.seq, self.before = begin.seq + 1, begin.hash
        self.last: Record | None = None

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        self._found = self._found or record.at >= self._since
        if not self._found:
            self.seq, self.before = record.seq + 1, record.hash
        self.last = record
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:  # noqa: ARG002 - the watcher's shape
        """See `Watcher.end`."""
        return ()


class Rests:
    """The newest record of the trade log that a promotion rests on, 0 if none does."""

    def __init__(self) -> None:
        self.seq = 0

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        named = record.payload.get("trade_log")
        if record.kind == Kind.PROMOTED and isinstance(named, dict) and isinstance(named.get("seq"), int):
            self.seq = max(self.seq, named["seq"])
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:  # noqa: ARG002 - the watcher's shape
        """See `Watcher.end`."""
        return ()


def cut(checkpoints: bytes, until: str, least: int = 0) -> tuple[bytes, Checkpoint | None]:
    """The lines up to the first checkpoint that is not older than `until` and covers record `least`; all without one.

    Those of the same moment go along. What is no checkpoint ends it: verification says what is wrong there.
    """
    at, found = 0, None
    for line in checkpoints.splitlines(keepends=True) if until else ():
        try:
            one = decode(line.rstrip(b"\n"), where="checkpoints")
        except StateError:
            break
        if found is not None and one.at != found.at:
            return checkpoints[:at], found
        at += len(line)
        if found is not None or (one.at >= until and one.seq >= least):
            found = one
    if found is not None:
        return checkpoints[:at], found
    return checkpoints[: checkpoints.rfind(b"\n") + 1], None


def whole_lines(raw: bytes, end: Checkpoint | None, begin: Head = START) -> bytes:
    """A log up to the record that a checkpoint covers, all of it if that is not there, without a half-written line.

    `begin` is where `raw` begins, if older records were put away.
    """
    size = end.size - begin.size if end is not None else 0
    if end is not None and raw[:size].endswith(b"\n") and raw.count(b"\n", 0, size) == end.seq - begin.seq:
        return raw[:size]
    return raw[: raw.rfind(b"\n") + 1]


class Ends:
    """Holds a log to what a manifest says of it: how many records, the last, and the one before the range."""

    def __init__(self, said: LogEnd) -> None:
        self._said = said
        self._last = GENESIS
        self._records = 0

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        if record.seq == self._said.since and record.prev != self._said.before:
            return "does not follow the record that the manifest names"
        self._records, self._last = record.seq, record.hash
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:
        """See `Watcher.end`."""
        if not whole or (self._records, self._last) == (self._said.records, self._said.head):
            return ()
        return [Finding(level=Check.CRITICAL, file=self._said.name, line=self._records or None,
                        text=f"does not end at record {self._said.records:,} as the manifest says")]
