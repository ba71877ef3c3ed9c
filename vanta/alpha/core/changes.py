"""Who changed a control, what of it, and what that did: one change as a tree of sentences. Pure.

What the executor saw (`control.seen`) is one record, what a tool wrote down (`control.changed`) another, what the
operating system knew of a save (`control.edited`) a third. They are the same change where they say so: by the hash of
what the file held after it, or, where a tool only names a switch, by the nearest version in which that switch went
over.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson

from vanta.alpha.core.affairs import FILES, HALTS, Affairs, Said, Stopped, after, codes_of
from vanta.alpha.core.fields import changed as fields_changed
from vanta.alpha.core.fields import told_value
from vanta.alpha.core.inputs import is_digest
from vanta.alpha.core.node import Node
from vanta.alpha.core.words import count, person, several, short, when
from vanta.common.events import Kind
from vanta.common.reasons import Reason
from vanta.common.store.ports import Record
from vanta.common.times import from_millis, iso, parse_iso
from vanta.executor.core.controls import CODES

_NEAR = timedelta(minutes=10)
"""A tool's record and the executor's reading of the same change lie no further apart."""

_MOST = 3
"""So many fields are named in the first sentence; all of them are listed below it."""


class Changes:
    """Explanations of control changes over one index."""

    def __init__(self, affairs: Affairs) -> None:
        self._affairs = affairs

    def version(self, digest: str) -> Node:
        """Every time a file came to hold these bytes."""
        found = self._affairs.versions()[digest]
        seen = [said for said in found if said.record.kind == Kind.CONTROL_SEEN] or found[:1]
        trees = tuple(self.change(said) for said in seen)
        return trees[0] if len(trees) == 1 else Node(
            "control", digest, f"{_file(seen[0])} was in the version {short(digest)} {len(trees)} times.", {}, trees)

    def change(self, said: Said) -> Node:
        """One change, from any of the records that tell of it."""
        read = self._read(said)
        known = read or said
        edit = self._edit(said if said in self._affairs.edited else known)
        tool = said if said.record.kind == Kind.CONTROL_CHANGED else self._tool(known)
        rows = self._rows(said if said.record.kind == Kind.CONTROL_CHANGED else known, edit)
        parts = [*_who(tool, edit, self._stated(known)), *_listed(rows, known)]
        if not parts or parts[0].kind != "who":
            parts.insert(0, self._unknown(known))
        if read is not None:
            parts += [*self._effects(read), self._until(read)]
        elif said.record.kind == Kind.CONTROL_CHANGED:
            parts.append(Node("until", "unseen", "The executor's log does not tell when it took notice.", {}, ()))
        text = _headline(said, rows, tool if said.record.kind != Kind.CONTROL_CHANGED else None)
        digest = str(after(said.record))
        return Node("control", digest if is_digest(digest) else said.place, text, dict(said.record.payload),
                    tuple(parts), said.place)

    def _read(self, said: Said) -> Said | None:
        """The record by which the executor took notice of a change."""
        if said.record.kind == Kind.CONTROL_SEEN:
            return said
        if said.record.kind == Kind.CONTROL_CHANGED:
            return next((one for one in self._affairs.seen if self._tool(one) == said), None)
        return _nearest(self._affairs.seen, said)

    def _edit(self, said: Said) -> Said | None:
        if said in self._affairs.edited:
            return said
        return _nearest(self._affairs.edited, said)

    def _tool(self, said: Said) -> Said | None:
        """The entry of the control log that tells of the same change."""
        fits = [one for one in self._affairs.changed if one.what == said.what and self._same(one, said)]
        near = min(fits, key=lambda one: _apart(one, said), default=None)
        sure = near is not None and is_digest(after(near.record))
        return near if near is not None and (sure or _apart(near, said) <= _NEAR) else None

    def _same(self, tool: Said, said: Said) -> bool:
        """Whether an entry can be about what the executor read: by hash or word, or by the switch that went over."""
        if after(tool.record) == after(said.record):
            return True
        switch, to = str(tool.record.payload["what"]).partition(" ")[2], after(tool.record)
        if not switch or to not in ("on", "off"):
            return False
        return any(name == switch and now == ("true" if to == "on" else "false")
                   for name, _, now in self._rows(said, None))

    def _rows(self, said: Said, edit: Said | None) -> list[tuple[str, str, str]]:
        """Field, before, after; from the versions that are kept, else as a record tells it."""
        if said.record.kind == Kind.CONTROL_CHANGED:
            body = said.record.payload
            return [(str(body["what"]).partition(" ")[2] or FILES.get(said.what, said.what), str(body["before"]),
                     str(body["after"]))]
        now, before = self._affairs.bytes_of(said), self._affairs.bytes_before(said)
        if now is not None and before is not None:
            return fields_changed(before, now)
        return [(str(row[0]) or "content", told_value(row[1]), told_value(row[2]))
                for row in (edit.record.payload.get("changes") or () if edit is not None else ())]

    def _stated(self, said: Said) -> tuple[str, str]:
        """Reason and name as the file itself gives them: for what was loosened, or beside the switches that are on."""
        body = said.record.payload
        if body.get("loosened") and body.get("by"):
            return str(body["reason"]), person(body["by"])
        try:
            value = orjson.loads(self._affairs.bytes_of(said) or b"")
        except orjson.JSONDecodeError:
            return "", ""
        rows = {name.partition(".")[0] for name, _, _ in self._rows(said, None)}
        found: list[dict[str, Any]] = [one for name, one in value.items() if name in rows
                                       and isinstance(one, dict)] + [value]
        return next(((str(one["reason"]), str(one["by"])) for one in found if one.get("reason") and one.get("by")),
                    ("", ""))

    def _effects(self, said: Said) -> Iterator[Node]:
        """Which intents and orders it stopped while it was in force, and which it let go."""
        codes = HALTS.get(said.what, frozenset())
        after_it = self._affairs.next(said)
        for one in self._affairs.stopped(codes, said.record.seq, after_it.record.seq if after_it else None):
            yield stop_node(self._affairs, one, self._lifted(said, one))
        for one in self._affairs.let_go(_released(said), said.record.seq):
            name = one.by.ids["intent_id"]
            yield Node("effect", name, f"It let intent {name}{wish(self._affairs, name)} go on, held since "
                                       f"{when(one.by.at)} "
                       f"(trade_log:{one.by.seq}){ended(one.end)}.", _facts(self._affairs, "let go", one), (),
                       f"trade_log:{one.by.seq}")
        if said.what == "vaults":
            yield from self._verdicts(said, after_it)

    def _lifted(self, said: Said, one: Stopped) -> Record | None:
        """The next reading that no longer stops for what stopped an intent."""
        codes = codes_of(one.by)
        later = (other for other in self._affairs.seen if other.what == said.what and other.record.seq > one.by.seq)
        return next((other.record for other in later if not codes.isdisjoint(_released(other))), None)

    def _verdicts(self, said: Said, after_it: Said | None) -> Iterator[Node]:
        """How many verdicts were given under a version of vault.json."""
        found: dict[str, int] = {}
        for intent_id in self._affairs.trail.intents():
            for record in self._affairs.trail.of_intent(intent_id):
                if (record.kind in _VERDICTS and record.seq > said.record.seq
                        and (after_it is None or record.seq < after_it.record.seq)):
                    found[_VERDICTS[record.kind]] = found.get(_VERDICTS[record.kind], 0) + 1
        told = several(f"{number:,} {name}" for name, number in sorted(found.items())) if found else "none"
        yield Node("effect", "verdicts", f"Verdicts on intents given under it: {told}.", dict(found), ())

    def _unknown(self, said: Said) -> Node:
        first = said.record.kind == Kind.CONTROL_SEEN and self._affairs.before(said) is None
        return Node("who", "unknown", "It is the first time that this log tells of it." if first else
                    "Who changed it is not recorded: no entry of control_log.jsonl fits.", {}, ())

    def _until(self, said: Said) -> Node:
        later, last = self._affairs.next(said), self._affairs.last
        if later is not None:
            return Node("until", later.place, f"It was in force until {when(later.record.at)} ({later.place}), when "
                        f"{_file(said)} {_became(later)}.", {}, (), later.place)
        end = f", {when(last.at)} (trade_log:{last.seq})" if last is not None else ""
        return Node("until", "now", f"It is still in force at the end of the log{end}.", {}, ())


_VERDICTS: dict[str, str] = {Kind.INTENT_APPROVED: "approved", Kind.INTENT_HELD: "held", Kind.INTENT_REFUSED: "refused"}


def stop_node(affairs: Affairs, one: Stopped, lifted: Record | None) -> Node:
    """One intent or order that was stopped, and until when. `lifted` is the record that ended the cause, if one did."""
    record, name = one.by, one.by.ids["intent_id"]
    intent, here = f"intent {name}{wish(affairs, name)}", f"trade_log:{record.seq}"
    if record.kind == Kind.ORDER_CANCELLING:
        order = record.ids["order_id"]
        return Node("effect", order, f"It had order {order} of {intent} cancelled at {when(record.at)} ({here}).",
                    _facts(affairs, "cancelled", one), (), here)
    text = f"It held {intent} from {when(record.at)} ({here})"
    if record.kind == Kind.ORDER_WITHHELD:
        text = f"It stopped order {record.ids['order_id']} of {intent} at the last look, {when(record.at)} ({here}),"
    if one.end is not None and (lifted is None or one.end.seq < lifted.seq):
        tail = f" until {when(one.end.at)} (trade_log:{one.end.seq}), when {_ENDS[one.end.kind]}"
    elif lifted is not None:
        tail = f" until this ended at {when(lifted.at)} (trade_log:{lifted.seq}){ended(one.end)}"
    else:
        tail = " to the end of the log"
    word = "held" if record.kind == Kind.INTENT_HELD else "not sent"
    return Node("effect", name, f"{text}{tail}.", _facts(affairs, word, one), (), here)


_ENDS: dict[str, str] = {
    Kind.INTENT_APPROVED: "it was approved", Kind.INTENT_REFUSED: "it was refused", Kind.INTENT_EXPIRED: "it expired",
    Kind.INTENT_WITHDRAWN: "the promoter withdrew it", Kind.INTENT_QUARANTINED: "it was set aside for a person"}


def wish(affairs: Affairs, intent_id: str) -> str:
    """What an intent asked for, in brackets; empty where the log does not say."""
    body = affairs.trail.intent(intent_id)
    return f" ({body['side']} {body['instrument_id']} in {body['vault']})" if body is not None else ""


def _facts(affairs: Affairs, word: str, one: Stopped) -> dict[str, Any]:
    return {"effect": word, "intent_id": one.by.ids["intent_id"],
            "wish": wish(affairs, one.by.ids["intent_id"]).strip(" ()"),
            "from": one.by.seq, "until": one.end.seq if one.end is not None else None}


def ended(end: Record | None) -> str:
    """What became of an intent after that."""
    if end is None:
        return "; it was still waiting when the log ended"
    return f"; then {_ENDS[end.kind]} (trade_log:{end.seq})"


def _released(said: Said) -> frozenset[Reason]:
    """Codes that no longer stop anything after a change."""
    if said.what == "permit":
        return HALTS["permit"] if after(said.record) == "present" else frozenset()
    return frozenset(CODES[name] for place in said.record.payload.get("loosened") or ()
                     if (name := str(place).partition(" ")[0]) in CODES)


def _who(tool: Said | None, edit: Said | None, stated: tuple[str, str]) -> Iterator[Node]:
    """Who did it, from every source that there is."""
    if tool is not None:
        body = tool.record.payload
        yield Node("who", str(body["by"]),
                   f"{person(body['by'])} did it with vanta-run at {when(tool.record.at)} ({tool.place}), as "
                   f"account {body.get('account', 'unknown')}. The reason given: {body['reason']}.", dict(body), (),
                   tool.place)
    if edit is not None:
        body = edit.record.payload
        yield Node("who", str(body.get("user")), _owner(body), dict(body), (), edit.place)
    reason, name = stated
    if reason and tool is None:
        yield Node("who", name, f"The file itself says why: {reason} (by {name}).", {"by": name, "reason": reason}, ())


def _owner(body: Mapping[str, Any]) -> str:
    """Whose the file was, when it was saved, who was logged in, and when the executor noticed."""
    user, uid, mtime = body.get("user"), body.get("uid"), body.get("mtime")
    late = " The executor noticed it when it started." if body.get("noticed") == "at a start" else ""
    more = f" {count(int(body['more']), 'field')} more changed." if body.get("more") else ""
    if user is None and uid is None:
        return f"Whose file it was then could not be found out.{late}{more}"
    at = f" when it was saved at {when(iso(from_millis(mtime)) if isinstance(mtime, int) else mtime)}" if mtime else ""
    owner = f"{person(user or 'an account without a name')} (uid {uid})"
    return f"The file belonged to {owner}{at}{_terminals(body.get('terminals'))}.{late}{more}"


def _terminals(value: object) -> str:
    rows = value if isinstance(value, list) else [value] if value else []
    names = [" ".join(str(part) for part in (row.values() if isinstance(row, dict) else row if isinstance(row, list)
                                              else [row]) if part) for row in rows]
    return f"; logged in then: {several(names)}" if names else ""


def _listed(rows: Sequence[tuple[str, str, str]], said: Said) -> Iterator[Node]:
    if len(rows) > _MOST:
        for name, before, now in rows:
            yield Node("field", f"{said.place} {name}", f"{name}: from {before} to {now}.",
                       {"before": before, "after": now},
                       ())


def _headline(said: Said, rows: Sequence[tuple[str, str, str]], tool: Said | None) -> str:
    record = said.record
    if record.kind == Kind.CONTROL_CHANGED:
        body = record.payload
        [(name, before, now)] = rows
        return f"{person(body['by'])} changed {name} from {before} to {now} at {when(record.at)} ({said.place})."
    what = several(f"{name} from {before} to {now}" for name, before, now in rows) if 0 < len(rows) <= _MOST else \
        f"{count(len(rows), 'field')}, listed below" if rows else ""
    head = f"At {when(record.at)} ({said.place}) the executor saw that {_file(said)} {_became(said)}."
    by = f"{person(tool.record.payload['by'])} changed" if tool is not None else "Changed:"
    return f"{head} {by} {what}." if what else head


def _became(said: Said) -> str:
    value = str(after(said.record))
    if value.startswith("unreadable: "):
        return f"could not be read ({value.removeprefix('unreadable: ')})"
    if value in ("present", "absent"):
        return f"was {'there' if value == 'present' else 'not there'}"
    return f"was in the version {short(value)}"


def _file(said: Said) -> str:
    return FILES.get(said.what, said.what)


def _nearest(records: Sequence[Said], said: Said) -> Said | None:
    """The record of the same change: the one that is named by number, else the nearest with the same content."""
    same = [one for one in records if one.what == said.what and after(one.record) == after(said.record)]
    named = (one for one in same if said.record.seq == one.record.payload.get("seen")
             or one.record.seq == said.record.payload.get("seen"))
    return next(named, None) or min(same, key=lambda one: abs(one.record.seq - said.record.seq), default=None)


def _apart(one: Said, other: Said) -> timedelta:
    return abs(parse_iso(one.record.at) - parse_iso(other.record.at))
