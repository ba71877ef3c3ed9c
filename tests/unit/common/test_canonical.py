"""The two byte forms: one for hashing, one for people, both the same value."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.canonical import canonical, content_hash, document, sha256

SCALARS = st.none() | st.booleans() | st.integers(-2**63, 2**63 - 1) | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner,
                                                                                          max_size=4), max_leaves=20)
EXACT = settings(deadline=None, derandomize=True, max_examples=300)


@EXACT
@given(value=VALUES)
def test_canonical_parses_back(value: Any) -> None:
    """The canonical form is JSON for the same value."""
    assert json.loads(canonical(value)) == value


@EXACT
@given(fields=st.dictionaries(st.text(max_size=6), VALUES, max_size=6))
def test_key_order_does_not_matter(fields: dict[str, Any]) -> None:
    """The same mapping in another order has the same bytes and the same hash."""
    turned = dict(reversed(fields.items()))
    assert canonical(fields) == canonical(turned)
    assert content_hash(fields) == content_hash(turned) == sha256(canonical(turned))


def test_canonical_form_is_fixed() -> None:
    """Compact, sorted, UTF-8, Decimal as its own text."""
    assert canonical({"b": Decimal("1.10"), "a": ["ü", None]}) == '{"a":["ü",null],"b":"1.10"}'.encode()
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("value", [{1}, object(), b"x", {"a": 2**70}], ids=["set", "object", "bytes", "huge integer"])
def test_other_types_have_no_form(value: object) -> None:
    """What has no one byte form is an error, never a guess."""
    with pytest.raises(TypeError):
        canonical(value)


@EXACT
@given(fields=st.dictionaries(st.text(max_size=6), VALUES, max_size=6))
def test_document_parses_back(fields: dict[str, Any]) -> None:
    """A document holds the very value it was made from, keys in the given order."""
    parsed = json.loads(document(fields))
    assert parsed == fields
    assert list(parsed) == list(fields)


def test_one_record_a_line() -> None:
    """An unchanged record is an unchanged line, in lists and in tables."""
    text = document({"revision": 1, "rows": [{"a": 1}, {"b": Decimal("2.50")}], "table": {"x": {"c": 3}, "y": {}},
                     "plain": [1, 2], "none": []}).decode()
    assert text.splitlines() == ["{", '"revision": 1,', '"rows": [', '{"a":1},', '{"b":"2.50"}', "],", '"table": {',
                                 '"x": {"c":3},', '"y": {}', "},", '"plain": [1,2],', '"none": []', "}"]
