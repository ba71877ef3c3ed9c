"""Hosts on a wire of their own: a namespace with a bridge in it, one namespace a host, nothing of this machine's."""

import os
from contextlib import suppress

from tests.nodes.image import run

NET = "10.199.0"


class Network:
    """`ip netns` names begin with a tag of this process, so that two runs do not meet."""

    def __init__(self) -> None:
        self._tag = f"vt{os.getpid()}"
        self._wire = f"{self._tag}w"
        self.addresses: dict[str, str] = {}
        run("ip", "netns", "add", self._wire)
        run("ip", "-n", self._wire, "link", "set", "lo", "up")
        run("ip", "-n", self._wire, "link", "add", "bridge", "type", "bridge")
        run("ip", "-n", self._wire, "link", "set", "bridge", "up")

    def plug(self, host: str) -> str:
        """Give a host its namespace and address. Returns the namespace's path."""
        space = f"{self._tag}{host[0]}"
        self.addresses[host] = f"{NET}.{11 + len(self.addresses)}"
        run("ip", "netns", "add", space)
        run("ip", "-n", self._wire, "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", space)
        run("ip", "-n", self._wire, "link", "set", host, "master", "bridge")
        run("ip", "-n", self._wire, "link", "set", host, "up")
        run("ip", "-n", space, "addr", "add", f"{self.addresses[host]}/24", "dev", "eth0")
        run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "-n", space, "link", "set", "eth0", "up")
        return f"/run/netns/{space}"

    def cut(self, host: str) -> None:
        """Pull the plug of a host. Its own side does not notice."""
        run("ip", "-n", self._wire, "link", "set", host, "nomaster")

    def heal(self, host: str) -> None:
        """Put it back."""
        run("ip", "-n", self._wire, "link", "set", host, "master", "bridge")

    def close(self) -> None:
        """Take everything away."""
        for space in [*(f"{self._tag}{host[0]}" for host in self.addresses), self._wire]:
            with suppress(AssertionError):
                run("ip", "netns", "del", space)
