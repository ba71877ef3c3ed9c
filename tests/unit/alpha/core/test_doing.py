"""What a person is told to type so that a program runs: by a unit or not, here or on another host."""

from dataclasses import replace

import pytest

from tests.unit.alpha.core.test_summary import HEALTHY
from vanta.alpha.core.doing import EXECUTOR, PROMOTE, REFLECT, TIDY, collect, doing


@pytest.mark.parametrize(("command", "node", "units", "typed"), [
    (EXECUTOR, "", False, "vanta executor run"),
    (EXECUTOR, "", True, "systemctl start executor-router"),
    (EXECUTOR, "executor", True, "systemctl start executor-router"),
    (EXECUTOR, "alpha", True, "on the executor: systemctl start executor-router"),
    (EXECUTOR, "alpha", False, "on the executor: vanta executor run"),
    (collect("sec"), "", False, "vanta markets collect sec"),
    (collect("sec"), "markets", True, "systemctl start markets-collect@sec"),
    (collect("prices"), "executor", True, "on Markets: systemctl start markets-collect@prices"),
    (REFLECT, "markets", True, "systemctl restart markets-reflector"),
    (PROMOTE, "executor", False, "on Markets: vanta markets promote"),
    (TIDY, "executor", True, "systemctl start vanta-executor-tidy"),
    (TIDY, "alpha", False, "vanta tidy"),
    (TIDY, "", True, "vanta tidy"),
    ("vanta verify", "executor", True, "vanta verify")])
def test_each_program_where_it_belongs(command: str, node: str, units: bool, typed: str) -> None:
    """A unit where there is one, the host where there are several."""
    assert doing(replace(HEALTHY, node=node, units=units), command) == typed
