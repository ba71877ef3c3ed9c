"""Documents in a folder, by name."""

from pathlib import Path

from vanta.common.store import atomic, segments
from vanta.common.store.ports import MAX_BYTES


class FolderFiles:
    """The file adapter of `Files`: names are paths below one folder.

    `durable=False` leaves out the syncs: only for a run that can be made again from its inputs.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self._durable = durable

    def read(self, name: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        """See `Files.read`."""
        return atomic.read(self.folder / name, max_bytes=max_bytes)

    def read_from(self, name: str, start: int) -> bytes:
        """See `Files.read_from`."""
        return segments.whole(self.folder / name, start)

    def replace(self, name: str, data: bytes) -> None:
        """See `Files.replace`."""
        atomic.replace(self.folder / name, data, durable=self._durable)

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        path = self.folder / name
        return path.exists() or path.is_symlink()

    def remove(self, name: str) -> bool:
        """See `Files.remove`."""
        return atomic.remove(self.folder / name)
