"""Telling systemd how a service is doing: ready, still alive, stopping (the datagrams of sd_notify).

A service that runs outside systemd has no address and all of this does nothing. A datagram that cannot be sent is
no reason to stop trading or collecting, so nothing here raises.

    notifier = Notifier(notify_address())
    notifier.ready("3 feeds")        # Type=notify
    notifier.watchdog()              # only after real progress of the main loop, never from a thread of its own
"""

import socket

_KIND = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK


class Notifier:
    """One address, or none. Each method returns whether somebody was told."""

    def __init__(self, address: str | None) -> None:
        """`address` is the value of `NOTIFY_SOCKET`: a path, or `@name` in the abstract namespace."""
        self._address = "\0" + address[1:] if address and address.startswith("@") else address

    def ready(self, status: str = "") -> bool:
        """Start-up is over. `status` is one line for `systemctl status`."""
        return self._send("READY=1", status)

    def watchdog(self, status: str = "") -> bool:
        """The main loop got somewhere."""
        return self._send("WATCHDOG=1", status)

    def stopping(self, status: str = "") -> bool:
        """Shutting down on purpose."""
        return self._send("STOPPING=1", status)

    def status(self, status: str) -> bool:
        """One line for `systemctl status`; says nothing about progress."""
        return self._send("", status)

    def _send(self, state: str, status: str) -> bool:
        if not self._address:
            return False
        message = "\n".join(([state] if state else []) + ([f"STATUS={' '.join(status.split())}"] if status else []))
        try:
            with socket.socket(socket.AF_UNIX, _KIND) as outlet:
                outlet.sendto(message.encode(), self._address)
        except (OSError, ValueError):
            return False
        return True
