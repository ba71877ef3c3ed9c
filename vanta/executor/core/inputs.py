"""What was read last of each thing that decisions rest on: a hash by name, as the log says it. Pure.

Of vault.json the last readable version is remembered beside the newest one: positions are left by it while the file
cannot be read.
"""

from collections.abc import Mapping
from typing import Any

UNREADABLE = "unreadable: "
"""How an input that could not be read is recorded, in place of its hash; the problem follows."""

FAR, LEASE = "overlay of alpha", "lease of alpha"
"""Names, among the inputs, what came from Alpha on another host: its overlay, and its word for what came."""

NOWHERE, HELD = "no other host", "held"
"""How it is recorded that there is no other host (any more), and that the lease counts."""

LAST_VAULTS = "vaults, as last read"
"""Names, among the inputs, the hash of vault.json when it could be read last."""


def take(inputs: dict[str, str], said: Mapping[str, Any]) -> None:
    """Note what a record says that was read."""
    what, digest = str(said["what"]), str(said["sha256"])
    inputs[what] = digest
    if what == "vaults" and not digest.startswith(UNREADABLE):
        inputs[LAST_VAULTS] = digest
