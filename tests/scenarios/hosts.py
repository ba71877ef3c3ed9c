"""What a host gets from `vanta install`, rendered for tests, and the real tools that look at it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vanta.alpha.core.placing import NODES, Piece, Place, pieces, render
from vanta.alpha.installer import shipped

UNITS = "/etc/systemd/system/"
PROGRAMS = str(Path(sys.executable).parent)
"""Where this environment has `vanta`, so that a unit's program can be looked for."""


def tool(name: str) -> str:
    """The real program; without it the test is skipped, and says so."""
    found = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        pytest.skip(f"{name} is not on this host")
    return found


def ask(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a tool to its end."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **environment})


def place(node: str, home: str = "/opt/vanta", programs: str = PROGRAMS) -> Place:
    return Place(node, home, programs)


def rendered(node: str, under: str, where: Place | None = None) -> dict[str, str]:
    """Every file of a node whose target begins with `under`, by the rest of its target."""
    given = where or place(node)
    return {piece.target.removeprefix(under): render(shipped(piece.source), given)
            for piece in pieces(node, given.home) if piece.target.startswith(under)}


def everything() -> list[tuple[str, Piece]]:
    """Every piece of every node."""
    return [(node, piece) for node in NODES for piece in pieces(node, "/opt/vanta")]


def units(folder: Path) -> list[str]:
    """Write all units of all nodes into a folder, templates as an instance as well. Returns what can be looked at."""
    names = []
    for node in NODES:
        for name, text in rendered(node, UNITS).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
            if "/" not in name:
                instance = name.replace("@.", "@sec.")
                (folder / instance).write_text(text)
                names.append(instance)
    return sorted(set(names))
