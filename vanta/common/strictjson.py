"""The strict parser for everything that comes from outside or from an operator's editor. Pure.

It refuses what lenient parsers accept in silence: duplicate keys (also when one is spelled with an
escape), NaN and infinities, numbers that overflow, invalid UTF-8, a byte-order mark, lone surrogates,
absurd nesting and absurd size. Every refusal names the file, the line and, where there is one, the field.
Numbers keep their literal text: integers are `int`, everything else is `Decimal`.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from vanta.common.errors import BadInput

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64
MAX_DIGITS = 400

_OPENING = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class _Refused(ValueError):
    """Raised inside the decoder; carries the offending field name or literal."""

    def __init__(self, why: str, needle: str) -> None:
        super().__init__(why)
        self.needle = needle


def loads(data: bytes, *, file: str, max_bytes: int = MAX_BYTES,
          number: Callable[[str], Any] = Decimal) -> Any:
    """Parse one JSON document. `file` is only for the message. Raises `BadInput`, never anything else.

    `number` makes the value of a literal with a fraction or exponent (default: Decimal).
    """
    if len(data) > max_bytes:
        raise BadInput(f"{len(data):,} bytes; at most {max_bytes:,} are read", file=file)
    if not data.strip():
        raise BadInput("the file is empty", file=file)
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


def _decode(text: str, file: str, number: Callable[[str], Any]) -> Any:
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer,
        parse_float=lambda literal: _fraction(literal, number),
    )
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error.msg}", file=file, line=error.lineno) from error
    except _Refused as error:
        raise BadInput(str(error), file=file, line=_line_of(text, error.needle), field=error.needle) from error
    except RecursionError as error:  # pragma: no cover - the depth check comes first
        raise BadInput("nested too deeply", file=file) from error
    _no_surrogates(text, value, file)
    return value


def loads_object(data: bytes, *, file: str, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Parse one JSON document that must be an object."""
    value = loads(data, file=file, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise BadInput(f"must be a JSON object, not {_name(value)}", file=file, line=1)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused(f"duplicate key {key!r}", key)
            seen.add(key)
    return result


def _no_constant(literal: str) -> Any:
    raise _Refused(f"{literal} is not a number", literal)


def _integer(literal: str) -> int:
    if len(literal) > MAX_DIGITS:
        raise _Refused(f"an integer of {len(literal)} digits", literal[:20])
    return int(literal)


def _fraction(literal: str, number: Callable[[str], Any]) -> Any:
    if len(literal) > MAX_DIGITS:
        raise _Refused(f"a number of {len(literal)} characters", literal[:20])
    value = Decimal(literal)
    if value and not -308 <= value.adjusted() <= 308:
        raise _Refused(f"number {literal} overflows", literal)
    return number(literal)


def _too_deep(data: bytes) -> int | None:
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


def _no_surrogates(text: str, value: Any, file: str) -> None:
    if "\\u" not in text and "\\U" not in text:
        return
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadInput("a lone surrogate escape such as \\ud800", file=file, line=_line_of(text, "\\ud")) from error


def _line_of(text: str, needle: str) -> int | None:
    """The line of the last occurrence: for a duplicate key that is the second one."""
    at = max(text.rfind(f'"{needle}"'), -1)
    at = text.rfind(needle) if at < 0 else at
    return None if at < 0 else text.count("\n", 0, at) + 1


def _name(value: object) -> str:
    if value is None:
        return "null"
    return {list: "a list", str: "a string", bool: "a boolean"}.get(type(value), "a number")
