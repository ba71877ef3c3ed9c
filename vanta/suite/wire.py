"""The suite's composition root: the adapters behind what it reads."""

from vanta.common.paths import Home
from vanta.common.store.files import FolderFiles
from vanta.common.store.ports import Files


def files(home: Home) -> Files:
    """The documents of a home."""
    return FolderFiles(home.memory)
