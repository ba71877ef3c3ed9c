"""Snapshots by hash, and why others that were asked for are not there. Pure: whoever has the store fills it."""

from collections.abc import Mapping

from vanta.common.errors import StateError


class Absent(StateError):
    """An input that a decision used is not there to be read again."""


class Blobs(dict[str, bytes]):
    """Bytes by hash. `lost` says of a hash what is wrong with its snapshot."""

    def __init__(self, found: Mapping[str, bytes] | None = None) -> None:
        super().__init__(found or {})
        self.lost: dict[str, str] = {}

    def of(self, digest: str, what: str) -> bytes:
        """The bytes. Raises `Absent`, which names them and says why."""
        if digest not in self:
            raise Absent(f"the snapshot of {what} ({digest}) {self.lost.get(digest, 'is missing')}",
                         "Copy memory/snapshots from the host that wrote the log.")
        return self[digest]
