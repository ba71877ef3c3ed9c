"""What people follow, as the fold of the tracker's log: items through one table of states, threads as timelines. Pure.

`apply` is given every record in order and refuses what cannot have happened, before anything has changed: an id that is
not made of its title and place, a state that may not follow, an item that is done before its own check ended with 0.

    tracker.apply(record)            raises StateError, or the record is part of it
    tracker.document(written_by=…)   the bytes-to-be of thread_tracker.json, at the last record
"""

from collections.abc import Callable, Mapping
from typing import Any

from vanta.alpha.core.inputs import BROKEN
from vanta.common.errors import BadInput, StateError
from vanta.common.events import Kind
from vanta.common.ids import item_id, thread_id
from vanta.common.models.base import validate
from vanta.common.models.tracker import Evidence, Item, Link, Note, Step, Task, Thread, ThreadTracker
from vanta.common.store.ports import GENESIS, Record

TABLE: Mapping[str, tuple[str, ...]] = {
    "open": ("fixing", "blocked", "approved", "done", "wontfix"),
    "fixing": ("fixing", "blocked", "open", "done", "wontfix"),
    "blocked": ("open", "fixing", "done", "wontfix"),
    "approved": ("open", "done", "wontfix"),
    "done": ("open",),
    "wontfix": ("open",),
}
"""State of an item, and the states that may follow. `approved` is for releases alone."""

KINDS = frozenset({Kind.ITEM_ADDED, Kind.ITEM_MARKED, Kind.ITEM_NOTED, Kind.ITEM_CHECKED, Kind.THREAD_OPENED,
                   Kind.THREAD_APPENDED, Kind.THREAD_LINKED, Kind.THREAD_CLOSED})
"""Records that change something here."""

MOVES = frozenset({Kind.RELEASE_MOVING, Kind.RELEASE_MOVED})
"""Steps of releases: kept in order, for `releases.py`; the document does not have them."""

ENDED = frozenset({"done", "wontfix"})
LONGEST_TITLE, LONGEST_TEXT = 200, 16_384
"""Characters."""

Body = Mapping[str, Any]


