"""A sentence about one thing, and what it rests on: the tree that every explanation is. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """One sentence, what it is about, the facts behind it, and the nodes it rests on.

    `place` is the record that says it, as `vanta explain` takes it (`trade_log:345`); empty where no single record
    does.
    """

    kind: str
    id: str
    text: str
    facts: Mapping[str, Any]
    parts: "tuple[Node, ...]"
    place: str = ""


def flatten(node: Node, depth: int = 0) -> Iterator[tuple[int, Node]]:
    """The tree in reading order, with each node's depth."""
    yield depth, node
    for part in node.parts:
        yield from flatten(part, depth + 1)


def as_json(node: Node) -> dict[str, Any]:
    """The tree as plain data."""
    return {"kind": node.kind, "id": node.id, "place": node.place, "text": node.text, "facts": dict(node.facts),
            "because": [as_json(part) for part in node.parts]}
