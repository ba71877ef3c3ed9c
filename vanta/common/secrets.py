"""Credentials by reference: a folder of files that only their owner can read, one file a secret.

Looks under the unit's credentials (`LoadCredential=`) first, then under `config/credentials/` of the home. What a file
holds is never part of a message, a log line or a document.

    read_secrets("alpaca-main", home)  ->  {"key_id": "…", "secret_key": "…"}
"""

import os
from collections.abc import Iterator
from pathlib import Path

from vanta.common.errors import CredentialsRefused
from vanta.common.paths import Home
from vanta.common.settings import credential_folder
from vanta.common.store.atomic import describe
from vanta.common.store.guarded import guarded_read

MOST_BYTES = 16_384


class Secrets(dict[str, str]):
    """Secrets by name. Shows names only, whoever prints it."""

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self))})"

    __str__ = __repr__


def read_secrets(name: str, home: Home) -> Secrets:
    """The secrets of a credential. Raises `CredentialsRefused` with what to do, and never with what it read.

    systemd flattens folders: there the files of credential `alpaca` are named `alpaca.key_id`, `alpaca.secret_key`.
    """
    if not name or "/" in name or name.startswith("."):
        raise CredentialsRefused(f"credential {name!r} is no plain name", "Name a folder under config/credentials.")
    files = _files(name, home)
    if not files:
        raise CredentialsRefused(f"there is no credential {name}",
                                 f"Put its files under {home.config / 'credentials' / name}, chmod 600, or load them "
                                 "with LoadCredential=.")
    owners = {0, os.geteuid(), _owner(home)}
    return Secrets({key: _read(path, owners) for key, path in sorted(files.items())})


def values_of_all(home: Home) -> Iterator[str]:
    """Every secret that lies in the home, to be looked for. Raises `CredentialsRefused` for one that cannot be read.

    The public halves of ssh keys are none.
    """
    owners = {0, os.geteuid(), _owner(home)}
    for path in sorted((home.config / "credentials").rglob("*")):
        if not path.name.startswith(".") and path.suffix != ".pub" and not path.is_dir():
            yield _read(path, owners)


def credential_exists(name: str, home: Home) -> bool:
    """Whether there is anything under that name. Raises `CredentialsRefused` if that cannot be told."""
    return bool(_files(name, home))


def _files(name: str, home: Home) -> dict[str, Path]:
    try:
        return _of_unit(name) or _of_home(home.config / "credentials" / name)
    except OSError as error:
        raise CredentialsRefused(f"credential {name} cannot be looked for: {describe(error)}",
                                 f"Look at {home.config / 'credentials'}.") from error


def _of_unit(name: str) -> dict[str, Path]:
    folder = credential_folder()
    if folder is None or not folder.is_dir():
        return {}
    return {path.name.removeprefix(f"{name}."): path for path in folder.iterdir()
            if path.name.startswith(f"{name}.")}


def _of_home(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in folder.iterdir() if not path.name.startswith(".")} if folder.is_dir() else {}


def _owner(home: Home) -> int:
    """Whose home it is: root may look at what belongs to them, as it does at their overlay."""
    try:
        return home.memory.stat().st_uid if os.geteuid() == 0 else 0
    except OSError:
        return 0


def _read(path: Path, owners: set[int]) -> str:
    raw, problem = guarded_read(path, owners=owners, max_bytes=MOST_BYTES, private=True)
    if raw is None:
        raise CredentialsRefused(f"credential file {path}: {problem}",
                                 "It has to be a small file that only its owner can read: chmod 600.")
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise CredentialsRefused(f"{path} is not text", "Write the secret as text.") from None
