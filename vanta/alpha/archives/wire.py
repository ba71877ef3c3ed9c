"""Which adapter stands behind a home's archive."""

import contextlib
from datetime import datetime
from pathlib import Path

from vanta import __version__
from vanta.alpha.archives.folder import FolderArchive
from vanta.alpha.archives.port import Archive
from vanta.alpha.archives.rounds import Kept, Round
from vanta.alpha.core.archived import BEGUN, number_of
from vanta.common.canonical import document
from vanta.common.errors import CredentialsRefused, OperatorError, StateError
from vanta.common.models.archive import ArchiveState
from vanta.common.models.configuration import Settings
from vanta.common.paths import ARCHIVE_STATE, Home
from vanta.common.signing_key import signer_of
from vanta.common.store.atomic import read, replace
from vanta.common.store.snapshot import is_sound
from vanta.common.times import iso

__all__ = ["archive_of", "is_sound", "kept"]


def archive_of(settings: Settings, folder: Path | None = None) -> Archive:
    """The archive that the settings name, or the one in `folder`. Raises `OperatorError` if there is none."""
    place = folder or (Path(settings.archive.folder) if settings.archive.folder else None)
    if place is None:
        raise OperatorError("no archive is configured", "Set folder under [archive] in config/vanta.toml.")
    return FolderArchive(place)


def kept(home: Home, settings: Settings, now: datetime) -> tuple[Kept | None, str]:
    """A day's round, and what kept it from being made; neither where no archive is configured."""
    if settings.archive.folder is None:
        return None, ""
    made, problem, archive, last = None, "", archive_of(settings), _last(home)
    try:
        if last and archive.size(BEGUN) is not None and archive.size(last) is None:  # said once; what is there is kept
            problem = (f"the archive in {settings.archive.folder}: {last}, which was kept there, is not there any "
                       "more: its end was taken away, or an older copy lies in its place")
        made = Round(home, archive, signer_of(home)).run(iso(now))
    except (StateError, OperatorError, CredentialsRefused) as error:
        problem = f"the archive in {settings.archive.folder}: {error.what}"
    with contextlib.suppress(StateError):  # a full disk is said elsewhere
        _note(home, made, problem, iso(now))
    return made, problem


def _before(home: Home) -> ArchiveState | None:
    """What the round before left, if that can be read."""
    try:
        return ArchiveState.model_validate_json(read(home.file(ARCHIVE_STATE)))
    except (StateError, ValueError):
        return None


def _last(home: Home) -> str | None:
    """The name of the manifest that was kept last."""
    before = _before(home)
    return before.manifest if before and before.manifest and number_of(before.manifest) else None


def _note(home: Home, made: Kept | None, problem: str, at: str) -> None:
    """What `vanta-diagnostics` shows without a look at a disk that may hang."""
    before = _before(home)
    said = {"revision": before.revision + 1 if before else 1, "written_at": at, "written_by": f"tidy {__version__}",
            "kept_at": at if made else before and before.kept_at, "manifest": made.name if made else _last(home),
            "problem": problem}
    replace(home.file(ARCHIVE_STATE), document(ArchiveState.model_validate(said).model_dump(mode="json")))
