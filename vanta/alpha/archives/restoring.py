"""What an archive is worth by itself: is every manifest signed by its home, every file there and what its name says?

And back: a manifest's files, laid out as a home. It is laid out beside its place and gets its name when it is whole.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from vanta.alpha.archives.port import Archive
from vanta.alpha.archives.rounds import owner
from vanta.alpha.archives.wire import is_sound
from vanta.alpha.core.archived import (
    CURE,
    KEYS_PATH,
    MANIFESTS,
    SNAPSHOTS,
    File,
    Manifest,
    decode,
    file_name,
    number_of,
)
from vanta.common.canonical import sha256
from vanta.common.errors import Missing, StateError, UsageError
from vanta.common.signatures import fingerprint, keys
from vanta.common.store.atomic import describe, replace_all, sync_folder

PART = ".{}.restoring"
"""Where a home is laid out, beside its place: a name that nobody else gives, because what lies there is taken away."""


def manifests(archive: Archive, pin: str | None) -> Iterator[tuple[str, Manifest]]:
    """Every manifest, oldest first, each signed by its home and following the one before. Raises `StateError`.

    `pin` is the fingerprint of the home's first key, as somebody wrote it down elsewhere.
    """
    first = owner(archive).key
    if pin is not None and fingerprint(first) != pin:
        raise StateError(f"this is the archive of the home whose first key is {fingerprint(first)}", CURE)
    before = ""
    for name in (one for one in archive.names(MANIFESTS) if number_of(one)):
        manifest = decode(archive.get(name), name)
        if manifest.before != before or manifest.number != number_of(before) + 1:
            raise StateError(f"{name} does not follow {before or 'nothing'}: a manifest is missing or was put in", CURE)
        listed = next((one for one in manifest.files if one.path == KEYS_PATH), None)
        trusted = keys(_file(archive, listed)) if listed else ()
        if trusted[:1] != (first,) or manifest.key not in trusted:
            raise StateError(f"{name} is not signed with a key of this archive's home", CURE)
        yield name, manifest
        before = name


def problems(archive: Archive, pin: str | None) -> Iterator[str]:
    """Everything that is wrong with an archive, after every byte of it was read once."""
    seen = set[str]()
    try:
        for name, manifest in manifests(archive, pin):
            for one in manifest.files:
                if one.sha256 not in seen:
                    seen.add(one.sha256)
                    try:
                        _file(archive, one)
                    except StateError as error:
                        yield f"{one.path} of {name}: {error.what}"
        for name in _snapshots(archive):
            if not _holds(archive, name):
                yield f"{name} was changed"
    except StateError as error:
        yield error.what


def _snapshots(archive: Archive) -> Iterator[str]:
    """What records promise, by its places. Which ones there have to be, only the records tell."""
    for folder in archive.names(SNAPSHOTS):
        yield from archive.names(folder)


def _holds(archive: Archive, name: str) -> bool:
    return is_sound(name.rpartition("/")[2], archive.get(name))


def restore(archive: Archive, to: Path, pin: str | None, number: int | None = None) -> tuple[str, Manifest]:
    """Lay a manifest's files out in the new folder `to`: the newest, or the one of that number. Raises `StateError`."""
    found = [one for one in manifests(archive, pin) if number in (None, one[1].number)]
    if not found:
        raise UsageError("there is no such manifest", "`vanta archive list` shows them.")
    name, manifest = found[-1]
    part = to.with_name(PART.format(to.name))
    if to.exists():
        raise UsageError(f"{to} exists", "Choose a new folder: nothing is written over.")
    try:
        shutil.rmtree(part, ignore_errors=True)  # what a kill has left of one of these
        for folder in {(part / one.path).parent for one in manifest.files}:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        replace_all((part / one.path, _file(archive, one)) for one in manifest.files)
        _lay_out_snapshots(archive, part)
        os.rename(part, to)
        sync_folder(to.parent)
    except OSError as error:
        raise StateError(f"{part} cannot be laid out: {describe(error)}") from error
    return name, manifest


def _lay_out_snapshots(archive: Archive, part: Path) -> None:
    """All that hold: one that was damaged keeps nobody from the rest, and `vanta verify` names what lacks it."""
    names = [name for name in _snapshots(archive) if _holds(archive, name)]
    for folder in {(part / "memory" / name).parent for name in names}:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    replace_all(((part / "memory" / name, archive.get(name)) for name in names), mode=0o440)


def _file(archive: Archive, one: File) -> bytes:
    changed = StateError(f"what the archive holds of it was changed ({one.sha256[:16]}…)", CURE)
    if archive.size(file_name(one.sha256)) not in (None, one.size):  # before anything is read: it may be of any size
        raise changed
    try:
        raw = archive.get(file_name(one.sha256))
    except Missing as error:
        raise StateError(f"the archive does not hold it any more ({one.sha256[:16]}…)", CURE) from error
    if sha256(raw) != one.sha256 or len(raw) != one.size:
        raise changed
    return raw
