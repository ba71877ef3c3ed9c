"""What stands in the box of a thing: a caption and a few words, from its facts. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from vanta.alpha.core.node import Node
from vanta.alpha.core.sights import one_line
from vanta.alpha.core.words import amount, figure, short

Facts = Mapping[str, Any]


class Label(NamedTuple):
    """`tone` is `good`, `bad` or empty: it is always said in words as well."""

    caption: str
    text: str
    tone: str = ""


def label(node: Node) -> Label:
    """The label of any node; what has no facts of its kind is told by its sentence."""
    make = _MAKERS.get(node.kind)
    try:
        made = make(node, node.facts) if make is not None else None
    except (LookupError, ValueError, TypeError, ArithmeticError):
        made = None
    found = made or Label(caption(node.kind), _shortened(node))
    return Label(one_line(found.caption), one_line(found.text), found.tone)


def caption(kind: str) -> str:
    """A kind as people call it."""
    return {"pnl": "result", "effect": "what it did", "until": "until", "who": "who", "raw": "raw record",
            "view": "persona's view", "missing": "missing"}.get(kind, kind.replace(".", " "))


def _shortened(node: Node) -> str:
    """The sentence without the words that the caption says."""
    for lead in (f"Order {node.id} ", f"Intent {node.id} ", f"Conviction {node.id}: ", f"Signal {node.id} ",
                 "Result: "):
        if node.text.startswith(lead):
            return node.text.removeprefix(lead)
    _, mark, rest = node.text.partition(f"({node.place}): ") if node.place else ("", "", "")
    return rest if mark else node.text


def _raw(node: Node, facts: Facts) -> Label:
    return Label("raw record", f"{str(facts['url']).removeprefix('file:')} ({short(node.id)})")


def _signal(_node: Node, facts: Facts) -> Label:
    direction = Decimal(str(facts["direction"]))
    way = "▲ up" if direction > 0 else "▼ down" if direction < 0 else "neither way"
    return Label(f"signal · {facts['source']} · {way}", str(facts["summary"]))


def _reason(node: Node, facts: Facts) -> Label:
    bp = int(facts["bp"])
    return Label("reason", f"{node.id}: {weight(bp)}", "good" if bp > 0 else "bad" if bp < 0 else "")


def _conviction(_node: Node, facts: Facts) -> Label:
    return Label("conviction", f"{facts['entity']} {facts['direction']}: {facts['conviction_bp']:,} of 10,000")


def _view(node: Node, facts: Facts) -> Label:
    return Label("as seen by", f"{node.id}: {facts['conviction_bp']:,} of 10,000")


def _allocation(node: Node, facts: Facts) -> Label:
    return Label("allocation", f"{facts['weight_bp']:,} bp of {node.id}: {figure(facts['notional'])}")


def _intent(_node: Node, facts: Facts) -> Label:
    wish = "leave" if facts["close"] else f"{facts['side']} {figure(facts['notional'])} of"
    return Label("intent", f"{wish} {facts['instrument_id']} for {facts['vault']}")


def _seen(node: Node, facts: Facts) -> Label:
    return _intent(node, facts["intent"])


def _fence(node: Node, facts: Facts) -> Label:
    if facts["code"]:
        return Label("fence · stopped", f"{node.id}: {facts['code']}", "bad")
    return Label("fence · passed", node.id)


def _control(node: Node, facts: Facts) -> Label:
    name = {"overlay": "vault_overlay.json", "permit": "dispatch.permit", "vaults": "vault.json"}
    what = name.get(str(facts.get("what", node.id)).partition(" ")[0], str(facts.get("what", node.id)))
    return Label("control", f"{what}: {short(facts.get('after', facts.get('sha256')))}")


def _stopping(node: Node, facts: Facts) -> Label:
    codes = facts.get("codes") or list(dict.fromkeys(str(line[1]) for line in facts["lines"] if line[1]))
    return Label(f"verdict · {node.kind.removeprefix('intent.')}", ", ".join(map(str, codes)), "bad")


def _approved(_node: Node, facts: Facts) -> Label:
    return Label("verdict · approved", f"all {len(facts['lines'])} fences passed", "good")


def _order(_node: Node, facts: Facts) -> Label:
    return Label("order", f"{facts['side']} {figure(facts['quantity'])} {facts['symbol']} by {facts['broker']}")


def _fill(_node: Node, facts: Facts) -> Label:
    return Label("fill", f"{facts['side']} {figure(facts['quantity'])} at {figure(facts['price'])}")


def _pnl(_node: Node, facts: Facts) -> Label:
    totals = {money: row["total"] for money, row in facts["by_currency"].items()}
    if None in totals.values():
        return Label("result", "unknown without a mark")
    said = ", ".join(amount(Decimal(total), money) for money, total in totals.items())
    lost = any(Decimal(total) < 0 for total in totals.values())
    return Label("result · so far", said, "bad" if lost else "good")


def _latch(node: Node, facts: Facts) -> Label:
    return Label("latch", f"{facts['code']} on {facts['vault'] or 'everything'} ({node.id})", "bad")


def _effect(_node: Node, facts: Facts) -> Label:
    return Label(f"what it did · {facts['effect']}", facts["wish"] or facts["intent_id"])


def weight(bp: int) -> str:
    """`+4,390 bp`, `−100 bp`."""
    return f"{bp:+,} bp".replace("-", "−")


_MAKERS: dict[str, Callable[[Node, Facts], Label]] = {
    "raw": _raw, "signal": _signal, "reason": _reason, "conviction": _conviction, "view": _view,
    "allocation": _allocation,
    "intent": _intent, "intent.seen": _seen, "fence": _fence, "control": _control, "intent.approved": _approved,
    "intent.held": _stopping, "intent.refused": _stopping, "intent.expired": _stopping, "order.submitting": _order,
    "fill": _fill, "pnl": _pnl, "latch": _latch,
    "effect": _effect}
