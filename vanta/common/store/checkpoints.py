"""The file of a journal's checkpoints, for the journal's one writer.

`memory/checkpoints/<journal>` gets a line right after the sync that made records durable, and is never synced itself:
a checkpoint that was lost or torn covers nothing, and the next one covers all. What is no checkpoint at the end is cut
off, as a power cut may leave it; one that is not signed as it says, or by a stranger, is an error.
"""

import os
from pathlib import Path

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.signatures import Signer
from vanta.common.store.atomic import describe, give_to_owner, read, replace, write_all
from vanta.common.store.checkpoint import CURE, FOLDER, Checkpoint, decode, encode, is_genuine
from vanta.common.store.ports import GENESIS, Head
from vanta.common.store.segments import CHECKPOINTS

_OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_TAIL = 64 * 1024


class Checkpoints:
    """The checkpoints of one journal, for its one writer. `last` is the newest, `None` before the first."""

    def __init__(self, journal: Path, signer: Signer) -> None:
        """Find the newest and cut off what is torn. Raises `StateError`."""
        self.path = journal.parent / FOLDER / journal.name
        self._name, self._signer = journal.name, signer
        self._line_hash = GENESIS
        self.last: Checkpoint | None = None
        try:
            self.path.parent.mkdir(mode=0o750, exist_ok=True)
            self._fd = os.open(self.path, _OPEN, 0o640)
            give_to_owner(self.path.parent)
            give_to_owner(self.path)
        except OSError as error:
            raise StateError(f"checkpoints {self.path}: {describe(error)}") from error
        try:
            self._find()
        except BaseException:
            self.close()
            raise

    def _find(self) -> None:
        """The last line that is a checkpoint. What follows it, as a power cut may leave it, covers nothing and goes."""
        try:
            size, start, lines = os.fstat(self._fd).st_size, -1, list[bytes]()
            length, found = _TAIL, None
            while found is None and start:
                start = max(0, size - length)
                lines = os.pread(self._fd, length, start).split(b"\n")[:-1]
                while lines and (found := _sound(lines[-1])) is None:
                    del lines[-1]
                length *= 16
            whole = start + sum(map(len, lines)) + len(lines)
            if whole != size:
                os.ftruncate(self._fd, whole)
        except OSError as error:
            raise StateError(f"checkpoints {self.path}: {describe(error)}") from error
        if found is not None:
            self._insist_on(lines[-1], found)
            self.last, self._line_hash = found, sha256(lines[-1])

    def _insist_on(self, line: bytes, found: Checkpoint) -> None:
        place = f"{FOLDER}/{self._name}"
        if not is_genuine(line, found):
            raise StateError(f"{place}: its last line is not signed with the key that it names", CURE)
        if found.key not in self._signer.known:
            raise StateError(f"{place}: its last line is signed with a key that is none of this home's", CURE)
        if found.journal != self._name:
            raise StateError(f"{place}: its last line is about {found.journal}", CURE)

    def add(self, head: Head, *, at: str, state: str | None = None) -> None:
        """Sign the end of the journal, which has to be durable. Raises `StateError`; then nothing is covered."""
        made = Checkpoint(journal=self._name, seq=head.seq, size=head.size, head=head.hash, at=at, state=state,
                          key=self._signer.public, prev=self._line_hash)
        line = encode(made, self._signer)
        try:
            write_all(self._fd, line + b"\n")
        except OSError as error:
            raise StateError(f"checkpoints {self.path}: {describe(error)}") from error
        self.last, self._line_hash = made, sha256(line)

    def turn(self, piece: Path) -> None:
        """Put what is there beside a sealed `piece` of the log and begin anew. Raises `StateError` or `OSError`."""
        if self.last is None:
            return
        raw = read(self.path)
        replace(piece.with_suffix(CHECKPOINTS), raw)
        replace(self.path, raw[raw.rfind(b"\n", 0, -1) + 1:])
        before, self._fd = self._fd, os.open(self.path, _OPEN, 0o640)
        os.close(before)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _sound(line: bytes) -> Checkpoint | None:
    """The line, if it has the form of a checkpoint."""
    try:
        return decode(line, where=FOLDER)
    except StateError:
        return None
