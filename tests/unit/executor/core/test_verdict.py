"""What is written down about verdicts that the plain course of things does not produce."""

from decimal import Decimal

import pytest

from tests.unit.executor.core.fence_rows import context, ready, verdict
from tests.unit.executor.world import INSTRUMENTS, OPEN, World, vault
from vanta.common.errors import Bug
from vanta.common.events import Kind
from vanta.common.instruments import Instrument
from vanta.common.reasons import Effect, Reason
from vanta.executor.core import verdict as notes
from vanta.executor.core.approval import Stopped, judge
from vanta.executor.core.proposal import Line
from vanta.executor.core.size import propose
from vanta.executor.core.terms import AT_MARKET, Terms


def test_more_than_was_asked_for_latches_everything_and_holds_the_intent() -> None:
    """The latch is recorded first, then that the intent waits behind it."""
    world = ready()
    name = world.want("equity:AAPL", "1000")
    seen = context(world)
    sized = propose(world.book.intents[name], seen)
    found = judge(sized._replace(quantity=sized.quantity + 1), seen)
    latch, held = notes.verdict_notes(world.book.intents[name], found, seen)
    assert (latch.kind, held.kind) == (Kind.LATCH_SET, Kind.INTENT_HELD)
    assert latch.payload["code"] == Reason.GATEWAY_MORE_THAN_QUEUED
    assert latch.payload["vault"] is None
    assert latch.payload["exits"] is False


def test_a_quarantine_keeps_the_content_hash() -> None:
    """A verdict that is in doubt about the intent itself ends it for a person."""
    world = ready()
    name = world.want("equity:AAPL", "1000")
    context(world)
    entry = world.book.intents[name]
    found = Stopped((Line("duplicate", Reason.CHANGED_BYTES, "a", "b"),), Effect.QUARANTINE)
    (note,) = notes.stop(entry, found, world.book.seq)
    assert note.kind == Kind.INTENT_QUARANTINED
    assert note.payload["sha256"] == entry.sha256


def test_a_passing_line_latches_nothing() -> None:
    """A latch without a code would be one that nobody could understand or release."""
    world = ready()
    name = world.want("equity:AAPL", "1000")
    world.step()
    with pytest.raises(Bug, match="latches nothing"):
        notes._latch_of(Line("gateway", None, "1", "2"), world.book.intents[name])


def test_an_order_for_a_day_without_a_calendar_ends_at_once() -> None:
    """Should such a day ever get past the session fence, the order is good until now and no longer."""
    world = ready()
    world.clock.move_to(OPEN.replace(year=2040))
    share, coin = world.want("equity:AAPL", "1000"), world.want("crypto:BTC-USD", "1000")
    seen = context(world)
    ends = {name: notes.good_until(world.book.intents[name], AT_MARKET, seen) for name in (share, coin)}
    assert ends == {share: "2040-11-20T15:00:00.000Z", coin: None}


@pytest.mark.parametrize(("instrument", "time_in_force", "flip_id", "ends"), [
    ("equity:AAPL", "day", None, "2026-11-20T21:00:00.000Z"), ("equity:AAPL", "gtc", None, None),
    ("crypto:BTC-USD", "day", None, "2026-11-21T00:00:00.000Z"), ("crypto:BTC-USD", "gtc", None, None),
    ("equity:AAPL", "gtc", "F1", "2026-11-20T15:15:00.000Z"), ("equity:AAPL", "day", "F1", "2026-11-20T15:15:00.000Z"),
    ("crypto:BTC-USD", "gtc", "F1", "2026-11-20T15:15:00.000Z")])
def test_how_long_a_limit_order_works(instrument: str, time_in_force: str, flip_id: str | None,
                                      ends: str | None) -> None:
    """For the session, for the day (UTC) where there is none, until cancelled; for a flip as long as its intent."""
    world = ready()
    name = world.want(instrument, "1000", flip_id=flip_id)
    seen = context(world)
    assert notes.good_until(world.book.intents[name], Terms(Decimal(1), time_in_force), seen) == ends


@pytest.mark.parametrize(("enabled", "stopped"), [(True, False), (False, True)])
def test_options_need_their_own_rail(enabled: bool, stopped: bool) -> None:
    """A vault holds options only where it says so."""
    option = Instrument(
        instrument_id="option:AAPL261218C00200000", entity="equity:AAPL", asset_class="option", symbol="AAPL C200",
        currency="USD", calendar="XNYS", lot=Decimal(1), tick=Decimal("0.01"), multiplier=Decimal(100))
    world = World(vaults=[vault(options_enabled=enabled)])
    world.executor._parts.observer._instrument_source = lambda: {**INSTRUMENTS, option.instrument_id: option}
    world.quote(option.instrument_id, "1.00")
    found = verdict(world, world.want(option.instrument_id, "300"))
    assert isinstance(found, Stopped)  # no vault of the defaults gives options a share of NAV
    assert ("vault.rail_closed" in {line.code for line in found.stopping}) is stopped
