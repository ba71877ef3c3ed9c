"""What an edit changed, told field by field, whatever the bytes are."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.executor.core.edited import LONGEST, MOST, MOST_BYTES, changes


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


ROWS: dict[str, tuple[Any, Any, list[list[str | None]]]] = {
    "a switch": ({"full_halt": False}, {"full_halt": True}, [["full_halt", "false", "true"]]),
    "a switch that gets a reason": ({"full_halt": False}, {"full_halt": {"enabled": True, "reason": "x"}}, [
        ["full_halt", "false", None], ["full_halt.enabled", None, "true"], ["full_halt.reason", None, '"x"']]),
    "a field that comes": ({}, {"revision": 2}, [["revision", None, "2"]]),
    "a field that goes": ({"revision": 2}, {}, [["revision", "2", None]]),
    "one is not true, and not text": ({"a": 1, "b": 1}, {"a": True, "b": "1"}, [["a", "1", "true"], ["b", "1", '"1"']]),
    "a scope that goes": ({"scopes": {"vault": {"V": {"full_halt": True}}}}, {"scopes": {}}, [
        ["scopes", None, "{}"], ["scopes.vault.V.full_halt", "true", None]]),
    "an element of a list": ({"p": ["a", "b"]}, {"p": ["a", "c", "d"]}, [["p.1", '"b"', '"c"'], ["p.2", None, '"d"']]),
    "a list that is emptied": ({"p": ["a"]}, {"p": []}, [["p", None, "[]"], ["p.0", '"a"', None]]),
    "a vault by its name": (
        {"vaults": [{"vault_id": "A", "capital": 1}, {"vault_id": "B", "capital": 1}]},
        {"vaults": [{"vault_id": "B", "capital": 2}, {"vault_id": "A", "capital": 1}]},
        [["vaults.B.capital", "1", "2"]]),
    "vaults of one name are told by their places": (
        {"vaults": [{"vault_id": "A", "capital": 1}, {"vault_id": "A", "capital": 1}]},
        {"vaults": [{"vault_id": "A", "capital": 1}, {"vault_id": "A", "capital": 2}]},
        [["vaults.1.capital", "1", "2"]]),
    "a name in the file": ({"by": "ann", "written_by": None}, {"by": "bob", "written_by": "bob"}, [
        ["by", '"(a name)"', '"(a name)"'], ["written_by", "null", '"(a name)"']]),
    "the same in other bytes": ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_change_is_told(row: str) -> None:
    """Path, before, after; nothing where nothing is."""
    before, after, rows = ROWS[row]
    assert changes(raw(before), raw(after))[:2] == (rows, 0)


@pytest.mark.parametrize(("before", "after", "row"), [
    (b'{"a": 1}', b'{"a": ', ["", "8 bytes", "6 bytes"]),
    (b'{"a": ', b'{"a": 1}', ["", "6 bytes", "8 bytes"]),
    (b"[1]", b"[2]", ["", "3 bytes", "3 bytes"]),
    (b'{"a": 1}', None, ["", "8 bytes", None]),
    (None, b"\xff", ["", None, "1 bytes"]),
    (b'{"a": 1, "a": 1}', b"", ["", "16 bytes", "0 bytes"]),
])
def test_what_is_no_strict_json_is_told_as_a_whole(before: bytes | None, after: bytes | None,
                                                   row: list[str | None]) -> None:
    """By its size: whatever stands in it, a name or worse, stays in the snapshot store."""
    assert changes(before, after).rows == [row]


def test_a_file_that_comes_back_as_it_was_has_not_changed() -> None:
    """Neither has one that nobody could read before or after."""
    assert changes(b"{", b"{").rows == []
    assert changes(None, None).rows == []


def test_long_paths_and_values_are_cut_and_many_changes_counted() -> None:
    """Whoever saves a megabyte makes no megabyte of log."""
    told = changes(raw({}), raw({"a" * 300: "b" * 300, **{f"k{n:03}": n for n in range(60)}}))
    assert (len(told.rows), told.more) == (MOST, 11)
    assert all(text is None or len(text) <= LONGEST + 1 for row in told.rows for text in row)
    assert told.rows[0][0] == "a" * LONGEST + "…"


LONG = raw({"by": "ann", "notes": "x" * MOST_BYTES})


@pytest.mark.parametrize(("before", "after"), [(LONG, raw({})), (raw({}), LONG), (LONG, LONG + b" "), (None, LONG)])
def test_a_long_version_is_told_as_a_whole_and_said_to_be_too_long(before: bytes | None, after: bytes | None) -> None:
    """Comparing seven megabytes kept the cancels of the next halt waiting for seconds."""
    told = changes(before, after)
    ((field, *sizes),) = told.rows
    said = f"{len(LONG):,} bytes, too long to be compared field by field"
    assert (field, told.more, told.by) == ("", 0, None)
    assert said in sizes
    assert changes(LONG, LONG).rows == []


def test_the_longest_version_that_is_looked_into_is_told_by_its_fields() -> None:
    """Every overlay is."""
    body = raw({"a": 1, "notes": ""})
    body = body.replace(b'""', b'"' + b"x" * (MOST_BYTES - len(body)) + b'"')
    assert len(body) == MOST_BYTES
    assert changes(body, body.replace(b"1", b"2")).rows == [["a", "1", "2"]]


def test_below_a_long_path_nothing_is_looked_into_and_nobody_is_named() -> None:
    """Repeated for each of ten thousand leaves, a long name would fill the memory."""
    name = "k" * (LONGEST + 1)
    told = changes(raw({name: {"by": "ann", "on": 1}, "b": {name: [1]}}), raw({name: {"by": "bob", "on": 1}, "b": 1}))
    assert told.rows == [["b", None, "1"], [f"b.{name}"[:LONGEST] + "…", "7 bytes", None],
                         [name[:LONGEST] + "…", "19 bytes", "19 bytes"]]
    assert told.by is None


@pytest.mark.parametrize(("after", "by"), [
    ({"full_halt": {"enabled": True, "by": "ann"}, "by": "bob"}, "ann"),
    ({"full_halt": True, "by": "bob"}, "bob"),
    ({"full_halt": True, "by": 7}, None),
    ({"full_halt": {"enabled": True, "by": None}}, None),
    ({"full_halt": True}, None),
    ({"full_halt": {"enabled": True}, "by": 'a"\\\u00fc'}, 'a"\\\u00fc'),
])
def test_the_name_is_the_one_beside_the_change_or_that_of_the_file(after: dict[str, Any], by: str | None) -> None:
    """It stands there and in no row."""
    told = changes(raw({"full_halt": False}), raw(after))
    assert told.by == by
    assert changes(None, raw(after)).by == (by if by != "ann" else "bob")
    assert by is None or by not in json.dumps(told.rows)


values = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3), max_leaves=12)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), values, max_size=4),
       st.dictionaries(st.text("abc", min_size=1, max_size=2), values, max_size=4))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_nothing_changed_exactly_where_the_values_are_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """No change is missed, and none is made up, whatever the two documents are."""
    told = changes(raw(one), raw(other))
    assert (told.rows == []) == (raw(one) == raw(other) or json.dumps(one, sort_keys=True) == json.dumps(
        other, sort_keys=True))
    assert changes(raw(one), raw(one)).rows == []
