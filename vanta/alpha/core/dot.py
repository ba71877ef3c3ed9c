"""The graph as Graphviz text: `vanta explain ID --dot | dot -Tsvg > why.svg`. Pure.

One statement a line; every thing is a node, shaped and coloured by its kind, and words carry what colour says. Labels
are quoted, so that no headline can end one.
"""

from collections.abc import Iterator

from vanta.alpha.core.graph import Graph, Link, Thing
from vanta.alpha.core.labels import weight
from vanta.alpha.core.sights import one_line
from vanta.alpha.core.text import wrapped

_WIDTH = 34
_LINES = 4
_LOOKS = {
    "raw": ("note", "#eceff1"), "signal": ("box", "#e3edf7"), "reason": ("cds", "#eef3e6"),
    "conviction": ("ellipse", "#e8e4f3"),
    "view": ("ellipse", "#f1eef8"), "allocation": ("box3d", "#f6efe0"), "intent": ("component", "#f6efe0"),
    "fence": ("octagon", "#f4f4f2"), "control": ("tab", "#f4f4f2"), "verdict": ("diamond", "#ffffff"),
    "order": ("folder", "#e3f1f1"),
    "fill": ("box", "#e3f1f1"), "pnl": ("house", "#ffffff"), "latch": ("octagon", "#f8e6e0")}
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})
_PLAIN = ("box", "#ffffff")
_TONES = {"good": "#1b6e4a", "bad": "#a3381f", "": "#5d6670"}


def dot(graph: Graph, title: str) -> str:
    """The text of one `digraph`, with a newline at its end."""
    names = {thing.key: f"n{number}" for number, thing in enumerate(graph.things)}
    return "\n".join((f"digraph {_quoted(title)} {{", *_head(), *(_node(names[one.key], one) for one in graph.things),
                      *_layers(graph, names), *(_edge(names, link) for link in graph.links), "}", ""))


def _head() -> Iterator[str]:
    yield '  graph [rankdir="TB", fontname="sans-serif", nodesep="0.3", ranksep="0.5"];'
    yield '  node [fontname="sans-serif", fontsize="10", style="filled", fontcolor="#1d2126", margin="0.12,0.08"];'
    yield '  edge [fontname="sans-serif", fontsize="9", color="#5d6670", arrowsize="0.7"];'


def _node(name: str, thing: Thing) -> str:
    shape, fill = _LOOKS.get(thing.kind, _PLAIN)
    lines = (thing.label.caption, *wrapped(thing.label.text, _WIDTH, _LINES))
    look = f'shape="{shape}", fillcolor="{fill}", color="{_TONES[thing.label.tone]}"'
    return f"  {name} [label={_quoted(*lines)}, {look}];"


def _layers(graph: Graph, names: dict[str, str]) -> Iterator[str]:
    """Things of one kind stand side by side."""
    for rank in sorted({thing.rank for thing in graph.things}):
        row = [names[thing.key] for thing in graph.things if thing.rank == rank]
        if len(row) > 1:
            yield f'  {{ rank="same"; {"; ".join(row)}; }}'


def _edge(names: dict[str, str], link: Link) -> str:
    ends = f"  {names[link.source]} -> {names[link.target]}"
    if link.bp is None:
        return f"{ends};"
    look = f'style="dashed", color="{_TONES["bad"]}"' if link.bp < 0 else f'color="{_TONES["good"]}"'
    return f"{ends} [label={_quoted(weight(link.bp))}, {look}];"


def _quoted(*lines: str) -> str:
    """Lines as one quoted string; what they hold cannot end it, and is shown as it stands."""
    return '"' + "\\n".join(one_line(line).translate(_ESCAPES) for line in lines) + '"'
