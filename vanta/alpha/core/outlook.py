"""What a screen of health says beyond `summary.py`: who permitted, what is confirmed, flips, clocks, other nodes. Pure.

Decides a row for each, with the command that helps. A flip that is over but still stands in the file is a WARNING, an
outcome that nobody knows is one too, a file from the future is CRITICAL: a clock is wrong. What nobody uses just now
is said and is no fault.

Example: two intents staged, one working at its venue, one that nobody has seen for 40 s -> OK "2 staged, 1 not
confirmed, the oldest for 40 s".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vanta.alpha.core.sights import Doc, Facts, Limits, Row, since, span
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.times import millis_of, parse_iso

_AT_THE_VENUE = frozenset({"working", "partially_filled", "filled", "cancelling"})
_ONE_HOST = "one host: nothing has come from another node"
LATE_S = 900


@dataclass(frozen=True, slots=True)
class NodeSight:
    """Another node, by what has come from it: when the newest file was written here, `None` if there is none."""

    name: str
    arrived: datetime | None


@dataclass(frozen=True, slots=True)
class ProgramSight:
    """A program that people run when they need it: the stamp of its lock's holder, `None` while nobody writes by it."""

    name: str
    holder: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """The overlay's flip in words, and how many milliseconds it lasts; none without words."""

    text: str = ""
    left_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """What is looked at beside `Facts`. `signals` counts each feed's, `recent` are log records, the newest first."""

    permission: str
    flip: Flip
    signals: Mapping[str, int]
    recent: Sequence[Mapping[str, Any]]
    nodes: tuple[NodeSight, ...]
    programs: tuple[ProgramSight, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The overlay as it lies there: the hash of its bytes, and when they were saved, in milliseconds since 1970."""

    sha256: str
    saved_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """From the queue to a venue's answer: how many are staged, how many of them nobody has confirmed.

    `oldest_s` is the age of the oldest of these, `typical_ms` the median time that others took lately.
    """

    staged: int
    unconfirmed: int
    doubtful: int
    oldest_s: float | None
    typical_ms: int | None


def rows(facts: Facts, more: More, limits: Limits) -> list[Row]:
    """The further rows, in the order a person reads them."""
    return [_permission(more), *_latches(facts), *_brokers(facts), _confirmation(facts, more), _flip(more),
            _clock(facts, limits), *([] if facts.links else [_nodes(facts, more)]), _programs(facts, more)]


def counted(found: Sequence[Row], more: More) -> list[Row]:
    """The rows with the number of signals behind each feed's words."""
    return [Row(name=row.name, level=row.level, fix=row.fix, text=f"{row.text}, {more.signals[name]:,} signals")
            if (name := row.name.removeprefix("feed ")) in more.signals and row.name != name else row for row in found]


def _permission(more: More) -> Row:
    return Row(name="permission", level=Check.OK, text=more.permission)


def _latches(facts: Facts) -> Iterator[Row]:
    """How many hold. Each is named with its release where it stops something."""
    if facts.executor.value is not None or facts.latches:
        names = ", ".join(latch.latch_id for latch in facts.latches)
        yield Row(name="latches", level=Check.CRITICAL if names else Check.OK, text=names or "none holds",
                  fix="vanta-run status" if names else "")


def _brokers(facts: Facts) -> Iterator[Row]:
    """Whether each account's venue answers and agrees with the books, as the executor last said."""
    said = facts.executor.table("broker_sync")
    if said:
        unsure = any(one != "in sync" for one in said.values())
        yield Row(name="brokers", level=Check.UNKNOWN if unsure else Check.OK, fix="vanta-run status" if unsure else "",
                  text=", ".join(f"{name} {one}" for name, one in sorted(said.items())))


def confirmation(facts: Facts, recent: Sequence[Mapping[str, Any]]) -> Confirmation:
    """See `Confirmation`. An intent that the book no longer holds but the log knows is over."""
    states = facts.portfolio.table("intents")
    known = {record["ids"].get("intent_id") for record in recent}
    waiting, doubtful, staged = [], 0, 0
    for row in facts.queue.rows("intents"):
        staged += 1
        state = states.get(str(row.get("intent_id")))
        if state in _AT_THE_VENUE or (state is None and row.get("intent_id") in known):
            continue
        doubtful += state == "unknown"
        waiting.append(Doc(row).time("created_at"))
    ages = [since(made, facts.now) for made in waiting if made is not None]
    took = sorted(_took(recent))
    return Confirmation(staged=staged, unconfirmed=len(waiting), doubtful=doubtful, oldest_s=max(ages, default=None),
                        typical_ms=took[len(took) // 2] if took else None)


def _took(recent: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """Milliseconds from an intent's first record to its venue's first word, of those that lie within the records."""
    seen: dict[str, int] = {}
    for record in reversed(recent):
        name, kind = record["ids"].get("intent_id"), record["kind"]
        if kind == Kind.INTENT_SEEN and name is not None:
            seen[name] = millis_of(record["at"])
        elif kind in (Kind.ORDER_ACCEPTED, Kind.FILL) and name in seen:
            yield millis_of(record["at"]) - seen.pop(name)


def _confirmation(facts: Facts, more: More) -> Row:
    if facts.queue.value is None:
        return Row(name="confirmation", level=Check.OK, text="nothing is staged")
    found = confirmation(facts, more.recent)
    text = f"{found.staged} staged, {found.unconfirmed} not confirmed"
    if found.oldest_s is not None:
        text += f", the oldest for {span(found.oldest_s)}"
    if found.typical_ms is not None:
        text += f"; typically {found.typical_ms:,.0f} ms from seen to confirmed"
    if found.doubtful:
        return Row(name="confirmation", level=Check.WARNING, fix="vanta-run status",
                   text=f"{text}; of {found.doubtful} the outcome is unknown")
    return Row(name="confirmation", level=Check.OK, text=text)


def _flip(more: More) -> Row:
    if more.flip.text and more.flip.left_ms <= 0:
        return Row(name="flip", level=Check.WARNING, text=more.flip.text, fix="vanta overlay flip --end")
    return Row(name="flip", level=Check.OK, text=more.flip.text or "none")


def _clock(facts: Facts, limits: Limits) -> Row:
    """No file of the home may come from the future."""
    moments = [facts.executor.time("heartbeat_at"), facts.reflection.time("now"),
               *(feed.doc.time("generated_at") for feed in facts.feeds), *(_time(head.at) for head in facts.heads)]
    ahead = max((-since(moment, facts.now) for moment in moments if moment is not None), default=0.0)
    shown = f"{facts.now:%Y-%m-%d %H:%M:%S} UTC"
    if ahead > limits.ahead_s:
        return Row(name="clock", level=Check.CRITICAL, fix="vanta-diagnostics doctor",
                   text=f"{shown}, but something was written {span(ahead)} ahead of it: a clock is or was wrong")
    return Row(name="clock", level=Check.OK, text=f"{shown}, nothing was written ahead of it")


def _time(text: str) -> datetime | None:
    try:
        return parse_iso(text)
    except ValueError:
        return None


def _nodes(facts: Facts, more: More) -> Row:
    """How old is what has arrived from the other nodes?"""
    said, level = [], Check.OK
    for node in more.nodes:
        if node.arrived is None:
            said.append(f"{node.name} has sent nothing yet")
            level = Check.UNKNOWN if level is Check.OK else level
            continue
        age = since(node.arrived, facts.now)
        said.append(f"{node.name} {span(age)} behind")
        level = Check.WARNING if age > LATE_S else level
    return Row(name="nodes", level=level, text=", ".join(said) or _ONE_HOST,
               fix="" if level is Check.OK else "ls -lt memory/replica/")


def _programs(facts: Facts, more: More) -> Row:
    """Programs that people run beside, and for how long they write already. That none does is no fault."""
    said = []
    for one in more.programs:
        if one.holder is None:
            said.append(f"{one.name} is not in use")
        else:
            began = _time(one.holder.partition("since=")[2])
            said.append(f"{one.name} up {'for an unknown time' if began is None else span(since(began, facts.now))}")
    return Row(name="beside", level=Check.OK, text=", ".join(said) or "nothing")
