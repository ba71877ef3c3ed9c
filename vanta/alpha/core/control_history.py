"""Who changed which control, when and why: two logs told as one story. Pure.

`control_log.jsonl` holds what commands changed, with name and reason; `trade_log.jsonl` what the executor then saw,
whoever saved it: an editor is only seen there. What a save changed is told by comparing its content with the one
before, as far as copies of both are kept.

    entries([record, …], content)  ->  [Entry(at="…", source="control log", who="ann", what="overlay flip", …)]
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vanta.alpha.core.operator_json import differences
from vanta.common import strictjson
from vanta.common.errors import BadInput
from vanta.common.events import Kind
from vanta.common.paths import OVERLAY, VAULTS

_FILES = {"overlay": OVERLAY, "vaults": VAULTS}
_MOST = 6
Record = Mapping[str, Any]
Content = Mapping[str, bytes]
"""Copies that are kept, by their hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change. `who` and `why` are `None` where nobody said so; `source` is the log that tells it."""

    at: str
    source: str
    who: str | None
    what: str
    changes: tuple[str, ...]
    why: str | None


def wanted(records: Iterable[Record]) -> list[str]:
    """Hashes of what the executor saw of the operator's files."""
    found = [str(record["payload"].get("sha256")) for record in records
             if record["kind"] == Kind.CONTROL_SEEN and record["payload"].get("what") in _FILES]
    return [digest for digest in dict.fromkeys(found) if _is_hash(digest)]


def entries(records: Iterable[Record], content: Content) -> list[Entry]:
    """The story of records that are in the order of their times."""
    before: dict[str, str] = {}
    return [entry for record in records for entry in _entry(record, before, content)]


def _entry(record: Record, before: dict[str, str], content: Content) -> Iterator[Entry]:
    kind, said, at = record["kind"], record["payload"], str(record["at"])
    if kind == Kind.CONTROL_CHANGED:
        yield Entry(at=at, source="control log", who=_text(said.get("by")), what=str(said.get("what")),
                    changes=(f"{said.get('before')} → {said.get('after')}",), why=_text(said.get("reason")))
    elif kind == Kind.CONTROL_SEEN and said.get("what") in _FILES:
        name, digest = _FILES[said["what"]], str(said.get("sha256"))
        yield Entry(at=at, source="seen by the executor", who=_text(said.get("by")), what=name,
                    changes=tuple(_changes(name, before.get(name), digest, content)), why=_text(said.get("reason")))
        before[name] = digest
    elif kind == Kind.CONTROL_SEEN and said.get("what") == "permit":
        yield Entry(at=at, source="seen by the executor", who=None, what="dispatch.permit",
                    changes=(str(said.get("sha256")),), why=None)
    elif kind == Kind.CONTROL_ENDED:
        yield Entry(at=at, source="seen by the executor", who=None, what=OVERLAY,
                    changes=(f"over by itself: {said.get('what')}",), why=None)
    elif kind == Kind.CONTROL_EDITED:
        rows = said.get("changes") or []
        yield Entry(at=at, source="who may have edited", who=_text(said.get("user")) or _text(said.get("by")),
                    what=_FILES.get(str(said.get("what")), str(said.get("what"))), why=None,
                    changes=tuple(f"{field or 'the whole'}: {old or 'absent'} → {new or 'absent'}"
                                  for field, old, new in rows[:_MOST]))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _changes(name: str, before: str | None, after: str, content: Content) -> Iterator[str]:
    if not _is_hash(after):
        yield after
        return
    new, old = _fields(name, content.get(after)), _fields(name, content.get(before or ""))
    if new is None or old is None:
        yield f"content {after[:12]}" + ("" if before is None else f", {before[:12].rstrip(': ')} before")
        return
    found = differences(old, new)
    yield from (f"{one.path}: {one.before} → {one.after}" for one in found[:_MOST])
    if len(found) > _MOST:
        yield f"and {len(found) - _MOST} more"
    if not found:
        yield "only spacing"


def _is_hash(text: str) -> bool:
    return len(text) == 64 and " " not in text


def _fields(name: str, raw: bytes | None) -> Any:
    """The file's fields; vaults by their ids, so that a change names the vault."""
    try:
        value = None if raw is None else strictjson.loads_object(raw, file=name)
    except BadInput:
        return None
    if value is None or not isinstance(value.get("vaults"), list):
        return value
    named = {str(one.get("vault_id")): one for one in value["vaults"] if isinstance(one, dict)}
    return {**{key: item for key, item in value.items() if key != "vaults"}, **named}
