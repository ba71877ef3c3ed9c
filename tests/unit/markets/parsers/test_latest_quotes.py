"""Latest quotes of shares as Alpaca serves them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.markets.core.prices import quotes
from vanta.markets.core.records import Reading
from vanta.markets.parsers.latest_quotes import read

QUOTE = {"t": "2026-11-18T14:58:30.104772312Z", "ax": "V", "ap": 172.82, "as": 300, "bx": "V", "bp": 172.78, "bs": 200,
         "c": ["R"], "z": "C"}
TRADE = {"t": "2026-11-18T14:58:30.000Z", "x": "V", "p": 172.80, "s": 100, "c": ["@"], "i": 7, "z": "C"}


def parsed(body: object) -> Reading:
    reading = read(json.dumps(body).encode(), where="quotes.json")
    assert reading is not None
    return reading


@pytest.mark.parametrize(("body", "path", "last"), [
    ({"quotes": {"NVDA": QUOTE}}, "/quotes/NVDA", "172.8"),
    ({"NVDA": {"latestTrade": {**TRADE, "p": 172.79}, "latestQuote": QUOTE}}, "/NVDA", "172.79"),
    ({"snapshots": {"NVDA": {"latestQuote": QUOTE}}}, "/snapshots/NVDA", "172.8"),
], ids=["latest quotes", "snapshots", "snapshots, no trade"])
def test_known_bodies(body: dict[str, Any], path: str, last: str) -> None:
    """Both sides, the smaller size for both, the last trade or else the middle, the time in milliseconds."""
    assert parsed(body).records == [{
        "record": "ticker", "source": "alpaca", "symbol": "NVDA", "settle": None, "at": "2026-11-18T14:58:30.104Z",
        "last": last, "bid": "172.78", "ask": "172.82", "bid_size": "200", "ask_size": "200", "path": path}]


def test_a_record_becomes_a_quote_like_any_ticker() -> None:
    """The prices rule takes it as it takes an exchange's ticker, and names where it came from."""
    assert quotes(parsed({"quotes": {"NVDA": QUOTE}}).records) == [{
        "symbol": "NVDA", "instrument_id": "equity:NVDA", "at": "2026-11-18T14:58:30.104Z", "date": "2026-11-18",
        "source": "alpaca", "last": "172.8", "bid": "172.78", "ask": "172.82", "size": "200",
        "average_daily_volume": None}]


@pytest.mark.parametrize("change", [
    {"bp": 0}, {"as": 0}, {"ap": -1}, {"bp": "172.78"}, {"bs": True}, {"bp": None}, {"t": "yesterday"},
    {"t": "2026-11-18T14:58:30"}, {"t": None},
], ids=["no bid", "no size", "negative", "text", "boolean", "null", "no time", "no zone", "null time"])
def test_a_quote_that_cannot_be_used_is_a_problem_and_hides_no_other(change: dict[str, Any]) -> None:
    """It is named with its place; the whole one beside it counts."""
    reading = parsed({"quotes": {"BAD": {**QUOTE, **change}, "NVDA": QUOTE}})
    assert [record["symbol"] for record in reading.records] == ["NVDA"]
    assert [(one.code, one.where) for one in reading.problems] == [("bad_item", "quotes.json#/quotes/BAD")]
    assert not reading.complete


@pytest.mark.parametrize("field", ["bp", "bs", "ap", "as", "t"])
def test_a_missing_field_is_named(field: str) -> None:
    """Nothing is guessed."""
    reading = parsed({"quotes": {"BAD": {name: value for name, value in QUOTE.items() if name != field}}})
    assert f"{field} is missing" in reading.problems[0].detail


@pytest.mark.parametrize("body", [
    b"", b"<html>", b"[]", b"{}", b'{"quotes": []}', b'{"quotes": {}}', b'{"snapshots": 1}', b'{"a": {"b": 1}}',
    b'{"retCode": 0, "result": {"list": []}}'])
def test_another_body_is_left_to_others(body: bytes) -> None:
    """`None`: the reader of exchanges' bodies has its turn."""
    assert read(body, where="x") is None


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(["bp", "bs", "ap", "as", "t"]), st.one_of(
    st.none(), st.booleans(), st.integers(-2**63, 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), st.lists(st.integers(-2**63, 2**64 - 1), max_size=2))))
def test_anything_in_a_quote_is_a_record_or_a_problem(change: dict[str, Any]) -> None:
    """Never an exception, and never both."""
    reading = parsed({"quotes": {"X": {**QUOTE, **change}}})
    assert len(reading.records) + len(reading.problems) == 1
