"""Which host this is, and which account: names for records.

A host's short name stays the same as long as the host is installed, and says nothing about it.
"""

import hashlib
import os
import pwd
from pathlib import Path

MACHINE_ID = Path("/etc/machine-id")


def host_id(source: Path = MACHINE_ID) -> str:
    """Sixteen hex digits made from the machine id, which is not to be shown; empty where a host has none."""
    try:
        text = source.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return hashlib.sha256(f"vanta {text}".encode()).hexdigest()[:16] if text else ""


def account() -> str:
    """The name of the account that runs this, or its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
