"""The course of an intent after it was staged: verdicts, order, fills, one plain sentence for each record. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from vanta.alpha.core.node import Node
from vanta.alpha.core.trail import Trail, place
from vanta.alpha.core.words import amount, count, figure, meaning, several, short, when
from vanta.common.events import Kind
from vanta.common.paths import TRADE_LOG
from vanta.common.store.ports import Record
from vanta.executor.core.fences import liquidity

_IN_SECONDS = 10_000
"""From so many milliseconds on a time is told in seconds."""


def course(records: Sequence[Record], trail: Trail) -> tuple[Node, ...]:
    """Everything that happened to an intent, in order."""
    nodes = (told(record, trail) for record in records)
    return tuple(node for node in nodes if node is not None)


def told(record: Record, trail: Trail) -> Node | None:
    """What a record about an intent or its order says, with each fence's verdict; `None` for an unknown kind."""
    sentence = _SENTENCES.get(record.kind)
    if sentence is None:
        return None
    here = place(TRADE_LOG, record)
    parts = tuple(_fence(line) for line in record.payload.get("lines", []))
    controls = tuple(_controls(record, trail)) if parts else ()
    return Node(record.kind, record.ids.get("order_id") or record.ids["intent_id"],
                f"{when(record.at)} ({here}): {sentence(record.payload)}", dict(record.payload), (*parts, *controls),
                here)


def _fence(line: Sequence[str | None]) -> Node:
    fence, code, value, limit, detail = (str(part or "") for part in line)
    if not code:
        return Node("fence", fence, f"{fence} passed: {_against(value, _limit(fence, limit))}.", {"code": None}, ())
    said = f" The operator's words: {detail}." if detail and code.startswith("halt.") and code != _LATCHED else ""
    return Node("fence", fence, f"{fence} stopped it ({code}): {_against(value, limit)}; {meaning(code)}{said}",
                {"code": code}, ())


_LATCHED = "halt.latched"
_NO_LIMIT = "no limit"


def _limit(fence: str, limit: str) -> str:
    """Of liquidity a least of nothing is none: every other fence means the zero that it says."""
    return _NO_LIMIT if fence == liquidity.NAME and limit == "0" else limit


def _against(value: str, limit: str) -> str:
    """What a fence saw and what it wanted: a limit is told as one, a word as what was wanted."""
    seen = _quantity(value)
    if limit in ("", value):
        return seen
    if limit == _NO_LIMIT:
        return f"{seen}, {limit}"
    return f"{seen}, limit {_quantity(limit)}" if limit[:1].isdigit() else f"{seen} (wanted: {limit})"


def _quantity(text: str) -> str:
    number, _, unit = text.partition(" ")
    if unit == "ms" and number.isdigit() and int(number) >= _IN_SECONDS:
        return f"{int(number) / 1000:,.1f} s"
    if text == "None":
        return "nothing is known of it"
    return f"{figure(number)} {unit}".rstrip() if number[:1].isdigit() else text or "nothing"


def _controls(record: Record, trail: Trail) -> Iterator[Node]:
    """The switches as the executor had read them."""
    seen = trail.controls_at(record.seq)
    for what in ("overlay", "permit"):
        if what in seen:
            said = seen[what]
            value, here = said.payload["sha256"], place(TRADE_LOG, said)
            name = "vault_overlay.json" if what == "overlay" else "dispatch.permit"
            state = f"in the version {short(value)}" if what == "overlay" else f"was {value}"
            yield Node("control", what, f"{name} {state}, as read at {when(said.at)} ({here}).", {"sha256": value}, (),
                       here)


def reasons(codes: Iterable[str]) -> str:
    """Codes with what they mean: `there is no quote for the instrument (quote.missing)`."""
    return several(f"{meaning(code).partition('. ')[0].rstrip('.')} ({code})" for code in codes)


def _codes(body: Mapping[str, Any]) -> str:
    return reasons(dict.fromkeys(str(line[1]) for line in body["lines"] if line[1]))


def _seen(body: Mapping[str, Any]) -> str:
    return f"the executor saw it for the first time; its content hash is {short(body['sha256'])}."


def _approved(body: Mapping[str, Any]) -> str:
    return f"approved: all {count(len(body['lines']), 'fence')} let it pass."


def _held(body: Mapping[str, Any]) -> str:
    return f"held, because {reasons(body['codes'])}. It is asked again until it expires."


def _refused(body: Mapping[str, Any]) -> str:
    return f"refused for good, because {_codes(body)}."


def _expired(body: Mapping[str, Any]) -> str:
    before = f" It had been held because {reasons(body['held'])}." if body.get("held") else ""
    return f"it expired before it could be sent.{before}"


def _withdrawn(body: Mapping[str, Any]) -> str:
    return f"the promoter withdrew it: {body['reason']}."


def _quarantined(body: Mapping[str, Any]) -> str:
    if "lines" in body:
        return f"set aside for a person, because {_codes(body)}."
    return f"its id came back with other content ({short(body['sha256'])}); set aside for a person."


