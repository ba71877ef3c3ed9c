"""Sections of a report for people: aligned plain lines, or the same in colour on a terminal.

Decides only how things look. A section has a title, columns and rows of text, and notes below. The last column is
wrapped under itself. Text may come from a feed, so control characters never get through. Plain lines are never wider
than `WIDTH` (but for one long word) and use no colour; they are what is printed wherever stdout is not a terminal. On
a terminal rich draws the same cells; it honours NO_COLOR by itself.
"""

import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from vanta.common import cli

WIDTH = 110
_GAP = "  "
_LEAST_LAST = 24
_STYLES = {
    "ok": "green", "filled": "green", "open": "green", "verified": "green", "paper": "green", "running": "green",
    "partial": "yellow", "stale": "yellow", "held": "yellow", "expired": "yellow", "partially_filled": "yellow",
    "withdrawn": "yellow", "cancelled": "yellow", "unknown": "yellow", "working": "yellow", "stopped": "yellow",
    "error": "red", "refused": "red", "rejected": "red", "quarantined": "red", "halted": "red", "latched": "red",
    "broken": "red", "live": "red",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and which side its cells stand on."""

    title: str
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A title, a table (may be empty) and lines below it."""

    title: str
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = field(default=())


def clean(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in text)


def plain(sections: Sequence[Section], *, width: int = WIDTH) -> list[str]:
    """All sections as plain lines."""
    lines: list[str] = []
    for section in map(_cleaned, sections):
        lines += ["", section.title.upper(), *_table(section, width)]
        for note in section.notes:
            lines += textwrap.wrap(note, width, initial_indent=_GAP, subsequent_indent=_GAP * 2,
                                   break_long_words=False, break_on_hyphens=False) or [""]
    return lines[1:]


def _cleaned(section: Section) -> Section:
    return Section(title=clean(section.title), columns=section.columns, notes=[clean(note) for note in section.notes],
                   rows=[[clean(cell) for cell in row] for row in section.rows])


def _table(section: Section, width: int) -> Iterator[str]:
    if not section.rows:
        return
    rows = [[column.title for column in section.columns], *section.rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(section.columns))]
    room = width - sum(widths[:-1]) - len(_GAP) * len(widths)
    widths[-1] = max(min(widths[-1], room), min(widths[-1], _LEAST_LAST))
    for row in rows:
        last = textwrap.wrap(row[-1], widths[-1], break_on_hyphens=False) or [""]
        cells = [*row[:-1], last[0]]
        yield _line(cells, widths, section.columns)
        for more in last[1:]:
            yield _line([*[""] * (len(widths) - 1), more], widths, section.columns)


def _line(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    padded = (cell.rjust(size) if column.align == "right" else cell.ljust(size)
              for cell, size, column in zip(cells, widths, columns, strict=True))
    return (_GAP + _GAP.join(padded)).rstrip()


def data(sections: Sequence[Section]) -> list[dict[str, object]]:
    """The same for programs: every section with its column names, rows of cells and notes."""
    return [{"title": one.title, "columns": [column.title for column in one.columns],
             "rows": [list(row) for row in one.rows], "notes": list(one.notes)} for one in map(_cleaned, sections)]


def show(sections: Sequence[Section]) -> None:
    """Print to stdout: in colour on a terminal, else plain."""
    if sys.stdout.isatty():
        _show_rich(sections)
    else:
        cli.show("\n".join(plain(sections)))


def _show_rich(sections: Sequence[Section]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for section in map(_cleaned, sections):
        console.print(Text(f"\n{section.title.upper()}", style="bold"))
        if section.rows:
            table = Table(box=None, pad_edge=True, header_style="dim")
            for column in section.columns:
                last = column is section.columns[-1]
                table.add_column(column.title, justify=column.align, no_wrap=not last, overflow="fold")
            for row in section.rows:
                table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
            console.print(table)
        for note in section.notes:
            console.print(Text(_GAP + note))
