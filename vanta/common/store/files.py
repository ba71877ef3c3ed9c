"""Documents in a folder, by name."""

from pathlib import Path

from vanta.common.store import atomic


class FolderFiles:
    """The file adapter of `Files`: names are paths below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str) -> bytes:
        """See `Files.read`."""
        return atomic.read(self.folder / name)

    def replace(self, name: str, data: bytes) -> None:
        """See `Files.replace`."""
        atomic.replace(self.folder / name, data)

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        path = self.folder / name
        return path.exists() or path.is_symlink()

    def remove(self, name: str) -> bool:
        """See `Files.remove`."""
        return atomic.remove(self.folder / name)
