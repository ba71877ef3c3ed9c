"""The form of a journal's lines and the chain between them. Pure: bytes in, records out, nothing is opened."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import orjson

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.store.personal import digest, is_marked, revealed
from vanta.common.store.ports import GENESIS, Head, Record

START = Head(0, GENESIS, 0)
"""The head of a journal without records."""


class Line(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The shape of one line; decoding refuses anything else."""

    seq: int
    at: str
    kind: str
    dag_id: str | None
    ids: dict[str, str]
    payload: dict[str, Any]
    prev: str


_decode = msgspec.json.Decoder(Line).decode


def encode(record: Mapping[str, Any]) -> bytes:
    """The bytes of a line without its newline."""
    return orjson.dumps(record)


def decode(raw: bytes, *, where: str) -> Record:
    """One line as a record with the hash of its raw bytes. Raises `StateError`."""
    try:
        line = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"{where}: not a journal record: {error}") from error
    if is_marked(raw):
        return Record(line.seq, line.at, line.kind, line.dag_id, line.ids, revealed(line.payload), line.prev,
                      digest(raw))
    return Record(line.seq, line.at, line.kind, line.dag_id, line.ids, line.payload, line.prev, sha256(raw))


class _Stamp(msgspec.Struct, frozen=True):
    """What tells a line's place: unknown fields are passed over."""

    seq: int
    at: str


_stamp = msgspec.json.Decoder(_Stamp).decode


def peek(raw: bytes) -> tuple[int, str]:
    """A line's number and the day it is of. Raises `StateError`."""
    try:
        line = _stamp(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"not a journal record: {error}") from error
    return line.seq, line.at[:10]


def chain(data: bytes, *, name: str, previous: Head = START) -> Iterator[Record]:
    """Decode and check complete lines that follow `previous`. Raises `StateError` at the first break."""
    seq, last = previous.seq, previous.hash
    for raw in data.split(b"\n")[:-1]:
        seq += 1
        record = decode(raw, where=f"{name}:{seq}")
        if record.seq != seq:
            raise StateError(f"{name}:{seq}: sequence number {record.seq} where {seq} must stand")
        if record.prev != last:
            raise StateError(f"{name}:{seq}: does not follow line {seq - 1}: the line before was changed or dropped")
        last = record.hash
        yield record


def repaired(piece: bytes) -> dict[str, Any]:
    """The payload of the record (`Kind.TAIL_REPAIRED`) that names a piece which was set aside."""
    return {"bytes": len(piece), "sha256": sha256(piece)}
