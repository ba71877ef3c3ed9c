"""The evidence ledger: integers that commute."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.markets.core.book import RULES
from vanta.markets.core.ledger import STRONGEST, Cell, Ledger, Worth, contribution

NOW_BUCKET = 5_000
Claims = list[tuple[str, int, int, int]]

claims = st.lists(
    st.tuples(st.sampled_from([f"s{n}" for n in range(12)]), st.integers(1, 3), st.integers(4_000, 5_100),
              st.integers(-900, 900)), max_size=40)


def _factor(half_life: int = 48, ttl: int = 500) -> Callable[[int], int]:
    return lambda bucket: RULES.decay.factor(NOW_BUCKET - bucket, half_life, ttl)


def _cell(rows: Claims) -> Cell:
    cell = Cell()
    for one in rows:
        cell.add(*one)
    return cell


@pytest.mark.parametrize(("direction", "strength", "confidence", "gain", "worth"), [
    pytest.param(1.0, 0.5, 0.9, 2_000, 900, id="an insider buys"),
    pytest.param(-0.4, 0.5, 0.9, 2_000, -360, id="an insider sells"),
    pytest.param(0.0, 1.0, 1.0, 2_000, 0, id="no direction says nothing"),
    pytest.param(1.0, 1.0, 1.0, 2_000, 2_000, id="the most there is"),
    pytest.param(0.5, 0.5, 0.002, 1_000, 1, id="half a milli-nat is rounded away from zero"),
    pytest.param(-0.5, 0.5, 0.002, 1_000, -1, id="on both sides"),
    pytest.param(0.4999, 0.5, 0.002, 1_000, 0, id="less than half is nothing"),
    pytest.param(0.0001, 0.0001, 0.0001, 10_000, 0, id="the least there is"),
])
def test_contribution(direction: float, strength: float, confidence: float, gain: int, worth: int) -> None:
    """Exact integers from the grid of ten-thousandths on."""
    assert contribution(direction, strength, confidence, gain) == worth


@settings(deadline=None, derandomize=True)
@given(rows=claims, seed=st.randoms(use_true_random=False))
def test_order_does_not_matter(rows: Claims, seed: object) -> None:
    """Any order of the same claims, duplicates and revisions included, is worth bit-identically the same."""
    shuffled = [*rows, *rows[:5]]
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _cell(shuffled).worth(_factor()) == _cell(rows).worth(_factor())


@settings(deadline=None, derandomize=True)
@given(rows=claims)
def test_only_bucket_sums_count(rows: Claims) -> None:
    """The total is the sum over buckets of what was said in them, decayed by the bucket, highest revisions only."""
    sums: dict[int, int] = {}
    for _, _, bucket, evidence in {row[0]: row for row in sorted(rows)}.values():
        sums[bucket] = sums.get(bucket, 0) + evidence
    factor = _factor()
    total = sum(evidence * factor(bucket) for bucket, evidence in sums.items())
    assert _cell(rows).worth(factor).evidence == (total >> 30 if total >= 0 else -(-total >> 30))


@settings(deadline=None, derandomize=True)
@given(rows=claims, extra=st.tuples(st.integers(1, 3), st.integers(4_000, 5_100), st.integers(-900, 900)))
def test_retracting_is_subtracting(rows: Claims, extra: tuple[int, int, int]) -> None:
    """A claim that is taken out again leaves no trace."""
    cell = _cell(rows)
    before = cell.worth(_factor())
    cell.add("extra", *extra)
    cell.retract("extra")
    assert cell.worth(_factor()) == before


@settings(deadline=None, derandomize=True)
@given(rows=claims, late=st.tuples(st.integers(4_000, 5_000), st.integers(-900, 900)))
def test_late_is_on_time(rows: Claims, late: tuple[int, int]) -> None:
    """A claim that arrives last counts by when it was published, as if it had come first."""
    arrives_last, arrives_first = _cell(rows), Cell()
    arrives_last.add("late", 1, *late)
    arrives_first.add("late", 1, *late)
    for one in rows:
        arrives_first.add(*one)
    assert arrives_last.worth(_factor()) == arrives_first.worth(_factor())


def test_retracting_what_is_not_there() -> None:
    """Only what was counted can be taken out."""
    with pytest.raises(KeyError):
        Cell().retract("s1")


def test_highest_revision_stands() -> None:
    """A re-scored claim replaces its earlier self, and an old copy that comes back changes nothing."""
    cell = _cell([("s1", 1, NOW_BUCKET, 100), ("s1", 2, NOW_BUCKET, 300), ("s1", 1, NOW_BUCKET, 100)])
    assert cell.worth(_factor()) == Worth(300, 1, ("s1",))


def test_decay_and_time_to_live() -> None:
    """Half after a half-life; nothing, and nobody live, at the time to live or before publication."""
    assert _cell([("s1", 1, NOW_BUCKET - 48, 900)]).worth(_factor()) == Worth(450, 1, ("s1",))
    assert _cell([("s1", 1, NOW_BUCKET - 500, 900)]).worth(_factor()) == Worth(0, 0, ())
    assert _cell([("s1", 1, NOW_BUCKET + 1, 900)]).worth(_factor()) == Worth(0, 0, ())


def test_rounding_is_towards_zero_on_both_sides() -> None:
    """A half milli-nat is dropped, whatever its sign."""
    assert _cell([("s1", 1, NOW_BUCKET - 48, 901)]).worth(_factor()).evidence == 450
    assert _cell([("s1", 1, NOW_BUCKET - 48, -901)]).worth(_factor()).evidence == -450


def test_strongest_are_named_by_what_they_say_now() -> None:
    """The five largest by absolute evidence now; an old loud one comes after a fresh quieter one; ties go by id."""
    rows = [("old", 1, NOW_BUCKET - 96, 900), ("b", 1, NOW_BUCKET, 300), ("a", 1, NOW_BUCKET, -300),
            ("c", 1, NOW_BUCKET, 299), ("d", 1, NOW_BUCKET, 10), ("e", 1, NOW_BUCKET, 9), ("mute", 1, NOW_BUCKET, 0)]
    worth = _cell(rows).worth(_factor())
    assert worth.strongest == ("a", "b", "c", "old", "d")
    assert len(worth.strongest) == STRONGEST
    assert worth.count == 7
    assert _cell(rows[-2:]).worth(_factor()).strongest == ("e",)


def test_entities_and_sources_come_in_order_of_name() -> None:
    """Iteration does not depend on who came first."""
    ledger = Ledger()
    for entity, source in (("b", "y"), ("a", "z"), ("b", "x"), ("a", "z")):
        ledger.cell(entity, source)
    assert [(entity, list(cells)) for entity, cells in ledger.entities()] == [("a", ["z"]), ("b", ["x", "y"])]
