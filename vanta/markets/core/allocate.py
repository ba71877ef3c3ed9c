"""From convictions to what one vault wants to hold. Pure.

Decides target weights: what personas ask for, cut down by the caps, times what compounding leaves to invest.
Allocation is intent; what is really held matters here only for NAV, for profit, and to name what must go. Refuses to
know orders and queues.

- Compounding: realised profit times (1 − reinvest_pct) is kept back; the rest of NAV is the base of all weights.
- What is held and wanted by nobody has the target 0.
- Unknown is not zero. Where a target rested on a feed that has no weight at the moment, or its conviction outlived its
  `ttl` without a new reflection, it is frozen: neither raised nor lowered, and no intent comes of it. A target that an
  ended flip had raised is not frozen, and none that the vault may no longer hold. What may not be traded is left alone.
- While NAV is unknown (a holding without a mark) only exits are planned.

Example: NAV 100,000, one persona, two convictions of 3,000 and 1,000 bp, invest_pct 0.80, single cap 0.08 →
0.60 and 0.20 asked, 792 basis points each, 7,920 each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from vanta.common.instruments import Instrument
from vanta.common.models.account import VaultHoldings
from vanta.common.models.allocation import Target, VaultTarget
from vanta.common.models.conviction import Conviction
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import PersonaName, Vault
from vanta.common.money import ONE, ZERO, share_bp, split_by_largest_remainder
from vanta.markets.core import caps, tilt
from vanta.markets.core.asks import Ask, empty_handed, expired, fill, open_asks, resolve, strongest
from vanta.markets.core.caps import MILLION, Weight
from vanta.markets.core.logistic import Strength
from vanta.markets.core.persona import PersonaCard
from vanta.markets.core.score import SOURCE

NO_SIGNAL = "none"
"""Stands for the conviction's id where a target has no conviction behind it: an exit."""

MOST_WORDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationInputs:
    """Everything one vault's plan depends on. `missing` are feeds without weight; `previous` the targets before."""

    now: datetime
    dag_id: str
    convictions: Sequence[Conviction]
    missing: frozenset[str]
    vault: Vault
    holdings: VaultHoldings
    previous: Mapping[str, Target]
    overlay: Overlay | None
    instruments: Mapping[str, Sequence[Instrument]]
    cards: Mapping[PersonaName, PersonaCard]
    strength: Strength


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a vault wants. No intent comes of `frozen` instruments; `flips` are held for a flip alone, until then."""

    target: VaultTarget
    frozen: frozenset[str]
    flips: Mapping[str, datetime]
    notes: tuple[str, ...]


def allocate(inputs: AllocationInputs) -> Plan:
    """One vault's plan."""
    vault, nav = inputs.vault, inputs.holdings.nav
    flip, note = tilt.active_flip(inputs.overlay, vault, inputs.now)
    fresh = [row for row in inputs.convictions if not expired(row, inputs.now)]
    asks, words = open_asks(fresh, vault, inputs.instruments, (inputs.cards, inputs.strength))
    fill(asks, vault, tilt.shares(vault.persona_names(), inputs.overlay.persona_boosts if inputs.overlay else {}), flip)
    frozen = _frozen(inputs, flip)
    untouchable = _untouchable(inputs)
    wanted = [one for one in strongest(asks, vault) if one.instrument.instrument_id not in frozen]
    reserved = max(ZERO, inputs.holdings.realised) * (ONE - vault.compounding.reinvest_pct)
    base = None if nav is None else max(ZERO, nav - reserved)
    targets = [*frozen.values(), *_targets(wanted, frozen, inputs, base)]
    known = {one.instrument_id for one in targets} | untouchable
    exits = [_exit(name, inputs) for name in _held(inputs.holdings) if name not in known]
    hands_off = frozenset(frozen) | untouchable
    words += [f"{name}: held, and may not be traded" for name in sorted(untouchable & set(_held(inputs.holdings)))]
    words += empty_handed(asks, wanted, vault)
    if nav is None:
        hands_off |= frozenset(one.instrument_id for one in targets)
        words.insert(0, "NAV is unknown because a holding has no mark: only exits are planned")
        targets = []
    targets = sorted([*targets, *exits], key=lambda one: (-abs(one.weight_bp), one.instrument_id))
    return Plan(
        target=VaultTarget(vault_id=vault.vault_id, nav=nav, base=base, reserved=reserved, targets=targets,
                           unallocated=_shortened(words)),
        frozen=hands_off, notes=(note,) if note else (),
        flips={one.instrument.instrument_id: flip.ends for one in wanted if flip and one.flipped == one.total})


