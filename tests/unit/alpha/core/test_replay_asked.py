"""What operators' commands brought about is found where it was invented, changed or left out."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.alpha.core.test_replay import again, assert_equal, replayed, set_field
from tests.unit.alpha.homes import asked, edited, first, kept, without
from tests.unit.executor.test_commands import Desk, two_hosts
from tests.unit.executor.world import World
from vanta.alpha.core.asked import commands
from vanta.alpha.core.watchers import Receipts
from vanta.common.paths import OPERATOR_COMMANDS
from vanta.common.store.chain import chain
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.ports import Record
from vanta.common.times import iso


def held(*names: str, **said: Any) -> World:
    """A world that holds these and was told to leave everything."""
    world = World()
    for name in names:
        world.quote(name, "200.00")
        world.want(name, "1000")
    world.step()
    Desk(world).give("flatten", **said)
    world.step()
    return world


def rest(world: World, keep: Callable[[Record], bool]) -> list[Record]:
    """The world's log without some of its records, chained again."""
    journal = MemoryJournal()
    for record in world.journal.read():
        if keep(record):
            journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)
    return list(journal.read())


def found(world: World, records: Sequence[Record]) -> list[tuple[str, str]]:
    """Kind of record and what replay makes of it, for each difference."""
    return [(step.kind, step.found.recomputed) for step in replayed(records, kept(world), asked(world)).differences]


def exits(world: World) -> list[Record]:
    """The exits that the executor recorded."""
    return [one for one in world.journal.read() if one.payload.get("from") == "executor"]


TWO = ("crypto:BTC-USD", "equity:AAPL")


def test_a_flatten_and_what_follows_replay_equal() -> None:
    """The answer is decided again, then its latch and one exit for each position."""
    world = held(*TWO)
    assert len(exits(world)) == 2
    assert_equal(world, "command.taken", "latch.set", "intent.seen")


def test_exits_that_nobody_ordered_are_found() -> None:
    """The command's record is gone: its latch and its exits follow from nothing."""
    world = held(*TWO)
    wrong = found(world, without(world, first(world, "command.taken").seq))
    assert ("latch.set", "(absent)") in wrong
    assert wrong.count(("intent.seen", "(absent)")) == 2


def test_a_latch_that_was_left_out_is_found() -> None:
    """Entries would stay allowed. Said once: the exits are what they were."""
    world = held(*TWO)
    assert found(world, without(world, first(world, "latch.set").seq))[0] == ("intent.seen", "latch.set")


@pytest.mark.parametrize(("which", "kind"), [(0, "intent.seen"), (1, "intent.approved")])
def test_an_exit_that_was_left_out_is_found(which: int, kind: str) -> None:
    """Every position is left; a record of something else does not come between."""
    world = held(*TWO)
    gone = exits(world)[which]
    name = gone.ids["intent_id"]
    wrong = found(world, rest(world, lambda one: one.ids.get("intent_id") != name))
    assert wrong[0] == (kind, f"intent.seen (V_CORE, {TWO[which]})")


@pytest.mark.parametrize(("change", "field"), [
    (set_field("sha256", "0" * 64), "sha256"),
    (lambda body: body["intent"].update(notional="5"), "notional"),
])
def test_a_changed_exit_is_named(change: Callable[[dict[str, Any]], None], field: str) -> None:
    """By its field."""
    world = held("equity:AAPL")
    target = exits(world)[0]
    wrong = replayed(edited(world, target.seq, change), kept(world), asked(world)).differences[0]
    assert (wrong.seq, wrong.found.field) == (target.seq, field)


def test_what_follows_is_of_the_same_moment() -> None:
    """The batch of a command shares its time."""
    world = held("equity:AAPL")
    records = list(world.journal.read())
    target = first(world, "latch.set")
    later = iso(world.clock.now() + timedelta(minutes=1))
    records[target.seq - 1] = target._replace(at=later)
    wrong = replayed(records[:target.seq], kept(world), asked(world)).differences[0]
    assert (wrong.kind, wrong.found.field) == ("latch.set", "at")


def test_a_second_flatten_sets_no_second_latch() -> None:
    """And one with nothing to leave is followed by nothing."""
    world = World()
    desk = Desk(world)
    for _ in range(2):
        desk.give("flatten")
        world.step()
    assert world.kinds().count("latch.set") == 1
    assert_equal(world, "command.taken", "latch.set")


def test_a_crash_may_cut_off_what_follows() -> None:
    """The restart's first record is no difference."""
    world = held("equity:AAPL")
    records = list(world.journal.read())
    cut = records[:first(world, "command.taken").seq]
    start = next(one for one in records if one.kind == "program.started")
    replay = replayed([*cut, start._replace(seq=cut[-1].seq + 1)], kept(world), asked(world))
    assert replay.differences == []


