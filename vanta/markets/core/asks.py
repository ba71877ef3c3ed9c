"""What each persona would hold, before any cap. Pure.

Decides which instrument stands for an entity in a vault, which convictions a persona acts on, and how it splits its
part of the vault over them. Refuses to know NAV, holdings and caps. Weights are millionths of NAV, signed.

| mode | a persona's weight for a conviction |
|---|---|
| proportional | the share to invest, split in proportion to the convictions it acts on |
| banded | what `bands` gives from that conviction on |

A flip moves a slice of NAV from everybody to one persona, whose own weights are raised by `amplify` inside the slice.

Example: invest 0.80, one persona, convictions of 3,000 and 1,000 bp → 600,000 and 200,000.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vanta.common.instruments import Instrument
from vanta.common.models.conviction import Conviction
from vanta.common.models.vault import PersonaName, Vault
from vanta.common.times import parse_iso
from vanta.markets.core.caps import MILLION, invest_share, millionths
from vanta.markets.core.logistic import Strength
from vanta.markets.core.persona import PersonaCard, PersonaView, view
from vanta.markets.core.tilt import ActiveFlip

_WHOLE = 10_000


@dataclass(slots=True)
class Ask:
    """One conviction that the vault could act on, what personas think of it and what they ask for.

    `flipped` is the part of the total that the flip `flip_id` asked for.
    """

    instrument: Instrument
    conviction: Conviction
    views: Mapping[PersonaName, PersonaView]
    asks: dict[PersonaName, int] = field(default_factory=dict)
    flipped: int = 0
    flip_id: str | None = None

    @property
    def total(self) -> int:
        """What all personas together ask for."""
        return sum(self.asks.values())


def resolve(entity: str, vault: Vault, instruments: Mapping[str, Sequence[Instrument]]) -> Instrument | None:
    """The first instrument of an entity that the vault may trade, in its own currency, on an open rail."""
    return next((one for one in instruments.get(entity, ())
                 if one.tradable and one.currency == vault.base_currency and vault.may_hold(one.asset_class)
                 and one.instrument_id not in vault.risk.restricted), None)


def open_asks(convictions: Iterable[Conviction], vault: Vault, instruments: Mapping[str, Sequence[Instrument]],
              readers: tuple[Mapping[PersonaName, PersonaCard], Strength]) -> tuple[list[Ask], list[str]]:
    """Convictions that the vault can act on, read by its personas; and in words those that it cannot."""
    cards, strength = readers
    asks, words = [], []
    for row in convictions:
        instrument = resolve(row.entity, vault, instruments)
        if instrument is None:
            words.append(f"{row.entity}: no instrument in {vault.base_currency} that the vault may trade")
            continue
        views = {name: view(row.reason_vector, name, cards[name], strength) for name in vault.persona_names()}
        asks.append(Ask(instrument, row, views))
    return asks, words


def fill(asks: list[Ask], vault: Vault, shares: Mapping[PersonaName, int], flip: ActiveFlip | None) -> None:
    """Let every persona ask for its part."""
    left = _WHOLE - (flip.slice_bp if flip else 0)
    for name, share in shares.items():
        for ask, weight in _weights(asks, name, vault):
            _add(ask, name, weight * share * left, _WHOLE * _WHOLE)
    if flip is not None:
        raised = [(ask, _part(weight * (_WHOLE + flip.amplify_bp), _WHOLE))
                  for ask, weight in _weights(asks, flip.persona, vault)]
        whole = max(MILLION, sum(abs(weight) for _, weight in raised))
        for ask, weight in raised:
            ask.flipped = _add(ask, flip.persona, weight * MILLION * flip.slice_bp, whole * _WHOLE)
            ask.flip_id = flip.flip_id if ask.flipped else None


def _add(ask: Ask, name: PersonaName, product: int, divisor: int) -> int:
    part = _part(product, divisor)
    if part:
        ask.asks[name] = ask.asks.get(name, 0) + part
    return part


def _part(product: int, divisor: int) -> int:
    """A quotient truncated towards zero."""
    size = abs(product) // divisor
    return size if product > 0 else -size


def _weights(asks: list[Ask], name: PersonaName, vault: Vault) -> list[tuple[Ask, int]]:
    """A persona's weights as if the whole vault were its own."""
    rule = vault.allocation
    acted = [(ask, _signed(ask.views[name], vault)) for ask in asks]
    chosen = sorted(((ask, bp) for ask, bp in acted if bp),
                    key=lambda pair: (-abs(pair[1]), pair[0].instrument.instrument_id))[:rule.max_positions]
    if rule.mode == "banded":
        return [(ask, _banded(bp, vault)) for ask, bp in chosen]
    budget, whole = millionths(invest_share(vault)), sum(abs(bp) for _, bp in chosen)
    return [(ask, _part(budget * bp, whole)) for ask, bp in chosen]


def _signed(seen: PersonaView, vault: Vault) -> int:
    """The conviction a persona acts on, negative for a short; 0 where it does not act."""
    if seen.conviction_bp < max(1, vault.allocation.min_conviction_bp):
        return 0
    if seen.direction == "short":
        return -seen.conviction_bp if vault.allocation.allow_short else 0
    return seen.conviction_bp


def _banded(bp: int, vault: Vault) -> int:
    reached = [(int(edge), share) for edge, share in vault.allocation.bands.items() if int(edge) <= abs(bp)]
    size = millionths(max(reached)[1]) if reached else 0
    return size if bp > 0 else -size


def strongest(asks: list[Ask], vault: Vault) -> list[Ask]:
    """The positions that are really asked for, largest first, ties by instrument, as many as the vault may hold."""
    asked = sorted((one for one in asks if one.total), key=lambda one: (-abs(one.total), one.instrument.instrument_id))
    return asked[:vault.allocation.max_positions]


def empty_handed(asks: list[Ask], wanted: list[Ask], vault: Vault) -> list[str]:
    """In words: convictions that could be acted on and got nothing."""
    kept = {id(one) for one in wanted}
    words = []
    for one in asks:
        if id(one) in kept:
            continue
        if one.total:
            words.append(f"{one.conviction.entity}: more than max_positions {vault.allocation.max_positions}")
        elif one.conviction.direction == "short" and not vault.allocation.allow_short:
            words.append(f"{one.conviction.entity}: the vault does not go short")
        else:
            words.append(f"{one.conviction.entity}: no persona sees {vault.allocation.min_conviction_bp} basis points")
    return words


def expired(row: Conviction, now: datetime) -> bool:
    """Whether a conviction has outlived its time without a new reflection."""
    return parse_iso(row.expires_at) <= now
