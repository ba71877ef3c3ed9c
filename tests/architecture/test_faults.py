"""The page of faults is complete and honest: every row stands there once, and every test that it names exists."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.architecture.source import ROOT

ROWS = 63
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
EXCUSE = re.compile(r"^not (?:here|yet): \S.{20,}$")


def rows(page: str) -> dict[int, str]:
    """The last cell of each row by its number. Raises `ValueError` if a number comes twice."""
    found: dict[int, str] = {}
    for number, _, _, shown in ROW.findall(page):
        if int(number) in found:
            raise ValueError(f"row {number} stands there twice")
        found[int(number)] = shown.strip()
    return found


@cache
def shown_in(path: str) -> frozenset[str]:
    """`test_x` and `Class::test_x` of one file; nothing if there is no such file."""
    if not (ROOT / path).is_file():
        return frozenset()
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for group in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        found |= {f"{group.name}::{node.name}" for node in group.body if isinstance(node, ast.FunctionDef)}
    return frozenset(name for name in found if name.rpartition("::")[2].startswith("test_"))


def problems(page: str) -> Iterator[str]:
    """What is wrong with the page."""
    found = rows(page)
    for number in range(1, ROWS + 1):
        if number not in found:
            yield f"row {number} is missing"
    for number, shown in found.items():
        named = TEST.findall(shown)
        for path, name in named:
            if name not in shown_in(path):
                yield f"row {number}: there is no {path}::{name}"
        rest = TEST.sub("", shown).strip()
        if (named and rest) or (not named and not EXCUSE.match(rest)):
            yield f"row {number}: neither tests alone nor a reason why there is none: {rest[:60]!r}"


def test_every_row_is_shown_or_excused() -> None:
    """63 rows, each with tests that exist or with one sentence."""
    page = (ROOT / "docs" / "FAULTS.md").read_text("utf-8")
    assert len(rows(page)) == ROWS
    assert not list(problems(page)), "\n".join(problems(page))


GOOD = "\n".join(f"| {n} | a fault | a duty | not yet: nobody has thought of a way to make it happen |" for n in range(1, 64))
SHOWN = "`tests/architecture/test_faults.py::test_every_row_is_shown_or_excused`"
CANARIES = {
    "a row is missing": (GOOD.replace("| 17 |", "| x |"), "row 17 is missing"),
    "a test that does not exist": (GOOD.replace("not yet: nobody has thought of a way to make it happen",
                                                "`tests/architecture/test_faults.py::test_that_was_renamed`", 1), "there is no"),
    "a file that does not exist": (GOOD.replace("not yet: nobody has thought of a way to make it happen",
                                                "`tests/nowhere.py::test_x`", 1), "there is no"),
    "no reason": (GOOD.replace("not yet: nobody has thought of a way to make it happen", "not yet", 1), "neither"),
    "a test and an excuse": (GOOD.replace("not yet: nobody", SHOWN + " not yet: nobody", 1), "neither"),
}


@pytest.mark.parametrize(("page", "finding"), CANARIES.values(), ids=CANARIES.keys())
def test_the_check_can_fail(page: str, finding: str) -> None:
    """Each defect is found, and a page without defects passes."""
    assert any(finding in line for line in problems(page))
    assert not list(problems(GOOD))


def test_a_row_that_stands_there_twice_is_an_error() -> None:
    """Two rows of one number would hide each other."""
    with pytest.raises(ValueError, match="row 63 stands there twice"):
        rows(GOOD + "\n" + GOOD.splitlines()[-1])
