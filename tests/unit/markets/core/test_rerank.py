"""Ranks that do not flicker."""

import pytest

from vanta.markets.core.rerank import ranking, steadied


@pytest.mark.parametrize(("now", "before", "value"), [
    pytest.param(5_000, None, 5_000, id="a new entity has its conviction"),
    pytest.param(5_100, 5_000, 5_000, id="a change of exactly the margin is none"),
    pytest.param(4_900, 5_000, 5_000, id="downwards as well"),
    pytest.param(5_101, 5_000, 5_101, id="one more moves it"),
    pytest.param(4_899, 5_000, 4_899, id="and one less"),
])
def test_dead_band(now: int, before: int | None, value: int) -> None:
    """Margin 100."""
    assert steadied({"A": now}, {} if before is None else {"A": before}, 100) == {"A": value}


def test_small_changes_keep_the_order() -> None:
    """B overtakes A by less than the margin and stays behind."""
    values = steadied({"A": 4_960, "B": 5_020}, {"A": 5_000, "B": 4_950}, 100)
    assert ranking(values) == ["A", "B"]


def test_without_margin_every_change_counts() -> None:
    """Margin 0 is no dead band."""
    assert ranking(steadied({"A": 4_960, "B": 5_020}, {"A": 5_000, "B": 4_950}, 0)) == ["B", "A"]


def test_ties_go_by_name_and_the_gone_are_forgotten() -> None:
    """Equal values are ordered by entity; an entity without a conviction now has no rank."""
    assert ranking(steadied({"b": 10, "a": 10}, {"z": 9_000}, 100)) == ["a", "b"]