def _submitting(body: Mapping[str, Any]) -> str:
    limit, stop = body.get("limit_price"), body.get("stop_price")
    terms = f"stop {figure(stop)}" if stop else "at the market" if limit is None else f"limit {figure(limit)}"
    until = (f", good until {when(body['good_until'])}" if body["good_until"] else
             ", good until cancelled" if body["time_in_force"] == "gtc" else "")
    again = f", attempt {body['attempt']}" if body["attempt"] > 1 else ""
    return (f"order written down before it is sent to {body['broker']}{again}: {body['side']} "
            f"{figure(body['quantity'])} {body['symbol']} {terms}{until}; the price was about "
            f"{figure(body['reference_price'])}.")


def _accepted(body: Mapping[str, Any]) -> str:
    return f"the venue took the order as {body['venue_id']}."


def _withheld(body: Mapping[str, Any]) -> str:
    return f"not sent; the last look stopped it, because {reasons([body['code']])}. It saw: {body['detail']}."


def _detail(what: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda body: f"{what}: {body.get('detail') or 'no reason was given'}."


def _fill(body: Mapping[str, Any]) -> str:
    paid = Decimal(body["cash"])
    way = "paid" if paid >= 0 else "received"
    kept = f", and {figure(body['fee_units'])} units kept as a fee" if body["fee_units"] != "0" else ""
    money = body["currency"]
    return (f"fill {body['fill_id']}: {body['side']} {figure(body['quantity'])} at {figure(body['price'])}, "
            f"{way} {amount(abs(paid), money, sign=False)} and {amount(Decimal(body['fee']), money, sign=False)} in "
            f"fees{kept}.")


def _busted(body: Mapping[str, Any]) -> str:
    return f"the venue took the fill {body['fill_id']} back; it is booked the other way round."


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    Kind.INTENT_SEEN: _seen, Kind.INTENT_APPROVED: _approved, Kind.INTENT_HELD: _held,
    Kind.INTENT_REFUSED: _refused, Kind.INTENT_EXPIRED: _expired, Kind.INTENT_WITHDRAWN: _withdrawn,
    Kind.INTENT_QUARANTINED: _quarantined, Kind.ORDER_SUBMITTING: _submitting, Kind.ORDER_ACCEPTED: _accepted,
    Kind.ORDER_WITHHELD: _withheld, Kind.ORDER_REJECTED: _detail("the venue rejected the order"),
    Kind.ORDER_UNKNOWN: _detail("the venue did not say whether it took the order"),
    Kind.ORDER_CANCELLING: _detail("the venue is asked to cancel the rest"),
    Kind.ORDER_CANCELLED: _detail("the rest was cancelled"), Kind.ORDER_EXPIRED: _detail("the rest expired"),
    Kind.ORDER_QUARANTINED: _detail("set aside for a person"), Kind.FILL: _fill, Kind.FILL_BUSTED: _busted,
}


def order_sentence(order_id: str, records: Sequence[Record]) -> str:
    """What became of an order, in one sentence."""
    mine = [record for record in records if record.ids.get("order_id") == order_id]
    sent = next(record.payload for record in mine if record.kind == Kind.ORDER_SUBMITTING)
    back = {record.payload["fill_id"] for record in mine if record.kind == Kind.FILL_BUSTED}
    fills = [record.payload for record in mine if record.kind == Kind.FILL and record.payload["fill_id"] not in back]
    done = sum((Decimal(fill["quantity"]) for fill in fills), Decimal(0))
    cash = sum((abs(Decimal(fill["cash"])) for fill in fills), Decimal(0))
    fees = sum((Decimal(fill["fee"]) for fill in fills), Decimal(0))
    verb = "bought" if sent["side"] == "buy" else "sold"
    state = "not sent" if mine[-1].kind == Kind.ORDER_WITHHELD else state_of(mine)
    taken = f" {count(len(back), 'fill')} more the venue took back." if back else ""
    size = f"of {figure(sent['quantity'])} {sent['symbol']} for {mine[0].ids['vault']}"
    if not fills:
        return f"Order {order_id} {verb} nothing {size}: {state}.{taken}"
    money = fills[0]["currency"]
    return (f"Order {order_id} {verb} {figure(done)} {size} in {count(len(fills), 'fill')}, for "
            f"{amount(cash, money, sign=False)} and {amount(fees, money, sign=False)} in fees: {state}.{taken}")


def state_of(records: Sequence[Record]) -> str:
    """The newest state of an intent that its records tell; not each of them tells one."""
    told_states = [str(record.payload["intent_state"]) for record in records if record.payload.get("intent_state")]
    return told_states[-1].replace("_", " ") if told_states else "unknown"


def fill_sentence(fill_id: str, records: Sequence[Record]) -> str:
    """One fill, in one sentence."""
    return next(f"At {when(record.at)} ({place(TRADE_LOG, record)}), {_fill(record.payload)}" for record in records
                if record.kind == Kind.FILL and record.payload["fill_id"] == fill_id)
