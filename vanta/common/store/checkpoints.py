"""The file of a journal's checkpoints, for the journal's one writer.

`memory/checkpoints/<journal>` gets a line right after the sync that made records durable, and is never synced itself:
a checkpoint that was lost or torn covers nothing, and the next one covers all. A torn last line is cut off; a whole one
that is not signed as it says is an error.
"""

import os
from collections.abc import Callable
from pathlib import Path

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.signatures import Signer
from vanta.common.store.atomic import describe, write_all
from vanta.common.store.checkpoint import CURE, FOLDER, Checkpoint, decode, encode, is_genuine
from vanta.common.store.ports import GENESIS, Head

_OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_TAIL = 64 * 1024


class Checkpoints:
    """The checkpoints of one journal, for its one writer. `last` is the newest, `None` before the first."""

    def __init__(self, journal: Path, signer: Callable[[], Signer]) -> None:
        """Find the newest and cut a torn line off. Raises `StateError`. `signer` is asked before the first is made."""
        self.path = journal.parent / FOLDER / journal.name
        self._name, self._make = journal.name, signer
        self._signer: Signer | None = None
        self._line_hash = GENESIS
        self.last: Checkpoint | None = None
        try:
            self.path.parent.mkdir(mode=0o750, exist_ok=True)
            self._fd = os.open(self.path, _OPEN, 0o640)
        except OSError as error:
            raise StateError(f"checkpoints {self.path}: {describe(error)}") from error
        try:
            self._find()
        except BaseException:
            self.close()
            raise

    def _find(self) -> None:
        try:
            size = os.fstat(self._fd).st_size
            start = max(0, size - _TAIL)
            tail = os.pread(self._fd, _TAIL, start)
            whole = tail.rfind(b"\n") + 1
            if whole != len(tail):
                os.ftruncate(self._fd, start + whole)
        except OSError as error:
            raise StateError(f"checkpoints {self.path}: {describe(error)}") from error
        line = tail[:whole].removesuffix(b"\n").rpartition(b"\n")[2]
        if line:
            self.last = decode(line, where=f"{FOLDER}/{self._name}")
            self._line_hash = sha256(line)
            if not is_genuine(line, self.last):
                raise StateError(f"{FOLDER}/{self._name}: its last line is not signed with the key that it names", CURE)
            if self.last.journal != self._name:
                raise StateError(f"{FOLDER}/{self._name}: its last line is about {self.last.journal}", CURE)

    def add(self, head: Head, *, at: str, state: str | None = None) -> None:
        """Sign the end of the journal, which has to be durable. Raises `StateError`; then nothing is covered."""
        if self._signer is None:
            self._signer = self._make()
        made = Checkpoint(journal=self._name, seq=head.seq, size=head.size, head=head.hash, at=at, state=state,
                          key=self._signer.public, prev=self._line_hash)
        line = encode(made, self._signer)
        try:
            write_all(self._fd, line + b"\n")
        except OSError as error:
            raise StateError(f"checkpoints {self.path}: {describe(error)}") from error
        self.last, self._line_hash = made, sha256(line)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
