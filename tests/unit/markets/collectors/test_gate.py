"""The one way out: nobody asks while the operator or the host says no, and all who ask share one rate."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vanta.common.calls import CallsDisabled
from vanta.common.clock import ManualClock
from vanta.common.errors import StateError, Throttled
from vanta.common.exitcodes import Exit
from vanta.markets.collectors.gate import Gate
from vanta.markets.collectors.holdoff import Holdoff
from vanta.markets.collectors.ratelimit import Rate

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
RATE = Rate(per_second=2)
HOST = "feeds.example"


class Meddled(ManualClock):
    """Something happens while somebody waits."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(START)
        self._meanwhile = meanwhile

    def sleep(self, seconds: float) -> None:
        self.move_to(self.now() + timedelta(seconds=seconds))
        self._meanwhile()


def test_gates_of_one_folder_are_one_gate(tmp_path: Path) -> None:
    """Two feeds, or two processes, wait for each other; what one of them was told holds for the other."""
    clock = ManualClock(START)
    one, two = (Gate(tmp_path, clock, lambda: None) for _ in range(2))
    one.enter(HOST, RATE)
    two.enter(HOST, RATE)
    assert clock.now() == START + timedelta(seconds=0.5)
    one.enter("other.example", RATE)
    assert clock.now() == START + timedelta(seconds=0.5)
    one.hold_off(HOST, 60)
    with pytest.raises(Throttled, match=r"feeds\.example asked us to wait"):
        two.enter(HOST, RATE)
    two.enter("other.example", RATE)


def test_a_switch_that_is_on_forbids_everything(tmp_path: Path) -> None:
    """No slot is taken; the error ends a command with 5 and says what to do."""
    gate = Gate(tmp_path, ManualClock(START), lambda: "external_calls_disabled is on")
    with pytest.raises(CallsDisabled, match="external_calls_disabled is on") as caught:
        gate.enter(HOST, RATE)
    assert caught.value.exit_code == Exit.REFUSED
    assert caught.value.cure
    assert list(tmp_path.iterdir()) == []


def test_a_switch_saved_while_somebody_waits_is_obeyed(tmp_path: Path) -> None:
    """A turn may take a minute to come; what was allowed then need not be now."""
    said: list[str] = []
    gate = Gate(tmp_path, Meddled(lambda: said.append("on")), lambda: said[0] if said else None)
    gate.enter(HOST, RATE)
    with pytest.raises(CallsDisabled):
        gate.enter(HOST, RATE)


def test_a_hold_off_that_came_while_somebody_waited_is_obeyed(tmp_path: Path) -> None:
    """Another process was told to stay away meanwhile."""
    clock = Meddled(lambda: Holdoff(tmp_path).remember(HOST, START + timedelta(seconds=9), START))
    gate = Gate(tmp_path, clock, lambda: None)
    gate.enter(HOST, RATE)
    with pytest.raises(Throttled):
        gate.enter(HOST, RATE)


def test_what_is_called_passes_the_gate_first(tmp_path: Path) -> None:
    """A library's own function, with its arguments and its answer; the limit may have a name of its own."""
    clock = ManualClock(START)
    send = Gate(tmp_path, clock, lambda: None).before(divmod, HOST, RATE, "key-1")
    assert [send(7, 4), send(9, 2)] == [(1, 3), (4, 1)]
    assert clock.now() == START + timedelta(seconds=0.5)
    assert [path.name for path in tmp_path.iterdir()] == ["key-1.json"]


def test_a_shorter_wait_does_not_cut_a_longer_one_short(tmp_path: Path) -> None:
    """Two processes may be told different things; the later moment counts, a day at the longest."""
    held = Holdoff(tmp_path)
    assert held.remember(HOST, START + timedelta(seconds=60), START) == START + timedelta(seconds=60)
    assert held.remember(HOST, START + timedelta(seconds=5), START) == START + timedelta(seconds=60)
    assert held.remember(HOST, START + timedelta(days=9), START) == START + timedelta(days=1)
    assert held.until(HOST) == START + timedelta(days=1)


def test_what_a_host_says_now_replaces_what_cannot_be_read(tmp_path: Path) -> None:
    """A damaged hold-off stops whoever would ask; it does not keep a new one from being remembered."""
    held = Holdoff(tmp_path)
    held.remember(HOST, START, START)
    next(tmp_path.iterdir()).write_bytes(b"{half")
    with pytest.raises(StateError):
        held.until(HOST)
    held.remember(HOST, START + timedelta(seconds=5), START)
    assert held.until(HOST) == START + timedelta(seconds=5)