def _held(holdings: VaultHoldings) -> list[str]:
    """Instruments that the vault holds or has orders working in."""
    return sorted(row.instrument_id for row in holdings.positions
                  if row.quantity or row.working_buy or row.working_sell)


def _frozen(inputs: AllocationInputs, flip: tilt.ActiveFlip | None) -> dict[str, Target]:
    """Targets of before that nobody can judge at the moment, saying why."""
    outlived = {row.entity: row.expires_at for row in inputs.convictions if expired(row, inputs.now)}
    found = {}
    for name, before in sorted(inputs.previous.items()):
        over = before.flip_id is not None and (flip is None or flip.flip_id != before.flip_id)
        allowed = resolve(before.entity, inputs.vault, inputs.instruments)
        if before.weight_bp == 0 or over or allowed is None or allowed.instrument_id != name:
            continue
        feeds = {line.reason.removeprefix(SOURCE).partition(".")[0] for line in before.reasons
                 if line.reason.startswith(SOURCE)}
        if feeds & inputs.missing:
            found[name] = _kept(before, f"feed {min(feeds & inputs.missing)} has no weight at the moment", inputs)
        elif before.entity in outlived:
            found[name] = _kept(before, f"its conviction has not been renewed since {outlived[before.entity]}", inputs)
    return found


def _kept(before: Target, why: str, inputs: AllocationInputs) -> Target:
    nav = inputs.holdings.nav
    notional = before.notional if nav is None else _whole_units(share_bp(nav, before.weight_bp))
    return before.model_copy(update={"notional": notional, "limits": [f"kept as it was: {why}"]})


def _untouchable(inputs: AllocationInputs) -> frozenset[str]:
    """Instruments that orders may not name."""
    closed = {one.instrument_id for group in inputs.instruments.values() for one in group if not one.tradable}
    return frozenset(closed | set(inputs.vault.risk.restricted))


def _targets(wanted: list[Ask], frozen: Mapping[str, Target], inputs: AllocationInputs,
             base: Decimal | None) -> list[Target]:
    """Targets of what is wanted, caps applied."""
    classes = {one.instrument_id: one.asset_class for group in inputs.instruments.values() for one in group}
    fixed = [Weight(name, classes.get(name, name.partition(":")[0]), one.weight_bp * 100, frozen=True)
             for name, one in frozen.items()]
    moving = [Weight(one.instrument.instrument_id, one.instrument.asset_class, one.total) for one in wanted]
    caps.apply([*fixed, *moving], inputs.vault)
    nav = inputs.holdings.nav
    left = int(base * MILLION / nav) if base is not None and nav else 0
    return [_target(ask, weight, left, nav or ZERO) for ask, weight in zip(wanted, moving, strict=True)]


def _target(ask: Ask, weight: Weight, left: int, nav: Decimal) -> Target:
    """`left` is the base in millionths of NAV."""
    size = abs(weight.millionths) * left // (100 * MILLION)
    sign = 1 if ask.total > 0 else -1
    sided = {name: sign * part for name, part in ask.asks.items() if sign * part > 0}
    lead = min(sided, key=lambda name: (-ask.views[name].conviction_bp, name))
    parts = split_by_largest_remainder(size, list(sided.values()))
    return Target(
        instrument_id=ask.instrument.instrument_id, entity=ask.conviction.entity, weight_bp=sign * size,
        notional=_whole_units(share_bp(nav, sign * size)), signal_id=ask.conviction.signal_id,
        dag_id=ask.conviction.dag_id, personas={name: sign * part for name, part in zip(sided, parts, strict=True)},
        conviction_bp=ask.views[lead].conviction_bp, reasons=list(ask.views[lead].reasons), limits=weight.limits,
        flip_id=ask.flip_id)


def _exit(name: str, inputs: AllocationInputs) -> Target:
    """The target of something held that nobody wants."""
    entity = next((entity for entity, group in sorted(inputs.instruments.items())
                   if any(one.instrument_id == name for one in group)), name)
    return Target(instrument_id=name, entity=entity, weight_bp=0, notional=ZERO, signal_id=NO_SIGNAL,
                  dag_id=inputs.dag_id, personas={}, conviction_bp=0, reasons=[], limits=["no persona wants it"])


def _whole_units(amount: Decimal) -> Decimal:
    """Whole units of currency, towards zero: noise in NAV makes no new wish."""
    return Decimal(int(amount))


def _shortened(words: list[str]) -> list[str]:
    if len(words) <= MOST_WORDS:
        return words
    return [*words[:MOST_WORDS], f"and {len(words) - MOST_WORDS} more"]
