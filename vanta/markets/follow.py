"""Reading a growing log that somebody else writes: only what is new, only whole lines, and only while its chain holds.

A torn last line is left for the next look. A log that was cut, or whose lines do not follow one another, raises
`StateError`: what it said before can no longer be trusted to be what it says now.
"""

from collections.abc import Iterator

from vanta.common.store.chain import START, chain
from vanta.common.store.ports import Files, Head, Record


class Follower:
    """One log, from its first line on. `head` is the end of what was read so far."""

    def __init__(self, files: Files, name: str) -> None:
        self._files = files
        self._name = name
        self.head = START

    def news(self) -> Iterator[Record]:
        """Records since the last look. Raises `Missing` if there is no log, `StateError` if its chain is broken."""
        data = self._files.read_from(self._name, self.head.size)
        whole = data[:data.rfind(b"\n") + 1]
        seq, last, size = self.head.seq, self.head.hash, self.head.size + len(whole)
        for record in chain(whole, name=self._name, previous=self.head):
            seq, last = record.seq, record.hash
            yield record
        self.head = Head(seq, last, size)
