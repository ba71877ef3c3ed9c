"""What was read last of each thing that decisions rest on: a hash by name, as the log says it. Pure.

Of the operator's files the last valid version is remembered beside the newest one: positions are left by vault.json as
it was while the file cannot be read, and an edit is told by what was valid before it. Half a file that was saved in
between is nothing that anything could be compared with.
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
"""Names, among the inputs, the hash of vault.json when it was valid last."""

READ_LAST = {"overlay": "overlay, as last read", "vaults": LAST_VAULTS}
"""The same of every file that an operator edits."""


def take(inputs: dict[str, str], said: Mapping[str, Any]) -> None:
    """Note what a record says that was read."""
    what, digest = str(said["what"]), str(said["sha256"])
    inputs[what] = digest
    if what in READ_LAST and not digest.startswith(UNREADABLE) and not said.get("problem"):
        inputs[READ_LAST[what]] = digest
