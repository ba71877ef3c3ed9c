"""The key that signs a home's checkpoints, by reference.

The private key is the credential `audit` (one secret, `signing_key`): a unit's credential, or a file below
`config/credentials/` that only its owner can read. A home without one gets one at first use, and the public list of its
keys, `config/audit_keys.jsonl`.
"""

import contextlib
import os
from pathlib import Path

import orjson

from vanta.common.errors import CredentialsRefused, Missing, StateError
from vanta.common.ids import draw_key
from vanta.common.paths import Home, own
from vanta.common.secrets import credential_exists, read_secrets
from vanta.common.signatures import KEY_BYTES, KEYS, Signer, bytes_of, first, keys, text_of
from vanta.common.store.atomic import describe, give_to_owner, read, sync_folder, write_all
from vanta.common.store.checkpoint import FOLDER

CREDENTIAL, SECRET = "audit", "signing_key"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def signer_of(home: Home) -> Signer:
    """The home's key. Raises `CredentialsRefused` if it cannot be read, or not be made where there is none yet.

    Raises `OperatorError` for what was laid out from a bundle.
    """
    listed = _listed(own(home))
    signed_before = bool(listed) or (home.memory / FOLDER).exists()  # before the key: it is made before these
    if not credential_exists(CREDENTIAL, home):
        if signed_before:
            raise CredentialsRefused("the key that has signed the logs of this home is not here", _LOST)
        _create(home.config / "credentials" / CREDENTIAL / SECRET)
    try:
        signer = Signer(bytes_of(read_secrets(CREDENTIAL, home)[SECRET], KEY_BYTES), listed)
    except (KeyError, ValueError):
        raise CredentialsRefused(f"credential {CREDENTIAL} holds no signing key",
                                 f"Its file {SECRET} has to hold 32 bytes in base64; see docs/RUNBOOK.md.") from None
    if not listed:
        with contextlib.suppress(OSError):  # a unit may not write config/; verification says that nobody vouches
            _put_once(home.config / KEYS, orjson.dumps(first(signer.public)) + b"\n", 0o644)
    elif signer.public not in listed:
        raise CredentialsRefused(f"the signing key is none of those that config/{KEYS} names", _LOST)
    return signer


_LOST = (f"Put the key back, or load the credential {CREDENTIAL}.{SECRET}. If it is lost for good, docs/RUNBOOK.md "
         "says how to begin anew.")


def signer_if_any(home: Home) -> Signer | None:
    """The home's key, or `None` where it cannot be had: whoever reduces risk does not wait for it.

    What is written without it lies after the last checkpoint, until somebody signs again.
    """
    try:
        return signer_of(home)
    except (CredentialsRefused, StateError):
        return None


def _listed(home: Home) -> tuple[str, ...]:
    """The public list, empty where there is none. Raises `StateError` if it is broken."""
    try:
        return keys(read(home.config / KEYS))
    except Missing:
        return ()


def _create(secret: Path) -> None:
    """Draw a key and put it there, unless somebody else is quicker."""
    try:
        for folder in (secret.parent.parent, secret.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            give_to_owner(folder)
            sync_folder(folder.parent)  # a key that a power cut takes away with its folder would be missed for good
        _put_once(secret, text_of(draw_key()).encode() + b"\n", 0o600)
    except OSError as error:
        raise CredentialsRefused(f"there is no signing key, and none can be made at {secret}: {describe(error)}",
                                 "Run any VANTA command once as the owner of config/, or load the credential "
                                 f"{CREDENTIAL}.{SECRET}.") from error


def _draft(path: Path, mode: int) -> tuple[Path, int]:
    """A new file beside `path`. Other containers may number their processes as ours does."""
    number = 0
    while True:
        draft = path.with_name(f".{path.name}.{os.getpid()}.{number}.tmp")
        try:
            return draft, os.open(draft, _NEW, mode)
        except FileExistsError:
            number += 1


def _put_once(path: Path, data: bytes, mode: int) -> None:
    """Whole or not at all, and never over what is there: a link does not replace."""
    draft, fd = _draft(path, mode)
    try:
        give_to_owner(draft)
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    sync_folder(path.parent)
