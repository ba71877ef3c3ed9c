"""What changed since a moment: controls, latches, releases, settings, keys, commands, tracker, feeds, orders. Pure.

A save of a control is told once, with everything that the logs know of it: what the executor read, what a tool wrote
down, whose file it was. Counts stand where there is much; each kind says how much was left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from vanta.alpha.core.affairs import Affairs, Said
from vanta.alpha.core.assistant.answer import Answer, Fact, Step, capped, cites
from vanta.alpha.core.assistant.spans import Since
from vanta.alpha.core.assistant.view import View
from vanta.alpha.core.changes import Changes
from vanta.alpha.core.fields import ABSENT
from vanta.alpha.core.fields import changed as fields_changed
from vanta.alpha.core.inputs import BROKEN
from vanta.alpha.core.node import Node, flatten
from vanta.alpha.core.tracker_words import SENTENCES
from vanta.alpha.core.trail import place
from vanta.alpha.core.words import count, person, several, short, when
from vanta.common.events import Kind
from vanta.common.paths import COLLECTION_LOG, CONTROL_LOG, OPERATOR_COMMANDS, TRACKER_LOG, TRADE_LOG
from vanta.common.signatures import KEYS
from vanta.common.store.personal import revealed
from vanta.common.store.ports import Record
from vanta.common.times import parse_iso

MOST = 8
"""So many changes of one kind are told."""

_FLOW = {
    Kind.INTENT_SEEN: "staged",
    Kind.INTENT_APPROVED: "approved",
    Kind.INTENT_REFUSED: "refused",
    Kind.FILL: "fills",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What no log tells: the list of public keys, settings that are kept, by hash, and when their file was saved."""

    keys: bytes | None
    kept: Mapping[str, bytes]
    settings_at: datetime | None


def changed(view: View, since: Since, beside: Beside) -> Answer:
    """What changed since then."""
    parts: list[tuple[str, str, list[Fact]]] = [
        ("change of a control", "changes of controls", list(_controls(view.affairs, since.at))),
        ("latch", "latches", list(_latches(view, since.at))),
        ("move of a release", "moves of releases", list(_tracked(view, since.at, releases=True))),
        ("start", "starts", list(_programs(view, since.at, beside.kept))),
        ("setting", "settings", list(_settings(view, beside.settings_at))),
        ("key", "keys", list(_keys(beside.keys, since.at))),
        ("command", "commands", list(_commands(view, since.at))),
        ("word in the tracker", "words in the tracker", list(_tracked(view, since.at, releases=False))),
        ("change of a feed", "changes of feeds", list(_feeds(view, since.at))),
        ("kind of record", "kinds of records", list(_flow(view, since.at))),
    ]
    found = [fact for _, names, facts in parts for fact in capped(facts, MOST, names)]
    short_of = [
        f"Of {name} only what came after {when(records[0].at)} was read."
        for name, records in view.logs.items()
        if records and records[0].seq > 1 and parse_iso(records[0].at) > since.at
    ]
    if not found:
        return Answer(
            kind="changed",
            notes=tuple(short_of),
            head=Fact(
                f"Nothing changed {since.said}.",
                cites(place(name, records[-1]) for name, records in view.logs.items() if records)
                or (TRADE_LOG, CONTROL_LOG),
            ),
        )
    counted = [count(len(facts), name, names) for name, names, facts in parts[:-1] if facts]
    told = several(counted) if counted else "only the flow of orders"
    return Answer(
        kind="changed",
        head=Fact(f"{since.said[:1].upper()}{since.said[1:]}: {told}.", cites(one.cites[0] for one in found)),
        facts=tuple(found),
        notes=tuple(short_of),
        next=(
            Step("every change of a control", "vanta overlay history"),
            Step("one of them in full", "vanta explain ID"),
        ),
    )


def _later(records: Iterable[Record], since: datetime) -> list[Record]:
    return [one for one in records if parse_iso(one.at) >= since]


