"""Exchange records to signals."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.models.signal import Signal
from vanta.common.times import iso
from vanta.markets.core.crypto import normalise
from vanta.markets.core.records import NormaliseContext, Normalised

NOW = datetime(2025, 11, 20, 15, 0, tzinfo=UTC)
UNIVERSE = {"AAPL": "Apple Inc.", "crypto:BTC": "Bitcoin", "crypto:ETH": "Ethereum", "crypto:PEPE": "Pepe"}


def at(seconds: float) -> str:
    return iso(NOW + timedelta(seconds=seconds))


def record(kind: str, symbol: str, when: str | None, payload: str = "p", **fields: Any) -> dict[str, Any]:
    pair, _, settle = symbol.partition(":")
    base, _, quote = pair.partition("/")
    return {"record": kind, "exchange": "bybit", "symbol": symbol, "base": base, "quote": quote,
    "settle": settle or None,
            "at": when, "published_at": when, "library": "ccxt 4.5.90", "path": "/result",
            "_sha256": hashlib.sha256(payload.encode()).hexdigest(), "_url": f"https://api.bybit.com/{payload}",
            "_media_type": "application/json", "_fetched_at": iso(NOW)} | fields


def funding(rate: str, *, symbol: str = "BTC/USDT:USDT", due: float = 3600, when: float = 0, interval: str | None = "8",
            paid: bool = False, **fields: Any) -> dict[str, Any]:
    return record("funding", symbol, at(due if paid else when), rate=rate, interval_h=interval, funding_at=at(due),
                  paid=paid, mark=None, index=None, **fields)


def book(bid: str, ask: str, *, when: float | None, symbol: str = "BTC/USDT", **fields: Any) -> dict[str, Any]:
    return record("book", symbol, None if when is None else at(when), bids=[["100", bid]], asks=[["100.1", ask]],
    **fields)


def ticker(change: str | None, *, symbol: str = "BTC/USDT", when: float = 0, **fields: Any) -> dict[str, Any]:
    return record("ticker", symbol, at(when), last="1", change_pct=change, **fields)


def run(records: list[dict[str, Any]], known: dict[str, Signal] | None = None) -> Normalised:
    return normalise(records, NormaliseContext(now=NOW, collector="crypto", version="1", run_id="run_1",
                                               universe=UNIVERSE, known=known or {}))


def one(normalised: Normalised) -> Signal:
    (signal,) = normalised.signals
    return signal


def after(normalised: Normalised) -> dict[str, Signal]:
    return {signal.id: signal for signal in normalised.signals}


def test_crowded_funding_is_one_claim() -> None:
    """All fields."""
    signal = one(run([funding("0.0005")]))
    assert (signal.source, signal.kind, signal.source_kind) == ("crypto.funding", "funding", "market")
    assert (signal.entity.key, signal.entity.id, signal.entity.exchange) == (
        "crypto:BTC", "CCXT:bybit:BTC/USDT:USDT", "bybit")
    assert (signal.direction, signal.strength, signal.confidence) == (-1, 0.438, 0.6)
    assert (signal.event_at, signal.published_at) == (at(3600), at(0))
    assert (signal.half_life_s, signal.time_quality, signal.flags) == (8 * 3600, "exact", [])
    assert signal.features == {"rate": "0.0005", "interval_h": 8, "annual": "0.5475", "paid": 0,
    "library": "ccxt 4.5.90"}
    assert signal.raw_ref == hashlib.sha256(b"p").hexdigest() + "#/result"
    assert "speaks against them" in signal.summary


def test_usual_funding_is_no_claim() -> None:
    """Counted as seen."""
    normalised = run([funding("0.0001")])
    assert (normalised.signals, normalised.not_signals) == ([], 1)


def test_an_interval_that_is_not_said_is_assumed_and_doubted() -> None:
    """Flagged, and believed half; said by the list of markets or by the rates before, it is neither."""
    signal = one(run([funding("0.0005", interval=None)]))
    assert (signal.flags, signal.confidence) == (["assumed_interval"], 0.3)
    listed = record("market", "BTC/USDT:USDT", None, interval_h="4")
    assert one(run([funding("0.0005", interval=None), listed])).features["interval_h"] == 4
    spaced = run([funding("0.0005", interval=None, paid=True, due=-3600 * hours) for hours in (0, 1)])
    assert sorted(signal.features["interval_h"] for signal in spaced.signals) == [1, 8]
    odd = run([funding("0.0005", interval=None, paid=True, due=-3600 * hours) for hours in (0, 3)])
    assert [signal.flags for signal in odd.signals] == [["assumed_interval"]] * 2
    timeless = [funding("0.0005", interval=None, paid=True) | {"funding_at": None,
    "at": at(-3600 * hours)} for hours in (0, 2)]
    assert [signal.flags for signal in run(timeless).signals] == [["assumed_interval"]] * 2


def test_a_forecast_is_revised_until_it_is_paid() -> None:
    """One id per funding time; what was known later is not undone by an older record."""
    first = run([funding("0.0005")])
    second = run([funding("0.0006", when=60)], after(first))
    paid = run([funding("0.0007", due=0, paid=True)], after(run([funding("0.0005", due=0, when=-60)])))
    assert (one(second).id, one(second).revision) == (one(first).id, 2)
    assert (one(paid).features["paid"], one(paid).revision) == (1, 2)
    stale = run([funding("0.0009", when=-60)], after(second))
    assert (stale.signals, stale.duplicates) == ([], 1)


def test_a_claim_that_is_no_longer_unusual_is_taken_back() -> None:
    """The same id with direction and strength 0; said once."""
    first = run([funding("0.0005")])
    calm = run([funding("0.0001", when=60)], after(first))
    assert (one(calm).id, one(calm).direction, one(calm).strength) == (one(first).id, 0, 0)
    assert run([funding("0.0001", when=60)], after(calm)).signals == []


def test_a_long_history_scales_itself() -> None:
    """Only what was paid before, never after, and at most a month of it."""
    history = [funding("0.0001" if number % 2 else "0.0002", paid=True,
    due=-8 * 3600 * number) for number in range(1, 65)]
    signal = one(run([*history, funding("0.0005", when=0)]))
    assert signal.confidence_basis[1].value == "z of 7.0 over 64 rates"
    ancient = [funding("0.0001", paid=True, due=-86_400 * 31 - 3600 * number) for number in range(80)]
    assert "points a year" in one(run([*ancient, funding("0.0005")])).confidence_basis[1].value


def test_three_books_that_agree_are_a_claim_of_their_minute() -> None:
    """Strength from the mean tilt, evidence from all of them."""
    books = [book("3", "1", when=second, payload=f"b{second}") | {"bids": [["100", f"3.{second}"]]} for second in (0,
    2, 4)]
    signal = one(run(books))
    assert (signal.source, signal.kind, signal.direction) == ("crypto.book", "ob_imbalance", 1)
    assert signal.strength > 0.5
    assert (signal.confidence, signal.half_life_s, signal.flags) == (0.3, 300, [])
    assert len(signal.evidence) == 3
    assert signal.published_at == at(4)
    assert signal.features["snapshots"] == 3


def test_one_book_is_flagged_and_counts_a_quarter() -> None:
    """A spoofed wall is gone in a second."""
    signal = one(run([book("3", "1", when=0)]))
    assert (signal.flags, signal.strength) == (["few_snapshots"], 0.125)


def test_the_same_book_three_times_is_one_snapshot() -> None:
    """A cached answer proves no persistence."""
    signal = one(run([book("3", "1", when=second) for second in (0, 2, 4)]))
    assert signal.features["snapshots"] == 1


def test_books_older_than_five_minutes_do_not_help() -> None:
    """Persistence is within the last five minutes."""
    books = [book("3", f"1.{number}", when=when) for number, when in enumerate((-360, -330, 0))]
    newest = max(run(books).signals, key=lambda signal: signal.published_at)
    assert newest.features["snapshots"] == 1


def test_a_book_without_a_time_takes_the_time_of_asking() -> None:
    """And says so."""
    signal = one(run([book("3", "1", when=None)]))
    assert (signal.time_quality, signal.published_at, signal.flags) == ("assumed", iso(NOW), ["assumed_time",
    "few_snapshots"])


def test_a_crossed_book_is_no_claim() -> None:
    """It cannot be."""
    assert run([book("3", "1", when=0) | {"asks": [["99", "1"]]}]).signals == []


def test_the_days_change_is_one_claim_per_day() -> None:
    """Revised as the day goes on; the next day is another claim."""
    first = run([ticker("4.04"), ticker("4.0", when=-60)])
    assert (one(first).direction, one(first).strength, one(first).features["change_pct"]) == (0.4, 0.2, "4")
    assert run([ticker("4.01", when=60)], after(first)).duplicates == 1
    assert one(run([ticker("5", when=60)], after(first))).revision == 2
    yesterday = one(run([ticker("4", when=-86_400)]))
    assert yesterday.id != one(first).id


def test_of_several_pairs_one_speaks() -> None:
    """USDT before USD before USDC before others; perpetuals and other exchanges are other matters."""
    pairs = [ticker("3", symbol=symbol) for symbol in ("BTC/USDC", "BTC/USD", "BTC/USDT", "BTC/EUR")]
    assert one(run(pairs)).entity.id == "CCXT:bybit:BTC/USDT"
    assert one(run([pairs[3], pairs[0]])).entity.id == "CCXT:bybit:BTC/USDC"
    assert one(run([ticker("3", symbol="BTC/GBP"), pairs[3]])).entity.id == "CCXT:bybit:BTC/EUR"
    assert run([ticker("9", symbol="BTC/USDT:USDT")]).signals == []
    assert len(run([pairs[2], pairs[2] | {"exchange": "coinbase"}]).signals) == 2


@pytest.mark.parametrize("rejected", [
    pytest.param(ticker("9", symbol="DOGE/USDT"), id="outside the universe"),
    pytest.param(ticker("9", symbol="AAPL/USDT"), id="a share of the universe"),
    pytest.param(ticker(None), id="no change stated"),
    pytest.param(ticker("0.1"), id="hardly a change"),
    pytest.param(record("market", "BTC/USDT", None, interval_h=None), id="a list of markets"),
])
def test_what_is_no_claim(rejected: dict[str, Any]) -> None:
    """Counted, not lost."""
    normalised = run([rejected])
    assert (normalised.signals, normalised.not_signals, normalised.duplicates, normalised.problems) == ([], 1, 0, [])


def test_bundles_are_claims_about_their_asset() -> None:
    """1000PEPE is PEPE."""
    assert one(run([funding("0.0009", symbol="1000PEPE/USDT:USDT")])).entity.key == "crypto:PEPE"


def test_a_record_from_the_future_is_refused() -> None:
    """More than two minutes ahead."""
    normalised = run([ticker("9", when=121)])
    assert [problem.code for problem in normalised.problems] == ["from_the_future"]
    assert (normalised.signals, normalised.not_signals) == ([], 0)


def test_a_rerun_says_nothing_new() -> None:
    """And its records are counted as repeated."""
    records = [funding("0.0005"), ticker("4"), book("3", "1", when=0)]
    again = run(records, after(run(records)))
    assert (again.signals, again.duplicates) == ([], 3)
    assert run([*records, *records]).duplicates == 3


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.permutations([
    funding("0.0005"), funding("0.0006", when=60), funding("0.0004", due=-28_800, paid=True), ticker("4"),
    ticker("5", when=30), ticker("-3", symbol="ETH/USD"), book("3", "1", when=0), book("3", "1.1", when=2),
    book("1", "3", when=4), book("3", "1", when=None, payload="q")]))
def test_the_order_of_records_does_not_matter(records: list[dict[str, Any]]) -> None:
    """Byte for byte."""
    expected = run(sorted(records, key=repr))
    assert [signal.model_dump_json() for signal in run(records).signals] == [
        signal.model_dump_json() for signal in expected.signals]


ABSURD = "1" + "0" * 40


@pytest.mark.parametrize("absurd", [funding(ABSURD), funding("-" + ABSURD + ".5", paid=True, due=-60), ticker(ABSURD),
                                    ticker("-1" + "0" * 16)], ids=["rate", "paid", "change", "just too large"])
def test_a_number_that_cannot_be_right_is_a_bad_row(absurd: dict[str, Any]) -> None:
    """It is named and left out, and the others count: nobody can silence a feed with one number."""
    normalised = run([absurd, funding("0.0005", symbol="ETH/USDT:USDT")])
    assert one(normalised).entity.key == "crypto:ETH"
    assert [(problem.code, "cannot be right" in problem.detail) for problem in normalised.problems] == [
        ("bad_row", True)]


@pytest.mark.parametrize("record", [
    funding("9" * 16 + "." + "9" * 60), funding("0." + "0" * 60 + "1"), ticker("9" * 16 + "." + "9" * 60),
    ticker("-0." + "0" * 60 + "1")], ids=["rate", "hardly a rate", "change", "hardly a change"])
def test_numbers_of_any_length_are_reckoned_with(record: dict[str, Any]) -> None:
    """The largest that are believed, with more digits than the context holds, and the smallest."""
    assert run([record]).problems == []
