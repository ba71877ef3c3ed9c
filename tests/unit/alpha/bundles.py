"""Bundles that somebody has been at."""

import zipfile
from pathlib import Path

import msgspec

from vanta.alpha.archive import writing
from vanta.alpha.core.bundle import SIGNATURE, Manifest, Member, decode, encode
from vanta.common.canonical import sha256
from vanta.common.paths import MANIFEST
from vanta.common.signatures import Signer

Members = dict[str, bytes]


def members(path: Path) -> Members:
    """Everything in a bundle, read as anybody would."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, content: Members) -> Path:
    """A bundle of these members, whole as a file."""
    path.unlink(missing_ok=True)
    with writing(path) as archive:
        for name, data in content.items():
            archive.add(name, data)
    return path


def manifest(content: Members) -> Manifest:
    """What it says of itself."""
    return decode(content[MANIFEST])


def listed(content: Members, signer: Signer | None = None, **changes: object) -> Members:
    """The members with a manifest that fits them, signed by whoever does this; unsigned if nobody does."""
    rest = {name: data for name, data in content.items() if name not in (MANIFEST, SIGNATURE)}
    rows = [Member(name=name, size=len(data), sha256=sha256(data)) for name, data in rest.items()]
    raw = encode(msgspec.structs.replace(manifest(content), **{
        "members": rows, "key": signer.public if signer else "", **changes}))
    sig = {SIGNATURE: signer.sign(raw).encode() + b"\n"} if signer else {}
    return {**rest, MANIFEST: raw, **sig}
