"""What does a flip change? The weights that a vault's personas ask for, with it and without it. Pure.

Decides nothing: it asks the allocator's own rule twice. Caps, frozen targets and NAV come after this and are the same
either way.

Example: a slice of 0.10 for Apollo, who alone sees AAPL: AAPL is asked for at 450 basis points instead of 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vanta.common.instruments import Instrument
from vanta.common.models.conviction import Conviction
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import PersonaName, Vault
from vanta.markets.core import tilt
from vanta.markets.core.asks import expired, fill, open_asks
from vanta.markets.core.caps import MILLION
from vanta.markets.core.logistic import Strength
from vanta.markets.core.persona import PersonaCard

_WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked for of one instrument, in basis points of NAV before any cap; negative is short."""

    instrument_id: str
    without_bp: int
    with_bp: int


@dataclass(frozen=True, slots=True)
class FlipPreview:
    """The flip in force, its vault, and what it changes, the largest change first."""

    vault_id: str
    flip: tilt.ActiveFlip
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who is asked about what: the vault under this overlay, its instruments by entity, and how personas read."""

    vault: Vault
    overlay: Overlay
    instruments: Mapping[str, Sequence[Instrument]]
    cards: Mapping[PersonaName, PersonaCard]
    strength: Strength


def _bp(weight: int) -> int:
    """Millionths as basis points, truncated towards zero."""
    size = abs(weight) * _WHOLE // MILLION
    return size if weight > 0 else -size


def flipped(convictions: Sequence[Conviction], flip: tilt.ActiveFlip, who: Asked, *, now: datetime) -> FlipPreview:
    """What the flip changes at `now`."""
    vault, overlay = who.vault, who.overlay
    fresh = [row for row in convictions if not expired(row, now)]
    shares = tilt.shares(vault.persona_names(), overlay.persona_boosts)
    asked = []
    for one in (None, flip):
        asks, _ = open_asks(fresh, vault, who.instruments, (who.cards, who.strength))
        fill(asks, vault, shares, one)
        asked.append({ask.instrument.instrument_id: _bp(ask.total) for ask in asks})
    found = [Change(name, asked[0][name], asked[1][name]) for name in asked[0] if asked[0][name] != asked[1][name]]
    return FlipPreview(vault.vault_id, flip, tuple(
        sorted(found, key=lambda one: (-abs(one.with_bp - one.without_bp), one.instrument_id))))
