"""The executor end to end in memory: what becomes of an intent under each circumstance."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.unit.executor.world import ALL_CLEAR, OPEN, HaltsLater, World, without_permission
from vanta.common.clock import FixedClock, ManualClock
from vanta.common.models.configuration import ExecutorSettings, PaperSettings
from vanta.common.times import iso


def test_an_intent_becomes_a_filled_order_with_a_record_for_every_step() -> None:
    """The plain case: seen, approved, submitting, accepted, filled."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.kinds(name) == ["intent.seen", "intent.approved", "order.submitting", "order.accepted", "fill"]
    assert world.state(name) == "filled"
    assert world.held("equity:AAPL") == 5
    assert world.cash() == Decimal(99_000)


def test_the_verdict_lists_every_fence() -> None:
    """The approval record carries one line for each fence of the policy, in order."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    approved = next(record for record in world.journal.read()
                    if record.kind == "intent.approved" and record.ids["intent_id"] == name)
    assert [line[0] for line in approved.payload["lines"]] == [
        "halt", "vault", "sync", "instrument", "duplicate", "basis", "freshness", "session", "quote", "collar",
        "period", "size", "liquidity", "cooldown", "economic", "selfmatch", "exposure", "concentration",
        "persona", "flip", "cash", "credit", "rate", "broker", "repeat", "gateway"]
    assert all(line[1] is None for line in approved.payload["lines"])


@pytest.mark.parametrize("switch", ["maintenance", "orders_disabled", "full_halt", "external_calls_disabled"])
def test_a_switch_holds_and_its_release_lets_the_same_intent_through(switch: str) -> None:
    """A halted intent waits; when the switch is cleared it goes through all fences and is sent."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.gate.raw = without_permission({switch: {"enabled": True, "reason": "test", "by": "ops"}})
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.step()
    assert world.state(name) == "held"
    assert world.kinds(name).count("intent.held") == 1
    world.gate.raw = without_permission({})
    world.step()
    assert world.state(name) == "filled"


def test_a_halt_between_verdict_and_sending_is_proven_by_a_withheld_record() -> None:
    """The last look reads the gate again: an order approved a moment ago is not sent."""
    gate = HaltsLater(ALL_CLEAR)
    world = World(gate=gate)
    gate.looks = 1
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.kinds(name)[:4] == ["intent.seen", "intent.approved", "order.submitting", "order.withheld"]
    assert world.codes(name) == {"halt.full_halt"}
    assert world.held("equity:AAPL") == 0


def test_nothing_leaves_without_a_permit() -> None:
    """A tree that was never released sends nothing."""
    world = World()
    world.gate.permit = False
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.codes(name) == {"halt.no_permit"}
    assert world.state(name) == "held"


def test_a_partial_fill_is_completed_by_the_next_quote() -> None:
    """A fill takes the displayed size; the rest waits for a newer quote."""
    world = World()
    world.quote("equity:AAPL", "200.00", size="3")
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.state(name) == "partially_filled"
    assert world.held("equity:AAPL") == 3
    world.step()
    assert world.held("equity:AAPL") == 3
    world.quote("equity:AAPL", "201.00", size="3")
    world.step()
    assert world.state(name) == "filled"
    assert world.held("equity:AAPL") == 5


def test_next_quote_mode_never_fills_on_a_price_known_at_submission() -> None:
    """With fill = next_quote the order waits for a quote that is younger than itself."""
    world = World(settings=ExecutorSettings(paper=PaperSettings(fill="next_quote")))
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.step()
    assert world.state(name) == "working"
    world.quote("equity:AAPL", "202.00")
    world.step()
    assert world.state(name) == "filled"


def test_day_orders_end_with_the_session() -> None:
    """What is not filled at the close is cancelled, and what was filled stays."""
    world = World()
    world.quote("equity:AAPL", "200.00", size="3")
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.step(seconds=7 * 3600)
    world.step()
    assert world.state(name) == "cancelled"
    assert world.held("equity:AAPL") == 3
    assert not world.book.working


def test_the_same_intent_is_carried_out_once() -> None:
    """A queue that still lists a filled intent changes nothing."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.stage()
    world.step()
    world.step()
    assert world.kinds(name).count("fill") == 1
    assert world.held("equity:AAPL") == 5


def test_the_same_id_with_other_bytes_is_quarantined() -> None:
    """An id is a content hash; other content under it is frozen for a person."""
    world = World()
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.intents[0]["notional"] = "90000"
    world.stage()
    world.step()
    world.quote("equity:AAPL", "200.00")
    world.step()
    assert world.state(name) == "quarantined"
    assert world.held("equity:AAPL") == 0


def test_an_intent_on_an_old_basis_is_held_until_it_expires() -> None:
    """A promoter that saw an old cut cannot order twice under a new id."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    second = world.want("equity:AAPL", "1000", basis_seq=0)
    world.step()
    assert world.codes(second) == {"basis.not_current"}
    world.step(seconds=1000)
    assert world.state(second) == "expired"
    assert world.held("equity:AAPL") == 5


