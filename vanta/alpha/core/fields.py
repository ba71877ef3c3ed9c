"""Which fields of a document a save changed: name, value before, value after. Pure.

A row of a list is known by the field that names it (`vault_id`, `flip_id`), so that a vault that moved up one line is
not a change; a list without names is one value. A switch in its long spelling is on or off by its `enabled`.

    changed(b'{"full_halt": false}', b'{"full_halt": true}')  ->  [("full_halt", "false", "true")]
"""

from collections.abc import Iterator
from typing import Any

import orjson

ABSENT = "nothing"
"""The value of a field that is not there."""

_LONGEST = 120


def changed(before: bytes | None, after: bytes | None) -> list[tuple[str, str, str]]:
    """Every field that differs, by name. Bytes that are no JSON count as one field without a name."""
    old, new = dict(_fields(before)), dict(_fields(after))
    return [(name, old.get(name, ABSENT), new.get(name, ABSENT)) for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)]


def text_of(value: object) -> str:
    """A value as one short text: `true`, `0.05`, `"a word"`."""
    said = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST - 1]}…"


def told_value(value: object) -> str:
    """A value as a record tells it: `None` is none, a text that is JSON is what it says."""
    if value is None:
        return ABSENT
    try:
        return text_of(orjson.loads(value)) if isinstance(value, str) else text_of(value)
    except orjson.JSONDecodeError:
        return text_of(value)


def _fields(raw: bytes | None) -> Iterator[tuple[str, str]]:
    if raw is None:
        return
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        yield "content", f"{len(raw):,} bytes that are no JSON"
        return
    yield from _walk("", value)


def _walk(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _walk(name if key == "enabled" else f"{name}.{key}" if name else str(key), one)
    elif (names := _names(value)) is not None:
        for key, one in zip(names, value, strict=True):
            yield from _walk(f"{name}[{key}]", one)
    else:
        yield name or "content", text_of(value)


def _names(value: Any) -> list[str] | None:
    """How the rows of a list are called; `None` where they have no names of their own."""
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        return None
    for key in ("vault_id", "flip_id", "id"):
        found = [str(row[key]) for row in value if key in row]
        if len(set(found)) == len(value):
            return found
    return None
