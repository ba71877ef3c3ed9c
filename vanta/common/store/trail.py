"""A journal that nothing waits for: each `sync` writes, `settle` and `close` reach the disk and sign.

For lines that say what has happened and permit nothing. A kill costs none of them; a power cut may cost those since the
last `settle`, and may leave them in any state. So a break that lies after what was signed as durable is no reason to
refuse the log: what stands from there on is set aside like a torn line. A break before it is.
"""

import os

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.store import segments
from vanta.common.store.atomic import describe, read, replace
from vanta.common.store.chain import START, chain, decode
from vanta.common.store.checkpoint import Checkpoint
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import Head


class TrailJournal(FileJournal):
    """See the module. Opened by every short program that calls, so that less of it is read again."""

    whole = 1 << 20
    _settled = 0

    def _recover(self, covered: Checkpoint | None) -> Head:
        try:
            return super()._recover(covered)
        except StateError:
            if not self._cut(covered):
                raise
        return super()._recover(covered)

    def _cut(self, covered: Checkpoint | None) -> bool:
        """Set aside what a power cut left after the last end that is known to be durable. False if nothing is there.

        Raises `StateError` if that end itself is not there any more.
        """
        head = START if covered is None else Head(covered.seq, covered.head, covered.size)
        if head.size < self._base:  # without a key: what was sealed was durable then
            last = decode(segments.line_before(self.path, self._base)[:-1], where=self.path.name)
            head = Head(last.seq, last.hash, self._base)
        if head.seq:
            self._insist_on(head)
        rest = read(self.path, start=head.size - self._base)
        for line in rest.splitlines(keepends=True):
            try:
                (record,) = chain(line, name=self.path.name, previous=head)
            except (StateError, ValueError):
                break
            head = Head(record.seq, record.hash, head.size + len(line))
        rest = read(self.path, start=head.size - self._base)
        if rest:
            replace(self.path.with_name(f"{self.path.name}.torn-{head.seq + 1}-{sha256(rest)[:8]}"), rest)
            os.ftruncate(self._fd, head.size - self._base)
        return bool(rest)

    def _settle(self) -> None:
        """Nothing waits for the disk."""

    def _cover(self) -> None:
        """Only what is durable is signed."""

    def _turn(self) -> None:
        if self._due():
            self._reach(self._durable)  # a piece is sealed with all of it durable and signed
        super()._turn()

    def settle(self) -> None:
        """Make all of it durable and sign it. Raises `StateError`; that is final."""
        self.sync()
        if self._at and self._settled != self._head.seq:
            try:
                self._reach(self._head)
            except OSError as error:
                self._failed = describe(error)
                raise StateError(f"journal {self.path} could not be made durable: {self._failed}",
                                 "Repair the disk, then start again.") from error
            except StateError as error:
                self._failed = error.what
                raise

    def _reach(self, head: Head) -> None:
        os.fdatasync(self._fd)
        if self._checkpoints is not None and head.seq:
            self._checkpoints.add(head, at=self._at)
        self._settled = head.seq

    def checkpoint(self, *, at: str, state: str | None = None) -> None:
        """See `Journal.checkpoint`. There is no state: nothing is folded from such a log."""
        del state
        self._at = at
        self.settle()

    def close(self) -> None:
        """See `Journal.close`."""
        try:
            if self._fd >= 0 and self._failed is None:
                self.settle()
        finally:
            super().close()
