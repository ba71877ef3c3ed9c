"""Whom a program may ask: names of hosts, and addresses. Pure.

    Allowed.of(["www.sec.gov"]).permits("WWW.sec.gov.")  ->  True

This host itself is always permitted: gateways, local servers and systemd are here. A name is compared as a whole;
whoever needs `b.example.org` beside `example.org` writes both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Allowed:
    """`names` as `same` spells them; `None` permits everybody. `here`: whether this host itself is permitted."""

    names: frozenset[str] | None
    here: bool = True

    @classmethod
    def of(cls, hosts: Iterable[str], *, here: bool = True) -> "Allowed":
        """The hosts as they are written in settings and addresses."""
        return cls(frozenset(map(same, hosts)), here)

    def permits(self, host: object) -> bool:
        """Whether a name or an address may be asked."""
        if self.names is None:
            return True
        plain = same(host)
        return plain in self.names or (self.here and is_here(plain))


def same(host: object) -> str:
    """One spelling of a name or an address: lower case, no trailing dot, no brackets, no zone, no mapped IPv4.

    Only an address with colons has a zone: `127.0.0.1%x.evil.org` is a name, which resolvers are free to ask for.
    """
    text = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host or "")
    text = text.strip("[]").rstrip(".").lower()
    try:
        address = ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        return text
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def is_here(plain: str) -> bool:
    """Whether `plain` is this host itself: nothing leaves it."""
    if plain in ("", "localhost"):
        return True
    try:
        address = ip_address(plain)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def host_of(address: str) -> str:
    """The host of an address of any scheme, empty if it names none."""
    try:
        return same(urlsplit(address).hostname)
    except ValueError:
        return ""
