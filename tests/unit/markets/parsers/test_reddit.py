"""Reddit's listings, read strictly."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.markets.parsers.reddit import parse

POST = {"id": "a1", "name": "t3_a1", "title": "GME", "selftext": "to the moon", "author": "somebody",
        "created_utc": 1763650000.5, "edited": False, "subreddit": "wallstreetbets", "url": "https://example.org"}
COMMENT = {"id": "c1", "name": "t1_c1", "body": "calls", "author": "somebody", "created_utc": 1763650001}


def thing(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "data": data}


def listing(*children: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": None, "children": list(children)}}


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def test_a_post_is_read_as_it_stands() -> None:
    """Every key of a record, with whole seconds and the place in the body."""
    reading = parse(body(listing(thing("t3", POST))), "x")
    assert reading.problems == []
    assert reading.complete
    assert reading.records == [{
        "id": "t3_a1", "kind": "post", "title": "GME", "text": "to the moon", "author": "somebody",
        "created_utc": 1763650000, "published_at": "2025-11-20T14:46:40.000Z", "edited_utc": None,
        "subreddit": "wallstreetbets", "permalink": None, "link": "https://example.org", "flair": None,
        "distinguished": None, "gone": False, "path": "/data/children/0"}]


def test_a_comments_page_is_read_down_to_the_last_reply() -> None:
    """A list of listings; replies are nested, `more` stubs are passed over, and paths name the place."""
    reply = thing("t1", COMMENT | {"id": "c2", "name": "t1_c2", "replies": ""})
    parent = thing("t1", COMMENT | {"replies": listing(reply, thing("more", {"count": 3, "children": ["x"]}))})
    reading = parse(body([listing(thing("t3", POST)), listing(parent)]), "x")
    assert [(record["id"], record["path"]) for record in reading.records] == [
        ("t3_a1", "/0/data/children/0"), ("t1_c1", "/1/data/children/0"),
        ("t1_c2", "/1/data/children/0/data/replies/data/children/0")]
    assert reading.complete


@pytest.mark.parametrize(("change", "gone", "author"), [
    pytest.param({}, False, "somebody", id="there"),
    pytest.param({"author": None}, True, None, id="no author"),
    pytest.param({"author": "[deleted]"}, True, None, id="deleted account"),
    pytest.param({"selftext": "[removed]"}, True, "somebody", id="removed text"),
    pytest.param({"selftext": " [deleted]\n"}, True, "somebody", id="deleted text"),
    pytest.param({"removed_by_category": "moderator"}, True, "somebody", id="removed by a moderator"),
    pytest.param({"banned_by": "AutoModerator"}, True, "somebody", id="banned"),
    pytest.param({"banned_by": None, "removed_by_category": None}, False, "somebody", id="explicitly not"),
])
def test_what_is_gone_says_so(change: dict[str, Any], gone: bool, author: str | None) -> None:
    """Deleted authors are None; deleted and removed content is marked."""
    (record,) = parse(body(listing(thing("t3", POST | change))), "x").records
    assert (record["gone"], record["author"]) == (gone, author)


@pytest.mark.parametrize(
    ("edited", "expected"), [(False, None), (True, None), (None, None), (1763650009.0, 1763650009)],
    ids=["no", "long ago", "absent", "when"])
def test_edited_is_false_or_a_time(edited: object, expected: int | None) -> None:
    """Reddit serves False or a float."""
    (record,) = parse(body(listing(thing("t3", POST | {"edited": edited}))), "x").records
    assert record["edited_utc"] == expected


@pytest.mark.parametrize("change", [
    pytest.param({"created_utc": None}, id="no time"),
    pytest.param({"created_utc": "yesterday"}, id="a word for a time"),
    pytest.param({"created_utc": True}, id="a boolean for a time"),
    pytest.param({"created_utc": [1]}, id="a list for a time"),
    pytest.param({"created_utc": 12}, id="before Reddit"),
    pytest.param({"created_utc": 1763650000000}, id="milliseconds"),
    pytest.param({"title": 3}, id="a number for a title"),
    pytest.param({"author": {"name": "x"}}, id="an object for an author"),
    pytest.param({"name": "t1_a1"}, id="a comment's name"),
    pytest.param({"name": "t3_../x"}, id="a strange name"),
    pytest.param({"name": None, "id": None}, id="no name"),
])
def test_a_bad_item_is_a_problem_and_the_others_stay(change: dict[str, Any]) -> None:
    """The problem says where in the body; nothing else is lost."""
    other = thing("t3", POST | {"id": "b2", "name": "t3_b2"})
    reading = parse(body(listing(thing("t3", POST | change), other)), "poll.json")
    assert [record["id"] for record in reading.records] == ["t3_b2"]
    assert [(problem.code, problem.where) for problem in reading.problems] == [
        ("bad_item", "poll.json#/data/children/0")]
    assert not reading.complete


@pytest.mark.parametrize(("data", "code"), [
    pytest.param(b"", "unreadable", id="empty"),
    pytest.param(b"<html>", "unreadable", id="html"),
    pytest.param(b'{"kind": "Listing", "kind": "x"}', "unreadable", id="duplicate key"),
    pytest.param(b'{"message": "Forbidden", "error": 403}', "bad_item", id="an API error"),
    pytest.param(b'{"kind": "t5", "data": {}}', "bad_item", id="a subreddit"),
    pytest.param(b'3', "bad_item", id="a number"),
    pytest.param(b'{"kind": "Listing", "data": {"children": {}}}', "bad_item", id="children is no list"),
    pytest.param(b'[' * 100 + b']' * 100, "unreadable", id="too deep"),
])
def test_a_body_of_another_kind_is_a_problem(data: bytes, code: str) -> None:
    """Never an exception, never silence."""
    reading = parse(data, "x")
    assert reading.records == []
    assert [problem.code for problem in reading.problems] == [code]
    assert not reading.complete


def test_an_api_error_is_quoted() -> None:
    """The operator sees what Reddit said."""
    (problem,) = parse(b'{"message": "Forbidden", "error": 403}', "x").problems
    assert "403 Forbidden" in problem.detail


def test_an_empty_listing_is_no_problem() -> None:
    """Nothing new is not an error."""
    reading = parse(body(listing()), "x")
    assert (reading.records, reading.problems, reading.complete) == ([], [], True)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["kind", "data", "children", "replies", "created_utc", "author", "name", "id"]),
                        inner | st.sampled_from(["Listing", "t3", "t1", "more"]), max_size=4), max_leaves=20)


@settings(deadline=None, derandomize=True)
@given(JSON | st.binary(max_size=30))
def test_nothing_makes_it_crash(value: object) -> None:
    """Any JSON and any bytes give a reading."""
    data = value if isinstance(value, bytes) else body(value)
    reading = parse(data, "x")
    assert reading.complete == (not reading.problems)