def test_one_live_intent_for_a_vault_and_instrument() -> None:
    """While an order works, another intent for the same key waits."""
    world = World(settings=ExecutorSettings(paper=PaperSettings(fill="next_quote")))
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    second = world.want("equity:AAPL", "500")
    world.step()
    assert "duplicate.live_intent" in world.codes(second)


def test_a_withdrawn_intent_is_not_sent() -> None:
    """A withdrawal ends a waiting intent."""
    world = World()
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.withdrawals.append({"intent_id": name, "at": iso(world.clock.now()), "reason": "changed its mind"})
    world.stage()
    world.quote("equity:AAPL", "200.00")
    world.step()
    assert world.state(name) == "withdrawn"


def test_a_closed_session_holds_and_the_open_releases() -> None:
    """Equities wait for New York; crypto does not."""
    world = World(start=World().clock.now() + timedelta(hours=10))
    world.quote("equity:AAPL", "200.00")
    world.quote("crypto:BTC-USD", "50000")
    share = world.want("equity:AAPL", "1000")
    coin = world.want("crypto:BTC-USD", "1000")
    world.step()
    assert world.codes(share) == {"session.closed"}
    assert world.state(coin) == "filled"


def test_a_loss_beyond_the_daily_limit_latches_the_vault_and_lets_exits_through() -> None:
    """The latch stops entries of that vault; selling what is held still works."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "19000")
    world.step()
    world.quote("equity:AAPL", "160.00", average_daily_volume=None)
    world.step()
    assert [latch["code"] for latch in world.book.latches.values()] == ["loss.daily"]
    world.quote("equity:MSFT", "100.00")
    entry = world.want("equity:MSFT", "1000")
    leave = world.want("equity:AAPL", "15200", side="sell", close=True)
    world.step()
    assert world.codes(entry) == {"halt.latched"}
    assert world.state(leave) == "filled"


def test_restart_folds_to_the_same_book_and_sends_nothing_twice() -> None:
    """After a restart the book, the documents and the orders are the same."""
    world = World()
    world.quote("equity:AAPL", "200.00", size="3")
    name = world.want("equity:AAPL", "1000")
    world.step()
    before = (world.cash(), world.held("equity:AAPL"), dict(world.book.basis))
    world.start()
    assert (world.cash(), world.held("equity:AAPL"), dict(world.book.basis)) == before
    world.step()
    world.quote("equity:AAPL", "200.00", size="9")
    world.step()
    assert world.state(name) == "filled"
    assert world.held("equity:AAPL") == 5
    assert world.kinds(name).count("order.submitting") == 1


def test_a_bad_entry_of_the_queue_is_reported_and_the_others_go_on() -> None:
    """An intent of an unknown shape is named by its place; the next one is carried out."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    bad = world.want("equity:AAPL", "500", surprise=1)
    good = world.want("equity:AAPL", "1000")
    report = world.step()
    assert "surprise" in report.problems["autotrade_queue.json#0"]
    assert bad not in world.book.intents
    assert world.state(good) == "filled"
    del world.intents[0]
    world.stage()
    assert not world.step().problems


class Jumping(ManualClock):
    """A wall clock that somebody sets by hand while time goes on as ever."""

    offset = timedelta()

    def now(self) -> datetime:
        return super().now() + self.offset


@pytest.mark.parametrize("seconds", [3600, -3600, 2])
def test_a_clock_that_jumps_latches(seconds: int) -> None:
    """Time passed by the second, the wall clock did not: nothing leaves until somebody has looked."""
    world = World()
    clock = Jumping(world.clock.now())
    world.clock = clock
    world.start()
    world.quote("equity:AAPL", "200.00")
    world.step()
    assert not world.book.latches
    clock.offset = timedelta(seconds=seconds)
    world.step()
    assert [latch["code"] for latch in world.book.latches.values()] == ["clock.stepped"]
    world.step()
    assert len(world.book.latches) == 1


def test_a_clock_behind_the_log_at_start_latches() -> None:
    """The host came back an hour earlier than its last record: what is fresh and what expired is anybody's guess."""
    world = World()
    world.step(seconds=3600)
    world.clock = ManualClock(OPEN)
    world.start()
    world.step()
    assert [latch["code"] for latch in world.book.latches.values()] == ["clock.stepped"]


def test_a_clock_that_stands_still_on_purpose_is_no_jump() -> None:
    """`--now` fixes the clock of a pass."""
    world = World()
    world.step(seconds=3600)
    world.clock = FixedClock(OPEN)
    world.start()
    world.executor.step()
    assert not world.book.latches


def test_a_slow_look_is_no_jump_of_the_clock() -> None:
    """Time that passes within a step, at a venue or on a busy host, is not the wall clock's fault."""
    world = World()
    world.step()
    quotes = world.executor._parts.observer.quotes

    def slowly(now: datetime, benchmark: str | None = None) -> bool:
        world.clock.sleep(5)
        return quotes(now, benchmark)

    world.executor._parts.observer.quotes = slowly  # type: ignore[method-assign]
    world.step()
    world.executor._parts.observer.quotes = quotes  # type: ignore[method-assign]
    world.step()
    assert not world.book.latches
