"""One thing explained in a screen: the top of the tree that `vanta explain` shows. Pure.

Fences that passed are counted, not listed; what is deeper than the second level is left to `vanta explain`.
"""

from collections.abc import Iterator

from vanta.alpha.core.assistant.answer import Answer, Fact, Step, capped, cites
from vanta.alpha.core.node import Node
from vanta.common.exitcodes import Check

MOST = 18
_IDS = ("sig1_", "cv1_", "dag1_", "in1_", "latch_", "cmd_", "vt_", "th_")
_OUTSIDE = frozenset({"signal", "raw", "reason", "conviction"})


def told(tree: Node) -> Answer:
    """The answer to "why" about one id."""
    facts = list(_parts(tree, 0))
    return Answer(
        kind="explain",
        head=_fact(tree, tree),
        facts=tuple(capped(facts, MOST, "sentences")),
        next=(
            Step("the whole of it, down to the raw records", f"vanta explain {tree.id}"),
            Step("as a drawing", f"vanta explain {tree.id} --html why.html"),
        ),
    )


def _parts(node: Node, depth: int) -> Iterator[Fact]:
    seen = set[str]()
    for part in node.parts:
        code = str(part.facts.get("code") or "")
        if _is_noise(part, depth) or (part.kind == "fence" and code in seen):
            continue
        seen.add(code)
        yield _fact(part, node)
        if depth < 1 and part.kind not in ("reason", "signal"):
            yield from _parts(part, depth + 1)


def _is_noise(part: Node, depth: int) -> bool:
    """Fences that passed, versions of controls under a verdict, and a line of a sum that adds nothing."""
    return (
        (part.kind == "fence" and not part.facts.get("code"))
        or (part.kind == "control" and depth > 0)
        or (part.kind == "reason" and part.facts.get("bp") == 0)
    )


def _fact(node: Node, above: Node) -> Fact:
    """The sentence, resting on its own place or id, or on those of what it is a part of."""
    own = cites((node.place, node.id if _is_id(node) and not _is_past(node, above) else ""))
    return Fact(node.text, own or cites((above.place, above.id)), Check.WARNING if node.facts.get("code") else None,
                outside=node.kind in _OUTSIDE)


def _is_past(node: Node, above: Node) -> bool:
    """A conviction of a cycle that may be long over: the cycle is found by its name, the conviction perhaps no more."""
    return node.kind == "conviction" and above.id.startswith("dag1_")


def _is_id(node: Node) -> bool:
    """Whether `vanta explain` takes it. Of hashes it takes those of control files alone."""
    return node.id.startswith(_IDS) or (node.id.startswith("v") and "-" in node.id) or (
        node.kind == "control" and len(node.id) == 64)
