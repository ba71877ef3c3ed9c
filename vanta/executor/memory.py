"""The book across starts: a state now and then, so that a start folds only the records that came after it.

The state is a file beside the checkpoints, named by its hash in a signed one. It is a shortcut and never the truth:
one that is missing, rotten, not signed for, or made by other code is passed over and the whole log is folded.
"""

import gc
from datetime import datetime
from functools import partial

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.store.chain import START
from vanta.common.store.ports import Files, Head, Journal
from vanta.common.times import iso
from vanta.common.uncollected import uncollected
from vanta.executor.core.book import Book
from vanta.executor.core.state import dump, load, name_of
from vanta.executor.recorder import Recorder

EVERY = 100_000
"""Records between two states; each costs a pause that grows with the book, so it is made when idle or at a start."""

WORTH = 10_000
"""Records that are worth a state at an orderly stop: less is folded in a fraction of a second."""


def recall(journal: Journal, files: Files, code: str) -> tuple[Book, Head]:
    """The newest state that this code can go on from, and its end; else an empty book and the beginning."""
    digest = journal.state
    if digest is not None:
        try:
            with uncollected():
                raw = files.read(name_of(digest))
                found = load(raw, code=code) if sha256(raw) == digest else None
        except StateError:
            found = None
        if found is not None:
            gc.freeze()  # nor later: what was loaded stays
            return found
    return Book(), START


class Keeper:
    """Makes states of one executor's book, the fold of what `recorder` writes; see `EVERY` and `WORTH`.

    `problem` says why the last one could not be written, empty if it was.
    """

    def __init__(self, recorder: Recorder, files: Files, code: str, *, every: int = EVERY, worth: int = WORTH) -> None:
        self._recorder = recorder
        self._files = files
        self._dump = partial(dump, code=code)
        self._kept = recorder.begins.seq
        self.problem = ""
        self._every, self._worth = every, worth

    def when_idle(self, now: datetime) -> bool:
        """Make a state if many records have come since the last one. Returns whether it did. Raises `StateError`."""
        return self._keep(now, self._every)

    def at_rest(self, now: datetime) -> bool:
        """The same at a stop, where fewer are worth it."""
        return self._keep(now, self._worth)

    def _keep(self, now: datetime, after: int) -> bool:
        book, journal = self._recorder.book, self._recorder.journal
        if book.seq - self._kept < after:
            return False
        self._recorder.sync()
        raw, before = self._dump(book, journal.head()), journal.state
        digest, self._kept = sha256(raw), book.seq
        try:
            self._files.replace(name_of(digest), raw)
        except StateError as error:  # a shortcut is not worth a stop; it is tried again after as many records
            self.problem = error.what
            return False
        self.problem = ""
        journal.checkpoint(at=iso(now), state=digest)
        if before not in (None, digest):
            self._files.remove(name_of(str(before)))
        return True
