"""What a bundle of records says about itself, and whether that may be believed. Pure.

`manifest.json` lists every member with its hash, where each log ends, and what was withheld; `manifest.sig` is an
Ed25519 signature of its very bytes. There is one byte form of a manifest: whatever decodes to the same, but is other
bytes, is refused.

| finding | means |
|---|---|
| OK | signed with the key that the reader knows, or one that came after it |
| CRITICAL | the signature or a member is not what was signed, or the reader's key is not on the list |
| UNKNOWN | not signed, or nobody has said which key is to be believed |
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from vanta.alpha.core.verification import Finding
from vanta.common.canonical import document
from vanta.common.errors import StateError
from vanta.common.exitcodes import Check
from vanta.common.paths import JOURNALS, MANIFEST, REDACTED, SEGMENTS, SNAPSHOTS, STATE
from vanta.common.signatures import KEYS, fingerprint, is_signed
from vanta.common.store.checkpoint import FOLDER

SCHEMA = "vanta.bundle/1"
SIGNATURE, README, KEY_FILE = "manifest.sig", "README.txt", "key.pem"
OWN = (MANIFEST, SIGNATURE)
"""Members that the manifest does not list: itself and what signs it."""

CURE = "Ask for the bundle again, and keep this one as evidence."


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the bundle."""

    name: str
    size: int
    sha256: str


class LogEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One log: how many records are here, the hash of the last, the first record of the range and the hash before it.

    `more`: the home had records after the last one here.
    """

    name: str
    records: int
    head: str
    since: int
    before: str
    more: bool


class Gone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot that a record promises and that is not here, and why. `what` as the record calls it."""

    sha256: str
    what: str
    why: str


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field of a snapshot of which only the salted hash is left."""

    path: str
    withheld: str


class Copy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot of which a redacted copy stands here. `sha256` names the original, `copy` is the hash of the copy."""

    sha256: str
    what: str
    copy: str
    fields: list[Field]


class Count(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a field was withheld in a log."""

    log: str
    field: str
    times: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole. `since` and `until` are what was asked for, empty for everything; `key` signs, empty if none does."""

    schema: str
    home: str
    made_at: str
    made_by: str
    program: str
    since: str
    until: str
    personal: str
    payloads: str
    key: str
    note: str
    code: str
    rules: dict[str, str]
    logs: list[LogEnd]
    withheld: list[Count]
    redacted: list[Copy]
    gone: list[Gone]
    members: list[Member]


_decode = msgspec.json.Decoder(Manifest).decode


def encode(manifest: Manifest) -> bytes:
    """The bytes of `manifest.json`: one member, log or copy a line."""
    return document(msgspec.to_builtins(manifest))


def decode(raw: bytes) -> Manifest:
    """The manifest. Raises `StateError` for other bytes than `encode` would have made."""
    try:
        found = _decode(raw)
        sound = found.schema == SCHEMA and encode(found) == raw
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise StateError(f"{MANIFEST}: not a manifest: {error}", CURE) from error
    if not sound:
        raise StateError(f"{MANIFEST}: not a manifest of form {SCHEMA} as it is written", CURE)
    names = [one.name for one in found.members]
    if len(set(names)) != len(names):
        raise StateError(f"{MANIFEST}: it lists a member twice", CURE)
    wrong = next((name for name in names if not is_member(name)), None)
    if wrong is not None:
        raise StateError(f"{MANIFEST}: {wrong[:100]!r} has no place in a bundle", CURE)
    return found


_HEX = "[0-9a-f]{64}"
_LOGS = "|".join(map(re.escape, JOURNALS))
_PLAIN = re.compile("|".join([
    *(re.escape(f"memory/{name}") for name in JOURNALS), *(re.escape(f"memory/{FOLDER}/{name}") for name in JOURNALS),
    rf"memory/{SEGMENTS}/(?:{_LOGS})/\d{{12}}-(?P<at>\d{{15}})-(?P=at)\.(?:jsonl|checkpoints)",
    *(re.escape(f"memory/{row.name}") for row in STATE if row.shape is not None),
    rf"memory/{SNAPSHOTS}/(?P<two>[0-9a-f]{{2}})/(?P=two)[0-9a-f]{{62}}(?:\.chunks)?",
    f"memory/{REDACTED}/{_HEX}", re.escape(f"config/{KEYS}"), r"config/instruments\.json",
    r"rules/[a-z0-9_]{1,40}\.json", re.escape(README), re.escape(KEY_FILE)]), re.ASCII)


def is_member(name: str) -> bool:
    """Whether a file of that name can be in a bundle. What could be acted on, or lies elsewhere, cannot."""
    return _PLAIN.fullmatch(name) is not None


def is_piece(name: str) -> bool:
    """Whether a member is a piece of a snapshot, which a home keeps compressed."""
    return name.startswith(f"memory/{SNAPSHOTS}/")


def disagreements(listed: Sequence[Member], found: Mapping[str, tuple[int, str]]) -> Iterator[Finding]:
    """Members against what the manifest lists: `found` holds size and hash by name."""
    for one in listed:
        if one.name not in found:
            yield _critical(one.name, "is on the manifest, but not here")
        elif found[one.name] != (one.size, one.sha256):
            yield _critical(one.name, "is not what the manifest lists: it was changed")
    known = {one.name for one in listed}
    for name in sorted(found.keys() - known):
        yield _critical(name, "is here, but not on the manifest")


def signed(raw: bytes, signature: str, manifest: Manifest) -> list[Finding]:
    """Whether the manifest was signed as it says. An empty list if it says that nobody did."""
    if not manifest.key:
        return [_critical(SIGNATURE, "is here, but the manifest names no key")] if signature else []
    if not is_signed(raw, signature, manifest.key):
        return [_critical(MANIFEST, "is not signed with the key that it names: it was changed")]
    return [Finding(level=Check.OK, file=MANIFEST, text=f"signed with {fingerprint(manifest.key)}")]


def trust(manifest: Manifest, listed: Sequence[str], given: str) -> Finding:
    """What the reader can rest on.

    `listed` are the keys of the bundle, oldest first, `given` the fingerprint that the reader knows from elsewhere.
    Whoever has another key can put the home's key behind it on a list of their own; so one that signed before the key
    that the reader knows is not enough.
    """
    if not manifest.key:
        return _unknown("nobody signed it: that it is complete, and what it says of redaction, rests on no signature")
    names = [fingerprint(one) for one in listed]
    if manifest.key not in listed:
        return _critical(MANIFEST, f"is signed with a key that config/{KEYS} does not name")
    mine = names[listed.index(manifest.key)]
    if not given:
        return _unknown(f"nobody has said that {mine} is the right key: compare it with what the home's owner told you "
                        "by another way, and give that with --key")
    if given not in names:
        return _critical(MANIFEST, f"is not of the home with the key that you know: config/{KEYS} does not "
                         f"name {given}")
    if names.index(given) > names.index(mine):
        return _critical(MANIFEST, "is signed with a key that the one that you know had replaced")
    return Finding(level=Check.OK, file=MANIFEST, text="the key that you know vouches for it")


def _critical(file: str, text: str) -> Finding:
    return Finding(level=Check.CRITICAL, file=file, text=text)


def _unknown(text: str) -> Finding:
    return Finding(level=Check.UNKNOWN, file=MANIFEST, text=text)
