"""Which snapshots go with records of a log: those of the inputs that they state, for replay elsewhere. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from vanta.common.events import Kind
from vanta.common.store.chain import decode

FOLDER = "snapshots"
MOST = 64 << 20
"""Bytes of one snapshot; a longer one does not cross, and replay says that it is missing."""

_HEX = frozenset("0123456789abcdef")
_MARKS = tuple(f'"kind":"{kind}"'.encode() for kind in (Kind.PROGRAM_STARTED, Kind.CONTROL_SEEN, Kind.INSTRUMENTS_SEEN))


def name_of(digest: str) -> str:
    """The name under which a snapshot is asked for."""
    return f"{FOLDER}/{digest}"


def digest_of(name: str) -> str:
    """The hash in a snapshot's name, empty for any other name."""
    folder, _, digest = name.partition("/")
    return digest if folder == FOLDER and _is_digest(digest) else ""


def promised(lines: bytes) -> Iterator[str]:
    """Hashes that whole lines of a log name where they state inputs. Raises `StateError` for what is no record."""
    for line in lines.split(b"\n")[:-1]:
        if any(mark in line for mark in _MARKS):
            yield from _digests(decode(line, where="log").payload)


def _digests(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _digests(one)
    elif isinstance(value, str) and _is_digest(value):
        yield value


def _is_digest(text: str) -> bool:
    return len(text) == 64 and _HEX.issuperset(text)

