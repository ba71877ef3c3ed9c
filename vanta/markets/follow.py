"""Reading a growing log that somebody else writes: only what is new, only whole lines, and only while its chain holds.

A torn last line is left for the next look. A log that was cut, or whose lines do not follow one another, raises
`Untrusted`: what it said before can no longer be trusted to be what it says now.
"""

from vanta.common.errors import Missing, StateError, Untrusted
from vanta.common.store.chain import START, chain
from vanta.common.store.ports import Files, Head, Record


class Follower:
    """One log, from its first line on. `head` is the end of what was read so far."""

    def __init__(self, files: Files, name: str) -> None:
        self._files = files
        self._name = name
        self.head = START

    def news(self) -> list[Record]:
        """What is new, all or nothing. Raises `Missing` if there is no log, `Untrusted` if it is broken."""
        try:
            data = self._files.read_from(self._name, self.head.size)
            whole = data[:data.rfind(b"\n") + 1]
            found = list(chain(whole, name=self._name, previous=self.head))
        except Missing:
            raise
        except StateError as error:
            raise Untrusted(error.what, f"`vanta verify` names the line; nothing is staged on {self._name} meanwhile."
                            ) from error
        if found:
            self.head = Head(found[-1].seq, found[-1].hash, self.head.size + len(whole))
        return found
