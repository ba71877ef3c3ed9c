"""Documents with a model: read strictly, written with a header, compared by hash.

`load` never turns a missing or unreadable file into an empty one: missing raises `Missing`, unreadable
raises `BadInput` or `StateError`. Where a program may meet a tree that has never run, it asks `load_if_any`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from vanta.common import strictjson
from vanta.common.canonical import document, sha256
from vanta.common.models.base import SCHEMA_VERSION, validate
from vanta.common.store.ports import Files

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[M]):
    """A document's value and the hash of the very bytes it came from."""

    value: M
    raw: bytes

    @property
    def sha256(self) -> str:
        """Hash of the raw bytes."""
        return sha256(self.raw)


def load(files: Files, name: str, model: type[M]) -> Loaded[M]:
    """Read, parse strictly and validate. Raises `Missing`, `StateError` or `BadInput`."""
    raw = files.read(name)
    return Loaded(parse(raw, model, file=name), raw)


def parse(raw: bytes, model: type[M], *, file: str) -> M:
    """Bytes to model; numbers with a fraction become float only where the model's field is a float."""
    return validate(model, strictjson.loads(raw, file=file), file=file, raw=raw)


def load_if_any(files: Files, name: str, model: type[M]) -> Loaded[M] | None:
    """Like `load`, but `None` if there is no such file at all."""
    return load(files, name, model) if files.exists(name) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The header of a document: `revision` grows by one with every write, `by` is program and version."""

    revision: int
    at: str
    by: str


def save(files: Files, name: str, fields: Mapping[str, Any], stamp: Stamp) -> bytes:
    """Write a document with its header and return the bytes. `fields` is the JSON-ready body."""
    raw = render(fields, stamp)
    files.replace(name, raw)
    return raw


def render(fields: Mapping[str, Any], stamp: Stamp) -> bytes:
    """The bytes that `save` writes; apart, for those who must journal a document's hash before writing it."""
    header = {"schema_version": SCHEMA_VERSION, "revision": stamp.revision, "written_at": stamp.at,
              "written_by": stamp.by}
    return document({**header, **fields})
