"""The key that signs a home's checkpoints, by reference.

The private key is the credential `audit` (one secret, `signing_key`): a unit's credential, or a file below
`config/credentials/` that only its owner can read. A home without one gets one at first use, and the public list of its
keys, `config/audit_keys.jsonl`.
"""

import contextlib
import os
from pathlib import Path

import orjson

from vanta.common.errors import CredentialsRefused
from vanta.common.ids import draw_key
from vanta.common.paths import Home
from vanta.common.secrets import credential_exists, read_secrets
from vanta.common.signatures import KEY_BYTES, KEYS, Signer, bytes_of, first, text_of
from vanta.common.store.atomic import describe, sync_folder, write_all

CREDENTIAL, SECRET = "audit", "signing_key"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def signer_of(home: Home) -> Signer:
    """The home's key. Raises `CredentialsRefused` if it cannot be read, or not be made where there is none yet."""
    if not credential_exists(CREDENTIAL, home):
        _create(home.config / "credentials" / CREDENTIAL / SECRET)
    try:
        signer = Signer(bytes_of(read_secrets(CREDENTIAL, home)[SECRET], KEY_BYTES))
    except (KeyError, ValueError):
        raise CredentialsRefused(f"credential {CREDENTIAL} holds no signing key",
                                 f"Its file {SECRET} has to hold 32 bytes in base64; see docs/RUNBOOK.md.") from None
    with contextlib.suppress(OSError):  # a unit may not write config/; verification says that nobody vouches
        if not (home.config / KEYS).exists():
            _put_once(home.config / KEYS, orjson.dumps(first(signer.public)) + b"\n", 0o644)
    return signer


def _create(secret: Path) -> None:
    """Draw a key and put it there, unless somebody else is quicker."""
    try:
        secret.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _put_once(secret, text_of(draw_key()).encode() + b"\n", 0o600)
    except OSError as error:
        raise CredentialsRefused(f"there is no signing key, and none can be made at {secret}: {describe(error)}",
                                 "Run any VANTA command once as the owner of config/, or load the credential "
                                 f"{CREDENTIAL}.{SECRET}.") from error


def _put_once(path: Path, data: bytes, mode: int) -> None:
    """Whole or not at all, and never over what is there: a link does not replace."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, _NEW, mode)
    try:
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
