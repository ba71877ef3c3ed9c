"""The graph as inline SVG: boxes by layer, links with their weights, each box a link to its sentence. Pure.

Two drawings go into a page, a wide one and one for a phone; the style sheet shows the one that fits. What colour says
is said without it too: a weight has its sign, a negative one a dashed line, a fence that stopped says so.
"""

from collections.abc import Iterator

from vanta.alpha.core.graph import Graph, Link, Thing
from vanta.alpha.core.labels import weight
from vanta.alpha.core.layout import NARROW, WIDE, Box, Layout, layout
from vanta.alpha.core.page import text
from vanta.alpha.core.text import breadth, wrapped

SIZES = {"wide": WIDE, "narrow": NARROW}
"""The drawings of a page."""

STYLE = """
.draw{overflow-x:auto;padding:.25rem 0}
.draw svg{display:block;margin-inline:auto;max-width:none}
.draw text{fill:var(--ink);font-size:12px}
.draw .cap{fill:var(--quiet);font-size:10px;font-weight:600}
.draw .box{fill:var(--box);stroke:var(--line);stroke-width:1.2}
.draw .bar{fill:var(--quiet)}
.draw .evidence .bar{fill:#5b87b5}.draw .belief .bar{fill:#8774b8}
.draw .wish .bar{fill:#b58b3c}.draw .act .bar{fill:#3f9191}
.draw .good .cap{fill:var(--good)}.draw .bad .cap{fill:var(--bad)}.draw .bad .box{stroke:var(--bad);
stroke-dasharray:5 3}
.draw .asked .box{stroke:var(--ink);stroke-width:2.4;stroke-dasharray:none}
.draw .link{fill:none;stroke:var(--quiet);opacity:.75}
.draw .link.far{opacity:.4}
.draw .link.good{stroke:var(--good)}.draw .link.bad{stroke:var(--bad);stroke-dasharray:6 4}
.draw .head{fill:var(--quiet)}
.draw .bp{font-size:11px;font-weight:600;paint-order:stroke;stroke:var(--page);stroke-width:4px;text-anchor:middle}
.draw .bp.good{fill:var(--good)}.draw .bp.bad{fill:var(--bad)}
.draw a{text-decoration:none}
.draw a:hover .box,.draw a:focus-visible .box,.draw g:target .box{stroke:var(--link);stroke-width:2.6;
stroke-dasharray:none}
.draw g:target .box{fill:var(--mark)}
.draw a:focus-visible{outline:none}
.narrow{display:none}
@media screen and (max-width:40rem){.wide{display:none}.narrow{display:revert}}
@media print{.draw{overflow:visible}.draw svg{max-width:100%;height:auto}}
"""

_FAMILIES = {
    "raw": "evidence", "input": "evidence", "signal": "evidence", "reason": "belief", "conviction": "belief",
    "view": "belief",
    "cycle": "belief", "allocation": "wish", "intent": "wish", "order": "act", "fill": "act", "pnl": "act"}
_BELOW, _LETTER, _FAR = 15, 7.0, 60


def drawings(graph: Graph) -> str:
    """Both drawings. Box `n` of the wide one is `wide-n`, where `n` is the number of the first sentence about it."""
    return "\n".join(
        f'<div class="draw {name}" tabindex="0" role="group" aria-label="Drawing of the decision, {name}">\n'
        f"{_svg(graph, layout(graph, size), name)}\n</div>" for name, size in SIZES.items())


def _svg(graph: Graph, places: Layout, name: str) -> str:
    width, height = f"{places.width + 8:.0f}", f"{places.height:.0f}"
    most = max((abs(link.bp) for link in graph.links if link.bp is not None), default=0) or 1
    head = (f'<defs><marker id="{name}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto" markerUnits="userSpaceOnUse"><path class="head" d="M0 0 8 4 0 8z"/></marker></defs>')
    return "\n".join((
        f'<svg width="{width}" height="{height}" viewBox="-4 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">',
        head,
        *(_line(link, places, most, name) for link in graph.links),
        *(_box(thing, places.boxes[thing.key], name) for thing in graph.things),
        *_weights(graph, places), "</svg>"))


def _line(link: Link, places: Layout, most: int, name: str) -> str:
    (x, y), (to_x, to_y) = _ends(places.boxes[link.source], places.boxes[link.target])
    bend = max(abs(to_y - y) / 2, 14)
    width = 1.1 if link.bp is None else 1.1 + 3.4 * abs(link.bp) / most
    far = " far" if to_y - y > _FAR else ""
    return (f'<path class="link{_tone(link)}{far}" stroke-width="{width:.1f}" marker-end="url(#{name}-head)" '
            f'd="M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {to_x:.0f} {to_y - bend:.0f} {to_x:.0f} {to_y:.0f}"/>')


def _ends(source: Box, target: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    """From the lower edge of the one to the upper edge of the other."""
    return (source.x + source.width / 2, source.y + source.height), (target.x + target.width / 2, target.y - 1)


def _weights(graph: Graph, places: Layout) -> Iterator[str]:
    """Weights in front of everything, each right below where its line begins."""
    for link in graph.links:
        if link.bp is not None:
            (x, y), (to_x, to_y) = _ends(places.boxes[link.source], places.boxes[link.target])
            near = min(_BELOW / max(to_y - y, _BELOW), 0.5)
            at = f'x="{x + (to_x - x) * near * near:.0f}" y="{y + _BELOW:.0f}"'
            yield f'<text class="bp{_tone(link)}" {at}>{text(weight(link.bp))}</text>'


def _tone(link: Link) -> str:
    return "" if not link.bp else " bad" if link.bp < 0 else " good"


def _squeezed(line: str, box: Box) -> str:
    """A line of broad letters is made as narrow as its box."""
    room = box.width - 20
    return f' textLength="{room:.0f}" lengthAdjust="spacingAndGlyphs"' if breadth(line) * _LETTER > room else ""


def _box(thing: Thing, box: Box, name: str) -> str:
    classes = " ".join(filter(None, (_FAMILIES.get(thing.kind, "rule"), thing.label.tone, "asked" if thing.first == 0
                                     else "")))
    caption = wrapped(thing.label.caption.upper(), int(box.width / 7.9), 1)[0]
    lines = "".join(f'<text x="{box.x + 12:.0f}" y="{box.y + 35 + 15 * number:.0f}"{_squeezed(line, box)}>{text(line)}'
                    "</text>" for number, line in enumerate(box.lines))
    return (f'<g id="{name}-{thing.first}" class="{classes}"><a href="#s{thing.first}">'
            f"<title>{text(thing.label.caption)}: {text(thing.label.text)}</title>"
            f'<rect class="box" x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" '
            f'rx="5"/>'
            f'<rect class="bar" x="{box.x:.0f}" y="{box.y + 5:.0f}" width="4" height="{box.height - 10:.0f}" rx="2"/>'
            f'<text class="cap" x="{box.x + 12:.0f}" y="{box.y + 18:.0f}">{text(caption)}</text>{lines}</a></g>')
