"""An account of the log that shares nothing with the executor's: raw lines in, positions, cash and endings out.

Keeps its own hash chain, its own arithmetic and its own idea of what may follow what. Whatever it finds wrong is a
sentence in `wrong`. Amounts are Decimals of the standard library, rounded to cents where the venue's rules say so.
"""

import hashlib
import json
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

ZERO = Decimal(0)
CENT = Decimal("0.01")
ENDS = {"intent.refused": "refused", "intent.expired": "expired", "intent.withdrawn": "withdrawn",
        "order.rejected": "rejected", "order.cancelled": "cancelled", "order.expired": "expired",
        "order.quarantined": "quarantined"}
AFTER_THE_END = ("fill", "fill.busted", "intent.quarantined")
_WHY = {"order.withheld": "code", "order.cancelling": "detail"}


Body = dict[str, Any]


def cents(amount: Decimal) -> Decimal:
    """To the booked unit."""
    return amount.quantize(CENT, ROUND_HALF_EVEN)


@dataclass(slots=True)
class Wish:
    """One intent as the raw log tells it. `basis` is None for what the executor asked for itself."""

    vault: str
    instrument: str
    basis: int | None
    ended: str = ""
    path: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Row:
    """One order as the raw log tells it. `open` while it may still be filled; `again`: written down before."""

    intent: str
    vault: str
    account: str
    instrument: str
    side: str
    quantity: Decimal
    price: Decimal
    seq: int
    at: str
    open: bool = True
    withheld: bool = False
    filled: Decimal = ZERO
    limit: Decimal | None = None
    time_in_force: str = "day"
    again: bool = False
    stop: Decimal | None = None

    @property
    def signed(self) -> Decimal:
        """What may still be filled, with its sign."""
        rest = max(ZERO, self.quantity - self.filled)
        return rest if self.side == "buy" else -rest


@dataclass(slots=True)
class Booked:
    """One execution as the raw log tells it."""

    order: str
    signed: Decimal
    price: Decimal
    paid: Decimal
    fee: Decimal
    quantity: Decimal
    busted: bool = False


class Ledger:
    """See the module's contract. `take` every raw line in order."""

    def __init__(self) -> None:
        self.seq = 0
        self.last = "0" * 64
        self.wrong: list[str] = []
        self.wishes: dict[str, Wish] = {}
        self.orders: dict[str, Row] = {}
        self.fills: dict[tuple[str, str], Booked] = {}
        self.held: dict[tuple[str, str], Decimal] = {}
        self.moved: dict[tuple[str, str], int] = {}
        self.cash: dict[str, Decimal] = {}
        self.capital: dict[str, Decimal] = {}
        self.accounts: dict[str, str] = {}
        self.latches: dict[str, dict[str, Any]] = {}
        self.alarmed: set[str] = set()
        self.grave: list[str] = []
        self.due_alarms: dict[str, int] = {}
        self.last_price: dict[str, Decimal] = {}
        self.touch: dict[str, dict[str, Decimal]] = {}
        self.sync: dict[str, str] = {}
        self.vaults = ""
        self.readable = False
        self.kinds: dict[str, int] = {}
        self.submitted: list[str] = []
        self.given_up: list[str] = []
        self.overrides: dict[str, Body] = {}

    def take(self, raw: bytes, line: Body) -> None:
        """One more line: its bytes, and what they say."""
        if line["seq"] != self.seq + 1 or line["prev"] != self.last:
            self.wrong.append(f"I5: line {self.seq + 1} says seq {line['seq']} and does not follow line {self.seq}")
        self.seq, self.last = self.seq + 1, hashlib.sha256(raw).hexdigest()
        kind, body, ids = line["kind"], line["payload"], line["ids"]
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        wish = self.wishes.get(ids.get("intent_id", ""))
        if wish is not None:
            self._follow(kind, body, wish, ids["intent_id"])
        elif kind == "program.started":
            for row in self.orders.values():
                if row.open:
                    self.wishes[row.intent].path.append("restart")
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, body, ids, line)

    def _follow(self, kind: str, body: dict[str, Any], wish: Wish, name: str) -> None:
        """Nothing ends twice, nothing goes on after its end."""
        code = body.get(_WHY[kind]) if kind in _WHY else None
        wish.path.append(f"{kind}: {code}" if code else "fill.late" if kind == "fill" and wish.ended else kind)
        end = ENDS.get(kind, "")
        if kind == "intent.quarantined" and body["intent_state"] is not None:
            end = "quarantined"
        if wish.ended and (end or kind not in AFTER_THE_END):
            self.wrong.append(f"I2: intent {name} has ended as {wish.ended}, then came {kind}")
        wish.ended = wish.ended or end

    def open_of(self, vault: str, instrument: str) -> Decimal:
        """What all orders in flight of one key may still do to its position."""
        return sum((row.signed for row in self.orders.values()
                    if row.open and (row.vault, row.instrument) == (vault, instrument)), ZERO)

    def overridden(self, vault: str, at: str) -> dict[str, str]:
        """Limits of a vault that an operator has changed for a while, and that are in force at that time."""
        return {one["limit"]: one["value"] for one in self.overrides.values()
                if one["vault"] == vault and at < one["until"]}

    def positions(self, account: str) -> dict[str, Decimal]:
        """What the account holds by instrument, over all its vaults."""
        found: dict[str, Decimal] = {}
        for (vault, instrument), quantity in self.held.items():
            if self.accounts[vault] == account and quantity:
                found[instrument] = found.get(instrument, ZERO) + quantity
        return {name: quantity for name, quantity in found.items() if quantity}

    def owed(self) -> list[str]:
        """Alarms that were due at a record before this one and that no record has raised."""
        return [f"I9: {code} was due at line {seq} and was never raised" for code, seq in self.due_alarms.items()
                if code not in self.alarmed]

    def due(self, code: str) -> None:
        """Something happened that a person has to be told of."""
        self.due_alarms.setdefault(code, self.seq)


