"""The snapshots of a home that was laid out from a bundle: originals, and redacted copies in the place of others.

A copy answers to the name of its original, so that what was decided on it can be decided again; how many of them stand
in for originals, verification and replay say.
"""

from vanta.alpha.core.bundle import Manifest, decode
from vanta.common.canonical import sha256
from vanta.common.errors import Missing, StateError
from vanta.common.paths import MANIFEST, REDACTED, Home
from vanta.common.store.atomic import read
from vanta.common.store.ports import Snapshots


class WithCopies:
    """See the module's contract. `copies` are the hashes of the copies by those of the originals."""

    def __init__(self, home: Home, store: Snapshots) -> None:
        self._home, self._store = home, store
        found = manifest_of(home)
        self.copies = {one.sha256: one.copy for one in found.redacted} if found else {}

    def get(self, digest: str) -> bytes:
        """See `Snapshots.get`."""
        if digest not in self.copies or self._store.has(digest):
            return self._store.get(digest)
        raw = read(self._home.memory / REDACTED / digest)
        if sha256(raw) != self.copies[digest]:
            raise StateError(f"the redacted copy of {digest} is not the one that the manifest lists")
        return raw

    def has(self, digest: str) -> bool:
        """See `Snapshots.has`."""
        return digest in self.copies or self._store.has(digest)

    def put(self, data: bytes) -> str:
        """Nothing is put here. Raises `StateError`."""
        raise StateError(f"{sha256(data)[:12]} is not put into {self._home.root}: it was laid out from a bundle")


def manifest_of(home: Home) -> Manifest | None:
    """What a bundle said of itself, `None` if it is gone or is none; verification says what is wrong with it."""
    try:
        return decode(read(home.root / MANIFEST))
    except (Missing, StateError):
        return None
