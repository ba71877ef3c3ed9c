"""What funding, books and a day's change say."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.markets.core.crypto_score import annual, asset_of, book, funding, imbalance, momentum


@pytest.mark.parametrize(("base", "asset"), [
    ("BTC", "BTC"), ("1000PEPE", "PEPE"), ("1000000MOG", "MOG"), ("SHIB1000", "SHIB"), ("1INCH", "1INCH"), ("100X",
    "100X"),
    ("10000SATS", "SATS"), ("1000", "1000"),
])
def test_bundles_are_their_asset(base: str, asset: str) -> None:
    """Thousands of a cheap coin are still that coin."""
    assert asset_of(base) == asset


@pytest.mark.parametrize(("rate", "hours", "direction", "strength"), [
    pytest.param("0.0005", 8, -10_000, 4380, id="longs pay"),
    pytest.param("-0.0005", 8, 10_000, 6570, id="shorts pay"),
    pytest.param("0.0005", 1, -10_000, 10_000, id="hourly is eight times as much"),
    pytest.param("0.0001", 8, 0, 0, id="usual"),
    pytest.param("0.00028", 8, 0, 0, id="just not enough"),
    pytest.param("0.0003", 8, -10_000, 2190, id="just enough"),
    pytest.param("0", 8, 0, 0, id="nothing"),
])
def test_funding_is_against_the_crowd(rate: str, hours: int, direction: int, strength: int) -> None:
    """A high rate is bearish; distance is annual."""
    score = funding(Decimal(rate), hours, [])
    assert (score.direction_bp, score.strength_bp) == (direction, strength)


def test_annual_uses_the_interval() -> None:
    """0.01 % every eight hours is 10.95 % a year."""
    assert annual(Decimal("0.0001"), 8) == Decimal("0.1095")


def test_three_weeks_of_rates_make_the_scale() -> None:
    """Standard deviations instead of points; quiet weeks do not make a small move large."""
    earlier = [Decimal("0.0001"), Decimal("0.0002")] * 32
    score = funding(Decimal("0.0005"), 8, earlier)
    assert (score.direction_bp, score.strength_bp, score.scale) == (-10_000, 10_000, "z of 7.0 over 64 rates")
    assert funding(Decimal("0.00024"), 8, earlier).strength_bp == 0
    assert funding(Decimal("0.0005"), 8, earlier[:62]).scale == "43.8 points a year from the usual"
    quiet = [Decimal("0.0001")] * 64
    assert funding(Decimal("0.00015"), 8, quiet).strength_bp == 0
    assert funding(Decimal("-0.0001"), 8, quiet).direction_bp == 10_000


def test_a_book_is_measured_within_25_bp_of_the_middle() -> None:
    """What lies further out does not count."""
    bids = [["100", "3"], ["99.9", "1"], ["99", "500"]]
    asks = [["100.1", "1"], ["100.2", "1"], ["101", "1"]]
    tilt, reach = imbalance(bids, asks) or (Decimal(0), Decimal(0))
    assert tilt == Decimal(1) / 3
    assert reach == 25


def test_a_shallow_side_cannot_tilt_a_book() -> None:
    """Only as far as both sides are covered."""
    deep = [["100", "1"], ["99.98", "1"], ["99.96", "100"]]
    assert imbalance(deep, [["100.02", "1"]]) is not None
    tilt, reach = imbalance(deep, [["100.02", "1"]]) or (Decimal(1), Decimal(99))
    assert tilt == 0
    assert reach < 2


@pytest.mark.parametrize(("bids", "asks"), [
    ([], [["1", "1"]]), ([["1", "1"]], []), ([["2", "1"]], [["1", "1"]]), ([["1", "1"]], [["1", "1"]]),
    ([["1", "0"]], [["2", "0"]]),
], ids=["no bids", "no asks", "crossed", "locked", "no size"])
def test_a_book_that_cannot_be_is_not_measured(bids: list[list[str]], asks: list[list[str]]) -> None:
    """None, not 0."""
    assert imbalance(bids, asks) is None


@pytest.mark.parametrize(("tilts", "direction", "strength", "flags"), [
    (["0.4", "0.5", "0.6"], 10_000, 5000, ()),
    (["-0.4", "-0.5", "-0.6"], -10_000, 5000, ()),
    (["0.5", "0.5"], 10_000, 1250, ("few_snapshots",)),
    (["0.9", "0.9", "-0.1"], 10_000, 1416, ("not_persistent",)),
    (["0.9", "-0.1"], 10_000, 1000, ("few_snapshots", "not_persistent")),
    (["0.05", "0.05", "0.05"], 0, 0, ()),
], ids=["bids", "asks", "two only", "turning", "two, turning", "level"])
def test_only_persistence_counts_whole(tilts: list[str], direction: int, strength: int, flags: tuple[str, ...]) -> None:
    """Orders can be withdrawn: a quarter for what has not been seen three times on one side."""
    score = book([Decimal(tilt) for tilt in tilts])
    assert (score.direction_bp, score.strength_bp, score.flags) == (direction, strength, flags)


@pytest.mark.parametrize(("change", "direction", "strength"), [
    ("5", 5000, 2500), ("-5", -5000, 2500), ("40", 10_000, 10_000), ("0.4", 0, 0), ("-0.5", -500, 250),
])
def test_momentum_follows_the_day(change: str, direction: int, strength: int) -> None:
    """10 % is a full direction, 20 % full strength."""
    score = momentum(Decimal(change))
    assert (score.direction_bp, score.strength_bp) == (direction, strength)


RATES = st.decimals(min_value=-1, max_value=1, places=8)


@settings(deadline=None, derandomize=True)
@given(RATES, st.sampled_from([1, 2, 4, 8]), st.lists(RATES, max_size=80))
def test_scores_stay_in_range(rate: Decimal, hours: int, earlier: list[Decimal]) -> None:
    """Whatever the rates."""
    score = funding(rate, hours, earlier)
    assert score.direction_bp in (-10_000, 0, 10_000)
    assert 0 <= score.strength_bp <= 10_000
    assert (score.direction_bp == 0) == (score.strength_bp == 0)
