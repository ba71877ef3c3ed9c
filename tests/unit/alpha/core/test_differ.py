"""Naming the first place where two values differ."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.alpha.core.differ import ABSENT, Difference, between, compared, first_difference, plain_json

ROWS: dict[str, tuple[Any, Any, Difference | None]] = {
    "equal": ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]}, None),
    "a number": ({"a": 1, "b": 2}, {"a": 1, "b": 3}, Difference("b", "2", "3")),
    "deep inside": ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, Difference("a.0.b", "1", "2")),
    "one more key": ({"a": 1}, {"a": 1, "b": None}, Difference("b", ABSENT, "null")),
    "one element less": ([1, 2], [1], Difference("1", "2", ABSENT)),
    "a row known by its name": ([["cash", None, "1"]], [["cash", None, "2"]], Difference("cash.2", '"1"', '"2"')),
    "rows of other names": ([["cash", "1"]], [["size", "1"]], Difference("0.0", '"cash"', '"size"')),
    "text is no number": ({"a": "1"}, {"a": 1}, Difference("a", '"1"', "1")),
    "true is not one": ({"a": True}, {"a": 1}, Difference("a", "true", "1")),
    "the whole": ("x", ["x"], Difference("", '"x"', '["x"]')),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_first_difference_is_named(name: str) -> None:
    """Field, recorded and recomputed value, for each way in which values differ."""
    recorded, recomputed, expected = ROWS[name]
    assert first_difference(recorded, recomputed) == expected


def test_long_values_are_cut() -> None:
    """A difference is a line for a person, not a dump."""
    found = first_difference("x" * 10_000, "y")
    assert found is not None
    assert len(found.recorded) < 300


def test_plain_json_is_what_would_be_read_back() -> None:
    """Tuples become lists and Decimals text."""
    assert plain_json({"a": (1, Decimal("1.50"))}) == {"a": [1, "1.50"]}


JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
                    max_leaves=8)


@given(JSON, JSON)
@settings(deadline=None, derandomize=True)
def test_values_differ_exactly_if_a_difference_is_found(one: Any, other: Any) -> None:
    """No difference is overlooked, and equal values have none."""
    assert (first_difference(one, other) is None) == (_typed(one) == _typed(other))


def _typed(value: Any) -> Any:
    """The value with types spelled out, because Python holds True and 1 to be equal."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return type(value).__name__, value


def test_values_are_compared_as_they_would_be_read_back() -> None:
    """A tuple is a list and a Decimal its text; the order of keys says nothing; a number is not its text."""
    assert compared({"a": (1, Decimal("1.50")), "b": 2}, {"b": 2, "a": [1, "1.50"]}) is None
    assert compared({"a": 1}, {"a": "1"}) == Difference("a", "1", '"1"')


def test_two_documents_are_compared_by_hash_and_named_by_field() -> None:
    """Contents where both are there, else the hashes; lines of JSON by their row; what is no JSON as text."""
    blobs = {"a": b'{"x": 1}', "b": b'{"x": 2}', "c": b'{ "x":1 }', "d": b'{"y":1}\n{"y":2}', "e": b'{"y":1}\n{"y":3}',
             "f": b"\xff"}
    assert between("a", "a", {}, "file") is None
    assert between("a", "b", blobs, "file") == Difference("file.x", "1", "2")
    assert between("a", "c", blobs, "file") == Difference("file", "other bytes", "the same content")
    assert between("d", "e", blobs, "rows", rows=True) == Difference("rows.1.y", "2", "3")
    assert between("a", "z", blobs, "file") == Difference("file", '"a"', '"z"')
    assert between("z", "a", blobs, "file") == Difference("file", '"z"', '"a"')
    assert between(None, "a", blobs, "file") == Difference("file", "null", '"a"')
    assert between("a", None, blobs, "file") == Difference("file", '"a"', "null")
    assert between("a", "f", blobs, "file") == Difference("file", '{"x":1}', '"\ufffd"')
