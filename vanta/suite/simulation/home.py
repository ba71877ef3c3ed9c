"""A fresh home for a simulation: what an operator would have to write before the first day.

What is there already is used: `config/vanta.toml`, `config/instruments.json`, `memory/vault.json`,
`memory/vault_overlay.json`. A home whose programs have run is refused, because a simulation starts from nothing.
"""

import orjson

from vanta.common.canonical import document
from vanta.common.errors import OperatorError
from vanta.common.models.configuration import Settings
from vanta.common.models.vault import VaultRegistry
from vanta.common.paths import OVERLAY, PERMIT, STATE, VAULTS, Home
from vanta.common.store import atomic
from vanta.common.store.document import parse

DEFAULT_VAULTS = {"vaults": [{
    "vault_id": "V_CORE", "label": "Core Discretionary", "base_currency": "USD", "capital": "100000",
    "crypto_enabled": True, "fiat_enabled": True, "personas": ["risk_averse", "contrarian", "aggressive"],
    "allocation": {"min_conviction_bp": 100}}]}
"""One vault of 100,000 USD; every limit is the documented default. It acts on weak convictions too, because a recording
holds a small part of what the feeds served, and what is not recorded adds to no conviction."""

ALL_CLEAR = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False,
             "reduce_only": False}

LONGEST_CLOSURE_S = 5 * 86_400
"""New York was never closed for longer since 2004: in October 2012 from Friday evening to Wednesday morning."""

CONFIG = """\
# Written by `vanta simulate`. Both values are what a simulation always runs with.
[executor]
mode = "simulate"

[executor.paper]
fill = "next_quote"
"""

_OPERATORS = frozenset({VAULTS, OVERLAY, PERMIT})


def prepare(home: Home) -> None:
    """Create what is missing. Raises `OperatorError` for a home that has been used or whose vaults do not validate."""
    home.prepare()
    used = [file.name for file in STATE if file.name not in _OPERATORS and _has_bytes(home, file.name)]
    if used:
        raise OperatorError(f"{home.root} has been used: memory/{used[0]} is not empty, and a simulation starts from "
                            "nothing", "Choose an empty folder with --home.")
    config = home.config / "vanta.toml"
    if not config.exists():
        atomic.replace(config, CONFIG.encode())
    if not home.file(VAULTS).exists():
        atomic.replace(home.file(VAULTS), document(DEFAULT_VAULTS))
    parse(atomic.read(home.file(VAULTS)), VaultRegistry, file=str(home.file(VAULTS)))
    if not home.file(OVERLAY).exists():
        atomic.replace(home.file(OVERLAY), orjson.dumps(ALL_CLEAR, option=orjson.OPT_INDENT_2) + b"\n")


def _has_bytes(home: Home, name: str) -> bool:
    path = home.file(name)
    return path.exists() and path.stat().st_size > 0


def simulated(settings: Settings) -> Settings:
    """The settings as a simulation uses them, whatever the file says.

    Paper orders never fill on a price that was known when they were sent. Documents are written after every step, so
    that a moment ends with all of its consequences on file. Intents outlive the longest closure of a venue, because
    what is wanted at a close can only be sent at the next opening.
    """
    paper = settings.executor.paper.model_copy(update={"fill": "next_quote"})
    executor = settings.executor.model_copy(update={"mode": "simulate", "paper": paper, "publish_ms": 0})
    ttl_s = max(settings.markets.intent_ttl_s, LONGEST_CLOSURE_S)
    markets = settings.markets.model_copy(update={"intent_ttl_s": ttl_s})
    return settings.model_copy(update={"executor": executor, "markets": markets})
