"""Ed25519 signatures and the succession of a home's keys. Pure; which key a home has is `signing_key.py`'s to know.

A list of keys says which key followed which: its first line names the first key, every later line is signed by the key
before it. Whoever has written down the first key elsewhere can tell a list that was made anew.

    keys(raw)    ->  ("Bx5…=", "q0K…=")     public keys in base64, oldest first; the last one signs
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from vanta.common.errors import OperatorError, StateError
from vanta.common.store.personal import withhold

KEYS = "audit_keys.jsonl"
KEY_BYTES, _SIGNATURE_BYTES = 32, 64


class Signer:
    """An Ed25519 key. `public` is its public half in base64; the private half is never shown.

    `known` are the keys that its home has signed with, itself included.
    """

    def __init__(self, seed: bytes, known: Iterable[str] = ()) -> None:
        """From the 32 secret bytes."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = text_of(self._key.public_key().public_bytes_raw())
        self.known = frozenset([self.public, *known])

    def sign(self, message: bytes) -> str:
        """The signature in base64; the same message gives the same one."""
        return text_of(self._key.sign(message))


def is_signed(message: bytes, signature: str, public: str) -> bool:
    """Whether `signature` is that of the key `public` under `message`. Nothing that is no key or signature raises."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key, raw = bytes_of(public, KEY_BYTES), bytes_of(signature, _SIGNATURE_BYTES)
        Ed25519PublicKey.from_public_bytes(key).verify(raw, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class Succession(NamedTuple):
    """One line of the public list: which key, since when, who says so, and the signature of the key before it.

    `by` names a person, beside a salt or withheld, as in the lines of journals (`store/personal.py`).
    """

    key: str
    at: str
    by: str | Mapping[str, str]
    reason: str
    sig: str


def first(public: str) -> dict[str, Any]:
    """The first line of a list: nobody could have signed it."""
    return Succession(public, "", "", "the first key of this home", "")._asdict()


def successor(public: str, said: Mapping[str, Any], before: Signer) -> dict[str, Any]:
    """A line for the next key. `said` holds `at`, `by`, `reason`; the key before it signs all of them.

    Of a name beside a salt it signs the salted hash, so that the list stands when the name is withheld.
    """
    line = Succession(public, said["at"], said["by"], said["reason"], "")
    return line._replace(sig=before.sign(_statement(line, before.public)))._asdict()


def keys(raw: bytes) -> tuple[str, ...]:
    """The public keys of a list, oldest first. Raises `StateError` if a line was not signed by the key before it."""
    found: list[str] = []
    for number, text in enumerate(raw.splitlines(), start=1):
        try:
            line = Succession(**orjson.loads(text))
            sound = not found or is_signed(_statement(line, found[-1]), line.sig, found[-1])
        except (ValueError, TypeError):
            sound = False
        if not sound:
            raise StateError(f"{KEYS}:{number}: the key before it did not sign this line", _CURE)
        found.append(line.key)
    if not found:
        raise StateError(f"{KEYS} names no key", _CURE)
    return tuple(found)


_CURE = "Put the list back from a copy; what it is worth is what somebody else remembers of its first key."


def _statement(line: Succession, before: str) -> bytes:
    return withhold(orjson.dumps(["vanta key", before, line.key, line.at, line.by, line.reason]))


def fingerprint(public: str) -> str:
    """What people compare and write down: the key in groups of four. Raises `OperatorError` for what is no key."""
    try:
        text = base64.b32encode(bytes_of(public, KEY_BYTES)).decode().lower().rstrip("=")
    except ValueError:
        raise OperatorError(f"{public[:60]!r} is no public key", "It has 44 characters and ends with '='.") from None
    return "-".join(text[start:start + 4] for start in range(0, len(text), 4))


def pem(public: str) -> bytes:
    """The key as other programs read it (`openssl`, `ssh-keygen`). Raises `ValueError`."""
    body = text_of(_PREFIX + bytes_of(public, KEY_BYTES))
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n".encode()


_PREFIX = bytes.fromhex("302a300506032b6570032100")
"""What says in DER that an Ed25519 key follows."""


def text_of(raw: bytes) -> str:
    """Base64."""
    return base64.b64encode(raw).decode()


def bytes_of(text: str, size: int) -> bytes:
    """Exactly `size` bytes from base64. Raises `ValueError`."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error
    if len(raw) != size or text_of(raw) != text:  # base64 leaves bits over: another text for the same bytes is none
        raise ValueError(f"not {size} bytes in base64")
    return raw
