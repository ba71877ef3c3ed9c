"""Columns over days, up and down from nothing; bars of amounts; lanes of what was so for a while. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from vanta.alpha.core.report.axes import Scale, labels, moment, ticks, told_times
from vanta.alpha.core.report.reign import RUNS, Spell
from vanta.alpha.core.report.svg import box, stroke, word
from vanta.alpha.core.text import wrapped

FIT, FIT_NARROW = 366, 90
"""So many days have room in a drawing."""


class Column(NamedTuple):
    """One day. `value` is `None` where it is not known; `hint` is told when it is pointed at."""

    label: str
    value: float | None
    hint: str


def columns(rows: Sequence[Column], unit: str, width: int, key: str) -> tuple[int, list[str]]:
    """A column a day, the newest that there is room for, striped where it goes down; what is not known is hazy."""
    rows = rows[-(FIT if width > 600 else FIT_NARROW):]
    height, left, right, top = 190 if width > 600 else 150, 54, width - 8, 18
    bottom = height - 24
    known = [row.value for row in rows if row.value is not None] or [0.0]
    low, high = min(0.0, *known), max(0.0, *known)
    y = Scale(low, high if high > low else low + 1, bottom, top)
    marks = [word(left, 11, unit, "q")]
    rules = ticks(y.low, y.high, 4)
    for value, said in zip(rules, labels(rules), strict=True):
        marks += [stroke("zero" if value == 0 else "rule", f"M{left} {y.at(value):.1f}H{right}"),
                  word(left - 6, y.at(value) + 4, said, "q e")]
    if not any(row.value or row.value is None for row in rows):
        marks.append(word((left + right) / 2, (top + bottom) / 2, "level on every day that is drawn", "q m"))
    step = min((right - left) / len(rows), 46)
    for place, row in enumerate(rows):
        x = left + step * place + step * 0.1
        marks += _column(row, x, step * 0.8, y, key)
    every = -(-len(rows) // max(int(step * len(rows) / 62), 1))
    marks += [word(left + step * place, height - 8, row.label, "q") for place, row in enumerate(rows)
              if place % every == 0 and left + step * place < right - 30]
    return height, marks


def _column(row: Column, x: float, width: float, y: Scale, key: str) -> Iterator[str]:
    if row.value is None:
        place = (x, y.end, width, y.start - y.end)
        yield box(place, "void")
        yield box(place, fill=f"{key}-h", hint=row.hint)
        return
    if row.value == 0:
        return
    top, bottom = sorted((y.at(row.value), y.at(0)))
    place = (x, top, width, max(bottom - top, 1.0))
    yield box(place, "up" if row.value > 0 else "down", hint=row.hint)
    if row.value < 0:
        yield box(place, fill=f"{key}-s")


def bar(value: Decimal, low: Decimal, high: Decimal, name: str) -> str:
    """A bar from nothing to the right for a gain, striped to the left for a loss; the number stands beside it."""
    x = Scale(float(low), float(high), 1, 199) if high > low else Scale(0, 1, 1, 199)
    start, end = sorted((x.at(0), x.at(float(value))))
    place = (start, 1, max(end - start, 0.6), 8)
    stripes = box(place, fill=f"{name}-s") if value < 0 else ""
    pattern = (f'<defs><pattern id="{name}-s" width="3" height="5" patternUnits="userSpaceOnUse" patternTransform="'
               f'skewX(-25)"><path class="stripe" d="M0 0V5"/></pattern></defs>') if value < 0 else ""
    return (f'<svg class="bar" viewBox="0 0 200 10" preserveAspectRatio="none" xmlns="http://www.w3.org/2000/svg" '
            f'aria-hidden="true">{pattern}{box(place, "down" if value < 0 else "up") if value else ""}{stripes}'
            f'{box((x.at(0) - 0.15, 0, 0.3, 10), "axis")}</svg>')


def lanes(spells: Sequence[Spell], names: Sequence[str], span: tuple[int, int], width: int,
          key: str) -> tuple[int, list[str]]:
    """A lane for each name, with a bar for each spell; what was still so at the end has an arrow."""
    wide = width > 600
    left, right, lane = (250, width - 14, 26) if wide else (8, width - 14, 40)
    x = Scale(span[0], span[1], left, right)
    height = 8 + lane * len(names) + 22
    marks = []
    for place, said, side in told_times(x, span, 8 if wide else 4):
        marks += [stroke("rule", f"M{place:.1f} 4V{height - 20}"), word(place, height - 7, said, f"q {side}".rstrip())]
    for number, name in enumerate(names):
        y = 6 + lane * number
        label = wrapped(name, 38 if wide else 48, 1)[0]
        marks += [word(4, y + 14, label) if wide else word(left, y + 13, label),
                  stroke("rule", f"M{left} {y + lane - 2:.1f}H{right}")]
        for spell in spells:
            if spell.name == name:
                marks += _spell(spell, x, y + (4 if wide else 19), key)
    return height, marks


def _spell(spell: Spell, x: Scale, y: float, key: str) -> Iterator[str]:
    start, end = x.at(spell.from_ms), x.at(spell.to_ms)
    place = (start, y, max(end - start, 3.0), 14.0)
    till = "still so at the end of the log" if spell.open else f"until {moment(spell.to_ms)}"
    runs = spell.name == RUNS
    yield box(place, "calm" if runs else "down", hint=f"{spell.name}: from {moment(spell.from_ms)}, {till}")
    if not runs:
        yield box(place, fill=f"{key}-s")
    if spell.open:
        yield f'<path class="{"calm" if runs else "down"}" d="M{end + 2:.1f} {y:.1f}l8 7l-8 7z"/>'
