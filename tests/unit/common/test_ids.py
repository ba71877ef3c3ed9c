"""Identifiers: their shapes, and that the same thing always gets the same id."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common import ids

BASE32 = "[a-z2-7]"
MADE = {
    "signal": (ids.signal_id("sec.form4", "insider_buy", "equity:AAPL", "0001"), f"sig1_{BASE32}{{26}}"),
    "conviction": (ids.conviction_id({"entity": "equity:AAPL"}), f"cv1_{BASE32}{{26}}"),
    "dag": (ids.dag_id(["a", "b"]), f"dag1_{BASE32}{{26}}"),
    "intent": (ids.intent_id("paper", "V_CORE", "equity:AAPL", 7, {"notional": "100"}), f"in1_{BASE32}{{26}}"),
    "run": (ids.run_id("sec", "2026-01-02T03:04:05.000Z", []), "run_[0-9a-f]{16}"),
    "latch": (ids.latch_id("loss.daily", 12), "latch_[0-9a-f]{8}"),
    "home": (ids.draw_home_id(), f"{BASE32}{{6}}"),
}


@pytest.mark.parametrize(("made", "shape"), MADE.values(), ids=MADE.keys())
def test_shapes(made: str, shape: str) -> None:
    """Each kind of id is recognisable by its shape."""
    assert re.fullmatch(shape, made)


def test_known_values() -> None:
    """Ids never change between versions: a changed id would orphan every record that names it."""
    assert ids.signal_id("sec.form4", "insider_buy", "equity:AAPL", "0001") == "sig1_rh2rkldaj3lsfiplem4qwcswmy"
    assert ids.intent_id("paper", "V_CORE", "equity:AAPL", 7, "100") == "in1_pshrvn5ey2ddmesjzcqj3653wh"
    assert ids.client_order_id("abc234", [["in1_x", "V_CORE", "10"]], 1) == "vabc234-hidswiz7pzh4bnvb2czp-1"


@settings(deadline=None, derandomize=True)
@given(legs=st.lists(st.lists(st.text(max_size=10), max_size=4), max_size=3), attempt=st.integers(1, 9_999_999))
def test_client_order_ids_fit_every_venue(legs: list[list[str]], attempt: int) -> None:
    """At most 36 characters of letters, digits and hyphens, with the home and the attempt to be seen."""
    made = ids.client_order_id("abc234", legs, attempt)
    assert re.fullmatch(rf"vabc234-{BASE32}{{20}}-{attempt}", made)
    assert len(made) <= 36


def test_every_part_of_an_order_counts() -> None:
    """Another home, other legs or another attempt is another order; the same is the same."""
    base = ids.client_order_id("abc234", ["x"], 1)
    others = {ids.client_order_id("abc235", ["x"], 1), ids.client_order_id("abc234", ["y"], 1),
              ids.client_order_id("abc234", ["x"], 2)}
    assert base == ids.client_order_id("abc234", ["x"], 1)
    assert base not in others
    assert len({other.split("-")[1] for other in others}) == 3


def test_fields_do_not_run_into_each_other() -> None:
    """Shifting a character from one field to the next is another signal."""
    assert ids.signal_id("a", "b", "cd", "e") != ids.signal_id("a", "b", "c", "de")


def test_a_run_that_can_be_made_again_has_a_derived_home() -> None:
    """A simulation draws nothing: its home's id is a hash of what it was given."""
    assert ids.derived_home_id(["a", 1]) == ids.derived_home_id(["a", 1]) != ids.derived_home_id(["a", 2])
    assert re.fullmatch(f"{BASE32}{{6}}", ids.derived_home_id(["a", 1]))


def test_homes_differ() -> None:
    """Two homes draw different ids."""
    assert len({ids.draw_home_id() for _ in range(20)}) == 20
