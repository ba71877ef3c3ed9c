"""Putting away blobs of a snapshot store that nothing names any more, while its writers go on.

What is kept is decided elsewhere. Here it only matters that nothing is put away which a writer has just stored or found
stored: such a blob's time is young (`snapshot.py` renews it). A blob is moved first and looked at again: if it was
renewed in between it is moved back; a writer who comes later finds it gone and stores it anew. Nothing is deleted.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from vanta.common.errors import StateError
from vanta.common.store.atomic import describe, sync_folder

_NAME = re.compile(r"([0-9a-f]{64})(\.chunks)?\.zst", re.ASCII)


class Blob(NamedTuple):
    """One stored file: a blob or chunk by its hash, or the list of chunks of the blob that it names."""

    digest: str
    is_list: bool
    path: Path
    size: int
    used_at: float


class Moved(NamedTuple):
    """What was put away."""

    files: int
    size: int


def blobs(folder: Path) -> Iterator[Blob]:
    """Every file of a store. Others are passed over. Raises `StateError`."""
    try:
        for shelf in sorted(folder.iterdir()):
            for path in sorted(shelf.iterdir()) if shelf.is_dir() else ():
                if match := _NAME.fullmatch(path.name):
                    info = path.lstat()
                    yield Blob(match[1], bool(match[2]), path, info.st_size, info.st_mtime)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateError(f"{folder} cannot be listed: {describe(error)}") from error


def put_away(folder: Path, to: Path, forgotten: Callable[[Blob], bool], *, before: float) -> Moved:
    """Move every blob that is `forgotten` and was last used before the time `before` (POSIX seconds) to `to`.

    Raises `StateError`; what was moved until then stays moved.
    """
    files = size = 0
    touched = set[Path]()
    for blob in blobs(folder):
        if blob.used_at < before and forgotten(blob) and _move(blob, to, before):
            files, size = files + 1, size + blob.size
            touched.add(blob.path.parent)
    for place in sorted(touched):
        _sync(place, to / place.name)
    return Moved(files, size)


def _move(blob: Blob, to: Path, before: float) -> bool:
    there = to / blob.path.parent.name / blob.path.name
    try:
        there.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        os.rename(blob.path, there)
        if there.stat().st_mtime < before:
            return True
        os.rename(there, blob.path)
    except OSError as error:
        raise StateError(f"{blob.path} cannot be put away: {describe(error)}",
                         "The archive has to lie on the same file system.") from error
    return False


def _sync(*folders: Path) -> None:
    try:
        for folder in folders:
            sync_folder(folder)
    except OSError as error:
        raise StateError(f"{folders[0]} could not be made durable: {describe(error)}") from error


def known(names: Collection[str]) -> Callable[[Blob], bool]:
    """Forgotten is what is none of these hashes."""
    return lambda blob: blob.digest not in names
