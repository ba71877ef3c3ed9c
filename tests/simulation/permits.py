"""May an order leave under these bytes? An answer of its own, that shares nothing with the executor's.

Written from the rules alone: one strict JSON object, no key twice, no unknown key, the four halting switches present
and literally false (or an object whose `enabled` is), scopes that only tighten and name nothing unknown.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

HALTS = ("maintenance", "orders_disabled", "external_calls_disabled", "full_halt")
SWITCHES = (*HALTS, "reduce_only")
SOFT = ("maintenance", "reduce_only")
FREE = {"reason", "by", "schema_version", "persona_boosts", "flip", "scopes"}


class Order(NamedTuple):
    """What an order touches. `names` holds, by kind of scope, the name that this order has there."""

    names: Mapping[str, str]
    reduces: bool
    at: datetime


class _Refused(Exception):
    """Not a permission."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("a key stands there twice")
    return found


@lru_cache(maxsize=4096)
def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, _Refused):
        return None
    if not isinstance(value, dict) or set(value) - set(SWITCHES) - FREE or not set(HALTS) <= set(value):
        return None
    return value


def _on(name: str, said: Any, at: datetime) -> bool:
    """Whether a switch stops. Whatever is not plainly false does."""
    if said is False:
        return False
    if isinstance(said, dict) and not set(said) - {"enabled", "reason", "by", "until"}:
        if said.get("enabled") is False:
            return False
        if said.get("enabled") is True and name in SOFT and said.get("until"):
            return datetime.fromisoformat(said["until"]) > at
    return True


def allows(raw: bytes | None, order: Order, known: Mapping[str, Collection[str]]) -> bool:
    """Whether these bytes let this order leave. `known` says, by kind of scope, which names exist."""
    value = _parsed(raw) if raw is not None else None
    if value is None:
        return False
    tables = [{name: value[name] for name in SWITCHES if name in value}]
    for kind, scoped in value.get("scopes", {}).items():
        if kind not in known or set(scoped) - set(known[kind]):
            return False
        tables.append(scoped.get(order.names[kind], {}))
    return not any(_on(name, said, order.at) and not (name in SOFT and order.reduces)
                   for table in tables for name, said in table.items())