class Tracker:
    """See the module's contract. `items` and `threads` are by id, in the order in which they were added."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.threads: dict[str, Thread] = {}
        self.moves: list[Record] = []
        self.seq, self.at, self.hash = 0, "", GENESIS
        self._steps: Mapping[str, Callable[[Record], None]] = {
            Kind.ITEM_ADDED: self._add, Kind.ITEM_MARKED: self._mark, Kind.ITEM_NOTED: self._note,
            Kind.ITEM_CHECKED: self._check, Kind.THREAD_OPENED: self._open, Kind.THREAD_APPENDED: self._append,
            Kind.THREAD_LINKED: self._link, Kind.THREAD_CLOSED: self._close}

    def apply(self, record: Record) -> None:
        """Take the next record. Raises `StateError` for one that cannot be; then nothing has changed."""
        try:
            if record.kind in KINDS:
                self._steps[record.kind](record)
            if record.kind in MOVES:
                self.moves.append(record)
        except BadInput as error:
            raise StateError(error.what) from error
        except BROKEN as error:
            raise StateError(f"is not what a {record.kind} record says: {error!r}") from error
        self.seq, self.at, self.hash = record.seq, record.at, record.hash

    def document(self, *, written_by: str) -> dict[str, Any]:
        """The fields of `thread_tracker.json` after the last record that was applied."""
        return {"revision": self.seq, "written_at": self.at, "written_by": written_by, "as_of_hash": self.hash,
                "items": [one.model_dump(mode="json") for one in self.items.values()],
                "threads": [one.model_dump(mode="json") for one in self.threads.values()]}

    def same(self, said: ThreadTracker) -> bool:
        """Whether a document says what was folded so far, whoever wrote it."""
        return said == validate(ThreadTracker, self.document(written_by=said.written_by), file="fold")

    def item(self, name: str) -> Item:
        """An item by its id. Raises `StateError`."""
        if name not in self.items:
            raise StateError(f"there is no item {name}")
        return self.items[name]

    def thread(self, name: str) -> Thread:
        """A thread by its id. Raises `StateError`."""
        if name not in self.threads:
            raise StateError(f"there is no thread {name}")
        return self.threads[name]

    def _add(self, record: Record) -> None:
        """`item.added`."""
        body, name = record.payload, record.ids["item_id"]
        if name != item_id(record.prev, _title(body)):
            raise StateError(f"{name} is not the id of this item")
        path = body["evidence"]
        self.items[name] = validate(Item, {
            **{field: body[field] for field in ("title", "kind", "severity", "owner", "by", "uid", "verify", "subject",
                                                "digest")},
            "id": name, "at": record.at, "thread": None, "notes": [],
            "evidence": None if path is None else Evidence(
                path=path, sha256=body["evidence_sha256"], size=body["evidence_size"]),
            "history": [Step(at=record.at, by=body["by"], uid=body["uid"], state="open", reason="")]}, file="item")

    def _mark(self, record: Record) -> None:
        """`item.marked`: only as the table has it, and never done over the head of its own check."""
        item, state = self.item(record.ids["item_id"]), record.payload["state"]
        if state == "done" and item.verify is not None:
            raise StateError(f"{item.id} is done when its check ends with 0: `vt-fix` runs it")
        if state == "approved" and item.kind != "release":
            raise StateError(f"{item.id} is no release: there is nothing to approve")
        thread = record.ids.get("thread_id", item.thread)
        if thread is not None:
            self.thread(thread)
        self._moved(item.model_copy(update={"thread": thread}), record, state, _text(record.payload["reason"]))

    def _check(self, record: Record) -> None:
        """`item.checked`: 0 ends it; everything else leaves it as it is."""
        item, code = self.item(record.ids["item_id"]), record.payload["exit"]
        if item.verify is None:
            raise StateError(f"{item.id} has no check")
        if item.state != "fixing":
            raise StateError(f"{item.id} is {item.state}: only what is being fixed is checked")
        done = type(code) is int and code == 0  # False is 0 too
        self._moved(item, record, "done" if done else "fixing",
                    f"its check ended with {'nothing in time' if code is None else code}")

    def _note(self, record: Record) -> None:
        """`item.noted`."""
        item = self.item(record.ids["item_id"])
        self.items[item.id] = item.model_copy(update={"notes": [*item.notes, _note(record)]})

    def _open(self, record: Record) -> None:
        """`thread.opened`."""
        body, name = record.payload, record.ids["thread_id"]
        if name != thread_id(record.prev, _title(body)):
            raise StateError(f"{name} is not the id of this thread")
        about = record.ids.get("item_id")
        if about is not None:
            self.item(about)
        self.threads[name] = Thread(
            id=name, title=body["title"], by=body["by"], at=record.at, item=about, closed_at=None, outcome=None,
            checklist=[Task(text=_text(one), done=False) for one in body["checklist"]], notes=[], links=[])

    def _append(self, record: Record) -> None:
        """`thread.appended`: a word, a line of the checklist that is done, or both."""
        thread, tick = self._going_on(record), record.payload["tick"]
        tasks = list(thread.checklist)
        if tick is not None:
            if not 1 <= tick <= len(tasks) or tasks[tick - 1].done:
                raise StateError(f"{thread.id} has no line {tick} that is still to be done")
            tasks[tick - 1] = tasks[tick - 1].model_copy(update={"done": True})
        self.threads[thread.id] = thread.model_copy(
            update={"notes": [*thread.notes, _note(record)], "checklist": tasks})

    def _link(self, record: Record) -> None:
        """`thread.linked`. A closed thread may still be linked: what came of it is often seen later."""
        thread, body = self.thread(record.ids["thread_id"]), record.payload
        if any(one.target == body["target"] for one in thread.links):
            raise StateError(f"{thread.id} is linked to {body['target']} already")
        self.threads[thread.id] = thread.model_copy(update={
            "links": [*thread.links, Link(at=record.at, by=body["by"], target=body["target"])]})

    def _close(self, record: Record) -> None:
        """`thread.closed`."""
        thread = self._going_on(record)
        self.threads[thread.id] = thread.model_copy(
            update={"closed_at": record.at, "outcome": _text(record.payload["outcome"])})

    def _going_on(self, record: Record) -> Thread:
        thread = self.thread(record.ids["thread_id"])
        if thread.closed_at is not None:
            raise StateError(f"{thread.id} is closed")
        return thread

    def _moved(self, item: Item, record: Record, state: str, reason: str) -> None:
        if state not in TABLE[item.state]:
            raise StateError(f"{item.id} is {item.state}: {state} cannot follow, only {' or '.join(TABLE[item.state])}")
        step = validate(Step, {"at": record.at, "by": record.payload["by"], "uid": record.payload["uid"],
                               "state": state, "reason": reason}, file="step")
        self.items[item.id] = item.model_copy(update={"history": [*item.history, step]})


def _title(body: Body) -> str:
    title = body["title"]
    if not isinstance(title, str) or not 0 < len(title) <= LONGEST_TITLE:
        raise StateError(f"a title has 1 to {LONGEST_TITLE} characters")
    return title


def _text(text: Any) -> str:
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT:
        raise StateError(f"a text has 1 to {LONGEST_TEXT:,} characters")
    return text


def _note(record: Record) -> Note:
    return Note(seq=record.seq, at=record.at, by=record.payload["by"], text=_text(record.payload["text"]))
