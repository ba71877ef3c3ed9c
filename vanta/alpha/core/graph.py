"""The decision as a graph: every thing once, links the way the decision went, weights on them. Pure.

A tree of sentences says a thing wherever it counts, and an order before what it rests on. Here a signal that is listed
under two reasons is one thing with two links, what happened to an order is the order, and links run from the raw record
to the result: raw → signal → reason → conviction → allocation → intent → fences → verdict → order → fill → result.

    graph_of(tree).links  ->  (Link("reason cv1_… source:sec.form4", "conviction cv1_…", 4390), …)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vanta.alpha.core.labels import Label, label
from vanta.alpha.core.node import Node

RANKS: Mapping[str, int] = {
    "who": 5, "cause": 5, "raw": 10, "input": 10, "missing": 10, "collected": 15, "signal": 20, "reason": 30,
    "reflection": 33,
    "cycle": 35, "conviction": 40, "command": 40, "view": 45, "output": 45, "allocation": 50, "intent": 55, "fence": 60,
    "control": 60, "latch": 60, "receipt": 60, "record": 60, "verdict": 65, "field": 65, "order": 70, "fill": 80,
    "pnl": 90,
    "effect": 95, "until": 97}
"""Where each kind stands on the way from evidence to result. Kinds that are not here are records."""

_ALWAYS = 1 << 40
_STOPPED = 1 << 20


class Link(NamedTuple):
    """From what comes first to what rests on it. `bp` is the weight of a reason."""

    source: str
    target: str
    bp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One box. `first` is the number of the first sentence about it; of many the strongest are drawn."""

    key: str
    kind: str
    rank: float
    label: Label
    first: int
    strength: int = 0


@dataclass(frozen=True, slots=True)
class Graph:
    """Things in reading order, links between them, and which thing each sentence is about (by its number)."""

    things: tuple[Thing, ...]
    links: tuple[Link, ...]
    about: tuple[str, ...]


def graph_of(tree: Node) -> Graph:
    """The graph of a tree of sentences."""
    builder = _Builder()
    builder.visit(tree, None, 0)
    return builder.graph()


def kind_of(node: Node) -> str:
    """The kind of the thing that a sentence is about: an answer of the venue is about the order."""
    if node.kind in RANKS:
        return node.kind
    if node.kind == "fill.busted":
        return "fill"
    if node.kind.startswith("order."):
        return "order"
    if node.kind == "intent.seen":
        return "intent"
    return "verdict" if node.kind.startswith("intent.") else "record"


class _Builder:
    def __init__(self) -> None:
        self._things: dict[str, Thing] = {}
        self._links: dict[tuple[str, str], int | None] = {}
        self._about: list[str] = []

    def visit(self, node: Node, parent: Node | None, weight: int, owner: str = "") -> str:
        """Take in a node and all below it; returns its key."""
        kind, key = kind_of(node), _key(node, parent, owner)
        weight = _weight(node, weight)
        known = self._things.get(key)
        if known is None:
            self._things[key] = Thing(key=key, kind=kind, rank=RANKS[kind], label=label(node), first=len(self._about),
                                      strength=_ALWAYS if parent is None else weight)
        elif weight > known.strength:
            self._things[key] = Thing(key=key, kind=kind, rank=known.rank, label=known.label, first=known.first,
                                      strength=weight)
        self._about.append(key)
        below = key if kind == "conviction" else owner
        parts = [(part, self.visit(part, node, weight, below)) for part in node.parts]
        for source, target, bp in _wires(node, key, parts):
            self._link(source, target, bp)
        return key

    def _link(self, source: str, target: str, bp: int | None) -> None:
        if source != target and (target, source) not in self._links and self._links.get((source, target)) is None:
            self._links[source, target] = bp

    def graph(self) -> Graph:
        """What was taken in; among things of one rank those that rest on others stand a step lower."""
        things = dict(self._things)
        for source, target in self._links:
            one, other = things[source], things[target]
            if one.rank >= other.rank and other.rank == RANKS[other.kind]:
                things[target] = Thing(key=other.key, kind=other.kind, rank=one.rank + 0.5, label=other.label,
                                       first=other.first, strength=other.strength)
        return Graph(tuple(things.values()), tuple(Link(*ends, bp) for ends, bp in self._links.items()),
                     tuple(self._about))


Part = tuple[Node, str]


def _wires(node: Node, key: str, parts: Sequence[Part]) -> Iterator[Link]:
    """The links between a node and its parts, the way the decision went."""
    if kind_of(node) == "intent":
        yield from _of_intent(key, parts)
        return
    for part, other in parts:
        bp = part.facts.get("bp") if part.kind == "reason" else None
        if part.kind == "intent" and (_sent(part) if kind_of(node) in ("order", "fill") else _fenced(node)):
            continue  # its verdict links to the order, its fences to the verdict
        first = RANKS[kind_of(part)] < RANKS[kind_of(node)]
        yield Link(other, key, bp) if first else Link(key, other, bp)
    if kind_of(node) == "verdict":
        before = [other for part, other in parts if part.kind == "intent" and part.parts]
        yield from (Link(intent, fence) for intent in before for part, fence in parts if part.kind == "fence")


def _of_intent(key: str, parts: Sequence[Part]) -> Iterator[Link]:
    """Grounds lead to the allocation and on to the intent, it leads through fences to verdicts, those to the order."""
    allocation = next((other for part, other in parts if part.kind == "allocation"), key)
    gate, fills = key, []
    for part, other in parts:
        kind = kind_of(part)
        if kind == "conviction":
            view = next((f"view {one.id}" for one in part.parts if one.kind == "view"), None)
            yield Link(view or other, allocation)
        elif kind == "verdict":
            fences = [_key(one, part, "") for one in part.parts if one.kind == "fence"]
            yield from (Link(key, fence) for fence in fences)
            if not fences:
                yield Link(key, other)
            gate = other if part.kind == "intent.approved" else gate
        elif kind == "order":
            yield Link(gate, other)
        elif kind == "fill":
            fills.append(other)
            yield Link(f"order {part.facts.get('order_id', part.id)}", other)
        elif kind == "pnl":
            yield from (Link(fill, other) for fill in dict.fromkeys(fills) or [key])
        elif kind != "intent":
            yield Link(other, key) if RANKS[kind] < RANKS["intent"] else Link(key, other)


def _fenced(verdict: Node) -> bool:
    return any(part.kind == "fence" for part in verdict.parts)


def _sent(intent: Node) -> bool:
    return any(part.kind.startswith("order.") for part in intent.parts)


def _key(node: Node, parent: Node | None, owner: str) -> str:
    """What makes a thing the same wherever it is told."""
    kind = kind_of(node)
    if kind == "reason":
        return f"reason {owner} {node.id}"
    if kind == "fence":
        return f"fence {parent.place if parent else ''} {node.id}"
    if kind == "fill":
        return f"fill {node.facts.get('fill_id', node.id)}"
    if kind in ("verdict", "receipt", "record", "control", "effect"):
        return f"{kind} {node.place or node.id}"
    return f"{kind} {node.id}"


def _weight(node: Node, above: int) -> int:
    """How much a thing counts for among its like."""
    if node.kind == "reason":
        return abs(int(node.facts.get("bp", 0)))
    if node.kind == "fence":
        return _STOPPED if node.facts.get("code") else 0
    return above
