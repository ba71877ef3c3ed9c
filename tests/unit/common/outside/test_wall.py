"""Nothing leaves for a host that is off the list, by whatever way its socket is made."""

import asyncio
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.unit.common.outside.servers import LISTED, OTHER, Told, told
from vanta.common.clock import SystemClock
from vanta.common.events import Kind
from vanta.common.notify import Notifier
from vanta.common.outside import wall
from vanta.common.outside.allowed import Allowed
from vanta.common.outside.call import Call, NotAllowed
from vanta.common.outside.ledger import MemoryLedger
from vanta.common.outside.out import Out


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def out(ledger: MemoryLedger) -> Iterator[Out]:
    """A way out that is open to one of this host's addresses only, and to the name `here.test`."""
    with Out(Allowed.of([LISTED, "here.test"], here=False), ledger, SystemClock(), purpose="feed:news") as made:
        yield made


@pytest.fixture
def other() -> Iterator[Told]:
    with told(OTHER) as server:
        yield server


def _connect(server: Told) -> object:
    with closing(socket.socket()) as one:
        one.connect(server.address)
    return None


def _connect_ex(server: Told) -> object:
    with closing(socket.socket()) as one:
        return one.connect_ex(server.address)


def _create(server: Told) -> object:
    with closing(socket.create_connection(server.address)):
        return None


def _send_to(server: Told) -> object:
    with closing(socket.socket(type=socket.SOCK_DGRAM)) as one:
        return one.sendto(b"x", server.address)


def _send_message(server: Told) -> object:
    with closing(socket.socket(type=socket.SOCK_DGRAM)) as one:
        return one.sendmsg([b"x"], (), 0, server.address)


def _mapped(server: Told) -> object:
    with closing(socket.socket(socket.AF_INET6)) as one:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        one.connect((f"::ffff:{server.address[0]}", server.address[1]))
    return None


def _in_a_loop(server: Told) -> object:
    async def open_() -> object:
        return await asyncio.open_connection(*server.address)

    return asyncio.run(open_())


def _library(server: Told) -> object:
    return urllib.request.urlopen(server.url)


WAYS: list[Callable[[Told], object]] = [_connect, _connect_ex, _create, _send_to, _send_message, _mapped, _in_a_loop,
                                        _library]


@pytest.mark.parametrize("way", WAYS)
def test_an_address_off_the_list_is_refused_before_any_packet(way: Callable[[Told], object], out: Out, other: Told,
                                                              ledger: MemoryLedger) -> None:
    """The server sees nobody, and one line says that somebody tried."""
    with pytest.raises(NotAllowed, match=r"127\.0\.0\.2 is not among the hosts"):
        way(other)
    assert ledger.calls == [Call(Kind.CALL_REFUSED, OTHER, "feed:news", "off_list")]
    out.close()
    assert other.came(0)


def test_without_a_wall_the_same_ways_lead_there(other: Told, out: Out) -> None:
    """So it is the wall that refuses; and it is down when the way out is closed."""
    out.close()
    _connect(other)
    _library(other).close()  # type: ignore[attr-defined]
    assert other.came(2)


@pytest.mark.parametrize("ask", [lambda name: socket.getaddrinfo(name, 80), socket.gethostbyname,
                                 socket.gethostbyname_ex, lambda name: socket.create_connection((name, 80))])
@pytest.mark.usefixtures("out")
def test_a_name_off_the_list_is_not_even_resolved(ask: Callable[[str], object], ledger: MemoryLedger) -> None:
    """A question to a name server leaves the host too, and can carry anything."""
    with pytest.raises(NotAllowed, match=r"secret\.example\.org is not among"):
        ask("secret.example.org")
    assert [one.host for one in ledger.calls] == ["secret.example.org"]


@pytest.mark.usefixtures("out")
def test_an_address_is_not_asked_for_its_name() -> None:
    """That is a question to a name server as well."""
    with pytest.raises(NotAllowed):
        socket.getnameinfo((OTHER, 80), 0)
    with pytest.raises(NotAllowed):
        socket.gethostbyaddr(OTHER)


