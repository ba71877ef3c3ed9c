"""One promotion from the documents it was decided on: allocation, then queue. Pure.

Decides which vaults can be planned at all, names the cycle, and says whether anything differs from what the files
already say. The promoter calls it on files, replay on snapshots. Refuses to know where documents come from.

Example: a vault that the executor has not funded yet is not in `portfolio.json`; it gets no plan and a note.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from vanta.common.canonical import canonical
from vanta.common.ids import dag_id
from vanta.common.instruments import Instrument
from vanta.common.models.account import Portfolio
from vanta.common.models.allocation import VaultAllocation
from vanta.common.models.conviction import TradeSignals
from vanta.common.models.intent import AutotradeQueue
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import PersonaName, VaultRegistry
from vanta.common.times import iso
from vanta.markets.core.allocate import AllocationInputs, Plan, allocate
from vanta.markets.core.outcomes import Key, Outcomes, Unheard
from vanta.markets.core.persona import PersonaCard
from vanta.markets.core.promote import PromoteInputs, Promotion, promote
from vanta.markets.core.rules import Rules

CODE_VERSION = "1"
"""Grows whenever allocation or promotion decide differently on the same inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleInputs:
    """Everything a promotion depends on.

    `queue` and `allocation` are what the promoter wrote before, `None` at the very first; `overlay` is `None` if there
    is none that can be read. `hashes` name the documents by content, `log` the last record of the trade log that
    `outcomes` contains. `unheard` is what the promotion before left behind. `entities` is `instruments` by entity,
    `instruments_sha256` the hash of their rows.
    """

    now: datetime
    signals: TradeSignals
    vaults: VaultRegistry
    portfolio: Portfolio
    overlay: Overlay | None
    queue: AutotradeQueue | None
    allocation: VaultAllocation | None
    hashes: Mapping[str, str]
    log: tuple[int, str]
    outcomes: Outcomes
    unheard: Mapping[Key, Unheard]
    instruments: Mapping[str, Instrument]
    instruments_sha256: str
    entities: Mapping[str, Sequence[Instrument]]
    rules: Rules
    cards: Mapping[PersonaName, PersonaCard]
    ttl_s: int
    grace_s: int

    def rule_hashes(self) -> dict[str, str]:
        """Hashes of all rules that take part, by name."""
        personas = {f"persona:{name}": card.card_hash for name, card in sorted(self.cards.items())}
        return {**self.rules.hashes, **personas, "promote": CODE_VERSION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The bodies of both documents, ready for JSON, and what changed."""

    dag_id: str
    allocation: dict[str, Any]
    queue: dict[str, Any]
    promotion: Promotion
    changed: bool
    notes: tuple[str, ...]


def decide(inputs: CycleInputs) -> Decision:
    """The whole cycle."""
    dag = dag_id({
        "now": iso(inputs.now), "inputs": dict(inputs.hashes), "log": list(inputs.log),
        "unheard": unheard_rows(inputs.unheard), "rules": inputs.rule_hashes(),
        "instruments": inputs.instruments_sha256,
        "ttl_s": inputs.ttl_s, "grace_s": inputs.grace_s})
    plans, notes = _plans(inputs)
    made = promote(PromoteInputs(
        now=inputs.now, plans=plans, vaults={one.vault_id: one for one in inputs.vaults.vaults},
        portfolio=inputs.portfolio, staged=tuple(inputs.queue.intents) if inputs.queue else (),
        withdrawals=tuple(inputs.queue.withdrawals) if inputs.queue else (), outcomes=inputs.outcomes,
        unheard=inputs.unheard,
        instruments=inputs.instruments, cards=inputs.cards, ttl_s=inputs.ttl_s, grace_s=inputs.grace_s,
        hashes=inputs.hashes))
    allocation = {"now": iso(inputs.now), "dag_id": dag, "inputs": dict(inputs.hashes),
                  "vaults": [plan.target.model_dump(mode="json") for plan in plans.values()]}
    queue = {"home": inputs.portfolio.home, "now": iso(inputs.now),
             "intents": [one.model_dump(mode="json") for one in made.intents],
             "withdrawals": [one.model_dump(mode="json") for one in made.withdrawals]}
    changed = (_differs(allocation, inputs.allocation, "vaults")
               or any(_differs(queue, inputs.queue, part) for part in ("home", "intents", "withdrawals")))
    return Decision(dag_id=dag, allocation=allocation, queue=queue, promotion=made, changed=changed, notes=tuple(notes))


def unheard_rows(table: Mapping[Key, Unheard]) -> list[list[Any]]:
    """The unheard intents as they are recorded: account, vault, instrument, intent, basis."""
    return [[*key, one.intent_id, one.basis_seq] for key, one in sorted(table.items())]


def unheard_of(rows: Sequence[Sequence[Any]]) -> dict[Key, Unheard]:
    """The inverse of `unheard_rows`."""
    return {(account, vault, name): Unheard(intent_id, basis) for account, vault, name, intent_id, basis in rows}


def instrument_rows(table: Mapping[str, Instrument]) -> bytes:
    """The instruments as they are hashed and kept."""
    return canonical({name: item.model_dump(mode="json") for name, item in table.items()})


def _plans(inputs: CycleInputs) -> tuple[dict[str, Plan], list[str]]:
    """A plan for every vault that the portfolio knows, in order of id, and what is to be noted."""
    held = {one.vault_id: one for one in inputs.portfolio.vaults}
    before = {one.vault_id: one.targets for one in inputs.allocation.vaults} if inputs.allocation else {}
    plans: dict[str, Plan] = {}
    notes = []
    for vault in sorted(inputs.vaults.vaults, key=lambda one: one.vault_id):
        name = vault.vault_id
        if name not in held:
            notes.append(f"{name} is not in portfolio.json yet: the executor has not funded it")
            continue
        plans[name] = allocate(AllocationInputs(
            now=inputs.now, dag_id=inputs.signals.dag_id, convictions=inputs.signals.convictions,
            missing=frozenset(inputs.signals.missing), vault=vault, holdings=held[name], overlay=inputs.overlay,
            previous={one.instrument_id: one for one in before.get(name, ())}, instruments=inputs.entities,
            cards=inputs.cards, strength=inputs.rules.strength))
        notes.extend(f"{name}: {note}" for note in plans[name].notes)
    return plans, notes


def _differs(body: Mapping[str, Any], before: BaseModel | None, field: str) -> bool:
    """Whether a decision differs from what the file says."""
    return before is None or body[field] != before.model_dump(mode="json", include={field})[field]
