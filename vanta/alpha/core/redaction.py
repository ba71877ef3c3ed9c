"""What a bundle keeps to itself, field by field, and how that can be proven later. Pure.

Values that name a person are withheld in two places: in journal lines (`common/store/personal.py`), where the chain is
made of the salted hashes anyway, and in snapshots, by the table below. A snapshot's name is the hash of its bytes, so
one with such a value is left out, and a copy stands elsewhere in which

    "by": "anna"    reads    "by": "withheld:<sha256 of salt, a colon and the JSON text of the value>"

Whoever is later told salt and value puts the value back into the copy and has the bytes whose hash the log names.
The copy still parses as the model does, so that what was decided on it can be decided again.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from vanta.alpha.core.bundle import Field
from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.paths import OVERLAY, VAULTS
from vanta.common.strictjson import loads

SWITCHES_BY = ("by", "*.by", "scopes.*.*.*.by", "written_by")
SNAPSHOT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "overlay": SWITCHES_BY, f"inputs.{OVERLAY}": SWITCHES_BY,
    "vaults": ("written_by",), f"inputs.{VAULTS}": ("written_by",),
    "settings": ("markets.contact", "markets.feeds.*.source", "markets.feeds.*.options.**", "executor.alert_command.*",
                 "executor.accounts.*.url", "executor.accounts.*.credentials", "executor.accounts.*.options.**",
                 "retention.archive", "outside.hosts.*"),
}
"""By what a record calls a snapshot: fields that name a person, a host, a path or an account. `*` is one step of any
name, `**` are one or more. Free text (reasons, labels) is kept: it is the why."""

OURS = frozenset({*SNAPSHOT_FIELDS, "inputs.payloads"})
"""Snapshots of what people or programs of the home wrote, and nobody outside."""

ALWAYS_GONE: Mapping[str, str] = {
    "torn tail": "half a line, of which nobody can say what it would have named",
    "evidence": "what a venue said of an account",
}
"""Snapshots that are left out as a whole where personal values are withheld, and why."""

PAYLOAD = "a payload of "
"""How a promise of a raw payload begins; those may name whoever wrote them."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],:"]+')


class Redacted(NamedTuple):
    """The copy, what was withheld from it in order, and the values themselves."""

    raw: bytes
    fields: list[Field]
    values: list[str]


def personal(whats: Sequence[str]) -> tuple[str, ...]:
    """The patterns of fields of a snapshot that records call by these names."""
    return tuple(dict.fromkeys(pattern for what in whats for pattern in SNAPSHOT_FIELDS.get(what, ())))


def redacted(raw: bytes, patterns: Sequence[str], salt: Callable[[str], str]) -> Redacted:
    """The copy of a JSON document; `salt` gives 32 hex digits for a path. Raises `BadInput` for what is no JSON.

    Only text is withheld: numbers and switches name nobody.
    """
    loads(raw, file="snapshot")
    expressions = [_expression(pattern) for pattern in patterns]
    parts, fields, values, done = list[bytes](), list[Field](), list[str](), 0
    for path, start, end in _texts(raw):
        if any(expression.fullmatch(path) for expression in expressions):
            hidden = sealed(raw[start:end], salt(path))
            parts += [raw[done:start], stand_in(raw[start:end], hidden)]
            fields.append(Field(path=path.replace("\0", "."), withheld=hidden))
            values.append(json.loads(raw[start:end]))
            done = end
    return Redacted(b"".join([*parts, raw[done:]]), fields, values)


def sealed(text: bytes, salt: str) -> str:
    """The salted hash of a value's JSON text, as `common/store/personal.py` makes it."""
    return sha256(salt.encode() + b":" + text)


def stand_in(text: bytes, hidden: str) -> bytes:
    """What stands in a value's place. A program's path stays one, or the copy would not parse."""
    return b'"%swithheld:%s"' % (b"/" if text.startswith(b'"/') else b"", hidden.encode())


def restored(copy: bytes, told: Mapping[str, tuple[str, bytes]]) -> bytes:
    """The original, given salt and JSON text for each salted hash. Raises `StateError` if one does not belong there."""
    for hidden, (salt, text) in told.items():
        place = stand_in(text, hidden)
        if sealed(text, salt) != hidden or place not in copy:
            raise StateError(f"this was not withheld as {hidden[:12]}")
        copy = copy.replace(place, text)
    return copy


def _expression(pattern: str) -> re.Pattern[str]:
    steps = {"*": "[^\0]*", "**": ".*"}
    return re.compile("\0".join(steps.get(step, re.escape(step)) for step in pattern.split(".")), re.DOTALL)


def _texts(raw: bytes) -> Iterator[tuple[str, int, int]]:
    """Every value that is a text: its path (steps joined by NUL) and where its bytes begin and end."""
    open_: list[bytes] = []
    path: list[str] = []
    for token in _TOKEN.finditer(raw):
        said = token[0]
        if said == b",":
            last = path.pop()
            if open_[-1] == b"[":
                path.append(str(int(last) + 1))
        elif said in (b"}", b"]"):
            if len(path) == len(open_):
                path.pop()
            open_.pop()
        elif open_ and open_[-1] == b"{" and len(path) < len(open_):
            path.append(json.loads(said))
        elif said in (b"{", b"["):
            open_.append(said)
            if said == b"[":
                path.append("0")
        elif said.startswith(b'"'):
            yield "\0".join(path), token.start(), token.end()
