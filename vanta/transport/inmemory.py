"""A twin of the other node that lives in memory: its files are set by hand, and its link cut and healed."""

from vanta.common.canonical import sha256
from vanta.common.errors import Missing
from vanta.transport.core.inputs import digest_of
from vanta.transport.core.table import crossings, names
from vanta.transport.port import LinkDown, Refused, Stat, TooLarge, WasCut


class MemoryRemote:
    """`contents` by name, checkpoints of logs under their own. `asked` counts what came over the link.

    `down` cuts it, `breaks_at` at one name; `silent` says that what it shows is old. `begins` says of a log where it
    begins: its first record and byte.
    """

    def __init__(self, source: str, to: str) -> None:
        self.contents: dict[str, bytes] = {}
        self.begins: dict[str, tuple[int, int]] = {}
        self.down = self.silent = ""
        self.breaks_at: str | None = None
        self.asked: list[str] = []
        rows = crossings(source, to)
        self._names = set(names(source, to))
        self._inputs = any(row.inputs for row in rows)
        self._documents = {row.name: row.most for row in rows if row.how != "log"}

    def stat(self, name: str) -> Stat:
        """See `Remote.stat`."""
        raw = self._raw(name)
        if name in self._documents:
            return Stat(len(raw), sha256(raw))
        first, start = self.begins.get(name, (1, 0))
        return Stat(start + len(raw), None, first, start)

    def read(self, name: str, start: int, most: int) -> bytes:
        """See `Remote.read`."""
        raw = self._raw(name)
        if name in self._documents or digest_of(name):
            if len(raw) > most:
                raise TooLarge(f"{name} has {len(raw):,} bytes; at most {most:,} are read")
            return raw
        start -= self.begins.get(name, (1, 0))[1]
        if start > len(raw):
            raise WasCut(f"{name} has {len(raw):,} bytes, fewer than {start:,}")
        return raw[start:start + most]

    def stale(self) -> str:
        """See `Remote.stale`: set by hand."""
        return self.silent

    def close(self) -> None:
        """See `Remote.close`."""

    def _raw(self, name: str) -> bytes:
        self.asked.append(name)
        if self.down or self.breaks_at == name:
            raise LinkDown(self.down or f"at {name}")
        if name not in self._names and not (self._inputs and digest_of(name)):
            raise Refused(f"nobody may see {name[:80]!r}", "Nothing.")
        if name not in self.contents:
            raise Missing(f"{name} does not exist")
        if len(self.contents[name]) > self._documents.get(name, 1 << 62):
            raise TooLarge(f"{name} has {len(self.contents[name]):,} bytes; at most {self._documents[name]:,} are read")
        return self.contents[name]