def answers() -> World:
    """Every kind of answer: taken, refused for each reason, released, set."""
    world = held("equity:AAPL")
    desk = Desk(world)
    desk.journal = MemoryJournal()
    for record in commands_of(world):
        desk.journal.append(record.kind, record.payload, at=record.at)
    until = iso(world.clock.now() + timedelta(hours=1))
    limits: dict[str, Any] = {"vault": "V_CORE", "limit": "max_single_pos_pct", "value": "0.25", "until": until}
    desk.give("release", latch_id=next(iter(world.book.latches)))
    desk.give("release", latch_id="latch_gone")
    desk.give("cancel")
    desk.give("cancel", order_id="V_none")
    desk.give("acknowledge")
    desk.give("flatten", vault="V_NONE")
    desk.give("override", **limits)
    desk.give("override", **{**limits, "vault": "V_NONE"})
    desk.give("cancel", minutes=-1)
    world.step()
    return world


def commands_of(world: World) -> list[Record]:
    """The log of commands."""
    return list(chain(world.files.read(OPERATOR_COMMANDS), name=OPERATOR_COMMANDS))


def test_every_answer_is_decided_again() -> None:
    """Also those of refusals, which follow from the book, vault.json and the time."""
    world = answers()
    assert world.kinds().count("command.refused") == 5
    assert_equal(world, "command.taken", "command.refused", "override.set", "latch.released")


def test_a_changed_answer_is_found() -> None:
    """Another reason of a refusal; a name or word that the command does not have; a command that nobody gave."""
    world = answers()
    refused, released = first(world, "command.refused"), first(world, "latch.released")
    for target, change in ((refused, set_field("refused", "not today")), (released, set_field("by", "bob")),
                           (released, set_field("reason", "no reason")),
                           (released, set_field("command_id", "cmd_" + "f" * 16))):
        wrong = again_of(world, edited(world, target.seq, change))
        assert wrong[0].seq == target.seq


def again_of(world: World, records: Sequence[Record]) -> list[Any]:
    """The differences."""
    return replayed(records, kept(world), asked(world)).differences


def test_a_command_that_was_passed_over_is_found() -> None:
    """Commands are answered in the order of their log."""
    world = answers()
    target = first(world, "latch.released")
    wrong = again_of(world, without(world, target.seq))
    assert wrong[0].found.recomputed.endswith("was to be answered before")


def test_without_the_commands_answers_are_taken_as_recorded() -> None:
    """Only what follows from them is insisted on."""
    world = answers()
    assert replayed(list(world.journal.read()), kept(world)).differences == []


def test_a_line_that_is_no_command_is_none() -> None:
    """As for the executor."""
    journal = MemoryJournal()
    journal.append("command.given", {"command_id": "x"}, at="2026-11-18T15:00:00.000Z")
    assert commands(journal.read()) == {}


def watched(world: World, given: Sequence[Record], log: Sequence[Record]) -> list[str]:
    """What verification says of answers."""
    receipts = Receipts()
    for record in (*given, *log):
        assert receipts.take(record) is None
    assert receipts.end(whole=True) == ()
    return [one.text for one in receipts.judge()]


def test_verification_asks_for_the_command_of_every_answer() -> None:
    """Without the commands' log each answer is a finding; with other words that answer; else none."""
    world = answers()
    log, given = list(world.journal.read()), commands_of(world)
    assert watched(world, given, log) == []
    assert len(watched(world, [], log)) == 10
    target = first(world, "command.taken")
    assert "in other words" in watched(world, given, edited(world, target.seq, set_field("reason", "else")))[0]


def test_names_that_were_withheld_from_both_are_not_compared() -> None:
    """Each has a salt of its own."""
    world = answers()
    given = [one._replace(payload={**one.payload, "by": "withheld:1"}) if one.kind == "command.given" else one
             for one in commands_of(world)]
    kinds = ("command.taken", "command.refused", "override.set", "latch.released")
    log = [one._replace(payload={**one.payload, "by": "withheld:2"}) if one.kind in kinds else one
           for one in world.journal.read()]
    assert watched(world, given, log) == []
    assert watched(world, commands_of(world), log) != []


def test_other_bytes_have_to_be_others_and_new() -> None:
    """A quarantine without a fence says that other bytes came under a known id: they stand in the record."""
    world = World()
    world.want("equity:AAPL", "1000")
    world.step()
    world.intents[0]["notional"] = "5"
    world.stage()
    world.step()
    assert again(world).differences == []
    target = first(world, "intent.quarantined")
    seen = first(world, "intent.seen").payload
    changes: list[Callable[[dict[str, Any]], None]] = [
        lambda body: body.update(intent=None), lambda body: body.update(intent=seen["intent"], sha256=seen["sha256"]),
        set_field("sha256", "0" * 64), set_field("code", "else"), lambda body: body["intent"].update(vault="V_TWO")]
    for change in changes:
        wrong = again_of(world, edited(world, target.seq, change))
        assert wrong[0].seq == target.seq


def test_commands_of_two_hosts_replay_equal() -> None:
    """Each log in its own order; one that was passed over in its log is found."""
    world, here, there = two_hosts()
    there.give("cancel")
    world.step()
    here.give("cancel")
    there.give("flatten")
    world.step()
    given = [commands(desk.journal.read()) for desk in (here, there)]
    records = list(world.journal.read())
    assert replayed(records, kept(world), given).differences == []
    passed_over = [given[0], {"cmd_x": next(iter(given[1].values())), **given[1]}]
    wrong = replayed(records, kept(world), passed_over).differences[0]
    assert wrong.found.recomputed == "cmd_x was to be answered before"
