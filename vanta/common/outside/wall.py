"""No library of this process reaches a host that is off the list, by whatever way it opens its sockets.

Python tells an audit hook of every name that is to be resolved and every address that is to be connected or sent to,
before it happens; the hook refuses by raising. An address is permitted if it is on the list itself, or if a name that
is permitted was resolved to it, which `socket.getaddrinfo` is made to remember. Whoever resolves by another way gets an
address that nobody remembers, and is refused. Sockets within this host (unix, netlink) are left alone.

The hook stays for the life of the process, as Python has it; it refuses while at least one wall is up, whatever none of
them permits. It does not see what other programs do, or code that makes its sockets without Python: those are the
packet filter's (`deploy/nftables`).
"""

import socket
import sys
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol

from vanta.common.outside.allowed import Allowed, same
from vanta.common.outside.call import NotAllowed

MOST_REMEMBERED = 4096
_LOCAL = frozenset({socket.AF_UNIX, socket.AF_NETLINK})
_NAMED = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_SENT = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class Wall(Protocol):
    """Who is asked what is permitted, and told what was refused."""

    allowed: Allowed

    def refused(self, host: str) -> None:
        """Something asked for a host that nobody permits."""
        ...


_up: list[Wall] = []
_resolved: "OrderedDict[str, set[str]]" = OrderedDict()
_lock = Lock()
_built = False


def raise_around(wall: Wall) -> None:
    """From now on nothing leaves that no wall permits."""
    global _built  # noqa: PLW0603 - a process has one hook
    with _lock:
        if not _built:
            _built = True
            socket.getaddrinfo = remembering(socket.getaddrinfo)
            sys.addaudithook(_hook)
        _up.append(wall)


def lower(wall: Wall) -> None:
    """Take a wall down again."""
    with _lock:
        if wall in _up:
            _up.remove(wall)


def remembering(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """`resolve` that remembers to which addresses a name was resolved, while a wall is up."""
    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        found = resolve(host, *rest, **named)
        if _up and host is not None:
            _remember(same(host), [same(row[4][0]) for row in found])
        return found
    return getaddrinfo


def _remember(name: str, addresses: list[str]) -> None:
    with _lock:
        for address in addresses:
            _resolved.setdefault(address, set()).add(name)
            _resolved.move_to_end(address)
        while len(_resolved) > MOST_REMEMBERED:
            _resolved.popitem(last=False)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Every event of the process comes by here: what is no socket's has to cost nothing."""
    if _up and event.startswith("socket."):
        look(event, arguments)


def look(event: str, arguments: tuple[Any, ...]) -> None:
    """Raises `NotAllowed` if what is about to happen would reach somebody whom no wall permits."""
    if event in _NAMED:
        _insist(arguments[0])
    elif event == "socket.getnameinfo":
        _insist(arguments[0][0])
    elif event in _SENT and (family := _family(arguments[0])) not in _LOCAL and arguments[1] is not None:
        inet = family in (socket.AF_INET, socket.AF_INET6)
        _insist(arguments[1][0] if inet else "a socket of another kind")


def _family(one: Any) -> int:
    """What the socket was made as, whatever a class that was made from `socket.socket` says of itself."""
    return int(socket.SocketType.family.__get__(one))


def _insist(host: Any) -> None:
    plain, walls = same(host), tuple(_up)
    names = (plain, *_resolved.get(plain, ()))
    if not walls or any(wall.allowed.permits(name) for wall in walls for name in names):
        return
    walls[-1].refused(plain)
    raise NotAllowed(plain)
