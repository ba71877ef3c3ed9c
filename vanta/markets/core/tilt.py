"""Who has how much say in a vault right now: persona shares, boosts, and a flip while it lasts. Pure.

Decides the share of each persona that a vault employs (equal, shifted by the operator's boosts, never below 0, always
10,000 basis points together) and whether a flip is in force. Refuses to know convictions and prices. Halts are the
executor's business and stop nothing here, so that no exit is lost; but any halt or `reduce_only` in scope ends a flip.

Example: three personas are 3,334/3,333/3,333; a boost of 0.10 for the third makes 3,031/3,030/3,939.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import get_args

from vanta.common.models.overlay import Flip, Overlay, SwitchName, SwitchValue
from vanta.common.models.vault import PersonaName, Vault, persona_name
from vanta.common.money import split_by_largest_remainder
from vanta.common.times import parse_iso

_WHOLE = 10_000
_END_BY_THEMSELVES = ("maintenance", "reduce_only")


def shares(names: Sequence[PersonaName], boosts: Mapping[str, Decimal]) -> dict[PersonaName, int]:
    """Basis points of say by persona, in the vault's order. If boosts leave nobody anything, they are ignored."""
    equal = split_by_largest_remainder(_WHOLE, [1] * len(names))
    boosted = [max(0, share + _boost(name, boosts)) for name, share in zip(names, equal, strict=True)]
    if not any(boosted):
        boosted = equal
    return dict(zip(names, split_by_largest_remainder(_WHOLE, boosted), strict=True))


def _boost(name: PersonaName, boosts: Mapping[str, Decimal]) -> int:
    return sum(int(boost * _WHOLE) for given, boost in boosts.items() if persona_name(given) == name)


@dataclass(frozen=True, slots=True)
class ActiveFlip:
    """A flip in force: whose view, on what share of NAV (basis points), how much raised, until when."""

    flip_id: str
    persona: PersonaName
    slice_bp: int
    amplify_bp: int
    ends: datetime


def active_flip(overlay: Overlay | None, vault: Vault, now: datetime) -> tuple[ActiveFlip | None, str | None]:
    """The flip of a vault at `now`, or `None` and, where one was asked for, why it does nothing."""
    flip = overlay.flip if overlay else None
    if overlay is None or flip is None or flip.vault != vault.vault_id:
        return None, None
    why = _inert(flip, overlay, vault, now)
    if why is not None:
        return None, f"flip {flip.flip_id} does nothing: {why}"
    return ActiveFlip(flip.flip_id, persona_name(flip.persona), int(flip.slice * _WHOLE), int(flip.amplify * _WHOLE),
                      _end(flip)), None


def _end(flip: Flip) -> datetime:
    return parse_iso(flip.started_at) + timedelta(minutes=flip.ttl_min)


def _inert(flip: Flip, overlay: Overlay, vault: Vault, now: datetime) -> str | None:
    if now < parse_iso(flip.started_at):
        return "it starts later"
    if now >= _end(flip):
        return "its time is over"
    if persona_name(flip.persona) not in vault.persona_names():
        return f"{vault.vault_id} does not employ {flip.persona}"
    scoped = overlay.scopes.get("vault", {}).get(vault.vault_id, {})
    for name in get_args(SwitchName):
        if _on(name, getattr(overlay, name), now) or _on(name, scoped.get(name, False), now):
            return f"{name} is on"
    return None


def _on(name: SwitchName, value: SwitchValue, now: datetime) -> bool:
    if isinstance(value, bool):
        return value
    ended = name in _END_BY_THEMSELVES and value.until is not None and parse_iso(value.until) <= now
    return value.enabled and not ended
