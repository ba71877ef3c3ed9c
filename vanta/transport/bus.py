"""A server that keeps messages in streams, as publisher and reader see it. It is only asked and never believed."""

from typing import Any, NamedTuple, Protocol

from vanta.common.errors import StateError
from vanta.common.outside.out import Out
from vanta.transport.core.streams import Stream


class NotTaken(StateError):
    """The server does not take a message: the stream is not there, is full, or takes none of that size."""


class Conflict(NotTaken):
    """Somebody else, or we ourselves before, published after the message that was meant to be the last one."""


class Message(NamedTuple):
    """What lies in a stream, and under which number."""

    seq: int
    body: bytes


class Way(NamedTuple):
    """By which way connections to it leave this host, and what for."""

    out: Out
    purpose: str


class Bus(Protocol):
    """Every call raises `LinkDown` if nobody answers in time; the next one begins anew."""

    def most(self) -> int:
        """How many bytes a message may have."""
        ...

    def publish(self, stream: Stream, body: bytes, *, after: int | None = None, name: str | None = None) -> int:
        """Store a message durably, once. Returns its number; raises `Conflict` or `NotTaken`.

        `after` is the number of the last message that there may be in the stream. Of two messages of one `name` only
        the first is stored.
        """
        ...

    def last(self, stream: Stream) -> Message | None:
        """The last message of a subject."""
        ...

    def from_seq(self, stream: Stream, seq: int, *, count: int, most: int) -> list[Message]:
        """Messages from a number on: at least one if there is one, and hardly more than `most` bytes."""
        ...

    def ensure(self, configuration: dict[str, Any]) -> bool:
        """Make a stream, or change it to be so. Returns whether it is new; raises `NotTaken`."""
        ...

    def close(self) -> None:
        """Let go of the link."""
        ...
