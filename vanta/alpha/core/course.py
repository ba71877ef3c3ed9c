"""The course of an intent after it was staged: verdicts, order, fills, one plain sentence for each record. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vanta.alpha.core.trail import Trail
from vanta.common.events import Kind
from vanta.common.reasons import TABLE, Reason
from vanta.common.store.ports import Record


@dataclass(frozen=True, slots=True)
class Node:
    """One sentence, what it is about, the facts behind it, and the nodes it rests on."""

    kind: str
    id: str
    text: str
    facts: Mapping[str, Any]
    parts: "tuple[Node, ...]"


def figure(value: object) -> str:
    """`1234.5` as `1,234.5`; `None` as `unknown`."""
    return "unknown" if value is None else f"{Decimal(str(value)):,}"


def course(records: Sequence[Record], trail: Trail) -> tuple[Node, ...]:
    """Everything that happened to an intent, in order."""
    return tuple(node for record in records for node in _said(record, trail))


def _said(record: Record, trail: Trail) -> Iterator[Node]:
    sentence = _SENTENCES.get(record.kind)
    if sentence is None:
        return
    text = f"{record.at} (record {record.seq}): {sentence(record.payload)}"
    parts = tuple(_fence(line) for line in record.payload.get("lines", []))
    controls = tuple(_controls(record, trail)) if parts else ()
    yield Node(record.kind, record.ids.get("order_id") or record.ids["intent_id"], text, dict(record.payload),
               (*parts, *controls))


def _fence(line: Sequence[str | None]) -> Node:
    fence, code, value, limit, detail = (str(part or "") for part in line)
    against = f"{value}, limit {limit}" if limit not in ("", value) else value
    if not code:
        return Node("fence", fence, f"{fence} passed: {against}", {"code": None}, ())
    said = f" The operator's words: {detail}." if detail else ""
    return Node("fence", fence, f"{fence} stopped it, {code} ({against}): {meaning(code)}{said}", {"code": code}, ())


def meaning(code: str) -> str:
    """The sentence of a reason code, and its cure."""
    try:
        row = TABLE[Reason(code)]
    except ValueError:
        return "a reason that this version does not know"
    return f"{row.meaning}. {row.cure}"


def _controls(record: Record, trail: Trail) -> Iterator[Node]:
    """The switches as the executor had read them."""
    seen = trail.controls_at(record.seq)
    for what in ("overlay", "permit"):
        if what in seen:
            said = seen[what]
            value = said.payload["sha256"]
            yield Node("control", what, f"{what} in force since record {said.seq}: {value[:16]}"
                       f"{'' if len(value) <= 16 else '…'}", {"sha256": value}, ())


def _codes(body: Mapping[str, Any]) -> str:
    return ", ".join(str(line[1]) for line in body["lines"] if line[1])


def _seen(body: Mapping[str, Any]) -> str:
    return f"the executor saw it first and knows it by content hash {body['sha256'][:16]}."


def _approved(body: Mapping[str, Any]) -> str:
    return f"all {len(body['lines'])} fences let it pass."


def _held(body: Mapping[str, Any]) -> str:
    return f"held, to be asked again until it expires: {', '.join(body['codes'])}."


def _refused(body: Mapping[str, Any]) -> str:
    return f"refused for good: {_codes(body)}."


def _expired(body: Mapping[str, Any]) -> str:
    before = f" It had been held for {', '.join(body['held'])}." if body.get("held") else ""
    return f"it expired before it could be sent.{before}"


def _withdrawn(body: Mapping[str, Any]) -> str:
    return f"the promoter withdrew it: {body['reason']}."


def _quarantined(body: Mapping[str, Any]) -> str:
    if "lines" in body:
        return f"set aside for a person: {_codes(body)}."
    return f"its id came back with other content ({body['sha256'][:16]}); set aside for a person."


def _submitting(body: Mapping[str, Any]) -> str:
    limit, stop = body.get("limit_price"), body.get("stop_price")
    terms = f"stop {figure(stop)}" if stop else "at the market" if limit is None else f"limit {figure(limit)}"
    until = (f", good until {body['good_until']}" if body["good_until"] else
             ", good until cancelled" if body["time_in_force"] == "gtc" else "")
    return (f"order written down before it was sent: {body['side']} {figure(body['quantity'])} {body['symbol']} "
            f"{terms}{until}, by {body['broker']}, attempt {body['attempt']}, at a price of about "
            f"{figure(body['reference_price'])}.")


def _accepted(body: Mapping[str, Any]) -> str:
    return f"the venue took the order as {body['venue_id']}."


def _withheld(body: Mapping[str, Any]) -> str:
    return f"not sent, stopped at the last look: {body['code']}, {meaning(body['code'])} ({body['detail']})"


def _detail(what: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda body: f"{what}: {body.get('detail') or 'no reason was given'}."


def _fill(body: Mapping[str, Any]) -> str:
    paid = Decimal(body["cash"])
    way = "paid" if paid >= 0 else "received"
    kept = f", and {figure(body['fee_units'])} units kept as a fee" if body["fee_units"] != "0" else ""
    return (f"fill {body['fill_id']}: {body['side']} {figure(body['quantity'])} at {figure(body['price'])}, "
            f"{way} {figure(abs(paid))} {body['currency']} and {figure(body['fee'])} in fees{kept}.")


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    Kind.INTENT_SEEN: _seen, Kind.INTENT_APPROVED: _approved, Kind.INTENT_HELD: _held,
    Kind.INTENT_REFUSED: _refused, Kind.INTENT_EXPIRED: _expired, Kind.INTENT_WITHDRAWN: _withdrawn,
    Kind.INTENT_QUARANTINED: _quarantined, Kind.ORDER_SUBMITTING: _submitting, Kind.ORDER_ACCEPTED: _accepted,
    Kind.ORDER_WITHHELD: _withheld, Kind.ORDER_REJECTED: _detail("the venue rejected the order"),
    Kind.ORDER_UNKNOWN: _detail("the venue did not say whether it took the order"),
    Kind.ORDER_CANCELLING: _detail("the venue is asked to cancel the rest"),
    Kind.ORDER_CANCELLED: _detail("the rest was cancelled"), Kind.ORDER_EXPIRED: _detail("the rest expired"),
    Kind.ORDER_QUARANTINED: _detail("set aside for a person"), Kind.FILL: _fill,
}


def order_sentence(order_id: str, records: Sequence[Record]) -> str:
    """What became of an order, in one sentence."""
    mine = [record for record in records if record.ids.get("order_id") == order_id]
    sent = next(record.payload for record in mine if record.kind == Kind.ORDER_SUBMITTING)
    fills = [record.payload for record in mine if record.kind == Kind.FILL]
    done = sum((Decimal(fill["quantity"]) for fill in fills), Decimal(0))
    cash = sum((abs(Decimal(fill["cash"])) for fill in fills), Decimal(0))
    fees = sum((Decimal(fill["fee"]) for fill in fills), Decimal(0))
    verb = "bought" if sent["side"] == "buy" else "sold"
    state = "not sent" if mine[-1].kind == Kind.ORDER_WITHHELD else mine[-1].payload["intent_state"]
    size = f"of {figure(sent['quantity'])} {sent['symbol']} for {mine[0].ids['vault']}"
    if not fills:
        return f"Order {order_id} {verb} nothing {size}: {state}."
    count = f"{len(fills)} fill{'s' if len(fills) > 1 else ''}"
    return (f"Order {order_id} {verb} {figure(done)} {size} in {count}, {figure(cash)} {fills[0]['currency']} and "
            f"{figure(fees)} in fees: {state}.")


def fill_sentence(fill_id: str, records: Sequence[Record]) -> str:
    """One fill, in one sentence."""
    return next(f"At {record.at}, {_fill(record.payload)}" for record in records
                if record.kind == Kind.FILL and record.payload["fill_id"] == fill_id)
