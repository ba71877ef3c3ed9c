"""From what vaults want and what is really held to the queue of intents. Pure.

Decides which intents are staged, kept, withdrawn and removed. Allocation drives intent, portfolio drives truth, the
queue bridges the two. Refuses to know convictions, quotes and brokers, and does not look at halts: exits and entries
are staged all the same, and the executor holds what may not leave.

- At most one intent is live per account, vault and instrument: in the queue, or at the executor by its journal.
- An entry leaves the queue when the journal shows its end, or after expiry plus grace. If something else is wanted
  while it is staged, it gets a withdrawal; the new wish waits for its end.
- After an end nothing is staged on a cut of the portfolio that is older than that end.
- A difference below `rebalance_band_pct` of NAV is left alone. What is wanted no more is closed whole, whatever its
  size, and a position never crosses zero in one step.
- The id hashes key, basis and target. A wish repeated on an unmoved basis also names its predecessor (`after`), so that
  no id ever comes back with other bytes; unless the predecessor was withdrawn, it waits until that one's own time is
  over: a refusal is not asked for again at once.
- One intent never exceeds `max_order_value`, and buys never the cash that is free; the rest follows on a new basis.

Example: target 7,920 of AAPL, nothing held, band 1,000 → buy 7,920. The same inputs again → nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from vanta.common.ids import intent_id
from vanta.common.instruments import Instrument
from vanta.common.models.account import Portfolio, PositionRow, VaultHoldings
from vanta.common.models.allocation import Target
from vanta.common.models.intent import ExitPlan, Intent, Provenance, Withdrawal
from vanta.common.models.vault import PersonaName, Vault
from vanta.common.money import MOST_CASH, ONE, ZERO, plain
from vanta.common.times import iso, parse_iso
from vanta.markets.core.allocate import Plan
from vanta.markets.core.outcomes import Key, Outcomes, Unheard, Wish, key_of
from vanta.markets.core.persona import PersonaCard
from vanta.markets.core.score import SOURCE

BANDS = ((5_000, "high"), (2_500, "medium"), (0, "low"))
"""Conviction bands for attribution: from these basis points on."""

MARGIN = Decimal("1.02")
"""Cash that a buy is planned to need, times its size: a little more than the executor's own margin."""

