"""Writing an operator's file again: every value and the order of keys stay, only spacing may differ."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.alpha.core.operator_json import ABSENT, Difference, differences, dumps
from vanta.common import strictjson

LEAVES = st.none() | st.booleans() | st.integers(-2**63, 2**63 - 1) | st.text(max_size=8).filter(str.isprintable) | \
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-10**6, max_value=10**6)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
    st.text("abc\u00e9_", max_size=6), inner, max_size=4), max_leaves=20)


def test_numbers_and_order_stay_as_they_were_written() -> None:
    """A share keeps its digits, a large number its exponent; short tables and lists stand on one line."""
    raw = (b'{"z": {"max": 0.10, "n": 1E+3}, "a": [1, 2.50], "empty": {}, "rows": [{"x": [1]}, {"y": null}], '
           b'"note": "caf\xc3\xa9 \\"x\\""}')
    text = dumps(strictjson.loads_object(raw, file="x")).decode()
    assert text == ('{\n  "z": {"max": 0.10, "n": 1E+3},\n  "a": [1, 2.50],\n  "empty": {},\n  "rows": [\n'
                    '    {\n      "x": [1]\n    },\n    {"y": null}\n  ],\n  "note": "café \\"x\\""\n}\n')


def test_a_long_list_takes_a_line_for_each() -> None:
    """What does not fit into a line is broken up."""
    text = dumps({"ids": [f"equity:{'X' * 20}{number}" for number in range(5)]}).decode()
    assert len(text.splitlines()) == 9


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(st.text("abcdef", max_size=5), VALUES, max_size=5))
def test_what_is_written_is_what_is_read(value: dict[str, Any]) -> None:
    """Any document that the strict parser gives comes back equal, in the same order."""
    again = strictjson.loads_object(dumps(value), file="x")
    assert again == value
    assert list(again) == list(value)
    json.loads(dumps(value))


def test_differences_name_every_field() -> None:
    """Changed, new and gone fields by their paths, true apart from 1; equal values are not mentioned."""
    before = {"a": {"b": Decimal("0.1"), "c": [1]}, "gone": "x", "same": {"k": 1}, "t": True}
    after = {"a": {"b": Decimal("0.2"), "c": [1, 2]}, "same": {"k": 1}, "t": 1, "new": {"k": None}}
    assert differences(before, after) == [
        Difference("a.b", "0.1", "0.2"), Difference("a.c", "[1]", "[1, 2]"), Difference("gone", '"x"', ABSENT),
        Difference("t", "true", "1"), Difference("new", ABSENT, '{"k": null}')]
    assert differences([1], [1]) == []
