"""The decay table and what it makes of ages."""

from itertools import pairwise

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.make_tables import files
from vanta.common.errors import StateError
from vanta.common.resources import load
from vanta.markets.core.decay import ONE, Decay, parse

DECAY = parse(load("decay_q30.json"))


def test_shipped_table_is_what_the_script_makes() -> None:
    """Fifty correct digits, made again, give the very bytes that ship."""
    assert load("decay_q30.json") == files()["decay_q30.json"].encode()


def test_every_entry_is_the_nearest_integer() -> None:
    """Without any power function: t is nearest to 2^(30-k/1024) if (2t-1)^1024 < 2^(31·1024-k) < (2t+1)^1024."""
    for k, entry in enumerate(DECAY.table):
        exact = 1 << (31 * 1024 - k)
        assert (2 * entry - 1) ** 1024 < exact < (2 * entry + 1) ** 1024


@pytest.mark.parametrize(("age", "half_life", "factor"), [
    pytest.param(0, 288, ONE, id="fresh"),
    pytest.param(288, 288, ONE // 2, id="one half-life"),
    pytest.param(864, 288, ONE // 8, id="three half-lives"),
    pytest.param(144, 288, 759_250_125, id="half a half-life"),
    pytest.param(999, 1, 0, id="so old that nothing is left of it"),
    pytest.param(1000, 288, 0, id="at its time to live"),
    pytest.param(-1, 288, 0, id="from the future"),
])
def test_factor(age: int, half_life: int, factor: int) -> None:
    """Named ages with a time to live of 1,000 buckets."""
    assert DECAY.factor(age, half_life, 1000) == factor


def test_last_bucket_before_the_time_to_live_still_counts() -> None:
    """The time to live ends between bucket 999 and 1,000."""
    assert DECAY.factor(999, 288, 1000) > 0


@settings(deadline=None, derandomize=True)
@given(half_life=st.integers(1, 20_000), ages=st.lists(st.integers(0, 50_000), min_size=2, max_size=20))
def test_never_grows_with_age(half_life: int, ages: list[int]) -> None:
    """An older claim never says more."""
    factors = [DECAY.factor(age, half_life, 100_000) for age in sorted(ages)]
    assert all(later <= earlier for earlier, later in pairwise(factors))


def _damaged(**changes: object) -> bytes:
    return orjson.dumps({**orjson.loads(load("decay_q30.json")), **changes})


@pytest.mark.parametrize("raw", [
    pytest.param(_damaged(table=[]), id="empty"),
    pytest.param(_damaged(table="abc"), id="no list"),
    pytest.param(_damaged(bits=20), id="other unit"),
    pytest.param(_damaged(table=list(DECAY.table[:-1])), id="too short"),
    pytest.param(_damaged(table=[ONE - 1, *DECAY.table[1:]]), id="does not begin at one"),
    pytest.param(_damaged(table=[*DECAY.table[:5], DECAY.table[3], *DECAY.table[6:]]), id="rises in between"),
    pytest.param(_damaged(table=[*DECAY.table[:-1], ONE // 2]), id="ends too low"),
    pytest.param(_damaged(table=[*DECAY.table[:-1], "x"]), id="holds a text"),
])
def test_a_damaged_table_is_refused(raw: bytes) -> None:
    """A table that is not the falling one stops the program."""
    with pytest.raises(StateError, match="not the decay table"):
        parse(raw)


def test_table_is_a_value() -> None:
    """Two readings of the same bytes are the same table."""
    assert parse(load("decay_q30.json")) == Decay(DECAY.table)
