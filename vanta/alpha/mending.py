"""What `vanta-diagnostics doctor --fix` may do: make missing folders, close folders, take leftovers away. Nothing else.

Controls, logs, orders, settings and credentials are never touched: of credentials only their folders are closed.
"""

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from vanta.alpha.doctor import leftovers
from vanta.common.paths import FOLDERS, Home
from vanta.common.store.atomic import describe, give_to_owner


def mend(home: Home, now: datetime) -> list[str]:
    """Do what is safe, and say each, also what could not be done."""
    return [*_folders(home), *_credentials(home), *_leftovers(home, now)]


def _folders(home: Home) -> Iterator[str]:
    for path in (home.root / name for name in FOLDERS):
        try:
            if not os.path.lexists(path):
                path.mkdir(mode=0o750)
                give_to_owner(path)
                yield f"made {path}"
        except OSError as error:
            yield f"could not make {path}: {describe(error)}"
    for path in (home.root, *(home.root / name for name in FOLDERS)):
        yield from _closed(path, stat.S_IWOTH)


def _credentials(home: Home) -> Iterator[str]:
    folder = home.config / "credentials"
    for path in [folder, *sorted(folder.rglob("*"))] if folder.is_dir() else []:
        yield from _closed(path, 0o077)


def _closed(path: Path, bits: int) -> Iterator[str]:
    """Take these bits from a folder's mode; a link is left alone."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) and mode & bits:
            path.chmod(stat.S_IMODE(mode) & ~bits)
            yield f"closed {path} to others: mode {mode & 0o777:o} → {stat.S_IMODE(mode) & ~bits:o}"
    except OSError as error:
        yield f"could not close {path}: {describe(error)}"


def _leftovers(home: Home, now: datetime) -> Iterator[str]:
    for path in leftovers(home, now):
        try:
            path.unlink()
            yield f"removed {path}"
        except OSError as error:
            yield f"could not remove {path}: {describe(error)}"
