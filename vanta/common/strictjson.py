r"""The strict parser for everything that comes from outside or from an operator's editor. Pure.

It refuses what lenient parsers accept in silence: duplicate keys (also when one is spelled with an
escape), NaN and infinities, numbers that overflow, invalid UTF-8, a byte-order mark, lone surrogates,
absurd nesting and absurd size. Every refusal names the file, the line and, where there is one, the field.
Integers are `int` and fit into 64 bits, because what is read here is written again in a form that holds no others;
everything else keeps its literal text as a `Decimal`.

The standard library parses; its hooks only notice that something must be refused. Where it stands is found
by a second, slower walk over the tokens (`_Walk`) that good documents never pay for.

    >>> loads(b'{"full_halt": true, "full\\u005fhalt": false}', file="vault_overlay.json")
    BadInput: vault_overlay.json:1 (full_halt): duplicate key 'full_halt'
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from vanta.common.errors import BadInput
from vanta.common.money import decimal

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64
MAX_DIGITS = 400
INTEGERS = range(-2**63, 2**64)
"""Whole numbers that every reader and writer of JSON here holds exactly (`canonical` among them)."""

# Possessive, with an optional closing quote: a string that never ends is passed over once, not once per quote.
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_STRINGS = re.compile(_STRING.encode(), re.DOTALL)
_QUOTED = re.compile(rb'"[^"]*"?')
_NO_BRACKET_OR_QUOTE = bytes(set(range(256)) - set(b'[]{}"'))
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = re.compile(rf"{_STRING}|[\[\]{{}}]".encode(), re.DOTALL)
_TOKEN = re.compile(rf"{_STRING}|[\[\]{{}}:,]|[^\s\"\[\]{{}}:,]++", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F])|.)")


class _RefusedError(ValueError):
    """Raised inside the decoder to stop it; `_Walk` then says what and where."""


def loads(data: bytes, *, file: str, max_bytes: int = MAX_BYTES,
          number: Callable[[str], Any] = Decimal) -> Any:
    """Parse one JSON document. `file` is only for the message. Raises `BadInput`, never anything else.

    `number` makes the value of a literal with a fraction or exponent (default: Decimal).
    """
    if len(data) > max_bytes:
        raise BadInput(f"{len(data):,} bytes; at most {max_bytes:,} are read", file=file)
    if not data.strip():
        raise BadInput("the file is empty", file=file, line=1)
    if data.startswith(b"\xef\xbb\xbf"):
        raise BadInput("starts with a byte-order mark", file=file, line=1, cure="Save it as UTF-8 without a BOM.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"invalid UTF-8 at byte {error.start}", file=file, line=line) from error
    depth_at = _too_deep(data)
    if depth_at is not None:
        raise BadInput(f"nested deeper than {MAX_DEPTH}", file=file, line=data.count(b"\n", 0, depth_at) + 1)
    return _decode(text, file, number)


def loads_object(data: bytes, *, file: str, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Parse one JSON document that must be an object."""
    value = loads(data, file=file, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise BadInput(f"must be a JSON object, not {_name(value)}", file=file, line=1)
    return value


def _decode(text: str, file: str, number: Callable[[str], Any]) -> Any:
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique, parse_constant=_stop, parse_int=_integer,
        parse_float=lambda literal: _fraction(literal, number),
    )
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error.msg}", file=file, line=error.lineno) from error
    except _RefusedError as error:
        walk = _Walk(text)
        raise BadInput(walk.why, file=file, line=walk.line, field=walk.field) from error
    line = _lone_surrogate(text)
    if line is not None:
        raise BadInput("a lone surrogate escape such as \\ud800", file=file, line=line)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _RefusedError
    return result


def _stop(literal: str) -> Any:
    raise _RefusedError(literal)


def _integer(literal: str) -> int:
    return _stop(literal) if _too_large(literal) else int(literal)


def _too_large(literal: str) -> bool:
    """Whether the literal of an integer is outside `INTEGERS`. By its length first: int() is slow on long ones."""
    return len(literal) > len("-9223372036854775808") or int(literal) not in INTEGERS


def _fraction(literal: str, number: Callable[[str], Any]) -> Any:
    return _stop(literal) if _number_fault(literal) else number(literal)


def _number_fault(literal: str) -> str | None:
    """Why a bare word that JSON's grammar let through is no number for us, or `None` if it is one."""
    if len(literal) > MAX_DIGITS:
        return f"a number of {len(literal)} characters"
    if not literal[-1].isdigit():
        return f"{literal} is not a number"
    if literal.lstrip("-").isdigit():
        return f"integer {literal[:40]} does not fit into 64 bits" if _too_large(literal) else None
    try:
        decimal(literal)
    except ValueError:
        return f"number {literal[:40]} overflows"
    return None


def _too_deep(data: bytes) -> int | None:
    """Where the nesting exceeds `MAX_DEPTH`, or `None`. Brackets alone first: most documents end there."""
    if b"\\" in data:
        brackets = _STRINGS.sub(b"", data).translate(None, _NO_BRACKET)
    else:  # without escapes, quotes alone delimit strings, and most of the bytes can go first
        brackets = _QUOTED.sub(b"", data.translate(None, _NO_BRACKET_OR_QUOTE))
    if _deepest(brackets) <= MAX_DEPTH:
        return None
    depth = 0
    for match in _OPENING.finditer(data):
        char = match.group()
        if char in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return match.start()
        elif char in b"]}":
            depth -= 1
    return None


def _deepest(brackets: bytes) -> int:
    depth = deepest = 0
    for char in brackets:
        if char in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _lone_surrogate(text: str) -> int | None:
    """The line of the first escape that is half a surrogate pair. `text` is valid JSON."""
    if "\\u" not in text:
        return None
    at = next((match.start() for match in _ESCAPE.finditer(text) if match.group(1)), None)
    return None if at is None else text.count("\n", 0, at) + 1


class _Walk:
    """Finds the first duplicate key or refused number, given that the text is JSON up to there."""

    def __init__(self, text: str) -> None:
        self._path: list[str | int] = []
        self._keys: list[set[str] | None] = []  # None for a list
        self._at_key = False
        self.why, self.line = "refused", 1
        self.field: str | None = None
        for match in _TOKEN.finditer(text):  # pragma: no branch - the decoder has refused, so something is found
            why = self._take(match.group())
            if why is not None:
                self.why, self.line = why, text.count("\n", 0, match.start()) + 1
                self.field = ".".join(str(step)[:80] for step in self._path) or None
                break

    def _take(self, word: str) -> str | None:
        if word[0] == '"':
            return self._key(json.loads(word)) if self._at_key else None
        if word in ("{", "["):
            self._path.append(0 if word == "[" else "")
            self._keys.append(None if word == "[" else set())
            self._at_key = word == "{"
        elif word in ("}", "]"):
            self._path.pop()
            self._keys.pop()
            self._at_key = False
        elif word == ",":
            self._next()
        elif word not in (":", "true", "false", "null"):
            return _number_fault(word)
        return None

    def _key(self, key: str) -> str | None:
        keys = self._keys[-1]
        assert keys is not None, "a key stands in an object"
        self._path[-1], self._at_key = key, False
        if key in keys:
            return f"duplicate key {key[:80]!r}"
        keys.add(key)
        return None

    def _next(self) -> None:
        index = self._path[-1]
        if isinstance(index, int):
            self._path[-1] = index + 1
        else:
            self._at_key = True


def _name(value: object) -> str:
    if value is None:
        return "null"
    return {list: "a list", str: "a string", bool: "a boolean"}.get(type(value), "a number")
