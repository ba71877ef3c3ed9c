"""An archive in a folder, on any mounted disk that knows hard links or exclusive creation.

A file is written beside its place, synced, read again from its beginning and compared, and only then gets its name, by
a link, which never replaces. What a kill leaves behind is a file whose name begins with a dot; the next one of the same
name takes it away.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from vanta.common.canonical import sha256
from vanta.common.errors import Bug, Missing, StateError
from vanta.common.store.atomic import describe, give_to_owner, read, sync_folder, write_all

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LARGEST = 1 << 40


class FolderArchive:
    """See `Archive`. The folder itself is never made: it may be a disk that is not mounted."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, data: bytes) -> bool:
        """See `Archive.put`."""
        path = self._path(name)
        if self.size(name) is not None:
            return self._insist_on_same(name, data)
        draft = path.with_name(f".{path.name}.new")
        try:
            self._make_folders(path.parent)
            draft.unlink(missing_ok=True)
            self._write(draft, data)
            try:
                os.link(draft, path)
            except FileExistsError:
                return self._insist_on_same(name, data)
            except OSError:  # a file system without links; one writer at a time holds the home's lock
                if path.exists():
                    return self._insist_on_same(name, data)
                os.rename(draft, path)
            sync_folder(path.parent)
        except OSError as error:
            raise StateError(f"{path} cannot be archived: {describe(error)}",
                             "Is the disk mounted, writable, and is there room? The next round catches up.") from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        return True

    def size(self, name: str) -> int | None:
        """See `Archive.size`."""
        try:
            return os.stat(self._path(name), follow_symlinks=False).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StateError(f"{self._path(name)} cannot be looked at: {describe(error)}") from error

    def get(self, name: str) -> bytes:
        """See `Archive.get`."""
        return read(self._path(name), max_bytes=_LARGEST)

    def names(self, folder: str) -> Iterator[str]:
        """See `Archive.names`."""
        try:
            found = sorted(os.listdir(self._path(folder)))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StateError(f"{self._path(folder)} cannot be listed: {describe(error)}") from error
        yield from (f"{folder}/{one}" for one in found if not one.startswith("."))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise Bug(f"{name[:80]!r} is no name in an archive")
        return self._root / name

    def _make_folders(self, folder: Path) -> None:
        """Below the root, each synced into the one above."""
        missing = [one for one in (folder, *folder.parents) if one != self._root and self._root in one.parents]
        for one in reversed(missing):
            if not one.exists():
                one.mkdir(mode=0o750)
                give_to_owner(one)
                sync_folder(one.parent)

    def _write(self, draft: Path, data: bytes) -> None:
        fd = os.open(draft, _NEW, 0o440)
        try:
            give_to_owner(draft)
            write_all(fd, data)
            os.fsync(fd)
            with contextlib.suppress(OSError, AttributeError):  # so that what is read next comes from the disk
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
        if sha256(read(draft, max_bytes=_LARGEST)) != sha256(data):
            raise StateError(f"{draft} does not hold what was just written: this disk cannot be relied on")

    def _insist_on_same(self, name: str, data: bytes) -> bool:
        """False, or `StateError` for other bytes."""
        try:
            if sha256(self.get(name)) == sha256(data):
                return False
        except Missing:
            pass
        raise StateError(f"{self._path(name)} holds something else than what belongs under that name: it was damaged",
                         "Put that file aside as evidence; the next round archives it again. `vanta archive verify` "
                         "looks at all.")
