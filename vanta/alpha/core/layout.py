"""Where each box of a graph stands: layers from top to bottom, in each the order that crosses fewest lines. Pure.

Layers are the ranks of the graph. In each layer boxes move towards the mean place of what they are linked to
(barycentre), a few times down and up. A layer that is wider than the page is broken into rows.

    layout(graph, WIDE)  ->  Layout(width=1040, height=900, boxes={"raw 5f0c…": Box(0, 24, 196, 66, …), …}, bands=…)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vanta.alpha.core.graph import Graph, Thing
from vanta.alpha.core.text import wrapped

LINES = 4
_BETWEEN_LAYERS, _BETWEEN_ROWS = 46, 24
_CAPTION, _LINE, _PAD = 26, 15, 9
_SWEEPS = 4


class Size(NamedTuple):
    """So many boxes side by side at most, each so wide and with so many letters in a line, and the gap between them."""

    columns: int
    width: int
    letters: int
    gap: int


WIDE, NARROW = Size(5, 200, 25, 20), Size(2, 172, 21, 12)

class Box(NamedTuple):
    """A box and the lines of text in it. Lengths in pixels."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole drawing, by the keys of the graph's things."""

    width: float
    height: float
    boxes: Mapping[str, Box]


def layout(graph: Graph, size: Size) -> Layout:
    """Place every thing of a graph."""
    rows = [[layer[start:start + size.columns] for start in range(0, len(layer), size.columns)]
            for layer in ordered(graph)]
    width = max(_width(len(row), size) for layer in rows for row in layer)
    boxes: dict[str, Box] = {}
    y = float(_PAD)
    for layer in rows:
        for number, row in enumerate(layer):
            y += _BETWEEN_ROWS if number else 0
            y += _place(row, size, ((width - _width(len(row), size)) / 2, y), boxes)
        y += _BETWEEN_LAYERS
    return Layout(width, y - _BETWEEN_LAYERS + _PAD, boxes)


def _width(number: int, size: Size) -> int:
    return number * (size.width + size.gap) - size.gap


def ordered(graph: Graph) -> list[list[Thing]]:
    """Layers by rank, each in the order in which it is to be drawn."""
    layers = [[thing for thing in graph.things if thing.rank == rank]
              for rank in sorted({thing.rank for thing in graph.things})]
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for link in graph.links:
        above.setdefault(link.target, []).append(link.source)
        below.setdefault(link.source, []).append(link.target)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for index in range(len(layers)) if down else range(len(layers) - 1, -1, -1):
            layers[index] = _sorted(layers, index, above if down else below)
    return layers


def _sorted(layers: Sequence[Sequence[Thing]], index: int, linked: Mapping[str, Sequence[str]]) -> list[Thing]:
    """A layer in the order of the mean places of what it is linked to; what is linked to nothing keeps its place."""
    places = {thing.key: (place + 0.5) / len(layer) for layer in layers for place, thing in enumerate(layer)}

    def wanted(thing: Thing) -> float:
        others = [places[key] for key in linked.get(thing.key, ())]
        return sum(others) / len(others) if others else places[thing.key]

    return sorted(layers[index], key=wanted)


def _place(row: Sequence[Thing], size: Size, corner: tuple[float, float], boxes: dict[str, Box]) -> float:
    """Put a row of boxes side by side; returns its height."""
    x, y = corner
    texts = [tuple(wrapped(thing.label.text, size.letters, LINES)) for thing in row]
    height = _CAPTION + max(map(len, texts)) * _LINE + _PAD
    for thing, lines in zip(row, texts, strict=True):
        boxes[thing.key] = Box(x, y, size.width, height, lines)
        x += size.width + size.gap
    return height
