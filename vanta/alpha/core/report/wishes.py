"""The newest intents, each with its reasons, verdict and what came of it; how often each code stopped one. Pure.

Of many only the newest are kept whole; the others are counted. A refusal counts once an intent and code, and so does
a hold: an intent that is asked again and again is one intent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from vanta.common.events import Kind
from vanta.common.money import ZERO
from vanta.common.reasons import TABLE, Effect, Reason
from vanta.common.store.ports import Record

MOST = 200
"""So many intents are shown one by one."""

_HOLDING = frozenset(str(reason) for reason, row in TABLE.items() if row.effect is Effect.HOLD)
_NO = frozenset({Kind.INTENT_REFUSED, Kind.INTENT_QUARANTINED, Kind.INTENT_HELD, Kind.INTENT_EXPIRED})


@dataclass(slots=True, kw_only=True)
class Wish:
    """One intent. `lines` are those of its last verdict: fence, code, value, limit, detail."""

    intent_id: str
    at: str
    vault: str
    instrument_id: str
    side: str
    notional: Decimal
    conviction_bp: int
    reasons: Sequence[tuple[str, int]]
    by_executor: bool
    state: str = "seen"
    currency: str = ""
    order_id: str = ""
    ordered: Decimal = ZERO
    filled: Decimal = ZERO
    worth: Decimal = ZERO
    fees: Decimal = ZERO
    multiplier: Decimal = Decimal(1)
    fills: int = 0
    passed: int = 0
    lines: list[list[str]] = field(default_factory=list)
    held: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def price(self) -> Decimal | None:
        """Mean price of what was filled, `None` where nothing was."""
        return self.worth / self.filled / self.multiplier if self.filled else None


@dataclass(slots=True)
class Stop:
    """How often one code stopped something, and when it did last."""

    refused: int = 0
    held: int = 0
    withheld: int = 0
    latched: int = 0
    last: str = ""

    @property
    def times(self) -> int:
        """All together."""
        return self.refused + self.held + self.withheld + self.latched


class Wishes:
    """The fold. `total`, `orders` and `fills` count all of them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.newest: dict[str, Wish] = {}  # by id, the oldest first
        self.stops: dict[str, Stop] = {}
        self.total = self.orders = self.fills = 0
        self._waiting: dict[str, set[str]] = {}

    def take(self, record: Record) -> None:
        """Fold one record of the trade log."""
        intent_id = record.ids.get("intent_id", "")
        if record.kind == Kind.INTENT_SEEN:
            self._seen(record)
        elif record.kind == Kind.LATCH_SET:
            self._stop(str(record.payload["code"]), record).latched += 1
        elif intent_id:
            self._count(intent_id, record)
            if intent_id in self.newest:
                _tell(self.newest[intent_id], record)

    def _seen(self, record: Record) -> None:
        raw = record.payload["intent"]
        why = raw["provenance"]
        self.total += 1
        self.newest[raw["intent_id"]] = Wish(
            intent_id=raw["intent_id"], at=record.at, vault=raw["vault"], instrument_id=raw["instrument_id"],
            side=raw["side"], notional=Decimal(raw["notional"]), conviction_bp=why["conviction_bp"],
            reasons=[(line["reason"], line["bp"]) for line in why.get("reasons", ())] or list(why["sources"].items()),
            by_executor=record.payload.get("from") == "executor")
        if len(self.newest) > self._most:
            del self.newest[next(iter(self.newest))]

    def _stop(self, code: str, record: Record) -> Stop:
        found = self.stops.setdefault(code, Stop())
        found.last = record.at
        return found

    def _count(self, intent_id: str, record: Record) -> None:
        body = record.payload
        if record.kind in (Kind.INTENT_REFUSED, Kind.INTENT_QUARANTINED):
            for code in refusing(body) or [str(Reason.CHANGED_BYTES)]:
                self._stop(code, record).refused += 1
        elif record.kind == Kind.INTENT_HELD:
            known = self._waiting.setdefault(intent_id, set())
            for code in body["codes"]:
                self._stop(code, record).held += code not in known
                known.add(code)
        elif record.kind == Kind.ORDER_WITHHELD:
            self._stop(str(body["code"]), record).withheld += 1
        elif record.kind == Kind.ORDER_REJECTED:
            self._stop(str(Reason.BROKER_REJECTED), record).refused += 1
        elif record.kind == Kind.ORDER_QUARANTINED:
            self._stop(str(Reason.BROKER_UNKNOWN), record).refused += 1
        elif record.kind == Kind.ORDER_SUBMITTING:
            self.orders += 1
        elif record.kind == Kind.FILL:
            self.fills += 1


def refusing(body: Mapping[str, Any]) -> list[str]:
    """The codes for which a verdict is no: those that only hold are left out where any other is there."""
    found = list(dict.fromkeys(str(line[1]) for line in body.get("lines", ()) if line[1]))
    return [code for code in found if code not in _HOLDING] or found


def _tell(wish: Wish, record: Record) -> None:
    body = record.payload
    wish.state = body.get("intent_state") or wish.state
    if record.kind == Kind.INTENT_APPROVED:
        wish.passed, wish.lines = len(body["lines"]), []
    elif record.kind in _NO and "lines" in body:
        wish.lines = [[str(part or "") for part in line] for line in body["lines"] if line[1]]
        wish.passed = len(body["lines"]) - len(wish.lines)
    if record.kind == Kind.INTENT_HELD:
        wish.held |= dict.fromkeys(body["codes"])
    elif record.kind == Kind.ORDER_SUBMITTING:
        wish.order_id, wish.ordered = record.ids["order_id"], Decimal(body["quantity"])
        wish.currency, wish.multiplier = body["currency"], Decimal(body["multiplier"])
    elif record.kind == Kind.ORDER_WITHHELD:
        wish.notes.append(f"not sent, stopped at the last look by {body['code']}: {body['detail']}")
    elif record.kind in (Kind.FILL, Kind.FILL_BUSTED):
        _filled(wish, body, 1 if record.kind == Kind.FILL else -1)
    elif body.get("detail"):
        wish.notes.append(f"{record.kind.partition('.')[2]}: {body['detail']}")
    elif record.kind == Kind.INTENT_WITHDRAWN:
        wish.notes.append(f"withdrawn: {body['reason']}")


def _filled(wish: Wish, body: Mapping[str, Any], sign: int) -> None:
    """Book an execution, or one that was taken back: its fee has its sign already."""
    wish.filled += Decimal(body["quantity"]) * sign
    wish.worth += abs(Decimal(body["cash"])) * sign
    wish.fees += Decimal(body["fee"])
    wish.fills += sign
