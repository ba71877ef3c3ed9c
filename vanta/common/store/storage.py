"""Which adapters a program keeps its state with. Composition roots take one; everything else sees ports.

`DURABLE` is for programs that act on the world: every sync reaches the disk before anything rests on it. `RELAXED`
is for runs that can be made again from their inputs, such as simulations: documents and snapshots are not synced,
journals once a day of their own time. Content, order and hash chain are the same.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.signatures import Signer
from vanta.common.store.atomic import describe
from vanta.common.store.files import FolderFiles
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import Files, Record, Snapshots
from vanta.common.store.snapshot import FileSnapshots
from vanta.common.store.trail import TrailJournal


class DailyJournal(FileJournal):
    """A journal whose `sync` writes always, but reaches the disk only for the first batch of each day and at the end.

    The day is that of the newest record's `at`. A power cut may cost the rest of the day, never the order.
    """

    def __init__(self, path: Path, *, signer: Signer | None = None) -> None:
        super().__init__(path, signer=signer)
        self._day = self._settled = ""

    def append(self, kind: str, payload: Mapping[str, Any], *, at: str, dag_id: str | None = None,
               ids: Mapping[str, str] | None = None) -> Record:
        """See `Journal.append`."""
        self._day = at[:10]
        return super().append(kind, payload, at=at, dag_id=dag_id, ids=ids)

    def _salt(self) -> str:
        """None by chance: the same run makes the same log."""
        return sha256(self.head().hash.encode())[:32]

    def _settle(self) -> None:
        if self._day != self._settled:
            super()._settle()
            self._settled = self._day

    def _cover(self) -> None:
        """Only what is durable is signed: at the end."""

    def close(self) -> None:
        """See `Journal.close`."""
        if self._fd >= 0 and self._failed is None:
            self.sync()
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self._failed = describe(error)
                raise StateError(f"journal {self.path} could not be made durable: {self._failed}",
                                 "Repair the disk, then start again.") from error
            if self.head().seq:
                super()._cover()
        super().close()


class TrailOpener(Protocol):
    """Opens the journal of a program's calls. See `FileJournal` for `signer`."""

    def __call__(self, path: Path, *, signer: Signer | None = None) -> TrailJournal:
        """Raises like `FileJournal`."""
        ...


class JournalOpener(Protocol):
    """Opens the journal at a path. See `FileJournal` for `signer`."""

    def __call__(self, path: Path, *, signer: Signer | None = None) -> FileJournal:
        """Raises like `FileJournal`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How documents (below a folder), snapshots (in a folder) and journals (one file each) are kept.

    `alone` says that no other process writes in the same home, so that a log which processes share in turns may
    stay open.
    """

    files: Callable[[Path], Files]
    snapshots: Callable[[Path], Snapshots]
    journal: JournalOpener
    trail: TrailOpener
    alone: bool = False


DURABLE = Storage(files=FolderFiles, snapshots=FileSnapshots, journal=partial(FileJournal, alone=True, daily=True),
                  trail=partial(TrailJournal, alone=True, daily=True))
RELAXED = Storage(files=partial(FolderFiles, durable=False), snapshots=partial(FileSnapshots, durable=False),
                  journal=DailyJournal, trail=TrailJournal, alone=True)
