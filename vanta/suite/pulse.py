"""Hearing whether a program that was started gets anywhere: the signs of life that systemd would get from a service.

An `Ear` has an address that the program is told as `NOTIFY_SOCKET`. What another process sends there does not count:
the kernel says who sent a message. A program that does not speak is silent.
"""

import socket
import struct
import sys

_SIGNS = frozenset({b"READY=1", b"WATCHDOG=1"})
_CREDENTIALS = struct.Struct("3i")
"""Process, user and group of the sender, as Linux hands them over."""


class Ear:
    """One program's socket. `address` is `None` where there are no such sockets."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self.address: str | None = None
        if sys.platform == "linux":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._socket.bind("")  # a name that nobody else has
            self.address = "@" + self._socket.getsockname()[1:].decode("ascii")

    def heard(self, pid: int) -> bool:
        """Whether process `pid` has said since the last time that it got somewhere."""
        found = False
        while True:
            try:
                message, extra, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
            except OSError:  # there is no more
                return found
            senders = [_CREDENTIALS.unpack(data)[0] for _, _, data in extra]
            found |= senders == [pid] and not _SIGNS.isdisjoint(message.split(b"\n"))

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()