def _controls(affairs: Affairs, since: datetime) -> Iterator[Fact]:
    """Each change once: what the executor saw first, then what tools wrote that it has not seen."""
    trees = Changes(affairs)
    told = set[str]()
    for said in (*affairs.seen, *affairs.changed, *affairs.edited):
        if parse_iso(said.record.at) < since or said.place in told:
            continue
        fact, places = told_change(said, trees)
        told |= places
        if said not in affairs.seen or affairs.before(said) is not None or said.record.payload.get("by"):
            yield fact


def told_change(said: Said, trees: Changes) -> tuple[Fact, set[str]]:
    """One change in a sentence or two, and every place that tells of it."""
    try:
        tree = trees.change(said)
    except BROKEN:  # a record of another version
        tree = Node("control", said.place, f"{when(said.record.at)}: a change of {said.what}.", {}, (), said.place)
    who = [node for _, node in flatten(tree) if node.kind == "who" and node.place]
    first = [node.text for node in tree.parts if node.kind == "who" and not node.text.startswith("Who changed it is "
                                                                                                 "not")]
    fields = [node.text.rstrip(".") for node in tree.parts if node.kind == "field"]
    more = f"; and {len(fields) - MOST} more" if len(fields) > MOST else ""
    text = tree.text.replace(", listed below.", f": {'; '.join(fields[:MOST])}{more}.") if fields else tree.text
    places = cites((said.place, *(node.place for node in who)))
    return Fact(" ".join([text, *first[:1]]), places), set(places)


def _latches(view: View, since: datetime) -> Iterator[Fact]:
    for record in _later(view.log(TRADE_LOG), since):
        body = record.payload
        if record.kind == Kind.LATCH_SET:
            yield Fact(
                f"{when(record.at)}: the executor latched itself, {body.get('code')}: {body.get('detail')}.",
                cites((str(body.get("latch_id")), place(TRADE_LOG, record))),
            )
        elif record.kind == Kind.LATCH_RELEASED:
            yield Fact(
                f"{when(record.at)}: {person(body.get('by'))} had the latch {body.get('latch_id')} released: "
                f"{body.get('reason')}.",
                cites((place(TRADE_LOG, record), str(body.get("latch_id")))),
            )


def _tracked(view: View, since: datetime, *, releases: bool) -> Iterator[Fact]:
    for record in _later(view.log(TRACKER_LOG), since):
        sentence = SENTENCES.get(record.kind)
        if sentence is not None and record.kind.startswith("release.") == releases:
            names = [record.ids[name] for name in ("item_id", "thread_id") if name in record.ids]
            yield Fact(f"{when(record.at)}: {sentence(record.payload)}", cites((place(TRACKER_LOG, record), *names)))


def _programs(view: View, since: datetime, kept: Mapping[str, bytes]) -> Iterator[Fact]:
    """Starts of programs, and what of version or settings was different from the start before."""
    before: dict[str, Record] = {}
    for record in (one for one in view.log(TRADE_LOG) if one.kind == Kind.PROGRAM_STARTED):
        body, name = record.payload, str(record.payload.get("program")).partition(" ")[0]
        last = before.get(name)
        before[name] = record
        if parse_iso(record.at) >= since:
            new = [] if last is None else list(_newer(last, record, kept))
            yield Fact(
                f"{when(record.at)}: {body.get('program')} started in mode {body.get('mode')}"
                f"{f', with {several(new)}' if new else ''}.",
                cites((place(TRADE_LOG, record), place(TRADE_LOG, last) if last is not None and new else "")),
            )


def _newer(last: Record, record: Record, kept: Mapping[str, bytes]) -> Iterator[str]:
    old, new = last.payload, record.payload
    if old.get("program") != new.get("program"):
        yield f"another version (before: {old.get('program')})"
    if old.get("mode") != new.get("mode"):
        yield f"another mode (before: {old.get('mode')})"
    digests = str(old.get("settings")), str(new.get("settings"))
    if digests[0] != digests[1]:
        rows = fields_changed(kept[digests[0]], kept[digests[1]]) if all(one in kept for one in digests) else []
        known = [f"{name} from {was} to {now}" for name, was, now in rows if was != ABSENT]
        fresh = [f"{count(len(rows) - len(known), 'setting')} that the version before did not have"]
        told = [*known[:4], *(fresh if len(known) < len(rows) else [])]
        yield (f"other settings ({'; '.join(told)})" if told else
               f"other settings ({short(digests[0])} before, {short(digests[1])} now)")


