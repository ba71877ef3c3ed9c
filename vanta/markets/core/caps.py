"""The vault's caps on weights, applied in one order, each naming itself where it bites. Pure.

Decides how much of what personas ask for remains: first each position, then each asset class, then the whole. A cap
shrinks everything under it in proportion; it never raises anything. Weights that are frozen (nobody knows better at
the moment) stay as they are and use up room. Refuses to know who asked and why.

Caps that the executor's fences check too are applied one hundredth below their limit, so that a quote's last move
between plan and order does not break the limit. Weights are millionths of NAV, signed.

Example: limit 0.08 for one position, asked 0.40 → 79,200, "max_single_pos_pct 0.08: 0.4 was asked".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from vanta.common.models.vault import Vault
from vanta.common.money import ONE, ZERO, plain

MILLION = 1_000_000
_ROOM = Decimal("0.99")


@dataclass(slots=True)
class Weight:
    """One instrument's weight while caps are applied. `limits` collects what bit, in words."""

    instrument_id: str
    asset_class: str
    millionths: int
    frozen: bool = False
    limits: list[str] = field(default_factory=list)


def millionths(share: Decimal) -> int:
    """A fraction in millionths, truncated towards zero."""
    return int(share * MILLION)


def invest_share(vault: Vault) -> Decimal:
    """The largest share of NAV that all positions together may plan for."""
    return min(vault.allocation.invest_pct, vault.risk.max_gross_pct * _ROOM, ONE - vault.risk.min_cash_pct)


def apply(weights: Iterable[Weight], vault: Vault) -> None:
    """Shrink the weights until every cap holds."""
    movable = [one for one in weights if not one.frozen]
    frozen = [one for one in weights if one.frozen]
    single = vault.risk.max_single_pos_pct
    for one in movable:
        _shrink([one], 0, single * _ROOM, f"max_single_pos_pct {plain(single)}")
    for name in sorted({one.asset_class for one in movable}):
        share = vault.risk.max_asset_class_pct.get(name, ZERO)
        used = sum(abs(one.millionths) for one in frozen if one.asset_class == name)
        _shrink([one for one in movable if one.asset_class == name], used, share * _ROOM,
                f"max_asset_class_pct {name} {plain(share)}")
    whole, cap = _whole(vault)
    _shrink(movable, sum(abs(one.millionths) for one in frozen), whole, cap)


def _whole(vault: Vault) -> tuple[Decimal, str]:
    whole = invest_share(vault)
    if whole == vault.allocation.invest_pct:
        return whole, f"invest_pct {plain(whole)}"
    if whole == ONE - vault.risk.min_cash_pct:
        return whole, f"min_cash_pct {plain(vault.risk.min_cash_pct)}"
    return whole, f"max_gross_pct {plain(vault.risk.max_gross_pct)}"


def _shrink(group: list[Weight], used: int, limit: Decimal, cap: str) -> None:
    """Bring the group's gross weight down to `limit` less what is `used`, in proportion."""
    asked, room = sum(abs(one.millionths) for one in group), max(0, millionths(limit) - used)
    if asked <= room:
        return
    for one in group:
        if one.millionths:
            size = abs(one.millionths) * room // asked
            one.millionths = size if one.millionths > 0 else -size
            one.limits.append(f"{cap}: {plain(Decimal(asked + used) / MILLION)} was asked")
