"""One folder of documents of which some are read elsewhere: what arrived from another host, in its replica.

    RoutedFiles(files, {"vault.json": "replica/alpha/memory/vault.json"})

Readers keep the plain names. A routed name is never written: it is another node's.
"""

from collections.abc import Mapping

from vanta.common.errors import Bug
from vanta.common.store.ports import MAX_BYTES, Files


class RoutedFiles:
    """See `Files`. Names that `routes` does not hold are those of `files`."""

    def __init__(self, files: Files, routes: Mapping[str, str]) -> None:
        self._files, self._routes = files, routes

    def read(self, name: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        """See `Files.read`."""
        return self._files.read(self._routes.get(name, name), max_bytes=max_bytes)

    def read_from(self, name: str, start: int) -> bytes:
        """See `Files.read_from`."""
        return self._files.read_from(self._routes.get(name, name), start)

    def replace(self, name: str, data: bytes) -> None:
        """See `Files.replace`. Raises `Bug` for what is another node's."""
        self._files.replace(self._ours(name), data)

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        return self._files.exists(self._routes.get(name, name))

    def remove(self, name: str) -> bool:
        """See `Files.remove`. Raises `Bug` for what is another node's."""
        return self._files.remove(self._ours(name))

    def _ours(self, name: str) -> str:
        if name in self._routes:
            raise Bug(f"{name} is another node's: it is read from {self._routes[name]} and never written here")
        return name
