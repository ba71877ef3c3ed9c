"""The day is closed by the first look on the next one, before that look reads anything else."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.executor.world import ALL_CLEAR, OPEN, World
from vanta.common.canonical import document
from vanta.common.clock import ManualClock
from vanta.common.models.configuration import ExecutorSettings, PaperSettings, Settings
from vanta.common.paths import OVERLAY, TRADE_LOG, VAULTS, Home
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.journal import FileJournal
from vanta.executor.core.alerts import BOOKS
from vanta.executor.observe import BENCHMARK_MS
from vanta.executor.wire import build

FREE = PaperSettings(commission_bp=0, slippage_bp=0, half_spread_bp=0)
SETTINGS = ExecutorSettings(benchmark="crypto:BTC-USD", paper=FREE)


def days(world: World) -> list[dict[str, Any]]:
    return [dict(record.payload) for record in world.journal.read() if record.kind == "day.closed"]


def tomorrow(world: World, days: int = 1) -> None:
    world.clock.move_to(world.clock.now() + timedelta(days=days))


def holding(settings: ExecutorSettings | None = None) -> World:
    """Five shares at 200.00."""
    world = World(settings=settings)
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    world.quote("equity:AAPL", "210.00")
    world.step()
    return world


def test_a_day_is_closed_before_the_new_days_prices_are_read_and_before_it_opens() -> None:
    """With the marks that were known until then: the night's jump is the new day's."""
    world = holding()
    tomorrow(world)
    world.quote("equity:AAPL", "100.00")
    world.step()
    world.step()
    (day,) = days(world)
    assert day["currencies"]["USD"]["total"]["unrealised"] == "50"
    after = world.kinds()[world.kinds().index("day.closed"):]
    assert after.index("quote.seen") < after.index("day.opened")
    tomorrow(world)
    world.step()
    assert days(world)[1]["currencies"]["USD"]["total"]["unrealised"] == "-550"


def test_a_halt_is_seen_before_a_day_is_closed() -> None:
    """Nothing comes before the switches."""
    world = holding()
    tomorrow(world)
    world.gate.raw = None
    world.step()
    kinds = world.kinds()
    assert kinds.index("control.seen", kinds.index("fill")) < kinds.index("day.closed")


def test_a_pause_closes_one_day_and_a_restart_goes_on_from_it() -> None:
    """What the book knows of closed days is a fold of the log."""
    world = holding()
    tomorrow(world, 3)
    world.start()
    world.step()
    assert [(day["day"], day["days_between"]) for day in days(world)] == [("2026-11-20", 2)]
    world.start()
    world.step()
    tomorrow(world)
    world.step()
    assert [day["currencies"]["USD"]["since"] for day in days(world)] == [None, "2026-11-20"]


def marks(world: World) -> list[str]:
    return [record.payload["last"] for record in world.journal.read() if record.kind == "quote.seen"
            and record.payload["instrument_id"] == "crypto:BTC-USD"]


def test_a_benchmark_nobody_holds_is_recorded_now_and_then_and_before_the_close() -> None:
    """Not each of its quotes; the last one of the day always."""
    world = holding(SETTINGS)
    for number in range(4):
        world.quote("crypto:BTC-USD", f"5000{number}")
        world.step(seconds=BENCHMARK_MS / 2000)
    assert marks(world) == ["50000", "50002"]
    tomorrow(world)
    world.step()
    assert marks(world) == ["50000", "50002", "50003"]
    assert world.kinds()[world.kinds().index("day.closed") - 1] == "quote.seen"
    assert days(world)[0]["currencies"]["USD"]["marks"]["close"]["price"] == "50003"
    world.quote("crypto:BTC-USD", "60003.6")
    world.step()
    tomorrow(world)
    world.step()
    assert days(world)[1]["currencies"]["USD"]["sanity"] == {
        "nav": "100050", "counted": "100050", "difference": "0", "benchmark": "crypto:BTC-USD",
        "benchmark_nav": "120060", "ahead": "-20010", "verdict": "behind"}


def test_a_benchmark_that_is_held_is_recorded_like_anything_that_is_held() -> None:
    """Once, not twice."""
    world = World(settings=SETTINGS)
    world.quote("crypto:BTC-USD", "50000")
    world.want("crypto:BTC-USD", "1000")
    world.step()
    world.quote("crypto:BTC-USD", "50001")
    world.step()
    assert marks(world) == ["50000", "50001"]


def test_a_benchmark_without_a_quote_costs_nothing_and_has_no_price() -> None:
    """Neither looked for again while nothing moves, nor taken for zero."""
    world = holding(SETTINGS)
    seq = world.book.seq
    world.step()
    assert world.book.seq == seq
    tomorrow(world)
    world.step()
    assert days(world)[0]["currencies"]["USD"]["sanity"]["verdict"] == "benchmark has no price"


def test_books_that_differ_are_an_alert_of_that_step() -> None:
    """Said once, recorded, and taken back when a day's books agree again."""
    world = holding()
    tomorrow(world)
    world.book.vaults["V_CORE"].flows += Decimal("0.01")
    report = world.step()
    assert [(alert.about, alert.level, alert.value) for alert in report.alerts] == [(BOOKS, 100, "-0.01 USD")]
    assert world.book.alerts[BOOKS] == 100
    world.book.vaults["V_CORE"].flows -= Decimal("0.01")
    for level in (100, 0):  # the day in which it was put right differs as well
        tomorrow(world)
        assert world.step().alerts == []
        assert world.book.alerts[BOOKS] == level