def test_what_a_permitted_name_resolves_to_is_permitted(out: Out, other: Told) -> None:
    """As long as the name is; another name at the same address is none that was resolved."""
    resolve = wall.remembering(lambda host, *_: [(socket.AF_INET, 1, 6, "", (OTHER, 80))])
    assert resolve("HERE.test.", 80)
    _connect(other)
    out.allowed = Allowed.of([LISTED], here=False)
    with pytest.raises(NotAllowed):
        _connect(other)
    out.close()
    assert other.came(1)


def test_addresses_of_long_ago_are_forgotten(out: Out) -> None:
    """A program that runs for months resolves the same names to ever other addresses."""
    many = [(socket.AF_INET6, 1, 6, "", (f"2001:db8::{number:x}", 80, 0, 0))
            for number in range(wall.MOST_REMEMBERED + 1)]
    wall.remembering(lambda *_: many)("here.test", 80)
    with closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as one:
        with pytest.raises(NotAllowed):
            wall.look("socket.sendto", (one, ("2001:db8::", 80)))
        wall.look("socket.sendto", (one, (f"2001:db8::{wall.MOST_REMEMBERED:x}", 80)))
    assert out.allowed.permits("here.test")


@pytest.mark.usefixtures("out")
def test_sockets_of_this_host_go_on_working(tmp_path: Any) -> None:
    """Systemd's datagrams, pairs, and a listener of our own; a socket that was connected before sends on."""
    path = str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(path)
        assert Notifier(path).ready("up")
        assert systemd.recv(100).startswith(b"READY=1")
    one, two = socket.socketpair()
    with closing(one), closing(two):
        one.sendmsg([b"x"])
        assert two.recv(1) == b"x"


def test_this_host_is_permitted_unless_it_is_said_otherwise(ledger: MemoryLedger, other: Told) -> None:
    """Gateways and local servers are here."""
    with Out(Allowed.of([]), ledger, SystemClock()):
        _connect(other)
        assert socket.getaddrinfo("localhost", 80)
        assert socket.getaddrinfo(None, 80)
    assert ledger.calls == []


@pytest.mark.usefixtures("out")
def test_the_hook_looks_at_what_leaves_and_at_nothing_else() -> None:
    """Called as Python calls it: in there no line of it is measured."""
    wall._hook("open", ("/etc/hosts", "r", 0))
    wall._hook("socket.bind", (None, (OTHER, 80)))
    with closing(socket.socket()) as one:
        wall._hook("socket.sendmsg", (one, None))  # it was looked at when it was connected
        wall._hook("socket.connect", (one, (LISTED, 80)))
        with pytest.raises(NotAllowed):
            wall._hook("socket.connect", (one, (OTHER, 80)))
    with pytest.raises(NotAllowed):
        wall._hook("socket.getaddrinfo", ("x.example.org", 80, 0, 0, 0))
    with pytest.raises(NotAllowed):
        wall._hook("socket.getnameinfo", ((OTHER, 80),))


@pytest.mark.usefixtures("out")
def test_other_kinds_of_sockets_are_refused() -> None:
    """What is neither of this host nor of the internet is not known to stay here."""
    with (closing(socket.socket()) as one, closing(socket.socket(40, socket.SOCK_STREAM, 0, one.detach())) as odd,
          pytest.raises(NotAllowed, match="another kind")):
        wall.look("socket.connect", (odd, (2, 1)))


@pytest.mark.usefixtures("out")
def test_what_a_class_says_of_its_sockets_does_not_count() -> None:
    """Only what the socket was made as: a library may derive from it."""
    class Local(socket.socket):
        family = socket.AF_UNIX

    with closing(Local(socket.AF_INET)) as one, pytest.raises(NotAllowed):
        one.connect((OTHER, 80))


def test_what_one_wall_permits_goes_through_beside_another(out: Out, other: Told) -> None:
    """Two programs in one process: each asks its own hosts."""
    with Out(Allowed.of([OTHER], here=False), MemoryLedger(), SystemClock()):
        _connect(other)
    wall.lower(out)
    wall.lower(out)
    assert other.came(1)


def test_every_thread_is_behind_the_wall(out: Out, other: Told) -> None:
    """Streams and event loops have threads of their own."""
    found: list[BaseException] = []

    def go() -> None:
        try:
            _connect(other)
        except NotAllowed as error:
            found.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    out.close()
    assert len(found) == 1
    assert other.came(0)
