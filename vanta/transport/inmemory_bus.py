"""A twin of the server that lives in memory: its link is cut at a given call, before or after that has its effect."""

from typing import Any

from vanta.transport.bus import Conflict, Message, NotTaken
from vanta.transport.core.streams import Stream
from vanta.transport.port import LinkDown


class MemoryBus:
    """`messages` by stream: number, subject, name, body. `cut_in` more calls are answered.

    `takes_effect`: the call in which the link is cut is carried out, only its answer is lost.
    """

    def __init__(self, most: int = 1 << 20) -> None:
        self.messages: dict[str, list[tuple[int, str, str | None, bytes]]] = {}
        self.kept: dict[str, int] = {}
        self.cut_in: int | None = None
        self.takes_effect = False
        self.calls = 0
        self._most = most

    def most(self) -> int:
        """See `Bus.most`."""
        self._asked()
        return self._most

    def publish(self, stream: Stream, body: bytes, *, after: int | None = None, name: str | None = None) -> int:
        """See `Bus.publish`."""
        lost = self._asked(effect=True)
        seq = self._publish(stream, body, after, name)
        if lost:
            raise LinkDown("cut")
        return seq

    def _publish(self, stream: Stream, body: bytes, after: int | None, name: str | None) -> int:
        if stream.name not in self.messages:
            raise NotTaken(f"there is no stream {stream.name}")
        if len(body) > self._most:
            raise NotTaken(f"more than {self._most:,} bytes")
        held = self.messages[stream.name]
        last = held[-1][0] if held else 0
        if after is not None and after != last:
            raise Conflict(f"the last message is {last}")
        for seq, _, before, _ in held:
            if name is not None and before == name:
                return seq
        if self.kept[stream.name] == 1:
            held[:] = [one for one in held if one[1] != stream.subject]
        held.append((last + 1, stream.subject, name, body))
        return last + 1

    def last(self, stream: Stream) -> Message | None:
        """See `Bus.last`."""
        self._asked()
        found = [one for one in self.messages.get(stream.name, ()) if one[1] == stream.subject]
        return Message(found[-1][0], found[-1][3]) if found else None

    def from_seq(self, stream: Stream, seq: int, *, count: int, most: int) -> list[Message]:
        """See `Bus.from_seq`."""
        self._asked()
        found, size = list[Message](), 0
        for one in self.messages.get(stream.name, ()):
            if one[0] >= seq:
                if found and (len(found) >= count or size + len(one[3]) > most):
                    break
                found.append(Message(one[0], one[3]))
                size += len(one[3])
        return found

    def ensure(self, configuration: dict[str, Any]) -> bool:
        """See `Bus.ensure`."""
        self._asked()
        name = configuration["name"]
        self.kept[name] = configuration["max_msgs_per_subject"]
        return name not in self.messages and self.messages.setdefault(name, []) == []

    def close(self) -> None:
        """See `Bus.close`."""

    def _asked(self, *, effect: bool = False) -> bool:
        """Count a call. Raises `LinkDown`, or returns whether its answer is lost."""
        self.calls += 1
        if self.cut_in is None:
            return False
        self.cut_in -= 1
        if self.cut_in >= 0:
            return False
        self.cut_in = None
        if effect and self.takes_effect:
            return True
        raise LinkDown("cut")
