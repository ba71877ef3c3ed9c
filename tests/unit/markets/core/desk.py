"""A promoter's world in a few fields, for tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.unit.markets.claims import NOW
from tests.unit.markets.core.book import CARDS, INSTRUMENTS, conviction, holdings, vault
from vanta.common.events import Kind
from vanta.common.models.account import Portfolio, VaultHoldings
from vanta.common.models.allocation import Target, VaultTarget
from vanta.common.models.intent import Intent, Withdrawal
from vanta.common.models.vault import Vault
from vanta.common.store.ports import Record
from vanta.common.times import iso
from vanta.markets.core.allocate import Plan
from vanta.markets.core.outcomes import Key, Outcomes, Unheard
from vanta.markets.core.promote import PromoteInputs, Promotion, promote

HASHES = {"portfolio.json": "0" * 64}
AAPL = "equity:AAPL"
NAMED = conviction(AAPL, {"sec.form4": 500, "reddit.posts": -20})


def wants(name: str, notional: int, **changes: Any) -> Target:
    """A target of so much money, out of NAV 100,000."""
    fields: dict[str, Any] = {
        "entity": name, "weight_bp": notional // 10, "notional": Decimal(notional), "signal_id": NAMED.signal_id,
        "dag_id": "dag1_x", "personas": {"Apollo": notional // 10} if notional else {},
        "conviction_bp": NAMED.conviction_bp if notional else 0, "reasons": NAMED.reason_vector if notional else [],
        "limits": []}
    return Target(instrument_id=name, **{**fields, **changes})


def record(seq: int, kind: str, intent_id: str, **payload: Any) -> Record:
    """A record of the trade log about an intent."""
    return Record(seq, iso(NOW), kind, None, {"intent_id": intent_id}, payload, "", "")


@dataclass
class Desk:
    """The promoter's world in a few fields; `run` makes a pass and keeps its queue for the next one."""

    targets: list[Target] = field(default_factory=list)
    held: VaultHoldings = field(default_factory=holdings)
    vault: Vault = field(default_factory=vault)
    now: datetime = NOW
    queue: tuple[Intent, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    frozen: frozenset[str] = frozenset()
    flips: dict[str, datetime] = field(default_factory=dict)
    basis: dict[str, int] = field(default_factory=dict)
    live: dict[str, str] = field(default_factory=dict)
    as_of: int = 0
    log: list[Record] = field(default_factory=list)
    unheard: Mapping[Key, Unheard] = field(default_factory=dict)
    planned: bool = True
    known: bool = True

    def run(self) -> Promotion:
        plan = Plan(target=VaultTarget(vault_id="V_CORE", nav=self.held.nav, base=self.held.nav, reserved=Decimal(0),
                                       targets=self.targets, unallocated=[]),
                    frozen=self.frozen, flips=self.flips, notes=())
        outcomes = Outcomes()
        for one in self.log:
            outcomes.apply(one)
        made = promote(PromoteInputs(
            now=self.now, plans={"V_CORE": plan} if self.planned else {},
            vaults={"V_CORE": self.vault} if self.known else {}, portfolio=self.portfolio(), staged=self.queue,
            withdrawals=self.withdrawals, outcomes=outcomes, unheard=self.unheard, instruments=INSTRUMENTS,
            cards=CARDS, ttl_s=900, grace_s=300, hashes=HASHES))
        self.queue, self.withdrawals, self.unheard = made.intents, made.withdrawals, made.unheard
        return made

    def portfolio(self) -> Portfolio:
        return Portfolio(revision=1, written_at=iso(NOW), written_by="test", home="abcdef", as_of_seq=self.as_of,
                         as_of_hash="", now=iso(NOW), accounts=[], vaults=[self.held], basis=self.basis,
                         intents=self.live)  # type: ignore[arg-type]

    def seen(self, intent: Intent, seq: int = 1) -> None:
        """The executor has read the intent."""
        self.log.append(record(seq, Kind.INTENT_SEEN, intent.intent_id, intent_state="seen",
                               intent=intent.model_dump(mode="json")))

    def ends(self, intent: Intent, state: str, seq: int = 2) -> None:
        """The executor has read it, and it has ended; the cut shows it."""
        self.seen(intent, seq - 1)
        self.log.append(record(seq, "whatever", intent.intent_id, intent_state=state))
        self.as_of = max(self.as_of, seq)


def joined(*desks: Desk) -> PromoteInputs:
    """Several vaults in one pass."""
    plans = {desk.held.vault_id: Plan(
        target=VaultTarget(vault_id=desk.held.vault_id, nav=desk.held.nav, base=desk.held.nav, reserved=Decimal(0),
                           targets=desk.targets, unallocated=[]), frozen=frozenset(), flips={}, notes=())
        for desk in desks}
    portfolio = desks[0].portfolio().model_copy(update={"vaults": [desk.held for desk in desks]})
    return PromoteInputs(now=NOW, plans=plans, vaults={desk.held.vault_id: desk.vault for desk in desks},
                         portfolio=portfolio, staged=(), withdrawals=(), outcomes=Outcomes(), unheard={},
                         instruments=INSTRUMENTS, cards=CARDS, ttl_s=900, grace_s=300, hashes=HASHES)