_WORKING = frozenset({"submitting", "unknown", "working", "partially_filled", "cancelling"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteInputs:
    """Everything a promotion depends on. `hashes` name the files it was decided on, by content.

    `unheard` is what earlier promotions left behind: the newest intent of a key, where nobody told how it ended.
    """

    now: datetime
    plans: Mapping[str, Plan]
    vaults: Mapping[str, Vault]
    portfolio: Portfolio
    staged: tuple[Intent, ...]
    withdrawals: tuple[Withdrawal, ...]
    outcomes: Outcomes
    unheard: Mapping[Key, Unheard]
    instruments: Mapping[str, Instrument]
    cards: Mapping[PersonaName, PersonaCard]
    ttl_s: int
    grace_s: int
    hashes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """The queue as it is to be, and what changed. `waiting` says in words what is wanted and not staged yet.

    `unheard` is for the next promotion.
    """

    intents: tuple[Intent, ...]
    withdrawals: tuple[Withdrawal, ...]
    staged: tuple[str, ...]
    withdrawn: tuple[str, ...]
    removed: Mapping[str, str]
    waiting: tuple[str, ...]
    unheard: Mapping[Key, Unheard]


@dataclass(frozen=True, slots=True)
class _Step:
    """One difference to be closed: signed notional, and whether all that is held goes."""

    target: Target
    notional: Decimal
    close: bool

    @property
    def reduces(self) -> bool:
        return self.close or (self.notional < 0) == (self.target.notional >= 0)


@dataclass(slots=True)
class _Desk:
    """One vault at work: its cut, its plan and the cash that is still free for buys."""

    vault: Vault
    plan: Plan
    holdings: VaultHoldings
    free: Decimal
    rows: Mapping[str, PositionRow] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = {row.instrument_id: row for row in self.holdings.positions}

    @property
    def band(self) -> Decimal | None:
        nav = self.holdings.nav
        return None if nav is None else nav * self.vault.allocation.rebalance_band_pct

    def key(self, instrument_id: str) -> Key:
        return self.vault.account, self.vault.vault_id, instrument_id


def promote(inputs: PromoteInputs) -> Promotion:
    """The whole pass."""
    kept, removed, unheard = _sweep(inputs)
    live = {key_of(one): one for one in kept}
    desks = [_desk(name, kept, inputs) for name in sorted(inputs.plans)]
    withdrawals = _withdrawals(kept, desks, inputs)
    new: list[Intent] = []
    waiting: list[str] = []
    for desk in desks:
        steps = []
        for target in desk.plan.target.targets:
            step = _step(target, desk, inputs)
            if step is None or target.instrument_id in desk.plan.frozen or desk.key(target.instrument_id) in live:
                continue
            why = _must_wait(step, desk, inputs)
            if why is None:
                steps.append(step)
            else:
                waiting.append(f"{desk.vault.vault_id} {target.instrument_id}: {why}")
        for step in sorted(steps, key=lambda one: (not one.close, not one.reduces)):
            intent = _stage(step, desk, unheard, inputs)
            if intent is None:
                waiting.append(f"{desk.vault.vault_id} {step.target.instrument_id}: waits for cash")
            else:
                new.append(intent)
    new.sort(key=lambda one: (not one.close, one.side == "buy"))
    before = {one.intent_id for one in inputs.withdrawals}
    return Promotion(
        intents=(*kept, *new), withdrawals=withdrawals, staged=tuple(one.intent_id for one in new),
        withdrawn=tuple(one.intent_id for one in withdrawals if one.intent_id not in before),
        removed=removed, waiting=tuple(waiting),
        unheard={key: one for key, one in sorted(unheard.items()) if key not in {key_of(intent) for intent in new}})


def _sweep(inputs: PromoteInputs) -> tuple[list[Intent], dict[str, str], dict[Key, Unheard]]:
    """Entries that stay, why each of the others leaves, and the newest of each key whose end nobody told.

    Of the latter those are forgotten whose basis has moved: no later id can be theirs.
    """
    kept: list[Intent] = []
    removed: dict[str, str] = {}
    basis = inputs.portfolio.basis
    unheard = {key: one for key, one in inputs.unheard.items() if basis.get(f"{key[1]}|{key[2]}", 0) == one.basis_seq}
    for one in inputs.staged:
        end = inputs.outcomes.end_of(one.intent_id)
        over = inputs.now >= parse_iso(one.expires_at) + timedelta(seconds=inputs.grace_s)
        if end is not None:
            removed[one.intent_id] = end
        elif over and one.intent_id not in inputs.portfolio.intents:
            removed[one.intent_id] = "expired, and the executor never told of it"
            unheard[key_of(one)] = Unheard(one.intent_id, one.basis_seq)
        else:
            kept.append(one)
    return kept, removed, unheard


def _desk(name: str, kept: list[Intent], inputs: PromoteInputs) -> _Desk:
    vault = inputs.vaults[name]
    holdings = next(one for one in inputs.portfolio.vaults if one.vault_id == name)
    floor = (holdings.nav or ZERO) * vault.risk.min_cash_pct
    asked = sum((one.notional * MARGIN for one in kept if one.vault == name and one.side == "buy"
                 and inputs.portfolio.intents.get(one.intent_id) not in _WORKING), ZERO)
    return _Desk(vault, inputs.plans[name], holdings, holdings.cash - holdings.reserved_cash - floor - asked)


def _withdrawals(kept: list[Intent], desks: list[_Desk], inputs: PromoteInputs) -> tuple[Withdrawal, ...]:
    """Withdrawals of entries that are still there: those of before, and the new ones."""
    before = {one.intent_id: one for one in inputs.withdrawals}
    by_vault = {desk.vault.vault_id: desk for desk in desks}
    found = []
    for one in kept:
        said = before.get(one.intent_id)
        why = None if said else _why_withdraw(one, by_vault.get(one.vault), inputs)
        if said is not None:
            found.append(said)
        elif why is not None:
            found.append(Withdrawal(intent_id=one.intent_id, at=iso(inputs.now), reason=why))
    return tuple(found)


def _why_withdraw(staged: Intent, desk: _Desk | None, inputs: PromoteInputs) -> str | None:
    """Why a staged entry is no longer what is wanted, or `None`."""
    if desk is None:
        return None if staged.vault in inputs.vaults else "the vault is no longer in vault.json"
    if staged.instrument_id in desk.plan.frozen:
        return None
    target = next((one for one in desk.plan.target.targets if one.instrument_id == staged.instrument_id), None)
    wanted = target.notional if target else ZERO
    row = desk.rows.get(staged.instrument_id)
    if staged.close:
        return "the position is wanted again" if row and _same_side(wanted, row.quantity) else None
    if not wanted:
        return "nothing of it is wanted any more"
    if desk.band is not None and abs(wanted - staged.target_notional) > desk.band:
        return f"the target is now {plain(wanted)}"
    return None


def _step(target: Target, desk: _Desk, inputs: PromoteInputs) -> _Step | None:
    """The difference between target and truth, or `None` where there is none that matters."""
    row = desk.rows.get(target.instrument_id)
    held = row.quantity if row else ZERO
    if row and held and not _same_side(target.notional, held):
        worth = max(ONE, abs(_worth(row)))
        return _Step(target, -worth if held > 0 else worth, close=True)
    instrument = inputs.instruments.get(target.instrument_id)
    actual = _actual(row, instrument.multiplier if instrument else ONE)
    if actual is None or desk.band is None or not target.notional:
        return None
    notional = target.notional - actual
    return _Step(target, notional, close=False) if abs(notional) >= max(desk.band, ONE) else None


def _same_side(wanted: Decimal, held: Decimal) -> bool:
    return wanted != 0 and (wanted > 0) == (held > 0)


def _worth(row: PositionRow) -> Decimal:
    """What a position is about worth: its value, or what was paid for it."""
    return row.value if row.value is not None else row.quantity * row.average_price


def _actual(row: PositionRow | None, multiplier: Decimal) -> Decimal | None:
    """What is held and working, at its mark. `None` without a mark."""
    if row is None:
        return ZERO
    working = row.working_buy - row.working_sell
    if not row.quantity and not working:
        return ZERO
    return None if row.mark is None else (row.quantity + working) * row.mark * multiplier


def _must_wait(step: _Step, desk: _Desk, inputs: PromoteInputs) -> str | None:
    """Why a wish cannot be staged yet, or `None`."""
    key = desk.key(step.target.instrument_id)
    if key in inputs.outcomes.live_keys():
        return "the executor still has an intent for it"
    last = inputs.outcomes.last(key)
    if last is None:
        return None
    if inputs.portfolio.as_of_seq < last.seq:
        return f"portfolio.json does not show yet how {last.wish.intent_id} ended"
    same = last.wish.basis_seq == _basis(step, desk, inputs) and _alike(step, last.wish, desk.band)
    if same and last.state != "withdrawn" and inputs.now < parse_iso(last.wish.expires_at):
        return f"{last.wish.intent_id} asked for the same and was {last.state}; asked again at {last.wish.expires_at}"
    return None


def _alike(step: _Step, wish: Wish, band: Decimal | None) -> bool:
    if step.close or wish.close:
        return step.close == wish.close
    return band is not None and abs(step.target.notional - wish.target) <= band


def _basis(step: _Step, desk: _Desk, inputs: PromoteInputs) -> int:
    return inputs.portfolio.basis.get(f"{desk.vault.vault_id}|{step.target.instrument_id}", 0)


def _stage(step: _Step, desk: _Desk, unheard: Mapping[Key, Unheard], inputs: PromoteInputs) -> Intent | None:
    """The intent, cut to the largest order and to the cash that is free. `None` if no cash is left for it."""
    size, buys = abs(step.notional), step.notional > 0
    if not step.close:
        size = size if step.reduces else min(size, desk.vault.risk.max_order_value)
        if buys and not step.reduces:
            affordable = desk.free / MARGIN
            if affordable < size and affordable < (desk.band or ZERO):
                return None
            size = min(size, affordable)
    size = Decimal(min(int(size), MOST_CASH))  # an exit is worth what a mark says, and a mark may be absurd
    if size < ONE:
        return None
    if buys:
        desk.free -= size * MARGIN
    key = desk.key(step.target.instrument_id)
    last = inputs.outcomes.last(key)
    return _intent(step, size, desk, unheard.get(key) or (last.wish if last else None), inputs)


def _intent(step: _Step, size: Decimal, desk: _Desk, before: Unheard | Wish | None, inputs: PromoteInputs) -> Intent:
    target, basis = step.target, _basis(step, desk, inputs)
    account, vault, instrument_id = desk.key(target.instrument_id)
    flip_ends = desk.plan.flips.get(instrument_id)
    expires = inputs.now + timedelta(seconds=inputs.ttl_s)
    return Intent(
        intent_id=intent_id(account, vault, instrument_id, basis, _identity(step, before, basis)), account=account,
        vault=vault, instrument_id=instrument_id, side="buy" if step.notional > 0 else "sell", notional=size,
        target_notional=target.notional, close=step.close, basis_seq=basis, created_at=iso(inputs.now),
        expires_at=iso(min(expires, flip_ends) if flip_ends else expires), flip_id=target.flip_id,
        exit_plan=_exit_plan(target, flip_ends, inputs), provenance=_provenance(target, inputs.hashes))


def _identity(step: _Step, before: Unheard | Wish | None, basis: int) -> dict[str, Any]:
    """What the id hashes besides key and basis. `before` is the last wish of the key that is over."""
    identity: dict[str, Any] = {"target_notional": plain(step.target.notional), "close": step.close}
    if before is not None and before.basis_seq == basis:
        identity["after"] = before.intent_id
    return identity


def _exit_plan(target: Target, flip_ends: datetime | None, inputs: PromoteInputs) -> ExitPlan:
    """The plan of the persona that asked for most; a position held for a flip alone also ends with the flip."""
    leads = [name for name in inputs.cards if name in target.personas]
    if not leads:
        return ExitPlan()
    plan = inputs.cards[min(leads, key=lambda name: (-abs(target.personas[name]), name))].exit_plan
    if flip_ends is None:
        return plan
    left = (flip_ends - inputs.now) // timedelta(seconds=1)
    return plan.model_copy(update={"max_holding_s": min(left, plan.max_holding_s or left)})


def _provenance(target: Target, hashes: Mapping[str, str]) -> Provenance:
    return Provenance(
        signal_id=target.signal_id, dag_id=target.dag_id, entity=target.entity, conviction_bp=target.conviction_bp,
        band=next(name for edge, name in BANDS if target.conviction_bp >= edge), personas=target.personas,
        sources={line.reason.removeprefix(SOURCE): line.bp for line in target.reasons
                 if line.reason.startswith(SOURCE)},
        reasons=target.reasons, inputs=dict(hashes))
