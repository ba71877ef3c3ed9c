"""What happened to the controls, a sentence a record: edits, latches, commands, overrides, alerts, starts. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from vanta.alpha.core.words import count, figure, meaning, person, when
from vanta.common.events import Kind
from vanta.common.store.ports import Record

_SHOWN = 3
"""So many changed fields are named; the record has all of them."""

Body = Mapping[str, Any]


class Told(NamedTuple):
    """One event: when, of which kind, in words, and the record that says so."""

    at: str
    kind: str
    text: str
    place: str


def told(record: Record, file: str = "trade_log") -> Told | None:
    """What a record says about controls; `None` for one that does not."""
    sentence = _SENTENCES.get(record.kind)
    said = sentence(record.payload) if sentence is not None else ""
    return Told(record.at, record.kind, said, f"{file}:{record.seq}") if said else None


def _value(raw: Any) -> str:
    return "nothing" if raw is None else str(raw)


def _edited(body: Body) -> str:
    rows = body["changes"] or ()
    named = "; ".join(f"{row[0] or 'the whole file'}: {_value(row[1])} → {_value(row[2])}" for row in rows[:_SHOWN])
    more = len(rows) - min(len(rows), _SHOWN) + (body["more"] or 0)
    rest = f" and {count(more, 'more field')}" if more else ""
    who = body["user"] or body["by"]
    by = f", saved by {person(who)}" if who else ", by whom is not known"
    return f"{_file(body['what'])} was edited{by}: {named or 'what of it is not known'}{rest}"


def _file(what: object) -> str:
    return {"overlay": "vault_overlay.json", "vaults": "vault.json"}.get(str(what), str(what))


def _changed(body: Body) -> str:
    def short(value: object) -> str:
        text = str(value)
        return text if len(text) <= 24 else f"{text[:12]}…"

    return (f"{person(body['by'])} changed {body['what']} from {short(body['before'])} to {short(body['after'])}: "
            f"{body['reason']}")


def _seen(body: Body) -> str:
    """An edit has a record of its own; this one tells when nothing could be read, and what nobody gave a reason for."""
    if body.get("problem"):
        return f"{_file(body['what'])} could not be read, which halts: {body['problem']}"
    if body.get("loosened") and body.get("by") is None:
        return f"loosened without a stated reason: {', '.join(body['loosened'])}"
    return ""


def _latched(body: Body) -> str:
    scope = f"vault {body['vault']}" if body["vault"] else "everything"
    return f"the executor latched {scope} ({body['code']}): {meaning(str(body['code'])).partition('. ')[0].rstrip('.')}"


def _released(body: Body) -> str:
    return f"{person(body['by'])} released {body['latch_id']}: {body['reason']}"


def _override(body: Body) -> str:
    return (f"{person(body['by'])} set {body['limit']} of {body['vault']} to {figure(body['value'])} until "
            f"{when(body['until'])}: {body['reason']}")


def _alert(body: Body) -> str:
    if not body["level"]:
        return f"{body['about']}: back below half of the limit"
    return f"{body['about']}: {body['level']} % of the limit used ({figure(body['value'])} of {figure(body['limit'])})"


_SENTENCES: dict[str, Callable[[Body], str]] = {
    Kind.CONTROL_EDITED: _edited, Kind.CONTROL_CHANGED: _changed, Kind.CONTROL_SEEN: _seen,
    Kind.CONTROL_ENDED: lambda body: f"over by its own time: {body['what']}",
    Kind.LATCH_SET: _latched, Kind.LATCH_RELEASED: _released,
    Kind.COMMAND_TAKEN: lambda body: f"{person(body['by'])} had the executor {body['kind']}: {body['reason']}",
    Kind.COMMAND_REFUSED: lambda body: f"the executor refused to {body['kind']}: {body['refused']}",
    Kind.OVERRIDE_SET: _override,
    Kind.OVERRIDE_ENDED: lambda body: f"the override of {body['limit']} in {body['vault']} ended",
    Kind.ALERT: _alert,
    Kind.PROGRAM_STARTED: lambda body: f"{body['program']} started in mode {body['mode']}" if "mode" in body else "",
    Kind.PROGRAM_STOPPED: lambda body: f"{body['program']} stopped",
    Kind.LOG_RETIRED: lambda body: f"{person(body['by'])} put {body['journal']} away up to record {body['seq']:,}",
}
