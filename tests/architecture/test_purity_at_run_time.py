"""The audit hook that watches core in every test does fire, and only where it should."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.purity import ImpureError


def planted(module: str, body: str) -> Callable[[], Any]:
    """A function as if it stood in `module`."""
    names: dict[str, Any] = {"__name__": module}
    exec(f"def planted():\n    {body}", names)
    function: Callable[[], Any] = names["planted"]
    return function


REACHES = {"a file": "open('/dev/null')", "a folder": "import os; os.listdir('/')", "through a library":
           "import pathlib; pathlib.Path('/dev/null').read_bytes()", "a process": "import subprocess; subprocess.run(['true'])",
           "a name server": "import socket; socket.getaddrinfo('localhost', 80)"}


@pytest.mark.parametrize("body", REACHES.values(), ids=REACHES.keys())
@pytest.mark.parametrize("module", ["vanta.markets.core.canary", "vanta.markets.parsers.canary", "vanta.alpha.core.a.b"])
def test_core_that_reaches_out_fails(module: str, body: str) -> None:
    """Whatever core or a parser touches outside itself, the test that ran it fails."""
    with pytest.raises(ImpureError, match=module):
        planted(module, body)()


@pytest.mark.parametrize("module", ["vanta.markets.collect", "vanta.executor.wire", "tests.unit.x"])
def test_shells_may(module: str) -> None:
    """What is not core may open a file."""
    planted(module, "open('/dev/null').close()")()


def test_lazy_imports_may() -> None:
    """A parser that imports its library when it is first used is still pure."""
    planted("vanta.markets.parsers.canary", "import colorsys")()
