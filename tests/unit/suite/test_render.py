"""Sections as plain lines: aligned, wrapped, harmless."""

import io
from typing import Any

import pytest

from vanta.suite.render import WIDTH, Column, Section, plain, show

COLUMNS = (Column("name"), Column("amount", "right"), Column("why"))


def table(*rows: list[str], notes: list[str] | None = None) -> Section:
    return Section(title="Things", columns=COLUMNS, rows=rows, notes=notes or [])


def test_columns_are_aligned_and_amounts_stand_on_the_right() -> None:
    """Headings and cells share their edges."""
    assert plain([table(["a", "1.00", "x"], ["long name", "1,000.00", "y"])]) == [
        "THINGS",
        "  name         amount  why",
        "  a              1.00  x",
        "  long name  1,000.00  y",
    ]


def test_the_last_column_is_wrapped_under_itself() -> None:
    """No line is wider than allowed, and what follows stands below its own column."""
    lines = plain([table(["a", "1", "word " * 60])])
    assert max(map(len, lines)) <= WIDTH
    start = lines[2].index("word")
    assert all(line.index("word") == start for line in lines[2:])


def test_a_section_without_rows_has_no_heading_line() -> None:
    """Only its title and its notes; long notes are wrapped too."""
    lines = plain([Section(title="Empty", notes=["nothing " * 40])])
    assert lines[0] == "EMPTY"
    assert "name" not in " ".join(lines)
    assert max(map(len, lines)) <= WIDTH


def test_sections_are_parted_by_an_empty_line() -> None:
    """One between, none before or after."""
    assert plain([Section(title="A"), Section(title="B")]) == ["A", "", "B"]


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "a\nb", "a\rb", "a\x07b", "\u202egnp"],
                         ids=["escape", "newline", "return", "bell", "direction"])
def test_text_from_a_feed_cannot_steer_a_terminal(hostile: str) -> None:
    """Control characters never reach the output, wherever the text stands."""
    lines = plain([Section(title=hostile, columns=COLUMNS, rows=[[hostile, hostile, hostile]], notes=[hostile])])
    assert all(char.isprintable() for line in lines for char in line)


def test_the_same_cells_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal rich draws the cells; text that looks like markup stays text."""
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen: Any = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    show([table(["a", "1", "[bold]not markup[/bold]"], ["b", "2", "ok"], notes=["a note"])])
    text = screen.getvalue()
    assert "[bold]not markup[/bold]" in text
    assert "a note" in text
    assert "THINGS" in text


def test_piped_output_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """Where stdout is no terminal there is no escape sequence."""
    show([table(["a", "1", "ok"])])
    assert "\x1b" not in capsys.readouterr().out
