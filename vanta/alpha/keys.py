"""Another signing key for a home: the one before it says which, and signs nothing from then on.

The new key is put beside the old one, then the list names it, then it takes the old one's place. A crash in between is
carried to its end by asking again.
"""

from collections.abc import Mapping

import orjson

from vanta.common.errors import CredentialsRefused, OperatorError
from vanta.common.ids import draw_key, draw_salt
from vanta.common.paths import Home
from vanta.common.secrets import read_secrets
from vanta.common.signatures import KEY_BYTES, KEYS, Signer, bytes_of, keys, successor, text_of
from vanta.common.signing_key import CREDENTIAL, SECRET, signer_of
from vanta.common.store.atomic import read, replace
from vanta.common.store.lock import holder

NEXT = "next_signing_key"


def listed(home: Home) -> tuple[str, ...]:
    """The public keys of a home, oldest first. Raises `StateError` if the list is missing or broken."""
    return keys(read(home.config / KEYS))


def rotate(home: Home, said: Mapping[str, str]) -> tuple[str, str]:
    """Replace the key. `said` holds `at`, `by`, `reason`. Returns the old and the new public key.

    Raises `OperatorError` while a program runs: it would go on with the key that it has read.
    """
    running = [held for lock in sorted(home.memory.glob("*.lock")) if (held := holder(lock))]
    if running:
        raise OperatorError(f"a program runs here: {running[0]}", "Stop all programs of the home, then rotate.")
    folder = home.config / "credentials" / CREDENTIAL
    old = signer_of(home)
    if not (folder / SECRET).exists():
        raise CredentialsRefused("the key was loaded from elsewhere", "Rotate where its file lies, then load it anew.")
    known = listed(home)
    if not (folder / NEXT).exists():
        replace(folder / NEXT, text_of(draw_key()).encode() + b"\n", mode=0o600)
    new = Signer(bytes_of(read_secrets(CREDENTIAL, home)[NEXT], KEY_BYTES))
    if known[-1] == old.public:
        by = {"$personal": said["by"], "salt": draw_salt()}
        line = orjson.dumps(successor(new.public, {**said, "by": by}, old)) + b"\n"
        replace(home.config / KEYS, read(home.config / KEYS) + line, mode=0o644)
    elif known[-1] != new.public:
        raise OperatorError(f"config/{KEYS} ends with a key that is not here", "Put the key that it names back.")
    replace(folder / SECRET, read(folder / NEXT), mode=0o600)
    (folder / NEXT).unlink()
    return old.public, new.public
