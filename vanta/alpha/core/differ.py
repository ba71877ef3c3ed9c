"""The first place where two JSON values differ, and both values there. Pure.

    first_difference({"a": [1, 2]}, {"a": [1, 3]})  ->  Difference("a.1", "2", "3")

A row that begins with a name, as the lines of a verdict do, is named by it: `lines.cash.2`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from vanta.common.canonical import canonical

ABSENT = "(absent)"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """`field` is a dotted path, empty for the value as a whole; both values as compact JSON."""

    field: str
    recorded: str
    recomputed: str


def plain_json(value: Any) -> Any:
    """The value as it would be read back from JSON: tuples become lists, enums and Decimals text."""
    return orjson.loads(canonical(value))


def compared(recorded: Any, recomputed: Any) -> Difference | None:
    """The first difference of two values as they would be read back from JSON; mostly there is none, told by bytes."""
    one, other = canonical(recorded), canonical(recomputed)
    return None if one == other else first_difference(orjson.loads(one), orjson.loads(other))


def first_difference(recorded: Any, recomputed: Any, path: str = "") -> Difference | None:
    """Compare two plain JSON values. Keys are walked in sorted order, lists by index; `None` if they are equal."""
    if isinstance(recorded, dict) and isinstance(recomputed, dict):
        names = sorted({*recorded, *recomputed})
        pairs = [(name, recorded.get(name, _NOTHING), recomputed.get(name, _NOTHING)) for name in names]
    elif isinstance(recorded, list) and isinstance(recomputed, list):
        longest = range(max(len(recorded), len(recomputed)))
        pairs = [(_step(recorded, recomputed, n), _at(recorded, n), _at(recomputed, n)) for n in longest]
    else:
        same = type(recorded) is type(recomputed) and recorded == recomputed
        return None if same else Difference(path, _shown(recorded), _shown(recomputed))
    for name, one, other in pairs:
        found = first_difference(one, other, f"{path}.{name}" if path else str(name))
        if found is not None:
            return found
    return None


class _Nothing:
    """What stands where one side has no value."""


_NOTHING = _Nothing()


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _NOTHING


def _step(recorded: list[Any], recomputed: list[Any], index: int) -> str:
    """What to call the place of a row."""
    rows = [_at(recorded, index), _at(recomputed, index)]
    names = {row[0] for row in rows if isinstance(row, list) and row and isinstance(row[0], str)}
    return names.pop() if len(names) == 1 else str(index)


def _shown(value: Any) -> str:
    if isinstance(value, _Nothing):
        return ABSENT
    text = canonical(value).decode()
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def between(recorded: str | None, recomputed: str | None, blobs: Mapping[str, bytes], name: str, *,
            rows: bool = False) -> Difference | None:
    """The first difference of two documents by their hashes: of their contents where both are there, else of these.

    `rows`: one JSON value a line.
    """
    if recorded == recomputed:
        return None
    if recorded is None or recomputed is None or recorded not in blobs or recomputed not in blobs:
        return Difference(name, _shown(recorded), _shown(recomputed))
    one, other = (_parsed(blobs[digest], rows=rows) for digest in (recorded, recomputed))
    return first_difference(one, other, name) or Difference(name, "other bytes", "the same content")


def _parsed(raw: bytes, *, rows: bool) -> Any:
    """JSON as it stands; what is none is compared as text."""
    try:
        return [orjson.loads(line) for line in raw.split(b"\n") if line] if rows else orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode(errors="replace")