def _seen(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    if ids["intent_id"] in ledger.wishes:
        ledger.wrong.append(f"I2: intent {ids['intent_id']} was seen twice")
    intent = body["intent"]
    if body.get("from") == "executor":
        cause = intent["provenance"]["reasons"][0]["reason"]
        ledger.kinds[cause] = ledger.kinds.get(cause, 0) + 1
    basis = None if body.get("from") == "executor" else intent["basis_seq"]
    ledger.wishes[ids["intent_id"]] = Wish(intent["vault"], intent["instrument_id"], basis, path=["intent.seen"])


def _submitting(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    old = ledger.orders.get(ids["order_id"])
    if old is not None and not old.withheld:
        ledger.wrong.append(f"I1: order {ids['order_id']} was written down for sending twice")
    wish = ledger.wishes[ids["intent_id"]]
    ledger.orders[ids["order_id"]] = Row(
        ids["intent_id"], wish.vault, body["broker"], wish.instrument, body["side"], Decimal(body["quantity"]),
        Decimal(body["reference_price"]), line["seq"], line["at"], filled=old.filled if old else ZERO,
        limit=None if body["limit_price"] is None else Decimal(body["limit_price"]),
        time_in_force=body["time_in_force"], again=old is not None,
        stop=Decimal(body["stop_price"]) if body["type"] == "stop" else None)
    if body["type"] == "stop" and (wish.basis is not None or body["time_in_force"] != "gtc"):
        ledger.wrong.append(f"I12: {ids['order_id']} is a stop that nobody may ask for")
    if wish.basis is None and body["type"] == "limit":
        ledger.wrong.append(f"I12: the exit {ids['order_id']} waits for a price")
    ledger.submitted.append(ids["order_id"])


def _withheld(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    row = ledger.orders[ids["order_id"]]
    row.open, row.withheld = False, True
    if body["code"] == "broker.outcome_unknown":
        ledger.given_up.append(ids["order_id"])


def _found(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    row = ledger.orders[ids["order_id"]]
    row.open, row.withheld = True, False


def _over(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    ledger.orders[ids["order_id"]].open = False
    if line["kind"] == "order.quarantined":
        ledger.given_up.append(ids["order_id"])


def _fill(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    row = ledger.orders[ids["order_id"]]
    name = (row.account, body["fill_id"])
    if name in ledger.fills:
        ledger.wrong.append(f"I7: execution {name} was booked twice")
    quantity, price, fee = Decimal(body["quantity"]), Decimal(body["price"]), Decimal(body["fee"])
    kept = Decimal(body["fee_units"])
    signed = quantity - kept if row.side == "buy" else -quantity - kept
    if row.limit is not None and (price > row.limit if row.side == "buy" else price < row.limit):
        ledger.wrong.append(f"I12: execution {name} at {price} is beyond the limit of {row.limit}")
    paid = cents(quantity * price if row.side == "buy" else -quantity * price)
    ledger.fills[name] = Booked(ids["order_id"], signed, price, paid, fee, quantity)
    row.filled += quantity
    wish = ledger.wishes[row.intent]
    expected = wish.ended in ("", "cancelled", "expired", "filled") and not (wish.ended and row.withheld)
    if not wish.ended:
        row.open, row.withheld = row.filled < row.quantity, False
        wish.ended = "" if row.open else "filled"
    _move(ledger, row, signed, -paid - fee)
    if row.filled > row.quantity:
        ledger.due("broker.overfill")
    elif not expected:
        ledger.due("broker.late_fill")


def _cancelling(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    row = ledger.orders[ids["order_id"]]
    if body["detail"] == "the session is over" and row.time_in_force == "gtc":
        ledger.wrong.append(f"I12: {ids['order_id']} is good until cancelled and was cancelled with the session")


def _busted(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    fill = ledger.fills[ledger.orders[ids["order_id"]].account, body["fill_id"]]
    if fill.busted:
        ledger.wrong.append(f"I7: execution {body['fill_id']} was taken back twice")
    fill.busted = True
    row = ledger.orders[fill.order]
    row.filled -= fill.quantity
    _move(ledger, row, -fill.signed, fill.paid + fill.fee)
    ledger.due("broker.fill_busted")


def _move(ledger: Ledger, row: Row, signed: Decimal, cash: Decimal) -> None:
    key = (row.vault, row.instrument)
    ledger.held[key] = ledger.held.get(key, ZERO) + signed
    ledger.moved[key] = ledger.seq
    ledger.cash[row.vault] += cash


def _external(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    if body["what"].startswith("fill"):
        ledger.due("broker.external_fill")


def _adjustment(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    vault, amount = body["vault"], Decimal(body["amount"])
    if vault in ledger.capital:
        ledger.wrong.append(f"I7: vault {vault} was funded twice")
    ledger.capital[vault] = ledger.cash[vault] = amount
    ledger.accounts[vault] = body["account"]


def _latch(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    ledger.latches[body["latch_id"]] = body
    ledger.alarmed.add(body["code"])
    if body["vault"] is None and not body["exits"]:
        ledger.grave.append(body["latch_id"])


def _release(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    if ledger.latches.pop(body["latch_id"], None) is None:
        ledger.wrong.append(f"I3: {body['latch_id']} was released and is not set")


def _quote(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    ledger.last_price[body["instrument_id"]] = Decimal(body["last"])
    ledger.touch[body["instrument_id"]] = {"buy": Decimal(body["ask"]), "sell": Decimal(body["bid"])}


def _sync(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    ledger.sync[body["account"]] = body["state"]


def _override(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    ledger.overrides[body["command_id"]] = body


def _override_over(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    ledger.overrides.pop(body["command_id"], None)


def _control(ledger: Ledger, body: Body, ids: Body, line: Body) -> None:
    if body["what"] == "vaults":
        ledger.readable = not body["sha256"].startswith("unreadable")
        ledger.vaults = body["sha256"] if ledger.readable else ledger.vaults


_HANDLERS = {
    "intent.seen": _seen, "order.submitting": _submitting, "order.withheld": _withheld, "order.accepted": _found,
    "order.rejected": _over, "order.cancelled": _over, "order.expired": _over, "order.quarantined": _over,
    "order.cancelling": _cancelling, "fill": _fill, "fill.busted": _busted, "broker.external": _external,
    "adjustment": _adjustment, "latch.set": _latch, "latch.released": _release, "quote.seen": _quote,
    "broker.sync": _sync, "control.seen": _control, "override.set": _override, "override.ended": _override_over,
}


def pretty(raw: bytes) -> str:
    """A line of the log in a few words, for a trace."""
    line = json.loads(raw)
    body = {name: value for name, value in line["payload"].items() if name not in ("lines", "intent", "legs")}
    ids = " ".join(value[-6:] for name, value in line["ids"].items() if name in ("intent_id", "order_id"))
    return f"{line['seq']:>4} {line['kind']:<18} {ids} {json.dumps(body, sort_keys=True)[:150]}"
