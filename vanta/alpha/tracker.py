"""The tracker of a home: reading it, and changing it, one change at a time.

The log is the truth. A change is first tried on the fold, which refuses what cannot be, then appended and synced, and
then `thread_tracker.json` is written; a crash in between leaves a document that is behind, and the next change,
whatever it is, puts that right. Whoever comes while another changes something waits, so that nothing is lost.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vanta import __version__
from vanta.alpha.core.sights import one_line
from vanta.alpha.core.tracker import TABLE, Tracker
from vanta.alpha.reading import records
from vanta.alpha.wire import tracker_log
from vanta.common.canonical import document, sha256
from vanta.common.clock import Clock
from vanta.common.errors import LockHeld, Missing, StateError, UsageError
from vanta.common.events import Kind
from vanta.common.ids import item_id, thread_id
from vanta.common.models.base import SCHEMA_VERSION
from vanta.common.models.tracker import Item, Thread
from vanta.common.paths import THREAD_TRACKER, TRACKER_LOG, Home
from vanta.common.store import atomic
from vanta.common.store.ports import Journal, Record
from vanta.common.times import iso

WAIT_S, LOOK_EVERY_S = 30.0, 0.02
EVIDENCE_BYTES = 256 << 20
SHORTEST = 4
"""So many characters behind the prefix name an item or thread, if only one begins so."""

FIX = ("find out what it is, and link what shows it", "put it right", "see that it stays right")


class Refused(UsageError):
    """The tracker does not allow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An item that is to be added."""

    title: str
    kind: str = "task"
    severity: str = "medium"
    owner: str | None = None
    evidence: Path | None = None
    verify: str | None = None
    subject: str | None = None
    digest: str | None = None


class Desk:
    """The tracker's log while one person changes it. What it returns is durable once the desk was left."""

    def __init__(self, journal: Journal, *, by: str, at: str, uid: int | None = None) -> None:
        """`uid` is the account that says it: the one that runs this."""
        self._journal, self._by, self._at = journal, by, at
        self._uid = str(os.getuid() if uid is None else uid)
        self.tracker = Tracker()
        for record in journal.read():
            self.tracker.apply(record)

    def add(self, new: New) -> Item:
        """A new item."""
        name = item_id(self._journal.head().hash, title := line(new.title))
        body = {"title": title, "kind": new.kind, "severity": new.severity, "owner": new.owner and line(new.owner),
                "verify": new.verify, "subject": new.subject, "digest": new.digest,
                **_evidence(new.evidence)}
        self._say(Kind.ITEM_ADDED, body, {"item_id": name})
        return self.tracker.item(name)

    def mark(self, name: str, state: str, reason: str) -> Item:
        """Another state."""
        self._say(Kind.ITEM_MARKED, {"state": state, "reason": text(reason)}, {"item_id": name})
        return self.tracker.item(name)

    def note(self, name: str, said: str) -> Item:
        """A word about an item."""
        self._say(Kind.ITEM_NOTED, {"text": text(said)}, {"item_id": name})
        return self.tracker.item(name)

    def begin(self, name: str) -> Item:
        """Start fixing an item: a thread of its own with a checklist, or the one that it has and that goes on."""
        item = self.tracker.item(name)
        thread = item.thread
        if "fixing" not in TABLE[item.state]:  # before anything is said
            raise Refused(f"{item.id} is {item.state}", f"Open it again: `vt-mark {item.id} open --reason TEXT`.")
        if thread is None or self.tracker.thread(thread).closed_at is not None:
            check = f"its check ends with 0: vt-fix {item.id}" if item.verify else f"mark {item.id} done, and say why"
            thread = self.open(item.title, item=item.id, checklist=[*FIX, line(check)]).id
        self._say(Kind.ITEM_MARKED, {"state": "fixing", "reason": f"see {thread}"},
                  {"item_id": name, "thread_id": thread})
        return self.tracker.item(name)

    def checked(self, name: str, code: int | None) -> Item:
        """What an item's check ended with, `None` for nothing in time. 0 ends the item, and its thread with it."""
        self._say(Kind.ITEM_CHECKED, {"exit": code}, {"item_id": name})
        item = self.tracker.item(name)
        thread = None if item.thread is None else self.tracker.thread(item.thread)
        if item.state == "done" and thread is not None and thread.closed_at is None:
            last = len(thread.checklist)
            self.append(thread.id, "its check ended with 0", last if last and not thread.checklist[-1].done else None)
            self.close(thread.id, f"{item.id} is done")
        return item

    def open(self, title: str, *, item: str | None = None, checklist: Sequence[str] = ()) -> Thread:
        """A new thread."""
        name = thread_id(self._journal.head().hash, title := line(title))
        self._say(Kind.THREAD_OPENED, {"title": title, "checklist": [line(one) for one in checklist]},
                  {"thread_id": name, **({} if item is None else {"item_id": item})})
        return self.tracker.thread(name)

    def append(self, name: str, said: str, tick: int | None = None) -> Thread:
        """A word in a thread, and perhaps a line of its checklist that is done."""
        self._say(Kind.THREAD_APPENDED, {"text": text(said), "tick": tick}, {"thread_id": name})
        return self.tracker.thread(name)

    def link(self, name: str, target: str) -> Thread:
        """What a thread is about. The caller has made sure that there is such a thing."""
        self._say(Kind.THREAD_LINKED, {"target": target}, {"thread_id": name})
        return self.tracker.thread(name)

    def close(self, name: str, outcome: str) -> Thread:
        """The end of a thread."""
        self._say(Kind.THREAD_CLOSED, {"outcome": text(outcome)}, {"thread_id": name})
        return self.tracker.thread(name)

    def release(self, kind: Kind, said: Mapping[str, Any]) -> None:
        """A step of a release, durably: what follows rests on it."""
        self._say(kind, said, {})
        self._journal.sync()

    def _say(self, kind: Kind, said: Mapping[str, Any], ids: Mapping[str, str]) -> None:
        """Try it on the fold, then write it."""
        head, body = self._journal.head(), {**said, "by": self._by, "uid": self._uid}
        try:
            self.tracker.apply(Record(head.seq + 1, self._at, kind, None, ids, body, head.hash, ""))
        except StateError as error:
            raise Refused(error.what, "`vt-list` and `vanta-thread list` show what there is.") from error
        self.tracker.hash = self._journal.append(kind, body, at=self._at, ids=ids).hash


