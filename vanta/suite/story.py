"""What became of every intent, told by the records of `trade_log.jsonl`. Pure.

Decides nothing: it only gathers, per intent, its last state, what held or refused it (fence, code, value, limit),
what was filled for how much, and why an order was cancelled. Refuses to know files and wording.

    stories(records)[0].fills  ->  [Filled(quantity=Decimal(41), price=Decimal("171.31"), cash=…, fee=…)]
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from vanta.common.events import Kind
from vanta.common.money import ZERO
from vanta.common.store.ports import Record


@dataclass(frozen=True, slots=True)
class Stopped:
    """One fence's no: the value it saw and the limit it held it against."""

    fence: str
    code: str
    value: str
    limit: str
    detail: str


@dataclass(frozen=True, slots=True)
class Filled:
    """One fill. `cash` is signed: paid for a buy, negative for a sale."""

    quantity: Decimal
    price: Decimal
    cash: Decimal
    fee: Decimal


@dataclass(slots=True, kw_only=True)
class Story:
    """One intent. `stopped` are the lines of its last verdict that was no approval, `held` every code that held it."""

    intent_id: str
    vault: str
    instrument_id: str
    side: str
    notional: Decimal
    conviction_bp: int
    state: str = "seen"
    held: list[str] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)
    ordered: Decimal = ZERO
    withheld: int = 0
    ended: str = ""
    fills: list[Filled] = field(default_factory=list)

    @property
    def quantity(self) -> Decimal:
        """Units filled."""
        return sum((fill.quantity for fill in self.fills), ZERO)

    @property
    def fees(self) -> Decimal:
        """Commission of all fills."""
        return sum((fill.fee for fill in self.fills), ZERO)

    @property
    def price(self) -> Decimal | None:
        """Mean price of the fills, None before the first."""
        value = sum((fill.quantity * fill.price for fill in self.fills), ZERO)
        return value / self.quantity if self.quantity else None


def stories(records: Iterable[Record]) -> list[Story]:
    """Every intent of a trade log, in the order in which they were seen."""
    told: dict[str, Story] = {}
    for record in records:
        if record.kind == Kind.INTENT_SEEN:
            told[record.ids["intent_id"]] = _seen(record)
        elif record.ids.get("intent_id") in told:
            _tell(told[record.ids["intent_id"]], record)
    return list(told.values())


def _seen(record: Record) -> Story:
    raw = record.payload["intent"]
    return Story(intent_id=raw["intent_id"], vault=raw["vault"], instrument_id=raw["instrument_id"], side=raw["side"],
                 notional=Decimal(raw["notional"]), conviction_bp=raw["provenance"]["conviction_bp"])


def _tell(story: Story, record: Record) -> None:
    body = record.payload
    story.state = body.get("intent_state") or story.state
    if "lines" in body and record.kind != Kind.INTENT_APPROVED:
        story.stopped = [Stopped(fence, code, value, limit, detail)
                         for fence, code, value, limit, detail in body["lines"] if code is not None]
    if record.kind == Kind.INTENT_HELD:
        story.held += body["codes"]
    elif record.kind == Kind.ORDER_SUBMITTING:
        story.ordered = Decimal(body["quantity"])
    elif record.kind == Kind.ORDER_WITHHELD:
        story.withheld += 1
    elif record.kind == Kind.ORDER_CANCELLING:
        story.ended = body["detail"]
    elif record.kind == Kind.FILL:
        story.fills.append(Filled(Decimal(body["quantity"]), Decimal(body["price"]), Decimal(body["cash"]),
                                  Decimal(body["fee"])))
