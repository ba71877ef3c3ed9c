"""Does the executor's log follow from its own inputs? Every verdict is decided again and compared. Pure.

The log is folded record by record. Before each record that the executor decided (verdicts, outbox records, latches,
the day's opening) the very functions that decided are asked again, with the book as it then was and the inputs that
the log names by hash; what they say must be the record, field by field. What came from outside (quotes, intents,
venue answers) is taken as recorded. A sent order must also have had an open last look.

Refuses to know files: snapshots are handed in by hash, or added to `blobs` before the record that promises them. An
input that is not there makes its verdicts `missing`, which is neither equal nor different. Example: `replay =
Replay(blobs)`, `replay.take(record)` for every record in order, then `replay.differences == []` and `replay.missing ==
{}` is equality.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from vanta.alpha.core.asked import Given
from vanta.alpha.core.blobs import Blobs
from vanta.alpha.core.differ import Difference
from vanta.alpha.core.inputs import BROKEN, World
from vanta.alpha.core.recheck import Decisions, subject
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.money import settle_context
from vanta.common.store.ports import Record
from vanta.executor.core.book import Book

MOST_DIFFERENCES = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One difference: which record, about what, which field, both values."""

    seq: int
    kind: str
    subject: str
    found: Difference
    by: str
    """Program and version that wrote the record."""


class Replay:
    """See the module's contract. `missing` gives the first record that needed each absent input.

    `given` are the operators' commands by id; without them, answers to commands are taken as recorded.
    """

    def __init__(self, blobs: Mapping[str, bytes], given: Given | None = None) -> None:
        self.book = Book()
        self.program = ""
        self.differences: list[Step] = []
        self.missing: dict[str, int] = {}
        self.checked: Counter[str] = Counter()
        self.blobs = blobs if isinstance(blobs, Blobs) else Blobs(blobs)
        self._world = World(self.blobs)
        self._decisions = Decisions(self.book, self._world, given)
        settle_context()

    def take(self, record: Record, *, decide: bool = True, tell: bool = True) -> None:
        """Check and fold one record. Raises `StateError` where the log contradicts itself: nothing follows then.

        `decide=False` only folds it; `tell=False` decides it, because a later record rests on that, and says nothing.
        All records of one intent have to be decided alike.
        """
        try:
            if decide or self._decisions.pending:
                self._check(record, tell=tell)
            self.book.apply(record)
        except BROKEN as error:
            raise StateError(f"record {record.seq} ({record.kind}) is not what its kind says: {error!r}") from error
        if record.kind == Kind.PROGRAM_STARTED:
            self.program = str(record.payload.get("program", ""))
        self._world.learn(record)

    def _check(self, record: Record, *, tell: bool) -> None:
        if not self._decisions.concerns(record):
            return
        answer = self._decisions.check(record)
        if not tell:
            return
        if answer.absent is not None:
            self.missing.setdefault(answer.absent, record.seq)
            return
        self.checked[record.kind] += 1
        if answer.found is not None and len(self.differences) < MOST_DIFFERENCES:
            self.differences.append(Step(record.seq, record.kind, subject(record), answer.found, self.program))
