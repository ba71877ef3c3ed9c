"""`thread_tracker.json`: items that people follow and threads that tell what happened, as the tracker's log folds.

Nothing is written here by hand: `vt-add`, `vt-mark` and their like append to `tracker_log.jsonl`, and this is its fold.
`revision` is the number of the log's last record, `as_of_hash` its hash.
"""

from typing import Literal

from pydantic import Field

from vanta.common.models.base import Header, Model, Sha256, UtcTime

KINDS = ("incident", "task", "risk", "idea", "release")
SEVERITIES = ("low", "medium", "high", "critical")
STATES = ("open", "fixing", "blocked", "approved", "done", "wontfix")


class Step(Model):
    """An item's state from a time on: who said so, and why."""

    at: UtcTime
    by: str
    uid: str = Field(description="the number of the account that said so")
    state: Literal["open", "fixing", "blocked", "approved", "done", "wontfix"]
    reason: str


class Note(Model):
    """What somebody said, and the record that holds it."""

    seq: int = Field(ge=1)
    at: UtcTime
    by: str
    text: str


class Evidence(Model):
    """A file that an item rests on, as it was when the item was added. The file itself is not kept."""

    path: str
    sha256: Sha256
    size: int = Field(ge=0, description="bytes")


class Item(Model):
    """One thing to be followed to its end."""

    id: str = Field(pattern=r"^vt_[a-z2-7]{16}$")
    title: str
    kind: Literal["incident", "task", "risk", "idea", "release"]
    severity: Literal["low", "medium", "high", "critical"]
    owner: str | None = Field(description="who is to do it, `null` while nobody is")
    by: str = Field(description="who added it")
    uid: str = Field(description="the account's number, the only one that may run its check")
    at: UtcTime
    evidence: Evidence | None
    verify: str | None = Field(description="the check that has to end with 0 before it is done")
    subject: str | None = Field(description="of a release: `module@version`")
    digest: Sha256 | None = Field(description="of a release: the hash of its manifest")
    thread: str | None = Field(description="the thread in which it is being fixed")
    history: list[Step] = Field(description="oldest first; the last is how it stands")
    notes: list[Note]

    @property
    def state(self) -> str:
        """How it stands."""
        return self.history[-1].state


class Task(Model):
    """One line of a checklist."""

    text: str
    done: bool


class Link(Model):
    """Something of the home that a thread is about, by the id that `vanta explain` takes."""

    at: UtcTime
    by: str
    target: str


class Thread(Model):
    """The timeline of an incident or a decision."""

    id: str = Field(pattern=r"^th_[a-z2-7]{16}$")
    title: str
    by: str
    at: UtcTime
    item: str | None = Field(description="the item that it is to fix")
    closed_at: UtcTime | None
    outcome: str | None = Field(description="what was decided, or how it ended")
    checklist: list[Task]
    notes: list[Note]
    links: list[Link]


class ThreadTracker(Header):
    """All items and threads, in the order in which they were added."""

    as_of_hash: Sha256
    items: list[Item]
    threads: list[Thread]
