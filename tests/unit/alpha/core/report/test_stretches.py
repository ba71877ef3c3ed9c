"""Much over time as few values: bounded, nothing lost that is summed, gaps stay gaps."""

from hypothesis import given
from hypothesis import strategies as st

from vanta.alpha.core.report.stretches import Cell, Moment, Stretches, cells, thinned


@given(st.lists(st.integers(0, 10**10), max_size=300), st.integers(1, 20))
def test_sums_survive_any_length(times: list[int], most: int) -> None:
    """At most twice as many as asked for, in order, and all that was put in is in them."""
    kept: Stretches[int] = Stretches(most, lambda older, newer: older + newer)
    for at_ms in sorted(times):
        kept.put(at_ms, 1)
    assert sum(moment.value for moment in kept.moments) == len(times)
    assert len(kept.moments) <= 2 * most
    assert kept.moments == sorted(kept.moments)
    assert not times or kept.moments[-1].at_ms == max(times)


def test_a_clock_that_goes_back_does_not_break_the_order() -> None:
    """It counts as the moment before."""
    kept: Stretches[str] = Stretches(5, lambda _, newer: newer)
    kept.put(5_000, "a")
    kept.put(1_000, "b")
    assert kept.moments == [Moment(5_000, "b")]
    assert kept.apart(5_000, 6_000)
    assert not kept.apart(5_000, 5_999)


def test_a_time_in_equal_parts() -> None:
    """Everything is in one of them, the last moment too; where nothing happened is None. A moment alone is one part."""
    moments = [Moment(0, 1), Moment(10, 2), Moment(99, 4), Moment(100, 8)]
    assert cells(moments, (0, 100), 4, int.__add__) == [Cell(0, 25, 3), Cell(25, 50, None), Cell(50, 75, None),
                                                        Cell(75, 100, 12)]
    assert [cell.value for cell in cells([Moment(7, 1)], (7, 7), 2, int.__add__)] == [1, None]


def test_thinned_keeps_both_ends() -> None:
    """Evenly, and all of them where there are few."""
    assert thinned(range(5), 5) == [0, 1, 2, 3, 4]
    assert thinned(range(101), 3) == [0, 50, 100]
