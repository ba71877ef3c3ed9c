r"""An operator's JSON file written again after a change, and what a change changed. Pure.

A program that changes one field of a person's file leaves the others alone: their order, and their numbers to the
last digit, which a float would not keep. Only spacing may differ: small tables and lists stand on one line.

    dumps({"a": Decimal("0.10"), "b": [1, 2]})          ->  b'{\n  "a": 0.10,\n  "b": [1, 2]\n}\n'
    differences({"a": {"b": 1}}, {"a": {"b": 2}})       ->  [Difference("a.b", "1", "2")]
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

ABSENT = "absent"
_SHORT = 100


class Difference(NamedTuple):
    """One field, by its dotted path; its values as JSON text, `absent` where it is not there."""

    path: str
    before: str
    after: str


def dumps(value: Mapping[str, Any]) -> bytes:
    """The whole document, indented by two, with an end of line. Takes what `strictjson` gives."""
    return (_text(value, "") + "\n").encode()


def compact(value: Any) -> str:
    """One value on one line."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(key)}: {compact(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(compact(item) for item in value) + "]"
    return _quoted(value)


def _quoted(value: Any) -> str:
    return orjson.dumps(value).decode()


def _text(value: Any, indent: str) -> str:
    inner = list(value.values() if isinstance(value, Mapping) else value) if isinstance(value, Mapping | list) else []
    one_line = compact(value)
    plain = not any(isinstance(item, Mapping | list) and item for item in inner)
    if not inner or (indent and plain and len(one_line) <= _SHORT):
        return one_line
    deeper = indent + "  "
    if isinstance(value, Mapping):
        rows = [f"{deeper}{_quoted(key)}: {_text(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + _text(item, deeper) for item in value) + f"\n{indent}]"


def differences(before: Any, after: Any) -> list[Difference]:
    """Every field that differs, in the order of the keys of both. Lists are compared whole."""
    return list(_differ(before, after, ""))


class _Nothing:
    """What stands where one side has no value."""


_NOTHING = _Nothing()


def _differ(before: Any, after: Any, path: str) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{path}.{name}" if path else name
            yield from _differ(before.get(name, _NOTHING), after.get(name, _NOTHING), inner)
    elif type(before) is not type(after) or before != after:
        yield Difference(path, _shown(before), _shown(after))


def _shown(value: Any) -> str:
    return ABSENT if isinstance(value, _Nothing) else compact(value)
