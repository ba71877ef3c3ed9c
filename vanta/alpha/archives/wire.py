"""Which adapter stands behind a home's archive."""

from datetime import datetime
from pathlib import Path

from vanta.alpha.archives.folder import FolderArchive
from vanta.alpha.archives.port import Archive
from vanta.alpha.archives.rounds import Kept, Round
from vanta.common.errors import CredentialsRefused, OperatorError, StateError
from vanta.common.models.configuration import Settings
from vanta.common.paths import Home
from vanta.common.signing_key import signer_of
from vanta.common.times import iso


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
    try:
        return Round(home, archive_of(settings), signer_of(home)).run(iso(now)), ""
    except (StateError, OperatorError, CredentialsRefused) as error:
        return None, f"the archive in {settings.archive.folder}: {error.what}"
