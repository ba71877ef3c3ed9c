"""The operator's overlay as a person may ask about it: who may own the file, and which names its scopes may use."""

import contextlib
import os
from typing import Any

import orjson

from vanta.alpha.core.permission import ways
from vanta.common.errors import VantaError
from vanta.common.models.vault import VaultRegistry
from vanta.common.paths import EXECUTOR_STATE, PORTFOLIO, VAULTS, Home
from vanta.common.registry import Registry
from vanta.common.store.atomic import read
from vanta.common.store.document import parse
from vanta.executor.core.controls import Controls, Known, Scope

NOTHING_KNOWN = Known(vault=frozenset(), broker=frozenset(), instrument=frozenset())


def owners(home: Home) -> set[int]:
    """Who may own an overlay: root, whoever asks, and the owner of the home's state."""
    found = {0, os.geteuid()}
    with contextlib.suppress(OSError):
        found.add(home.memory.stat().st_uid)
    return found


def known(home: Home, controls: Controls) -> Known:
    """Names that a scope may use: vaults and instruments of the home, brokers that its executor last reported.

    Looked up only where there are scopes. Without a home nothing is known, and a scope that names a vault halts.
    """
    if not _has_scopes(home, controls):
        return NOTHING_KNOWN
    return Known(vault=frozenset(_vaults(home)), broker=frozenset(_table(home, EXECUTOR_STATE, "broker_sync")),
                 instrument=frozenset(Registry(home)()))


def open_ways(home: Home, controls: Controls) -> list[Scope]:
    """What orders of the home's vaults may touch; none where there are no scopes or vault.json cannot be read."""
    if not _has_scopes(home, controls):
        return []
    try:
        registry = parse(read(home.file(VAULTS)), VaultRegistry, file=VAULTS)
    except VantaError:
        return []
    return list(ways(registry, Registry(home)().values()))


def _has_scopes(home: Home, controls: Controls) -> bool:
    try:
        return controls.overlay is not None and bool(controls.overlay.scopes) and home.memory.is_dir()
    except OSError:
        return False


def _vaults(home: Home) -> set[str]:
    """Vaults that vault.json names or that the executor keeps a book of."""
    held = {str(key).partition("|")[0] for key in _table(home, PORTFOLIO, "basis")}
    try:
        registry = parse(read(home.file(VAULTS)), VaultRegistry, file=VAULTS)
    except VantaError:
        return held
    return held | {vault.vault_id for vault in registry.vaults}


def _table(home: Home, name: str, field: str) -> dict[str, Any]:
    """A table in one of the executor's documents; none if it is not there, which makes nothing known."""
    try:
        value = orjson.loads(read(home.file(name)))
    except (VantaError, orjson.JSONDecodeError):
        return {}
    table = value.get(field) if isinstance(value, dict) else None
    return table if isinstance(table, dict) else {}
