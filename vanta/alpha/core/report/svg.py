"""The frame of a drawing: a figure with one drawing for wide pages, one for a phone, and its numbers as a table. Pure.

What colour says is said without it as well: by sign, pattern, place or word. A drawing has a title and a description
for those who do not see it, and all that it shows stands in the table under it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vanta.alpha.core.page import text

STYLE = """
figure{margin:1rem 0}
figure svg{display:block;width:100%;height:auto}
figure svg text{fill:var(--ink);font:11.5px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
figure svg .q{fill:var(--quiet)}
figure svg .e{text-anchor:end}
figure svg .m{text-anchor:middle}
figure svg .b{font-weight:600}
figure svg .rule{stroke:var(--line);stroke-width:1;fill:none}
figure svg .zero{stroke:var(--quiet);stroke-width:1;fill:none}
figure svg .line{fill:none;stroke:var(--gain);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
figure svg .paid{fill:none;stroke:var(--quiet);stroke-width:1.4;stroke-dasharray:5 4}
figure svg .dot{fill:var(--gain);stroke:var(--page);stroke-width:1.2}
figure svg .up{fill:var(--gain)}
figure svg .down{fill:var(--loss)}
figure svg .fall{fill:var(--loss);fill-opacity:.22;stroke:var(--loss);stroke-width:1.2}
figure svg .void{fill:var(--soft)}
figure svg .stripe{stroke:var(--page);stroke-width:1.6}
figure svg .haze{stroke:var(--line);stroke-width:1.2}
figure svg .soft{fill:var(--soft)}
figure svg .calm{fill:var(--quiet)}
figcaption{color:var(--quiet);font-size:.85rem;margin-top:.35rem;max-width:60rem}
.phone{display:none}
@media screen and (max-width:40rem){.desk{display:none}.phone{display:block}}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums;width:100%}
caption{text-align:left;color:var(--quiet);padding-bottom:.3rem}
th,td{padding:.28rem .6rem .28rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{color:var(--quiet);font-weight:600;white-space:nowrap}
tbody th{font-weight:500;overflow-wrap:anywhere;min-width:6rem}
.n{text-align:right;white-space:nowrap}
tfoot th,tfoot td{font-weight:700;border-bottom:0}
details>summary{cursor:pointer;color:var(--link);font-size:.85rem;padding:.2rem 0}
.n+td,.n+th{padding-left:1rem}
@media screen and (max-width:40rem){.stack thead{display:none}.stack tr{display:block;padding:.35rem 0;
border-bottom:1px solid var(--line)}.stack th,.stack td{display:block;border:0;padding:.05rem 0;text-align:left;
white-space:normal;overflow-wrap:anywhere}.stack td[data-l]::before{content:attr(data-l);color:var(--quiet);
display:inline-block;min-width:7.5rem;padding-right:.6rem}.stack .none{display:none}.stack tbody th{font-weight:600}}
@media print{figure,tr,.tile,.group{break-inside:avoid}h2,h3{break-after:avoid}
.scroll{overflow:visible}table{font-size:8.5pt}
.numbers{display:none}figure svg{max-height:9cm}}
"""
WIDE, NARROW = 1040, 352
NONE = "–"
"""A cell without anything to say."""
_CODE = re.compile("`([^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of plain text. Columns in `right` are numbers; the first cell of a row is its head. `foot` is the sum.

    With `stack` a phone shows each row as lines of their own, those of columns in `bare` without the head.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = field(default_factory=frozenset)
    foot: Sequence[str] = ()
    caption: str = ""
    stack: bool = False
    bare: frozenset[int] = field(default_factory=frozenset)


def table(one: Table) -> str:
    """As markup; it scrolls by itself where it is wider than the page."""
    foot = f"<tfoot>{_row(one, one.foot)}</tfoot>" if one.foot else ""
    said = f"<caption>{text(one.caption)}</caption>" if one.caption else ""
    body = "\n".join(_row(one, row) for row in one.rows)
    head = "".join(f'<th scope="col"{_kind(one, place)}>{text(cell)}</th>' for place, cell in enumerate(one.head))
    label = text(one.caption or f"Table of {one.head[0]}")
    return (f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table'
            f'{_class("stack" if one.stack else "")}>{said}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>'
            f"{foot}</table></div>")


def _row(one: Table, row: Sequence[str]) -> str:
    cells = "".join(
        f"<td{_kind(one, place, cell)}{_label(one, place)}>{prose(cell)}</td>"
        for place, cell in enumerate(row) if place)
    return f'<tr><th scope="row">{text(row[0])}</th>{cells}</tr>'


def _kind(one: Table, place: int, cell: str = "") -> str:
    """Numbers stand to the right; a phone leaves out where there is none."""
    return _class(" ".join([*(["n"] if place in one.right else []), *(["none"] if cell == NONE else [])]))


def _label(one: Table, place: int) -> str:
    return f' data-l="{text(one.head[place])}"' if one.stack and place not in one.bare else ""


def prose(words: str) -> str:
    """A sentence with the commands in it set as such."""
    return _CODE.sub(r"<code>\1</code>", text(words))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """`draw(width, key)` gives height and marks for a width; `key` sets apart the ids of the two drawings."""

    name: str
    title: str
    told: str
    draw: Callable[[int, str], tuple[int, Sequence[str]]]
    numbers: Table
    caption: str = ""


def figure(one: Drawing) -> str:
    """Both drawings, the caption and the numbers."""
    drawn = "\n".join(_svg(one, width, size) for size, width in (("desk", WIDE), ("phone", NARROW)))
    said = f"<figcaption>{text(one.caption)}</figcaption>\n" if one.caption else ""
    return (f'<figure>\n{drawn}\n{said}<details class="numbers"><summary>The same in numbers</summary>'
            f"{table(one.numbers)}</details>\n</figure>")


def _svg(one: Drawing, width: int, size: str) -> str:
    key = f"{one.name}-{size}"
    height, marks = one.draw(width, key)
    return (f'<svg class="{size}" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img" '
            f'aria-labelledby="{key}-t {key}-d"><title id="{key}-t">{text(one.title)}</title>'
            f'<desc id="{key}-d">{text(one.told)}</desc>\n{_patterns(key)}\n' + "\n".join(marks) + "\n</svg>")


def _patterns(key: str) -> str:
    """Stripes for what is negative, haze for what is not known."""
    return (f'<defs><pattern id="{key}-s" width="5" height="5" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><path class="stripe" d="M0 0V5"/></pattern>'
            f'<pattern id="{key}-h" width="7" height="7" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(-45)"><path class="haze" d="M0 0V7"/></pattern></defs>')


def word(x: float, y: float, said: str, kind: str = "") -> str:
    """A text."""
    return f'<text x="{x:.1f}" y="{y:.1f}"{_class(kind)}>{text(said)}</text>'


def stroke(kind: str, path: str) -> str:
    """A line along a path."""
    return f'<path class="{kind}" d="{path}"/>'


def box(place: tuple[float, float, float, float], kind: str = "", *, fill: str = "", hint: str = "") -> str:
    """A box at (x, y, width, height); `fill` names a pattern, `hint` is told when it is pointed at."""
    x, y, width, height = place
    paint = f' fill="url(#{fill})"' if fill else ""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    if not hint:
        return f"<rect{_class(kind)} {size}{paint}/>"
    return f"<rect{_class(kind)} {size}{paint}><title>{text(hint)}</title></rect>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
