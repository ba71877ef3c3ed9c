"""A place that keeps files under names: each is put once, and never written over. A folder now, an object store later.

Every call raises `StateError` if the place cannot be reached or holds something else than it should.
"""

from collections.abc import Iterator
from typing import Protocol


class Archive(Protocol):
    """Names are words of `[A-Za-z0-9._-]` with slashes between them."""

    def put(self, name: str, data: bytes) -> bool:
        """Keep it, durably, and look at what arrived. Returns whether it is new; other bytes of that name raise."""
        ...

    def size(self, name: str) -> int | None:
        """How many bytes are kept under a name, `None` for nothing."""
        ...

    def get(self, name: str) -> bytes:
        """What is kept. Raises `Missing`."""
        ...

    def names(self, folder: str) -> Iterator[str]:
        """Every name in a folder, in order."""
        ...
