"""Executors with one safeguard taken out, each in a child process of its own: the proof that the cases can fail.

This is the one place where code of VANTA is changed on purpose. Most mutants swallow a system call (a sync, a lock, a
rename), so that they stay what they are while the code around the call changes; four swap one function of ours. The
swap is made in a process that was forked for one run and ends with it; nothing here is imported by anything but the
crash tests.

`needs` says what it takes to notice: a kill, a power cut, a kill and then a power cut, an error, a second executor. A
kill alone is blind to missing syncs, because what was written is still in the page cache. `redundant` mutants survive:
the reason stands beside them, and the full campaign counts how many cases they survived.
"""

import fcntl
import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from vanta.common.events import Kind
from vanta.common.store.journal import FileJournal
from vanta.executor.core.entries import OrderEntry
from vanta.executor.outbox import Outbox
from vanta.executor.venue import Venue

LOG = "/trade_log.jsonl"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """`make` is called in the child. `story` and `needs` are where it is hunted, `near` a call close to the wound."""

    make: Callable[[], None]
    story: str
    needs: str
    near: str = ""
    redundant: str = ""


def _path(fd: int) -> str:
    return os.readlink(f"/proc/self/fd/{fd}")


def _swallow(name: str, which: Callable[[Any], bool]) -> None:
    real = getattr(os, name)
    setattr(os, name, lambda first, *rest, **more: None if which((first, *rest)) else real(first, *rest, **more))


def no_sync_of_records() -> None:
    """The log is written and never synced, but for the sync at the start."""
    count = itertools.count()
    _swallow("fdatasync", lambda call: _path(call[0]).endswith(LOG) and next(count) > 0)


def no_sync_at_the_start() -> None:
    """What opening the log has read is not made durable; everything later is."""
    count = itertools.count()
    _swallow("fdatasync", lambda call: _path(call[0]).endswith(LOG) and next(count) == 0)


def no_sync_before_rename() -> None:
    """Documents and inputs are renamed into place without having been synced."""
    _swallow("fsync", lambda call: _path(call[0]).endswith(".tmp"))


def no_sync_of_folders() -> None:
    """New names are left to the file system's own time."""
    _swallow("fsync", lambda call: Path(_path(call[0])).is_dir())


def no_piece_kept() -> None:
    """The torn end of the log is cut off without having been set aside."""
    _swallow("rename", lambda call: ".torn-" in str(call[1]))


def no_lock() -> None:
    """Every executor takes itself for the only one."""
    setattr(fcntl, "flock", lambda fd, how: None)  # noqa: B010 - as above


def no_lookup() -> None:
    """An order without an answer is sent again without asking."""
    def settle(self: Venue, order: OrderEntry, now: datetime) -> str:
        self._about(Kind.ORDER_WITHHELD, order, {
            "intent_state": "seen", "code": "broker.unknown", "detail": "hope"}, now)
        return "not asked"
    _swap(Venue, "settle", settle)


def no_check_of_fills() -> None:
    """Executions that are booked are forgotten, so that each report of one books it again."""
    real = Venue._fill

    def fill(self: Venue, fill: Any, order: OrderEntry, now: datetime) -> int:
        self._book.fills.pop((order.account, fill.fill_id), None)
        return real(self, fill, order, now)
    _swap(Venue, "_fill", fill)


def no_record_before_sending() -> None:
    """Orders are sent, and recorded afterwards."""
    def flush(self: Outbox, now: datetime) -> int:
        batch, self._batch = self._batch, []
        accepted = sum(self._send(entry, order, now) for entry, order in batch)
        self._recorder.sync()
        return accepted
    _swap(Outbox, "flush", flush)


def no_stop_after_failure() -> None:
    """A log that could not be written once is written on."""
    _swap(FileJournal, "_check", lambda self: None)


def _swap(owner: type, name: str, other: Callable[..., Any]) -> None:
    assert hasattr(owner, name), f"{owner.__name__}.{name} is gone: name the safeguard anew"
    setattr(owner, name, other)


_SUBMIT, _SYNC, _SHOWN = "sendall venue submit", f"fdatasync /memory{LOG}", "rename /memory/pnl_summary.json"

MUTANTS: Mapping[str, Mutant] = {
    "no sync of records": Mutant(make=no_sync_of_records, story="order", needs="cut", near=_SUBMIT),
    "no sync at the start": Mutant(make=no_sync_at_the_start, story="reader", needs="kill, cut", near=_SYNC),
    "no sync before rename": Mutant(make=no_sync_before_rename, story="order", needs="cut", near=_SUBMIT),
    "no record before sending": Mutant(make=no_record_before_sending, story="order", needs="killafter", near=_SUBMIT),
    "no lookup at restart": Mutant(make=no_lookup, story="resting", needs="killafter", near=_SUBMIT),
    "no check of fill ids": Mutant(make=no_check_of_fills, story="order", needs="kill", near=_SHOWN),
    "no lock": Mutant(make=no_lock, story="order", needs="two", near=_SUBMIT),
    "no stop after a failed sync": Mutant(make=no_stop_after_failure, story="order", needs="errno", near=_SYNC),
    "no piece kept": Mutant(make=no_piece_kept, story="torn", needs="nothing"),
    "no sync at the start, executor": Mutant(
        make=no_sync_at_the_start, story="order", needs="kill, cut", near=_SYNC, redundant=
        "before the executor acts on anything it records its own start, whose sync covers all that was there before"),
    "no sync of folders": Mutant(
        make=no_sync_of_folders, story="order", needs="cut", redundant=
        "on ext4 the log's next sync commits the new names too; the sync is for file systems that promise less"),
}