@contextmanager
def desk(home: Home, clock: Clock, *, by: str, uid: int | None = None) -> Iterator[Desk]:
    """Change the tracker. What was said is durable, and `thread_tracker.json` written, when this ends without an error.

    Waits while somebody else changes it. Raises `LockHeld` when that takes longer than `WAIT_S`.
    """
    with ExitStack() as stack:
        journal = _journal(stack, home, clock)
        one = Desk(journal, by=line(by), at=iso(clock.now()), uid=uid)
        yield one
        journal.sync()
        atomic.replace(home.file(THREAD_TRACKER), rendered(one.tracker))


def _journal(stack: ExitStack, home: Home, clock: Clock) -> Journal:
    """The log, once nobody else has it."""
    ends = clock.monotonic() + WAIT_S
    while True:
        try:
            return stack.enter_context(tracker_log(home, clock.now()))
        except LockHeld:
            if clock.monotonic() >= ends:
                raise
        clock.sleep(LOOK_EVERY_S)


def look(home: Home) -> Tracker:
    """The tracker as it is, from its log, without waiting for anybody. Raises `StateError` for a log that is broken."""
    tracker = Tracker()
    for record in records(home.file(TRACKER_LOG)):
        tracker.apply(record)
    return tracker


def rendered(tracker: Tracker) -> bytes:
    """The bytes of `thread_tracker.json`."""
    return document({"schema_version": SCHEMA_VERSION, **tracker.document(written_by=f"tracker {__version__}")})


def find(name: str, among: Iterable[str], *, prefix: str) -> str:
    """The one id that is meant: whole, or its beginning with or without `vt_` or `th_`. Raises `Refused`."""
    wanted = name if name.startswith(prefix) else prefix + name
    ids = list(among)
    found = [wanted] if wanted in ids else [one for one in ids if one.startswith(wanted)]
    what, lists = ("item", "vt-list --all") if prefix == "vt_" else ("thread", "vanta-thread list --all")
    if len(wanted) < len(prefix) + SHORTEST or not found:
        raise Refused(f"there is no {what} {one_line(name)[:60]}",
                      f"`{lists}` shows them; at least {SHORTEST} characters behind {prefix} are needed.")
    if len(found) > 1:
        raise Refused(f"{name} can mean {len(found)} {what}s: {', '.join(found[:8])}", "Give more of the id.")
    return found[0]


def line(said: str) -> str:
    """A text on one line, without what a terminal would obey."""
    return one_line(said)


def text(said: str) -> str:
    """Likewise line by line, without empty ones at either end."""
    return "\n".join(one_line(one) for one in said.splitlines()).strip("\n")


def evidence_state(item: Item) -> str:
    """What became of the file that an item rests on: `unchanged`, `changed`, `gone`; empty for none."""
    if item.evidence is None:
        return ""
    try:
        same = sha256(atomic.read(Path(item.evidence.path), max_bytes=EVIDENCE_BYTES)) == item.evidence.sha256
    except Missing:
        return "gone"
    except StateError:
        return "unreadable"
    return "unchanged" if same else "changed"


def _evidence(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {"evidence": None, "evidence_sha256": None, "evidence_size": None}
    try:
        raw = atomic.read(path, max_bytes=EVIDENCE_BYTES)
    except StateError as error:
        raise Refused(f"the evidence cannot be read: {error.what}", "Name a file that is there.") from error
    return {"evidence": str(path.absolute()), "evidence_sha256": sha256(raw), "evidence_size": len(raw)}
