"""The strength table and what it makes of log-odds."""

from decimal import Decimal, localcontext
from itertools import pairwise

import orjson
import pytest

from scripts.make_tables import files
from vanta.common.errors import StateError
from vanta.common.resources import load
from vanta.markets.core.logistic import parse

STRENGTH = parse(load("logistic.json"))


def test_shipped_table_is_what_the_script_makes() -> None:
    """Fifty correct digits, made again, give the very bytes that ship."""
    assert load("logistic.json") == files()["logistic.json"].encode()


def test_within_one_basis_point_of_the_real_function() -> None:
    """Interpolation and truncation together never lose more than one basis point, and never add any."""
    with localcontext(prec=40):
        for log_odds in range(0, 14_000, 7):
            odds = (Decimal(log_odds) / 1000).exp()
            exact = (odds - 1) / (odds + 1) * 10_000
            assert -Decimal("0.001") <= exact - STRENGTH.bp(log_odds) < 1 + Decimal("0.1")


@pytest.mark.parametrize(("log_odds", "bp"), [
    pytest.param(0, 0, id="no evidence"),
    pytest.param(1099, 5001, id="three to one"),
    pytest.param(-1099, 5001, id="one to three is as strong"),
    pytest.param(12_288, 9999, id="the last entry"),
    pytest.param(10**12, 9999, id="far beyond the table"),
])
def test_strength(log_odds: int, bp: int) -> None:
    """Named points."""
    assert STRENGTH.bp(log_odds) == bp


def test_never_falls_and_never_reaches_the_whole() -> None:
    """More evidence is never less strength, and no evidence is certainty."""
    values = [STRENGTH.bp(log_odds) for log_odds in range(13_000)]
    assert all(then <= now for then, now in pairwise(values))
    assert max(values) == 9_999


def test_at_most_five_basis_points_a_milli_nat() -> None:
    """The bound that keeps every reason line inside its range."""
    assert all(STRENGTH.bp(log_odds) <= 5 * log_odds for log_odds in range(13_000))


def _damaged(**changes: object) -> bytes:
    return orjson.dumps({**orjson.loads(load("logistic.json")), **changes})


@pytest.mark.parametrize("raw", [
    pytest.param(_damaged(table=[]), id="empty"),
    pytest.param(_damaged(table={}), id="no list"),
    pytest.param(_damaged(unit=1), id="other unit"),
    pytest.param(_damaged(step=0), id="no step"),
    pytest.param(_damaged(step="16"), id="step as text"),
    pytest.param(_damaged(table=[1, *STRENGTH.table[1:]]), id="does not begin at 0"),
    pytest.param(_damaged(table=[*STRENGTH.table[:3], STRENGTH.table[1], *STRENGTH.table[4:]]), id="falls in between"),
    pytest.param(_damaged(table=list(STRENGTH.table[:100])), id="ends too low"),
    pytest.param(_damaged(table=[*STRENGTH.table, 100_000_000]), id="reaches the whole"),
    pytest.param(_damaged(table=["x", *STRENGTH.table[1:]]), id="holds a text"),
])
def test_a_damaged_table_is_refused(raw: bytes) -> None:
    """A table that is not the rising one stops the program."""
    with pytest.raises(StateError, match="not the strength table"):
        parse(raw)
