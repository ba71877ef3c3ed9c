"""Whose controls may be changed on this host, and where this host's people find what is another one's.

On several hosts a switch that is set where nobody asks for it holds nothing back: whoever tries is told so, with the
exit status of a halt of which nobody knows whether it holds.
"""

from vanta.alpha.facts import node_here
from vanta.common.errors import OperatorError
from vanta.common.exitcodes import Exit
from vanta.common.paths import Home, NodeHome, own


class NotHere(OperatorError):
    """Orders may leave: nothing of this host could stop them."""

    exit_code = Exit.OUTCOME_UNKNOWN


def not_from_markets() -> NotHere:
    """What somebody is told who would halt on Markets."""
    return NotHere("nothing is stopped: this is the node markets, and the executor is on another host",
                   "Run it on the executor's host, or on Alpha's; both are named in config/vanta.toml.")


def here(home: Home) -> NodeHome:
    """The home as its people are to be shown it."""
    return NodeHome(home.root, node_here(home))


def switchable(home: Home) -> Home:
    """A home whose overlay somebody asks for. Raises `NotHere` on Markets."""
    if node_here(own(home)) == "markets":
        raise not_from_markets()
    return home


def editable(home: Home) -> Home:
    """A home whose vaults somebody asks for. Raises `OperatorError` where they are only what arrived of Alpha's."""
    if (node := node_here(own(home))) in ("executor", "markets"):
        raise OperatorError(f"nothing is changed: this is the node {node}, and the vaults are Alpha's",
                            "Run it on Alpha's host.")
    return home
