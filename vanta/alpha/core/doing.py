"""How a program of a node is set going: by its unit where the host has units, else by its command; and where. Pure.

A program that is started by hand on a host with units runs without its sandbox and without its credentials, beside the
unit that is meant to run; one of another node's has no business here at all.

Example: `prices` is stale, seen from an executor with units -> "on Markets: systemctl start markets-collect@prices".
"""

from vanta.alpha.core.sights import Facts

EXECUTOR, REFLECT, PROMOTE, TIDY = ("vanta executor run", "vanta markets reflect", "vanta markets promote",
                                    "vanta tidy")
_COLLECT = "vanta markets collect "
_WHERE = {"executor": "on the executor: ", "markets": "on Markets: "}


def collect(feed: str) -> str:
    """A pass of a feed."""
    return f"{_COLLECT}{feed}"


def doing(facts: Facts, command: str) -> str:
    """What to type for one of these, or the plain command of any other program."""
    unit, node = _unit(facts.node, command)
    if not node:
        return command
    where = _WHERE[node] if facts.node not in ("", node) else ""
    return where + (unit if facts.units else command)


def _unit(here: str, command: str) -> tuple[str, str]:
    """The unit's command, and whose it is; empty where it is nobody's in particular."""
    if command == EXECUTOR:
        return "systemctl start executor-router", "executor"
    if command in (REFLECT, PROMOTE):
        return "systemctl restart markets-reflector", "markets"
    if command.startswith(_COLLECT):
        return f"systemctl start markets-collect@{command.removeprefix(_COLLECT)}", "markets"
    if command == TIDY and here in ("alpha", "executor", "markets"):
        return f"systemctl start vanta-{here}-tidy", here
    return "", ""
