"""What an archive holds: files under their hash, and for each round a signed list of them. Pure.

    archive.json                                   whose archive it is, put when it was begun
    files/3f/3f9a…                                 bytes, under their SHA-256
    snapshots/3f/3f9a….zst                         what records promise, as the home keeps it: named by its content
    manifests/000000000012-<beginning of its SHA-256>.json    a home's journals as they were, by path, size and hash

A manifest names the one before it, and the home's newest key signs it; that key's list is one of its files. So the
archive alone shows whose it is, to whoever wrote down the home's first key elsewhere.
"""

import re

import msgspec

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.paths import JOURNALS, SEGMENTS
from vanta.common.signatures import KEYS, Signer, is_signed
from vanta.common.store.checkpoint import FOLDER as CHECKPOINTS

BEGUN, MANIFESTS, SNAPSHOTS = "archive.json", "manifests", "snapshots"
KEYS_PATH = f"config/{KEYS}"
_MARK = b',"sig":"'
_PIECE = r"\d{12}-\d{15}-\d{15}(\.jsonl|\.jsonl\.zst|\.checkpoints)"
_PATH = re.compile("|".join([re.escape(KEYS_PATH), *(
    rf"memory/({CHECKPOINTS}/)?{re.escape(name)}|memory/{SEGMENTS}/{re.escape(name)}/{_PIECE}" for name in JOURNALS)]),
    re.ASCII)
_NUMBER = re.compile(rf"{MANIFESTS}/(\d{{12}})-[0-9a-f]{{16}}\.json", re.ASCII)
CURE = "Keep the archive as it is, as evidence; another copy of it may be whole."


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a home."""

    path: str
    size: int
    sha256: str


class Begun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose archive it is: the first public key of the home."""

    key: str
    at: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One round. `before` is the name of the manifest before it, empty for the first."""

    number: int
    at: str
    before: str
    files: tuple[File, ...]
    key: str
    sig: str = ""


def encode(manifest: Manifest, signer: Signer) -> bytes:
    """The manifest, signed."""
    body = msgspec.json.encode({name: getattr(manifest, name) for name in manifest.__struct_fields__ if name != "sig"})
    return body[:-1] + _MARK + signer.sign(body).encode() + b'"}'


def decode(raw: bytes, name: str) -> Manifest:
    """A manifest that its name fits, and that the key signed which it names. Raises `StateError`."""
    try:
        found = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"{name} is no manifest: {error}", CURE) from error
    body, mark, _ = raw.rpartition(_MARK)
    if name != name_of(found.number, raw) or not mark or not is_signed(body + b"}", found.sig, found.key):
        raise StateError(f"{name} is not signed with the key that it names, or was changed", CURE)
    bad = next((one.path for one in found.files if not _PATH.fullmatch(one.path) or one.size < 0
                or not re.fullmatch("[0-9a-f]{64}", one.sha256)), None)
    if bad is not None or len({one.path for one in found.files}) != len(found.files):
        raise StateError(f"{name} names a file that is none of a home's journals, or one twice: {bad}", CURE)
    return found


def begun(raw: bytes) -> Begun:
    """Whose it is. Raises `StateError`."""
    try:
        return msgspec.json.decode(raw, type=Begun)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"{BEGUN} does not say whose archive this is: {error}", CURE) from error


def name_of(number: int, raw: bytes) -> str:
    """A manifest's name."""
    return f"{MANIFESTS}/{number:012}-{sha256(raw)[:16]}.json"


def number_of(name: str) -> int:
    """Which manifest a name says it is, 0 for none."""
    match = _NUMBER.fullmatch(name)
    return int(match[1]) if match else 0


def file_name(digest: str) -> str:
    """Where bytes lie."""
    return f"files/{digest[:2]}/{digest}"


def is_sealed(path: str) -> bool:
    """Whether a file is never written again in its home: the same path always has the same bytes."""
    return f"/{SEGMENTS}/" in path and path.endswith((".jsonl", ".zst"))
