"""The record of a day is made again by replay, from the book before it and the settings of the run."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.alpha.core.test_replay import assert_equal, replayed, set_field
from tests.unit.alpha.homes import edited, first, kept
from tests.unit.executor.world import World, without_permission
from vanta.alpha.core.replay import Replay
from vanta.common.models.configuration import ExecutorSettings, PaperSettings
from vanta.common.store.inmemory import MemoryJournal

SETTINGS = ExecutorSettings(benchmark="crypto:BTC-USD",
                            paper=PaperSettings(commission_bp=7, slippage_bp=3, half_spread_bp=2))


def three_days() -> World:
    """Two days that were closed, with a benchmark, and an edit of the overlay."""
    world = World(settings=SETTINGS)
    for price in ("200.00", "207.77", "191.11"):
        world.quote("equity:AAPL", price)
        world.quote("crypto:BTC-USD", price)
        world.want("equity:AAPL", "1000")
        world.step()
        world.gate.raw = without_permission({"by": price})
        world.step()
        world.clock.move_to(world.clock.now() + timedelta(days=1))
    world.executor.close()
    return world


def test_days_and_edits_replay_equal() -> None:
    """What an edit changed and a day are made again."""
    world = three_days()
    assert world.kinds().count("control.edited") == 3
    assert_equal(world, "day.closed", "control.edited")


@pytest.mark.parametrize(("field", "value"), [
    ("changes", [["reduce_only", "false", "true"]]), ("by", "bob"), ("more", 3),
    ("before", "0" * 64), ("what", "vaults")])
def test_a_changed_edit_is_named(field: str, value: Any) -> None:
    """What changed, who is named for it, and between which versions."""
    world = three_days()
    target = first(world, "control.edited")
    found = replayed(edited(world, target.seq, set_field(field, value)), kept(world)).differences[0]
    assert (found.seq, found.found.field.partition(".")[0]) == (target.seq, field)


def test_an_edit_of_copies_without_names_is_compared_without_them() -> None:
    """Names were withheld with a salt of their own in each copy, and in the record."""
    world = three_days()
    targets = [one for one in world.journal.read() if one.kind == "control.edited"]
    target = targets[-1]
    blobs = kept(world)
    for name in ("before", "after"):
        digest = target.payload[name]
        blobs[digest] = blobs[digest].replace(b'"by"', b'"by" ')
    assert replayed(edited(world, target.seq, set_field("by", "withheld:1")), blobs).differences == []
    wrong = edited(world, target.seq, set_field("changes", [["reduce_only", "false", "true"]]))
    assert replayed(wrong, blobs).differences[0].found.field.startswith("changes")
    assert replayed(edited(world, target.seq, set_field("by", "withheld:1")), kept(world)).differences == []


CHANGES: dict[str, Any] = {
    "the day": (set_field("day", "2026-11-19"), "day"),
    "the pause": (set_field("days_between", 1), "days_between"),
    "one cent of one reason": (lambda body: body["currencies"]["USD"]["by_vault"]["V_CORE"].update(fees="0"),
                               "currencies.USD.by_vault.V_CORE.fees"),
    "the verdict": (lambda body: body["currencies"]["USD"]["sanity"].update(verdict="ahead"),
                    "currencies.USD.sanity.verdict"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_day_is_named(name: str) -> None:
    """By its record and field."""
    change, field = CHANGES[name]
    world = three_days()
    target = first(world, "day.closed")
    found = replayed(edited(world, target.seq, change), kept(world)).differences[0]
    assert (found.seq, found.found.field) == (target.seq, field)


def test_a_day_that_was_not_over_is_named() -> None:
    """Closed twice, or by a record that somebody put in."""
    world = three_days()
    target = first(world, "day.closed")
    journal = MemoryJournal()
    for record in list(world.journal.read())[:target.seq]:
        journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)
    journal.append(target.kind, target.payload, at=target.at)
    found = replayed(list(journal.read()), kept(world)).differences[0]
    assert (found.seq, found.found.recomputed) == (target.seq + 1, "no day was over")


def test_without_the_settings_of_the_run_a_day_is_missing_and_not_different() -> None:
    """Which benchmark it was compared with is not known then."""
    world = three_days()
    start = first(world, "program.started")
    for records, why in ((list(world.journal.read()), "the snapshot of settings"),
                         (edited(world, start.seq, lambda body: body.pop("settings")), "does not name its settings")):
        blobs = {name: raw for name, raw in kept(world).items() if name != start.payload["settings"]}
        replay = Replay(blobs)
        target = first(world, "day.closed")
        for record in records[:target.seq]:
            replay.take(record)
        assert any(why in what for what in replay.missing)
        assert replay.checked["day.closed"] == 0
        assert replay.differences == []
