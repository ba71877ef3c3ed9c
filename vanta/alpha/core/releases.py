"""What a release is, and whether it may be used: its manifest, its approval, and what its history comes to. Pure.

A release is a folder of plain files. Its manifest lists each of them with size, hash and whether it may be executed;
the manifest's own hash is what people approve and what the key signs, so that neither survives a changed byte.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from vanta.alpha.core.tracker import Tracker
from vanta.common.canonical import document, sha256
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.models.tracker import Item
from vanta.common.store.ports import Record

SLOTS = ("_A", "_B")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class File(NamedTuple):
    """One file of a release, by its path below it."""

    path: str
    size: int
    sha256: str
    executable: bool


class Manifest(NamedTuple):
    """The very bytes, and their hash."""

    raw: bytes
    digest: str


def is_name(text: str) -> bool:
    """Whether it may be a module's or a version's name, and so a folder's."""
    return _NAME.fullmatch(text) is not None


def manifest(module: str, version: str, files: Iterable[File]) -> Manifest:
    """The manifest of these files; the same files make the same bytes. Raises `StateError` where there are none."""
    rows = [one._asdict() for one in sorted(files)]
    if not rows:
        raise StateError(f"{module}@{version} holds no file")
    raw = document({"schema": "vanta.release/1", "module": module, "version": version, "files": rows})
    return Manifest(raw, sha256(raw))


def approval(tracker: Tracker, subject: str, digest: str, *, two_person: bool) -> Item:
    """The item that approves exactly these bytes. Raises `StateError` with what is missing; its cure is a command."""
    of = [one for one in tracker.items.values() if one.kind == "release" and one.subject == subject]
    same = [one for one in of if one.digest == digest]
    found = [one for one in same if one.state == "approved"]
    if not of:
        raise StateError(f"nobody has added {subject} to the tracker", f"vt-add TITLE --release {subject}")
    if not same:
        raise StateError(f"{subject} is not what was added to the tracker: its files have changed since",
                         f"vt-add TITLE --release {subject}")
    if not found:
        raise StateError(f"{same[-1].id} is {same[-1].state}, not approved",
                         f"vt-mark {same[-1].id} approved --reason TEXT")
    if two_person and not any(one.history[-1].uid != one.uid for one in found):
        raise StateError(f"{found[-1].id} was approved by the account that added it; another one has to",
                         f"vt-open {found[-1].id}")
    return found[-1]


def unfinished(history: Sequence[Record], module: str) -> Mapping[str, Any] | None:
    """The move of a module that began and of which no end is recorded."""
    of = [one for one in history if one.payload["module"] == module]
    return of[-1].payload if of and of[-1].kind == Kind.RELEASE_MOVING else None


def before(history: Sequence[Record], module: str, current: str | None) -> str | None:
    """The release that a module ran before the one that it runs now."""
    ran = [str(one.payload["after"]) for one in history
           if one.kind == Kind.RELEASE_MOVED and one.payload["module"] == module and one.payload["after"]]
    return next((one for one in reversed(ran) if one != current), None)


def superfluous(there: Iterable[str], ran: Sequence[str], kept: Iterable[str], keep: int) -> list[str]:
    """Releases that may go: in no slot, and not among the last `keep` that ran. What never ran is kept: it may be due.

    `ran` is in the order in which they ran.
    """
    latest = list(dict.fromkeys(reversed(ran)))
    stay = {*kept, *latest[:keep]}
    return sorted(one for one in there if one in latest and one not in stay)
