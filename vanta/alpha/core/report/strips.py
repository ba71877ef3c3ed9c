"""Maps of small cells: convictions by entity and moment, and how the passes over each feed ended. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from vanta.alpha.core.report.axes import clock_label, moment
from vanta.alpha.core.report.sightings import Ends, Map
from vanta.alpha.core.report.stretches import Cell, thinned
from vanta.alpha.core.report.svg import box, stroke, word
from vanta.alpha.core.text import wrapped

STYLE = """
figure svg .h1{fill-opacity:.26}
figure svg .h2{fill-opacity:.45}
figure svg .h3{fill-opacity:.64}
figure svg .h4{fill-opacity:.82}
figure svg .h5{fill-opacity:1}
figure svg .flat{fill:var(--line)}
figure svg .cut{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3}
"""
_SHADES = 5


def heat(found: Map, width: int, key: str) -> tuple[int, list[str]]:
    """A row an entity, a column a moment; darker is stronger, blue speaks for it, striped orange against it."""
    wide = width > 600
    left, row = (150, 20) if wide else (4, 32)
    chosen = thinned(list(zip(found.moments, found.columns, strict=True)), 72 if wide else 24)
    step = min((width - left - 6) / len(chosen), 40.0)
    height = 8 + row * len(found.entities) + 24
    marks = []
    most = max(found.most, 1)
    for number, entity in enumerate(found.entities):
        y = 4 + row * number
        marks.append(word(2 if wide else left, y + (14 if wide else 11), wrapped(entity, 22 if wide else 44, 1)[0]))
        for place, (at_ms, column) in enumerate(chosen):
            spot = (left + step * place, y + (1 if wide else 14), step - 1, 17.0)
            marks += _cell(spot, (column, most), f"{entity}, {moment(at_ms)}", entity, key)
    marks += _below([at_ms for at_ms, _ in chosen], left, step, height)
    return height, marks


def _cell(spot: tuple[float, float, float, float], of: tuple[Mapping[str, int] | None, int], said: str, entity: str,
          key: str) -> Iterator[str]:
    column, most = of
    if column is None:
        yield box(spot, fill=f"{key}-h", hint=f"{said}: the version is not kept")
        return
    if entity not in column:
        return
    bp = column[entity]
    hint = f"{said}: {f'{bp:+,}'.replace('-', '−') if bp else 0} bp"
    if bp == 0:
        x, y, width, height = spot
        yield box((x, y + height / 2 - 1, width, 2), "flat", hint=hint)
        return
    shade = min(abs(bp) * _SHADES // most + 1, _SHADES)
    yield box(spot, f"{'up' if bp > 0 else 'down'} h{shade}", hint=hint)
    if bp < 0:
        yield box(spot, fill=f"{key}-s")


def _below(moments: Sequence[int], left: float, step: float, height: int) -> Iterator[str]:
    """Times under some columns, and a line where much more time lies between two columns than elsewhere."""
    span = moments[-1] - moments[0]
    every = -(-78 // int(max(step, 1)))
    for place in range(0, len(moments), every):
        if left + step * place < left + step * len(moments) - 40 or place == 0:
            yield word(left + step * place, height - 6, clock_label(moments[place], span), "q")
    apart = sorted(later - earlier for earlier, later in pairwise(moments))
    usual = apart[len(apart) // 2] if apart else 0
    for place, (earlier, later) in enumerate(pairwise(moments), 1):
        if later - earlier > 6 * usual > 0:
            x = left + step * place - 0.5
            yield stroke("cut", f"M{x:.1f} 2V{height - 18}")


def passes(rows: Mapping[str, Callable[[int], Sequence[Cell[Ends]]]], span: tuple[int, int], width: int,
           key: str) -> tuple[int, list[str]]:
    """A row a feed: high where every pass was fine, half high where some were not, low and striped where none was."""
    wide = width > 600
    left, row, number = (110, 26, 96) if wide else (4, 40, 40)
    step = (width - left - 6) / number
    height = 6 + row * len(rows) + 22
    marks = []
    for place, (name, cut) in enumerate(rows.items()):
        y = 4 + row * place
        marks += [word(2 if wide else left, y + (16 if wide else 11), wrapped(name, 15 if wide else 44, 1)[0]),
                  stroke("rule", f"M{left} {y + row - 4:.1f}H{width - 6}")]
        for column, cell in enumerate(cut(number)):
            if cell.value is not None:
                marks += _ended(cell.value, cell.from_ms, (left + step * column, y + row - 5.0, step - 0.8), key)
    ticks = 7 if wide else 3
    for tick in range(ticks):
        at_ms = span[0] + (span[1] - span[0]) * tick // (ticks - 1)
        x = left + (width - left - 6) * tick / (ticks - 1)
        kind = "q" if tick == 0 else "q e" if tick == ticks - 1 else "q m"
        marks.append(word(x, height - 6, clock_label(at_ms, span[1] - span[0]), kind))
    return height, marks


def _ended(ends: Ends, at_ms: int, spot: tuple[float, float, float], key: str) -> Iterator[str]:
    x, bottom, width = spot
    fine, none = not ends.partial and not ends.failed, not ends.ok and not ends.partial
    tall = 18.0 if fine else 6.0 if none else 11.0
    hint = f"from {moment(at_ms)}: {ends.ok:,} fine, {ends.partial:,} in part, {ends.failed:,} failed"
    yield box((x, bottom - tall, width, tall), "up" if fine else "down", hint=hint)
    if not fine:
        yield box((x, bottom - tall, width, tall), fill=f"{key}-s")
