"""The transport of `--from PATH`: recorded payloads, exactly as the feed served them, instead of the network.

PATH is one file or a folder, taken recursively and sorted by name; hidden files are left out. Gzip is undone and
zip archives are opened, both recognised by their content. What cannot be read becomes a `Problem`, so that nothing
disappears and one damaged file does not hide the others. Nothing here trusts a name, a size field or a media type.

Example: `recorded(Path("poll.zip"), now)` yields one `RawPayload` per member with `url="file:poll.zip!page-01.atom"`.
"""

import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vanta.common.errors import OperatorError, StateError
from vanta.common.store import atomic
from vanta.markets.collectors.port import RawPayload
from vanta.markets.core.records import Problem

_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, NotImplementedError,
            ValueError)
_TEXT_STARTS = (
    (b"<!doctype html", "text/html"), (b"<html", "text/html"),
    (b"<?xml", "application/xml"), (b"<rss", "application/xml"), (b"<feed", "application/xml"),
    (b"<rdf", "application/xml"), (b"<ownershipdocument", "application/xml"),
    (b"{", "application/json"), (b"[", "application/json"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes of a file as stored, of one payload unpacked, of one archive unpacked; members of one archive."""

    file: int = 256 * 1024 * 1024
    payload: int = 64 * 1024 * 1024
    archive: int = 1024 * 1024 * 1024
    members: int = 100_000


@dataclass(frozen=True, slots=True)
class _Reader:
    """The time that counts as fetched, and the limits."""

    now: datetime
    limits: Limits


def recorded(source: Path, now: datetime, limits: Limits = Limits()) -> Iterator[RawPayload | Problem]:
    """All payloads below `source`, as if fetched at `now`.

    Raises `OperatorError` at once if there is no such path or nothing in it.
    """
    try:
        root = source.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise OperatorError(f"{source} cannot be found", "Give an existing file or folder with --from.") from error
    reader = _Reader(now, limits)
    if not root.is_dir():
        return _of_file(root, source.name or root.name, reader)
    found, problems = _scan(root)
    if not found and not problems:
        raise OperatorError(f"{source} holds no files", "Give a folder with recorded payloads with --from.")
    return _of_files(root, found, problems, reader)


def _scan(root: Path) -> tuple[list[str], list[Problem]]:
    """Relative names of all files below `root`, sorted, and the folders that could not be listed."""
    problems: list[Problem] = []
    found, seen = [], set()

    def unlistable(error: OSError) -> None:
        problems.append(_problem("unreadable", atomic.describe(error), os.path.relpath(error.filename, root)))

    for folder, folders, files in os.walk(root, followlinks=True, onerror=unlistable):
        info = os.stat(folder)
        if (info.st_dev, info.st_ino) in seen:  # a link back to where we have been
            folders.clear()
            continue
        seen.add((info.st_dev, info.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files if not name.startswith(".")]
    return sorted(found), problems


def _of_files(root: Path, found: list[str], problems: list[Problem],
              reader: _Reader) -> Iterator[RawPayload | Problem]:
    yield from problems
    for name in found:
        yield from _of_file(root / name, name, reader)


def _of_file(path: Path, name: str, reader: _Reader) -> Iterator[RawPayload | Problem]:
    try:
        data = atomic.read(path.resolve(), max_bytes=reader.limits.file)
    except (StateError, OSError, RuntimeError) as error:
        yield _problem("unreadable", error.what if isinstance(error, StateError) else str(error), name)
        return
    if data.startswith(_ZIP):
        yield from _of_archive(data, name, reader)
    else:
        yield _of_bytes(data, name, reader)


def _of_bytes(data: bytes, name: str, reader: _Reader) -> RawPayload | Problem:
    if data.startswith(_GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
                data = stream.read(reader.limits.payload + 1)
        except _DAMAGED as error:
            return _problem("damaged", f"gzip: {error}", name)
    if len(data) > reader.limits.payload:
        return _problem("too_large", f"more than {reader.limits.payload:,} bytes", name)
    return RawPayload(url=f"file:{name}", body=data, media_type=guess_media_type(data), fetched_at=reader.now)


def _of_archive(data: bytes, name: str, reader: _Reader) -> Iterator[RawPayload | Problem]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGED as error:
        yield _problem("damaged", f"zip: {error}", name)
        return
    members = sorted((info for info in archive.infolist() if not info.is_dir()), key=lambda info: info.filename)
    left = reader.limits.archive
    for index, info in enumerate(members):
        if index == reader.limits.members or left <= 0:
            yield _problem("too_large", f"{len(members) - index:,} of {len(members):,} members were not read", name)
            return
        try:
            with archive.open(info) as member:
                body = member.read(reader.limits.payload + 1)
        except _DAMAGED as error:
            yield _problem("damaged", f"zip: {error}", f"{name}!{info.filename}")
            continue
        left -= len(body)
        yield _of_bytes(body, f"{name}!{info.filename}", reader)


def guess_media_type(body: bytes) -> str:
    """What the first bytes look like; only ever a label, parsers look for themselves."""
    start = body[:256].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for prefix, media_type in _TEXT_STARTS:
        if start.startswith(prefix):
            return media_type
    return "application/octet-stream" if not start or b"\x00" in start else "text/plain"


def _problem(code: str, detail: str, name: str) -> Problem:
    return Problem(code=code, detail=detail, where=f"file:{name}")
