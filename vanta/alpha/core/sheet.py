"""One explanation as a page: the drawing, and beneath it every sentence, nested as the tree is. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from vanta.alpha.core import drawing
from vanta.alpha.core.gather import MOST, passed_together, strongest, weighed_once
from vanta.alpha.core.graph import Graph, graph_of
from vanta.alpha.core.labels import caption
from vanta.alpha.core.node import Node
from vanta.alpha.core.page import Page, document, text

STYLE = drawing.STYLE + """
.gaps{border-left:4px solid var(--bad);background:var(--soft);padding:.6rem .9rem;margin-top:1rem;
overflow-wrap:anywhere}
.gaps ul{margin:.3rem 0 0;padding-left:1.2rem}
.tell,.tell ul{list-style:none;margin:0;padding-left:0}
.tell ul{padding-left:1.1rem;margin-left:.35rem;border-left:1px solid var(--line)}
.tell li{margin:.3rem 0;overflow-wrap:anywhere}
.tell summary{cursor:pointer;padding:.1rem .25rem;border-radius:3px}
.tell summary:hover{background:var(--soft)}
.tell p{margin:0;padding:.1rem .25rem .1rem 1.3rem}
.tell .tag{display:inline-block;font-size:.72rem;font-weight:600;letter-spacing:.03em;text-transform:uppercase;
color:var(--quiet);
margin-right:.45rem}
.tell .to{margin-left:.4rem;padding:0 .35rem;text-decoration:none;border-radius:3px}
.tell .to:hover{background:var(--soft)}
.tell :target>summary,.tell p:target,.tell details:target>summary{background:var(--mark);
box-shadow:0 0 0 2px var(--link)}
@media (max-width:40rem){.tell ul{padding-left:.6rem;margin-left:.15rem}.tell p{padding-left:.25rem}}
@media print{.tell .to{display:none}.tell details::details-content{content-visibility:visible;height:auto}}
"""

_CLOSED = frozenset({"fence"})
"""Kinds of which many are told, and few are read: their list is closed at first."""


_CODE = re.compile("`([^`]+)`")


def sheet(tree: Node, *, name: str, foot: str, gaps: Sequence[str] = ()) -> str:
    """The whole page of one explanation. `gaps` are what could not be read."""
    whole = weighed_once(passed_together(graph_of(tree)))
    drawn = strongest(whole)
    body = (f'{_gaps(gaps)}<section aria-labelledby="drawn"><h2 id="drawn">Drawn, from cause to result</h2>\n'
            f'<p class="quiet">{text(_legend(drawn, hidden=len(whole.things) > len(drawn.things)))}</p>\n'
            f"{drawing.drawings(drawn)}\n</section>\n"
            f'<section aria-labelledby="sentences"><h2 id="sentences">In words</h2>\n<ul class="tell">\n'
            f"{_Teller(drawn).tell(tree)}\n</ul>\n</section>")
    return document(Page(title=f"Why {name}", lead=tree.text, body=body, foot=foot, style=STYLE))


def _gaps(gaps: Sequence[str]) -> str:
    """What the page cannot tell, above everything else."""
    if not gaps:
        return ""
    rows = "".join(f"<li>{text(gap)}</li>" for gap in gaps)
    return f'<section class="gaps"><strong>Not everything could be read:</strong><ul>{rows}</ul></section>\n'


def _legend(graph: Graph, *, hidden: bool) -> str:
    said = ["Read from top to bottom. The heavy frame is what was asked about; each box leads to its sentence."]
    if any(link.bp for link in graph.links):
        said.append("A solid green line with + speaks for it, a dashed red one with − against it; its width is its "
                    "weight.")
    if hidden:
        said.append(f"Of each kind the {MOST - 1} strongest are drawn, the others counted in one box.")
    return " ".join(said)


def _prose(words: str) -> str:
    """A sentence with the commands in it set as such."""
    return _CODE.sub(r"<code>\1</code>", text(words))


@dataclass
class _Teller:
    graph: Graph
    number: int = 0

    def tell(self, node: Node) -> str:
        """A sentence and all below it, as one list item."""
        own = self.number
        self.number += 1
        said = f'<span class="tag">{text(caption(node.kind))}</span>{_prose(node.text)}{self._link(own)}'
        if not node.parts:
            return f'<li><p id="s{own}">{said}</p></li>'
        inner = "\n".join(self._parts(node.parts))
        return f'<li><details id="s{own}" open><summary>{said}</summary>\n<ul>\n{inner}\n</ul></details></li>'

    def _parts(self, parts: Sequence[Node]) -> Iterator[str]:
        """The parts in order; runs of what is seldom read, and what is beyond the strongest, are closed lists."""
        for run in _runs(parts):
            told = [self.tell(part) for part in run]
            keep = 0 if run[0].kind in _CLOSED and not run[0].facts.get("code") else MOST
            rest = told[keep:] if len(told) > max(keep, 1) else []
            yield from told[:len(told) - len(rest)]
            if rest:
                words = f"{len(rest):,} {'more' if keep else 'fences passed'}"
                yield f"<li><details><summary>{words}</summary>\n<ul>\n{chr(10).join(rest)}\n</ul></details></li>"

    def _link(self, number: int) -> str:
        """Back to the drawing: to whichever of the two is shown."""
        first = next(thing.first for thing in self.graph.things if thing.key == self.graph.about[number])
        return "".join(f'<a class="to {size}" href="#{size}-{first}" aria-label="Show it in the drawing">↑</a>'
                       for size in drawing.SIZES)


def _runs(parts: Sequence[Node]) -> Iterator[list[Node]]:
    """Neighbours of one kind together; of fences those that passed and those that stopped apart."""
    for _, run in groupby(parts, lambda part: (part.kind, bool(part.facts.get("code")))):
        yield list(run)
