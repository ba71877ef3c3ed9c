"""The words between a puller and `vanta transport serve`: a line asks, a line answers, bytes may follow. Pure.

    {"op":"read","name":"trade_log.jsonl","start":4096,"most":1048576}
    {"kind":"","what":"","size":52,"stat":null}  and 52 bytes

`kind` is empty for an answer, else the kind of fault: `missing`, `refused` (not in the table), `cut` (fewer bytes than
`start`), `too_large` or `unreadable`.
"""

from typing import Literal

import msgspec

LONGEST = 4096
"""Bytes of a line; what is longer is no word of ours."""

Fault = Literal["", "missing", "refused", "cut", "too_large", "unreadable"]


class Stat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What there is of a name. `sha256` is a document's; `first` and `start` say where a log begins."""

    size: int
    sha256: str | None = None
    first: int = 1
    start: int = 0


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question."""

    op: Literal["stat", "read"]
    name: str
    start: int = 0
    most: int = 0


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The line before the bytes."""

    kind: Fault = ""
    what: str = ""
    size: int = 0
    stat: Stat | None = None


class Garbled(Exception):
    """A line that is none of ours."""


_ask = msgspec.json.Decoder(Ask).decode
_answer = msgspec.json.Decoder(Answer).decode


def line(said: Ask | Answer) -> bytes:
    """A line with its end."""
    return msgspec.json.encode(said) + b"\n"


def asked(raw: bytes) -> Ask:
    """A question. Raises `Garbled`."""
    try:
        found = _ask(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(f"not a question: {error}") from error
    if found.start < 0 or found.most < 0:
        raise Garbled("not a question: a negative number")
    return found


def answered(raw: bytes, most: int) -> Answer:
    """The line of an answer of at most `most` bytes. Raises `Garbled`."""
    try:
        found = _answer(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(f"not an answer: {raw[:80]!r}") from error
    if not 0 <= found.size <= most:
        raise Garbled(f"{found.size:,} bytes are announced, {most:,} were asked for")
    return found
