"""The life of an intent is one table, and what is not in it cannot happen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.executor.core.machine import (
    FILL_LAST,
    FILL_PART,
    IN_FLIGHT,
    STAGED,
    TABLE,
    TERMINAL,
    WAITING,
    next_state,
)

EVENTS = [kind for kind in Kind if kind.startswith(("intent.", "order."))] + [FILL_PART, FILL_LAST]


def test_the_table_is_closed_and_every_state_is_classified() -> None:
    """Every target is a state of the table, and every state but the first waits, is in flight, or has ended."""
    targets = {state for row in TABLE.values() for state in row.values()}
    assert targets <= set(TABLE)
    assert set(TABLE) == {STAGED} | WAITING | IN_FLIGHT | TERMINAL


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_nothing_follows_an_ending(state: str) -> None:
    """A terminal intent stays what it is."""
    for event in EVENTS:
        with pytest.raises(StateError, match=f"cannot follow state {state}"):
            next_state(state, event)


def test_nothing_is_sent_without_an_approval() -> None:
    """The outbox record can only follow an approval, and an answer only the outbox record."""
    assert [state for state in TABLE if Kind.ORDER_SUBMITTING in TABLE[state]] == ["approved"]
    assert {state for state in TABLE if Kind.ORDER_REJECTED in TABLE[state]} == {
        "submitting", "unknown", "working", "partially_filled", "cancelling"}


def test_every_state_can_end() -> None:
    """From every state some path leads to an ending; nothing is stuck for ever."""
    ends = set(TERMINAL)
    while True:
        more = {state for state, row in TABLE.items() if set(row.values()) & ends} | ends
        if more == ends:
            break
        ends = more
    assert ends == set(TABLE)


@given(st.lists(st.sampled_from(EVENTS), max_size=12))
@settings(deadline=None, derandomize=True)
def test_a_filled_quantity_never_reappears_as_waiting(events: list[str]) -> None:
    """Once something was filled the intent never goes back to be judged again."""
    state, filled = STAGED, False
    for event in events:
        if event in TABLE[state]:
            state = next_state(state, event)
            filled = filled or event in (FILL_PART, FILL_LAST)
            assert not (filled and state in WAITING)
