"""One byte form for everything that is hashed or written as a document. Pure.

`canonical(value)` is compact JSON with sorted keys: the form behind every content hash.
`document(mapping)` is the form of files that people read: one top-level key a line, and lists or
tables of records with one record a line, so that `diff` and `grep` work on them and an unchanged
record is an unchanged line.
"""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

_SORTED = orjson.OPT_SORT_KEYS


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical(value: object) -> bytes:
    """Compact UTF-8 JSON, keys sorted, Decimal as its string. Raises `TypeError` on other types."""
    return orjson.dumps(value, default=_plain, option=_SORTED)


def sha256(data: bytes | memoryview) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def content_hash(value: object) -> str:
    """SHA-256 of the canonical form."""
    return sha256(canonical(value))


def document(fields: Mapping[str, Any]) -> bytes:
    """Render a document file: keys in the given order, one record a line inside lists and tables."""
    lines = [orjson.dumps(key) + b": " + _block(value) for key, value in fields.items()]
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def _block(value: Any) -> bytes:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return b"[\n" + b",\n".join(orjson.dumps(item, default=_plain) for item in value) + b"\n]"
    if isinstance(value, dict) and value and all(isinstance(item, dict) for item in value.values()):
        rows = (orjson.dumps(key) + b": " + orjson.dumps(item, default=_plain) for key, item in value.items())
        return b"{\n" + b",\n".join(rows) + b"\n}"
    return orjson.dumps(value, default=_plain)