def _settings(view: View, saved: datetime | None) -> Iterator[Fact]:
    starts = [one for one in view.log(TRADE_LOG) if one.kind == Kind.PROGRAM_STARTED]
    if saved is not None and starts and saved > parse_iso(starts[-1].at):
        yield Fact(
            f"config/vanta.toml was saved at {when(saved.isoformat())}, after the executor's last start: what is new "
            "in it is "
            "not in force there yet.",
            ("vanta.toml", place(TRADE_LOG, starts[-1])),
        )


def _keys(raw: bytes | None, since: datetime) -> Iterator[Fact]:
    for number, line in enumerate((raw or b"").splitlines(), start=1):
        try:
            row = revealed(orjson.loads(line))
            at = str(row["at"])
            late = bool(at) and parse_iso(at) >= since
        except BROKEN:
            continue
        if late:
            yield Fact(f"{when(at)}: {person(row.get('by'))} put another signing key in use (line {number}): "
                       f"{row.get('reason')}.", (KEYS,))


def _commands(view: View, since: datetime) -> Iterator[Fact]:
    for record in _later(view.log(OPERATOR_COMMANDS), since):
        body = record.payload
        if record.kind == Kind.COMMAND_GIVEN:
            yield Fact(
                f"{when(record.at)}: {person(body.get('by'))} asked the executor to {_asked(body)}: "
                f"{body.get('reason')}.",
                cites((str(body.get("command_id")), place(OPERATOR_COMMANDS, record))),
            )
    for record in _later(view.log(CONTROL_LOG), since):
        if record.kind == Kind.LOG_RETIRED:
            yield Fact(
                f"{when(record.at)}: the oldest pieces of {record.payload.get('journal')} were put away.",
                (place(CONTROL_LOG, record),),
            )


def _asked(body: Mapping[str, Any]) -> str:
    """`override max_daily_loss of V_CORE`."""
    named = [str(body[name]) for name in ("limit", "latch_id", "order_id") if body.get(name)]
    return " ".join([str(body.get("kind")), *named, *([f"of {body['vault']}"] if body.get("vault") else [])])


def _feeds(view: View, since: datetime) -> Iterator[Fact]:
    """Passes after which a feed stood otherwise than before."""
    before: dict[str, str] = {}
    for record in (one for one in view.log(COLLECTION_LOG) if one.kind == Kind.COLLECTED):
        feed, now = str(record.payload.get("feed")), str(record.payload.get("status"))
        was = before.get(feed)
        before[feed] = now
        if was not in (None, now) and parse_iso(record.at) >= since:
            why = record.payload.get("status_reason")
            yield Fact(
                f"{when(record.at)}: the feed {feed} went from {was} to "
                f"{now}{f' ({why})' if why and now != 'ok' else ''}.",
                (place(COLLECTION_LOG, record),),
                outside=True,
            )


def _flow(view: View, since: datetime) -> Iterator[Fact]:
    found: dict[str, list[Record]] = {}
    for record in _later(view.log(TRADE_LOG), since):
        if record.kind in _FLOW:
            found.setdefault(record.kind, []).append(record)
    if found:
        told: Sequence[str] = [
            f"{len(found[kind]):,} {word if word == 'fills' else f'intents {word}'}"
            for kind, word in _FLOW.items()
            if kind in found
        ]
        yield Fact(
            f"Orders: {several(told)}.",
            cites(place(TRADE_LOG, one) for records in found.values() for one in (records[0], records[-1])),
        )
    alerts = [one for one in _later(view.log(TRADE_LOG), since) if one.kind == Kind.ALERT]
    if alerts:
        yield Fact(
            f"{count(len(alerts), 'alert')} about limits, the last at {when(alerts[-1].at)}: "
            f"{alerts[-1].payload.get('about')}.",
            cites(place(TRADE_LOG, one) for one in reversed(alerts)),
        )
