"""Writes who may do what into deploy/nats/vanta.conf, from the transport's table: `python -m scripts.make_nats`."""

from pathlib import Path

from vanta.transport.core import streams
from vanta.transport.core.table import NODES

CONFIGURATION = Path(__file__).resolve().parents[1] / "deploy" / "nats" / "vanta.conf"
_BEGIN, _END = "    users: [\n", "    ]\n  }\n}\n"


def users() -> str:
    """The list of users."""
    found = ""
    for user in (*NODES, streams.ADMIN):
        found += f'      {{ user: "CN={user}"\n        permissions: {{\n          publish: {{ allow: [\n'
        found += "".join(f'            "{subject}"\n' for subject in streams.may_publish(user))
        found += f'          ] }}\n          subscribe: {{ allow: ["{streams.may_hear(user)}"] }}\n        }} }}\n'
    return found


def written() -> str:
    """The whole file as it should be."""
    before, _, _ = CONFIGURATION.read_text("utf-8").partition(_BEGIN)
    return before + _BEGIN + users() + _END


if __name__ == "__main__":
    CONFIGURATION.write_text(written(), "utf-8")
    print(f"wrote {CONFIGURATION}")
