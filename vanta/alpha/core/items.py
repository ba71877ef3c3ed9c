"""Items and threads as people read them in a terminal, and as one line for monitoring. Pure.

`vt_4ktm2…  open  high  incident  the SEC feed is stale  (ann, 3 h)`
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vanta.alpha.core.sights import one_line, since, span
from vanta.alpha.core.tracker import ENDED, Tracker
from vanta.alpha.core.words import count, when
from vanta.common.exitcodes import Check
from vanta.common.models.tracker import SEVERITIES, Item, Thread
from vanta.common.times import parse_iso

LINE = 80
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which items: every state that has not ended where `state` is `None`, all of them where it is `all`."""

    state: str | None = None
    owner: str | None = None

    def takes(self, item: Item) -> bool:
        """Whether an item is meant."""
        here = item.state not in ENDED if self.state is None else self.state in ("all", item.state)
        return here and (self.owner is None or item.owner == self.owner)


def sorted_items(tracker: Tracker, wanted: Wanted) -> list[Item]:
    """What has to be looked at first, first: by severity, then by age."""
    return sorted(filter(wanted.takes, tracker.items.values()),
                  key=lambda item: (-SEVERITIES.index(item.severity), item.at, item.id))


def row(item: Item, now: datetime) -> str:
    """One item on one line."""
    whose = f"{item.owner}, " if item.owner else ""
    return (f"{item.id}  {item.state:<8}  {item.severity:<8}  {item.kind:<8}  "
            f"{one_line(f'{item.title} ({whose}{age(item.at, now)})')}")


def indented(text: str) -> str:
    """One line as it was set, without what a terminal would obey."""
    kept = text.lstrip(" ")
    return " " * (len(text) - len(kept)) + one_line(kept)


def age(at: str, now: datetime) -> str:
    """`3 h`: how long ago."""
    return span(max(0.0, since(parse_iso(at), now)))


def told(item: Item, file: str) -> Iterator[str]:
    """Everything about one item. `file` is what became of its evidence."""
    yield f"{item.id}  {item.title}"
    whose = f"owned by {item.owner}" if item.owner else "nobody owns it"
    yield f"  {item.kind}, {item.severity}, {item.state}; added {when(item.at)} by {item.by}, {whose}"
    if item.evidence is not None:
        yield f"  evidence  {item.evidence.path} ({item.evidence.size:,} bytes, {item.evidence.sha256[:12]}): {file}"
    for name, value in (("check", item.verify), ("release", item.subject), ("manifest", item.digest),
                        ("thread", item.thread)):
        if value is not None:
            yield f"  {name:<9} {value}"
    yield "  history"
    yield from (f"    {when(one.at)}  {one.state:<8}  {one.by}{f': {one.reason}' if one.reason else ''}"
                for one in item.history)
    if item.notes:
        yield "  notes"
    for note in item.notes:
        yield f"    {when(note.at)}  {note.by}  (tracker_log:{note.seq})"
        yield from (f"      {said}" for said in note.text.split("\n"))


Event = tuple[str, str]
"""When, and what happened."""


def timeline(thread: Thread, events: Sequence[Event] = ()) -> list[Event]:
    """Everything about a thread in the order in which it happened."""
    said: list[Event] = [(note.at, f"{note.by}: {note.text}") for note in thread.notes]
    said += [(one.at, f"{one.by} linked {one.target}") for one in thread.links]
    end = [] if thread.closed_at is None else [(thread.closed_at, f"closed: {thread.outcome}")]
    return [(thread.at, f"{thread.by} opened it"), *sorted([*said, *events], key=lambda one: one[0]), *end]


def thread_row(thread: Thread, now: datetime) -> str:
    """One thread on one line."""
    state = "open" if thread.closed_at is None else "closed"
    words = count(len(thread.notes), "note")
    return f"{thread.id}  {state:<6}  {one_line(thread.title)}  ({words}, {age(thread.at, now)})"


def thread_told(thread: Thread, events: Sequence[Event] = ()) -> Iterator[str]:
    """A whole thread for a terminal."""
    yield f"{thread.id}  {thread.title}"
    if thread.item is not None:
        yield f"  to fix {thread.item}"
    for number, task in enumerate(thread.checklist, 1):
        yield f"  [{'x' if task.done else ' '}] {number}. {task.text}"
    for at, text in timeline(thread, events):
        first, *rest = text.split("\n")
        yield f"  {when(at)}  {first}"
        yield from (f"      {one}" for one in rest)


def markdown(thread: Thread, events: Sequence[Event] = ()) -> str:
    """The same for a document. What people wrote stands there as text, whatever signs are in it."""
    fixes = f", to fix `{thread.item}`" if thread.item else ""
    rows = [f"# {_plain(thread.title)}", "", f"`{thread.id}`{fixes}", ""]
    rows += [f"- [{'x' if task.done else ' '}] {_plain(task.text)}" for task in thread.checklist]
    rows += [""] if thread.checklist else []
    rows += [f"- **{when(at)}** " + "\\\n  ".join(map(_plain, text.split("\n")))
             for at, text in timeline(thread, events)]
    return "\n".join(rows) + "\n"


def _plain(text: str) -> str:
    """Signs of markup as they are, and none that a page could take for a tag."""
    return "".join(_ENTITIES.get(char) or (f"\\{char}" if char in "\\`*_{}[]()#+-!|~" else char) for char in text)


def tally(tracker: Tracker) -> Mapping[str, int]:
    """How many there are: by state of what has not ended, critical and high of those, and threads that go on."""
    left = [one for one in tracker.items.values() if one.state not in ENDED]
    has: Callable[[str], int] = lambda name: sum(name in (one.state, one.severity) for one in left)  # noqa: E731
    return {"open": len(left), "critical": has("critical"), "high": has("high"), "blocked": has("blocked"),
            "unowned": sum(one.owner is None for one in left),
            "threads": sum(one.closed_at is None for one in tracker.threads.values())}


def level(figures: Mapping[str, int]) -> Check:
    """CRITICAL while something critical is open, WARNING while something of high severity or blocked is."""
    if figures["critical"]:
        return Check.CRITICAL
    return Check.WARNING if figures["high"] or figures["blocked"] else Check.OK


def headline(figures: Mapping[str, int]) -> str:
    """The first line of a check: at most 80 characters, with figures behind a bar."""
    said = f"VANTA TRACKER {level(figures).name} - {figures['open']} open"
    named = [f"{figures[name]} {name}" for name in ("critical", "high", "blocked") if figures[name]]
    text = said + (f" ({', '.join(named)})" if named else "")
    data = f" | open={figures['open']} critical={figures['critical']};;0"
    return text + data if len(text + data) <= LINE else text[:LINE]


def changed_since(tracker: Tracker, start: str) -> list[tuple[str, str]]:
    """What happened from a time on: time and sentence, oldest first."""
    found = [(step.at, f"{item.id} {step.state}: {item.title}") for item in tracker.items.values()
             for step in item.history if step.at >= start]
    found += [(note.at, f"{item.id} noted by {note.by}") for item in tracker.items.values() for note in item.notes
              if note.at >= start]
    found += [(thread.at, f"{thread.id} opened: {thread.title}") for thread in tracker.threads.values()
              if thread.at >= start]
    found += [(str(thread.closed_at), f"{thread.id} closed: {thread.title}") for thread in tracker.threads.values()
              if (thread.closed_at or "") >= start]
    return sorted(found)
