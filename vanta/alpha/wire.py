"""The control plane's composition root: which adapters stand behind what is read, and what others may use of it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from vanta import __version__
from vanta.alpha.controls import Change, give
from vanta.alpha.copies import WithCopies
from vanta.alpha.core.switching import Wish
from vanta.alpha.editing import Edit, Meanwhile, put
from vanta.alpha.facts import far, gather, given_or_taken, node_here, shown, unread, whole
from vanta.alpha.halting import Carry, Done, turned_on
from vanta.alpha.operators import owners
from vanta.alpha.outlook import permission as permitted
from vanta.alpha.placed import NotHere, not_from_markets
from vanta.alpha.recent import last_records
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError, VantaError
from vanta.common.events import Kind
from vanta.common.host import account
from vanta.common.models.base import SCHEMA_VERSION
from vanta.common.models.command import OperatorCommand
from vanta.common.paths import ASSISTANT_LOG, CONTROL_LOG, OPERATOR_COMMANDS, TRACKER_LOG, Home, is_bundle
from vanta.common.signing_key import signer_if_any, signer_of
from vanta.common.store.chain import repaired
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock
from vanta.common.store.ports import Pieces, Snapshots
from vanta.common.store.snapshot import FileSnapshots
from vanta.common.times import iso

__all__ = ["Change", "Edit", "Meanwhile", "NotHere", "any_log", "ask", "assistant_log", "carried_out", "command_log",
           "control_log", "far", "gather", "given_or_taken", "last_records", "node_here", "not_from_markets",
           "owners", "permitted", "pieces", "put", "record", "shown", "snapshots", "switched_on", "tightening",
           "tracker_log", "unread", "whole"]


def snapshots(home: Home) -> Snapshots:
    """The content-addressed store of a home; of one that was laid out from a bundle, with its redacted copies."""
    store = FileSnapshots(home.snapshots)
    return WithCopies(home, store) if is_bundle(home) else store


def pieces(home: Home, *, durable: bool = True) -> Pieces:
    """The same as it is kept. `durable=False`: what is put there can be laid out again."""
    return FileSnapshots(home.snapshots, durable=durable)


def ask(home: Home, asked: Mapping[str, Any], *, by: str, reason: str, now: datetime) -> OperatorCommand:
    """See `controls.give`. Raises `LockHeld` while another command is being given."""
    with command_log(home, now) as journal:
        return give(journal, asked, by=by, reason=reason, now=now)


def _open(journal: FileJournal, name: str, program: str, now: datetime) -> None:
    """Name a log on first use, and record what was set aside."""
    if journal.head().seq == 0:
        journal.append(Kind.JOURNAL_OPENED, {"journal": name, "program": f"{program} {__version__}",
                                             "schema": SCHEMA_VERSION}, at=iso(now))
    for piece in journal.set_aside:
        journal.append(Kind.TAIL_REPAIRED, repaired(piece), at=iso(now))


@contextmanager
def control_log(home: Home, now: datetime) -> Iterator[FileJournal]:
    """Who changed which control, and what was put away. Raises `LockHeld` while another change is recorded."""
    with (FileLock(home.lock("controls"), owner="vanta-run", now=now),
          closing(FileJournal(home.file(CONTROL_LOG), signer=signer_if_any(home))) as journal):
        _open(journal, CONTROL_LOG, "vanta-run", now)
        yield journal


def record(home: Home, changes: Sequence[Change], now: datetime) -> list[str]:
    """Put changes into control_log.jsonl, durably. Returns why that failed, if it did."""
    try:
        with control_log(home, now) as journal:
            for change in changes:
                journal.append(Kind.CONTROL_CHANGED, {
                    "what": change.what, "before": change.before, "after": change.after, "by": change.by,
                    "reason": change.reason, "account": account(), "uid": str(os.getuid())}, at=iso(now))
    except VantaError as error:
        return [f"the change could not be recorded: {error.what}"]
    return []


def carried_out(home: Home, changes: Sequence[Change], act: Callable[[], None], clock: Clock, *,
                loosens: bool) -> list[str]:
    """Do it and record it, in the order that is safe. Returns warnings. Raises what `act` raises.

    What loosens is recorded before it takes effect, and taken back in the log if it does not. What tightens is done
    first, and a log that takes nothing is only a warning.
    """
    if not loosens:
        act()
        return record(home, changes, clock.now())
    problems = record(home, changes, clock.now())
    if problems:
        raise OperatorError(f"nothing is changed: {problems[0]}", "Loosening has to be recorded. Repair that first.")
    try:
        act()
    except VantaError as error:  # what was announced has not happened
        record(home, [replace(one, reason=error.what, before=one.after, after=one.before) for one in changes],
               clock.now())
        raise
    return []


def tightening(clock: Clock) -> Carry:
    """How an edit that tightens is carried out: done first, recorded afterwards."""
    def carry(edit: Edit, wish: Wish, before: str, act: Callable[[], None]) -> tuple[str, ...]:
        change = Change(what=wish.control, by=wish.by, reason=wish.reason, before=before, after=wish.becomes)
        return tuple(carried_out(edit.home, [change], act, clock, loosens=False))

    return carry


def switched_on(home: Home, switch: str, clock: Clock, *, by: str, reason: str) -> Done:
    """Turn a switch of the overlay on for everything, in bytes that nobody can have seen before.

    Raises `OperatorError` or `StateError` if nothing is changed.
    """
    wish = Wish(switch=switch, place=None, on=True, reason=reason, by=by, said_at=iso(clock.now()))
    return turned_on(home, wish, clock, tightening(clock))


@contextmanager
def command_log(home: Home, now: datetime) -> Iterator[FileJournal]:
    """Commands to the executor. Raises `LockHeld` while another is being given."""
    with (FileLock(home.lock("operator_commands"), owner="alpha", now=now),
          closing(FileJournal(home.file(OPERATOR_COMMANDS), signer=signer_if_any(home))) as journal):
        for piece in journal.set_aside:
            journal.append(Kind.TAIL_REPAIRED, repaired(piece), at=iso(now))
        yield journal


@contextmanager
def tracker_log(home: Home, now: datetime) -> Iterator[FileJournal]:
    """What people follow. Raises `LockHeld` while another change is recorded."""
    with (FileLock(home.lock("tracker"), owner="tracker", now=now),
          closing(FileJournal(home.file(TRACKER_LOG), signer=signer_of(home))) as journal):
        _open(journal, TRACKER_LOG, "tracker", now)
        yield journal


@contextmanager
def assistant_log(home: Home, now: datetime) -> Iterator[FileJournal]:
    """Calls of a language model. Raises `LockHeld` while another is under way."""
    with (FileLock(home.lock("assistant"), owner="assistant", now=now),
          closing(FileJournal(home.file(ASSISTANT_LOG), signer=signer_if_any(home))) as journal):
        _open(journal, ASSISTANT_LOG, "assistant", now)
        yield journal


def any_log(home: Home, name: str, now: datetime) -> AbstractContextManager[FileJournal]:
    """A log that no program writes just now. Raises `LockHeld` if one does."""
    if name == CONTROL_LOG:
        return control_log(home, now)
    if name == OPERATOR_COMMANDS:
        return command_log(home, now)
    if name == TRACKER_LOG:
        return tracker_log(home, now)
    if name == ASSISTANT_LOG:
        return assistant_log(home, now)
    return closing(FileJournal(home.file(name), alone=True, signer=signer_of(home)))
