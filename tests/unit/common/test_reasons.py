"""Reason codes: each has its effect, its sentence and its cure."""

import re

import pytest

from vanta.common.events import Kind, LogEvent
from vanta.common.reasons import TABLE, Effect, Reason, entry


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    """No code without a meaning and a cure that a person can act on."""
    row = entry(reason)
    assert isinstance(row.effect, Effect)
    assert len(row.meaning) > 10
    assert row.cure.endswith((".", "it."))


def test_table_has_no_stranger() -> None:
    """The table and the codes are the same set."""
    assert set(TABLE) == set(Reason)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.name.startswith("HALT_")])
def test_halts_hold(reason: Reason) -> None:
    """A halt keeps intents waiting; it never ends them."""
    assert entry(reason).effect is Effect.HOLD


def test_losses_latch() -> None:
    """A loss limit stops dispatch as a whole until a named person releases it."""
    assert {entry(reason).effect for reason in (Reason.LOSS_DAILY, Reason.LOSS_DRAWDOWN)} == {Effect.LATCH}


@pytest.mark.parametrize("names", [Reason, Kind, LogEvent], ids=["reasons", "journal kinds", "log events"])
def test_names_are_stable_words(names: type[Reason] | type[Kind] | type[LogEvent]) -> None:
    """Codes are lower case with dots, each once."""
    values = [name.value for name in names]
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", value) for value in values)
    assert len(set(values)) == len(values)