def test_a_benchmark_is_an_instrument() -> None:
    """`crypto:BTC` is what signals are about, and has no price."""
    assert SETTINGS.benchmark == "crypto:BTC-USD"
    assert ExecutorSettings(benchmark="equity:BRK.B").benchmark == "equity:BRK.B"
    for name in ("crypto:BTC", "SPY", "equity:", "equity:SPY "):
        with pytest.raises(ValueError, match="benchmark"):
            ExecutorSettings(benchmark=name)


def test_a_start_closes_the_day_before_it_funds_a_new_vault(tmp_path: Path) -> None:
    """What was paid in while nobody ran belongs to the day that begins."""
    home = Home(tmp_path / "home").prepare()
    home.file(OVERLAY).write_bytes(ALL_CLEAR)
    home.file(VAULTS).write_bytes(document({"vaults": [{"vault_id": "V_CORE", "label": "Core"}]}))
    clock = ManualClock(OPEN)
    build(home, Settings(), clock).executor.close()
    home.file(VAULTS).write_bytes(document({"vaults": [{"vault_id": "V_CORE", "label": "Core"},
                                                       {"vault_id": "V_NEW", "label": "New"}]}))
    clock.move_to(OPEN + timedelta(days=1))
    build(home, Settings(), clock).executor.close()
    journal = FileJournal(home.file(TRADE_LOG), signer=None)
    records = list(journal.read())
    journal.close()
    kinds = [record.kind for record in records]
    assert kinds.index("day.closed") < len(kinds) - kinds[::-1].index("adjustment") - 1
    assert list(records[kinds.index("day.closed")].payload["currencies"]["USD"]["vaults"]) == ["V_CORE"]
    (told,) = [record.payload for record in records if record.kind == "control.edited"]
    assert (told["noticed"], told["mtime"]) == (
        "at a start", home.file(VAULTS).stat().st_mtime_ns // 1_000_000)


def test_a_log_from_before_days_were_closed_goes_on_from_its_last_opening() -> None:
    """The first record covers everything up to it."""
    world = holding()
    older = MemoryJournal()
    for record in world.journal.read():
        older.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)
    world.journal = older
    tomorrow(world)
    world.start()
    world.step()
    (day,) = days(world)
    assert (day["day"], day["currencies"]["USD"]["since"]) == ("2026-11-20", None)
    assert day["currencies"]["USD"]["total"]["total"] == "50"
