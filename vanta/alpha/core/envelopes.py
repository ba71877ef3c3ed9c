"""What `vault.json` allows, and whether another version of it allows more. Pure.

Decides of every field whether a change of it tightens: a smaller maximum, a larger minimum, a longer wait, one more
restricted instrument. Only what is certain to tighten needs no reason; whatever else changes is treated as looser.
Values are those in force: a default that is written out is no change.

    compared(before, after)  ->  [Changed("V_CORE.risk.max_drawdown", "0.12", "0.10", looser=False)]
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel

from vanta.alpha.core.operator_json import ABSENT, compact
from vanta.common.models.vault import Vault, VaultRegistry

HOUSE = "house"
_NEUTRAL = frozenset({"label", "schema_version", "revision", "written_at", "written_by"})
_LOWER = frozenset("""max_drawdown max_daily_loss max_single_pos_pct max_sector_pct max_net_pct max_gross_pct
    max_order_value max_order_quantity max_orders_per_minute max_open_orders max_repeats max_consecutive_losses
    max_adv_pct price_collar_pct max_period_move_pct max_jump_pct max_quote_age_s max_messages_per_minute invest_pct
    max_positions reinvest_pct""".split())
"""Maxima: lower is tighter."""

_HIGHER = frozenset("""min_average_daily_volume repeat_window_s duplicate_window_s reentry_cooldown_s period_s
    min_cash_pct min_conviction_bp""".split())
"""Minima and waits: higher is tighter."""

_FALSE = frozenset({"crypto_enabled", "fiat_enabled", "options_enabled", "allow_short"})
_MORE = frozenset({"restricted"})
_FEWER = frozenset({"permitted"})
_TABLES = frozenset({"max_asset_class_pct"})
"""Tables of maxima whose missing entries allow nothing."""

_CAPS = frozenset({"envelope", "persona_budgets"})
"""Tables of maxima whose missing entries allow everything."""


class Limit(NamedTuple):
    """One field as it is in force: its path below the vault, its value, whether that is the default."""

    path: str
    value: str
    default: bool


class Changed(NamedTuple):
    """One field that is not what it was."""

    path: str
    before: str
    after: str
    looser: bool


def limits(model: BaseModel, path: str = "") -> Iterator[Limit]:
    """Every field in force, nested ones by their path."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        written = name in model.model_fields_set
        if isinstance(value, BaseModel):
            yield from limits(value, f"{path}{name}.")
        else:
            yield Limit(f"{path}{name}", _shown(value), not written)


def compared(before: VaultRegistry, after: VaultRegistry) -> list[Changed]:
    """Every field that changed, vault by vault, the house last. A new vault is looser, one that is gone tighter."""
    found: list[Changed] = []
    old, new = ({vault.vault_id: vault for vault in registry.vaults} for registry in (before, after))
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            found.append(Changed(name, _outline(old[name]), ABSENT, looser=False))
        elif name not in old:
            found.append(Changed(name, ABSENT, _outline(new[name]), looser=True))
        else:
            found += _fields(old[name], new[name], f"{name}.")
    return [*found, *_fields(before.house, after.house, f"{HOUSE}.")]


def dropped(before: VaultRegistry, after: VaultRegistry) -> list[str]:
    """Vaults that are gone."""
    return [vault.vault_id for vault in before.vaults if after.get(vault.vault_id) is None]


def _outline(vault: Vault) -> str:
    return f"{vault.label}, {vault.capital} {vault.base_currency} on {vault.account}"


def _fields(before: BaseModel, after: BaseModel, path: str) -> Iterator[Changed]:
    for name in type(before).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, BaseModel):
            yield from _fields(old, new, f"{path}{name}.")
        elif old != new:
            yield Changed(path + name, _shown(old), _shown(new), looser=not _tighter(name, old, new))


def _tighter(name: str, old: Any, new: Any) -> bool:
    """Whether the change of a field certainly allows nothing that was not allowed before."""
    if name in _LOWER | _HIGHER:
        return bool(new < old) if name in _LOWER else bool(new > old)
    for names, rule in _RULES:
        if name in names:
            return rule(old, new)
    return False


def _stays_within(old: Mapping[str, Decimal], new: Mapping[str, Decimal]) -> bool:
    return all(name in old and share <= old[name] for name, share in new.items())


def _caps_more(old: Mapping[str, Decimal], new: Mapping[str, Decimal]) -> bool:
    return all(name in new and new[name] <= share for name, share in old.items())


def _fewer(old: Sequence[str] | None, new: Sequence[str] | None) -> bool:
    return new is not None and (old is None or set(new) <= set(old))


_RULES: tuple[tuple[frozenset[str], Callable[[Any, Any], bool]], ...] = (
    (_NEUTRAL, lambda _old, _new: True),
    (_FALSE, lambda _old, new: not new),
    (_MORE, lambda old, new: set(old) <= set(new)),
    (_FEWER, _fewer),
    (_TABLES, _stays_within),
    (_CAPS, _caps_more),
)


def _shown(value: Any) -> str:
    if isinstance(value, list | dict | str):
        return value if isinstance(value, str) else compact(value)
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
