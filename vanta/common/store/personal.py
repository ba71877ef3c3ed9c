"""Values that name a person or a host, in journal lines, and how they can be withheld without breaking the chain. Pure.

A line holds such a value beside a salt, and the chain is made of the line in which a salted hash stands instead:

    in the log   {"$personal":"anna","salt":"5f0c…"}
    hashed as    {"$withheld":"<sha256 of salt, a colon and the JSON text of the value>"}

So the line without the name has the very hash that the next line and the checkpoints name, and whoever has name and
salt can prove that they belong there. Nobody can guess the name from the hash without the salt. Readers of a log see
plain text: the name, or `withheld:` and the beginning of the hash.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from vanta.common.canonical import sha256
from vanta.common.events import Kind

FIELDS: Mapping[str, tuple[str, ...]] = {
    Kind.CONTROL_CHANGED: ("by", "account", "uid"), Kind.COMMAND_GIVEN: ("by",),
    Kind.CONTROL_SEEN: ("by",), Kind.COMMAND_TAKEN: ("by",), Kind.COMMAND_REFUSED: ("by",), Kind.OVERRIDE_SET: ("by",),
    Kind.ITEM_ADDED: ("by", "uid", "owner", "evidence", "verify"), Kind.ITEM_MARKED: ("by", "uid"),
    Kind.ITEM_NOTED: ("by", "uid"), Kind.ITEM_CHECKED: ("by", "uid"), Kind.THREAD_OPENED: ("by", "uid"),
    Kind.THREAD_APPENDED: ("by", "uid"), Kind.THREAD_LINKED: ("by", "uid"), Kind.THREAD_CLOSED: ("by", "uid"),
    Kind.RELEASE_MOVING: ("by", "uid"), Kind.RELEASE_MOVED: ("by", "uid"),
    Kind.MODEL_ASKED: ("by", "uid"),
    Kind.LATCH_RELEASED: ("by",), Kind.LOG_RETIRED: ("by",), Kind.CONTROL_EDITED: ("uid", "user", "terminals", "by"),
    Kind.CALL_MADE: ("host",), Kind.CALL_REFUSED: ("host",), Kind.CALL_OPENED: ("host",), Kind.CALL_CLOSED: ("host",),
}
"""Fields of a record's payload that name a person or a host, by kind. Reasons do not: they are the why."""

_WHOLE = re.compile(rb'\{"\$personal":("(?:[^"\\]|\\.)*"),"salt":"([0-9a-f]{32})"\}')
_MARK = b'{"$personal":'
_GONE = b'{"$withheld":'
_EITHER = b'{"$'
WITHHELD = "withheld:"
"""How a value that was withheld begins for readers."""


def sealed(kind: str, payload: Mapping[str, Any], salt: Callable[[], str]) -> Mapping[str, Any]:
    """The payload as it is written: its personal values, made text, each beside a salt. `None` stays."""
    names = [name for name in FIELDS.get(kind, ()) if isinstance(payload.get(name), str | int)]
    if not names:
        return payload
    return {**payload, **{name: {"$personal": str(payload[name]), "salt": salt()} for name in names}}


def revealed(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as readers see it."""
    found = {name: _plain(value) for name, value in payload.items() if isinstance(value, dict)}
    return {**payload, **found} if found else payload


def _plain(value: dict[str, Any]) -> Any:
    if value.keys() == {"$personal", "salt"}:
        return value["$personal"]
    if value.keys() == {"$withheld"}:
        return f"{WITHHELD}{str(value['$withheld'])[:12]}"
    return value


def withhold(raw: bytes) -> bytes:
    """A line with every personal value replaced by its salted hash. Twice is the same as once."""
    return _WHOLE.sub(lambda found: _GONE + b'"' + sha256(found[2] + b":" + found[1]).encode() + b'"}', raw)


def values(raw: bytes) -> list[str]:
    """The personal values of one or more lines."""
    return [str(json.loads(found[1])) for found in _WHOLE.finditer(raw)]


def digest(raw: bytes) -> str:
    """The hash of a line, as the next line names it."""
    return sha256(withhold(raw) if _MARK in raw else raw)


def is_marked(raw: bytes) -> bool:
    """Whether a line may hold a personal value, or one that was withheld."""
    return _EITHER in raw


def is_withheld(raw: bytes) -> bool:
    """Whether something was withheld from a line."""
    return _GONE in raw
