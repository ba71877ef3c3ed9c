"""The executor's log decided again: equal to itself, different where it was changed, and honest about what it lacks."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.unit.alpha.homes import asked, busy, edited, first, kept, without
from tests.unit.executor.test_commands import Desk
from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import ALL_CLEAR, HaltsLater, World, vault, without_permission
from vanta.alpha.core.asked import Given
from vanta.alpha.core.replay import Replay
from vanta.common.canonical import document
from vanta.common.errors import StateError
from vanta.common.models.configuration import ExecutorSettings, PaperSettings
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.ports import Record


def replayed(records: Sequence[Record], blobs: dict[str, bytes], given: Given | None = None) -> Replay:
    """A replay of these records."""
    replay = Replay(blobs, given)
    for record in records:
        replay.take(record)
    return replay


def again(world: World) -> Replay:
    """A replay of all that a world did."""
    return replayed(list(world.journal.read()), kept(world), asked(world))


def assert_equal(world: World, *kinds: str) -> None:
    """Everything was decided again and was the same, records of these kinds among it."""
    replay = again(world)
    assert replay.differences == []
    assert replay.missing == {}
    assert set(kinds) <= set(replay.checked)


def test_a_busy_morning_replays_equal() -> None:
    """Fills, refusals, a halt, a restart and a broken vault file all follow from their inputs."""
    world = busy()
    assert_equal(world, "intent.approved", "order.submitting", "intent.refused", "intent.held", "fill", "day.opened")
    assert again(world).book.hash == world.book.hash


def test_a_vault_file_that_never_could_be_read_replays_equal() -> None:
    """From the first record on: nobody knows any vault, and nothing leaves."""
    world = World()
    world.journal = MemoryJournal()
    world.files.replace("vault.json", b"{")
    world.start()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert "vault.unreadable" in world.codes(name)
    assert_equal(world, "intent.held")


def test_an_unreadable_vault_file_replays_equal() -> None:
    """While vault.json cannot be read every intent is held for it, and the log says so."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.files.replace("vault.json", b"{")
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.codes(name) == {"vault.unreadable", "quote.missing"}
    world.files.replace("vault.json", document({"vaults": [vault()]}))
    world.step()
    assert world.state(name) == "filled"
    assert_equal(world, "intent.held", "fill")


def test_leaving_everything_while_the_vault_file_is_broken_replays_equal() -> None:
    """The exits rest on what vault.json said when it could be read last, in the executor and here."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    world.files.replace("vault.json", b"{")
    world.step()
    world.start()
    Desk(world).give("flatten")
    entry = world.want("equity:AAPL", "2000")
    world.step()
    assert world.held("equity:AAPL") == 0
    assert "vault.unreadable" in world.codes(entry)
    assert_equal(world, "intent.held", "fill")


def test_a_missing_overlay_replays_equal() -> None:
    """What cannot be read halts, with the reason that was recorded then."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.gate.raw = None
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.codes(name) == {"halt.unreadable"}
    assert_equal(world, "intent.held")


def test_a_halt_in_the_middle_of_a_batch_replays_equal() -> None:
    """What the last looks of a first batch saw counts for the verdicts of the next one."""
    gate = HaltsLater(ALL_CLEAR)
    names = [f"V_{number:02}" for number in range(70)]
    world = World(vaults=[vault(name) for name in names], gate=gate)
    world.quote("crypto:BTC-USD", "50000")
    for name in names:
        world.want("crypto:BTC-USD", "1000", vault=name)
    gate.looks = 4
    world.step()
    kinds = world.kinds()
    assert (kinds.count("order.accepted"), kinds.count("order.withheld"), kinds.count("intent.held")) == (3, 61, 6)
    assert_equal(world, "order.withheld", "intent.held")


def test_a_loss_latch_and_the_exit_through_it_replay_equal() -> None:
    """The latch, the NAV it was measured from and the exit that it lets through."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "19000")
    world.step()
    world.quote("equity:AAPL", "160.00")
    world.step()
    world.want("equity:AAPL", "15200", side="sell", close=True)
    world.step()
    assert "latch.set" in world.kinds()
    assert_equal(world, "latch.set", "day.opened")


def test_an_overlay_that_stays_unreadable_replays_equal() -> None:
    """Its latch names what was wrong with the file."""
    world = World()
    world.gate.raw = b"{"
    world.step()
    world.step(seconds=10)
    assert "latch.set" in world.kinds()
    assert_equal(world, "latch.set")


def test_a_crash_between_verdict_and_outbox_record_replays_equal() -> None:
    """The cut-off verdict stands alone, and the same intent is judged again after the restart."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000")
    world.step()
    cut(world, first(world, "intent.approved").seq)
    world.start()
    world.stage()
    world.step()
    assert world.kinds(name).count("intent.approved") == 2
    assert_equal(world, "intent.approved", "order.submitting")


def cut(world: World, seq: int) -> None:
    """Forget every record after this one, as a power cut would."""
    kept_records = list(world.journal.read())[:seq]
    world.journal = MemoryJournal()
    for record in kept_records:
        world.journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)


def test_an_order_that_is_found_at_the_venue_after_a_restart_replays_equal() -> None:
    """It was sent before the crash; a halt since then does not contradict it."""
    world = VenueWorld(Venue())
    name = world.want("equity:AAPL", "1000")
    world.step()
    cut(world, first(world, "order.submitting").seq)
    world.gate.raw = without_permission({"full_halt": True})
    world.start()
    world.step()
    assert "found at the venue" in world.said
    assert world.kinds(name).count("order.accepted") == 1
    assert_equal(world, "order.accepted")
    assert replayed(halted_before(world, "order.accepted"), kept(world)).differences == []


def test_a_tree_without_a_permit_replays_equal() -> None:
    """The permit's absence is an input like any other."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.gate.permit = False
    world.want("equity:AAPL", "1000")
    world.step()
    world.gate.permit = True
    world.step()
    assert {"intent.held", "fill"} <= set(world.kinds())
    assert_equal(world, "intent.held", "fill")


def test_an_order_linked_to_another_vault_is_named() -> None:
    """The ids that link a record to its conviction are decided with it."""
    world = busy()
    target = first(world, "order.submitting")
    journal = MemoryJournal()
    for record in world.journal.read():
        ids = {**record.ids, "vault": "V_TWO"} if record.seq == target.seq else record.ids
        journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=ids)
    found = replayed(list(journal.read())[:target.seq], kept(world)).differences[0]
    assert (found.seq, found.found.field, found.found.recorded) == (target.seq, "ids.vault", '"V_TWO"')


def test_orders_that_work_and_end_with_the_session_replay_equal() -> None:
    """Equities carry the end of the session; nothing of it needs today's calendar."""
    world = World(settings=ExecutorSettings(paper=PaperSettings(fill="next_quote")))
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    world.step(seconds=7 * 3600)
    world.step()
    assert "order.cancelled" in world.kinds()
    assert_equal(world, "order.submitting")


def line_of(payload: dict[str, Any], fence: str) -> list[Any]:
    """A verdict's line."""
    found: list[Any] = next(line for line in payload["lines"] if line[0] == fence)
    return found


def set_line(fence: str, index: int, value: str) -> Callable[[dict[str, Any]], None]:
    """Change one word of a verdict."""
    def change(payload: dict[str, Any]) -> None:
        line_of(payload, fence)[index] = value

    return change


def set_field(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Change one field."""
    def change(payload: dict[str, Any]) -> None:
        payload[name] = value

    return change


CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], None], str, str]] = {
    "a fence's value": ("intent.approved", set_line("cash", 2, "1.00"), "cash.value", '"1.00"'),
    "a fence's limit": ("intent.refused", set_line("size", 3, "99"), "size.limit", '"99"'),
    "a refusal's reason": ("intent.refused", set_line("vault", 1, "cash.not_enough"), "vault.code",
                           '"cash.not_enough"'),
    "a hold's reasons": ("intent.held", set_field("codes", ["session.closed"]), "codes.0", '"session.closed"'),
    "an order's size": ("order.submitting", set_field("quantity", "4"), "quantity", '"4"'),
    "an order's price": ("order.submitting", set_field("reference_price", "199"), "reference_price", '"199"'),
    "an order's end": ("order.submitting", set_field("good_until", None), "good_until", "null"),
    "what was booked": ("fill", set_field("cash", "599"), "cash", '"599"'),
    "the day's NAV": ("day.opened", set_field("nav", "1"), "nav", '"1"'),
    "a vault's capital": ("adjustment", set_field("amount", "5"), "amount", '"5"'),
    "an intent's hash": ("intent.seen", set_field("sha256", "0" * 64), "sha256", f'"{"0" * 64}"'),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_decision_is_named_by_step_id_field_and_both_values(name: str) -> None:
    """Chained again so that only its meaning is wrong, the change is still found where it was made."""
    kind, change, field, value = CHANGES[name]
    world = busy()
    target = first(world, kind)
    was = edited(world, target.seq, change)
    found = replayed(was, kept(world)).differences[0]
    assert (found.seq, found.kind, found.found.field, found.found.recorded) == (target.seq, kind, field, value)
    assert found.found.recomputed != value
    assert found.subject in {*target.ids.values(), "V_CORE"}


def test_a_dropped_outbox_record_is_named() -> None:
    """A verdict announces its outbox record; nothing but a crash may come between."""
    world = busy()
    target = first(world, "order.submitting")
    replay = replayed(without(world, target.seq)[:target.seq], kept(world))
    assert replay.differences[0].seq == target.seq
    assert replay.differences[0].found.field == "verdict"
    assert replay.differences[0].found.recomputed == "order.submitting"


def halted_before(world: World, kind: str) -> list[Record]:
    """The world's log with a halt seen right before the first record of a kind."""
    digest = world.snapshots.put(without_permission({"full_halt": True}))
    journal = MemoryJournal()
    for record in world.journal.read():
        if record.seq == first(world, kind).seq:
            journal.append("control.seen", {"what": "overlay", "sha256": digest, "problem": None}, at=record.at)
        journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)
    return list(journal.read())


def test_an_order_sent_against_a_halt_is_named() -> None:
    """A log that says the overlay was halted before the order left contradicts the order."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    found = replayed(halted_before(world, "order.accepted"), kept(world)).differences[0]
    assert (found.kind, found.found.field) == ("order.accepted", "last look")
    assert "halt.full_halt" in found.found.recomputed


def appended(world: World, kind: str, payload: dict[str, Any], **ids: str) -> list[Record]:
    """The world's log with one more record."""
    journal = MemoryJournal()
    for record in world.journal.read():
        journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)
        at = record.at
    journal.append(kind, payload, at=at, ids=ids)
    return list(journal.read())


def last(world: World, records: Sequence[Record]) -> Replay:
    """A replay up to the last record, and the check of that one; whether it can be folded does not matter here."""
    replay = replayed(records[:-1], kept(world))
    with contextlib.suppress(StateError):
        replay.take(records[-1])
    return replay


def test_a_hold_that_was_recorded_before_is_nothing_new() -> None:
    """A hold is recorded once for each reason; a second one was not decided by anybody."""
    world = World()
    world.want("equity:AAPL", "1000")
    world.step()
    held = first(world, "intent.held")
    found = last(world, appended(world, held.kind, dict(held.payload), **held.ids)).differences[0]
    assert (found.found.recorded, found.found.recomputed) == ("intent.held (quote.missing)", "nothing new")


def test_other_bytes_under_a_known_id_were_seen_not_decided() -> None:
    """Their quarantine is taken as recorded."""
    world = World()
    world.want("equity:AAPL", "1000")
    world.step()
    world.intents[0]["notional"] = "5"
    world.stage()
    world.step()
    assert_equal(world, "intent.quarantined")


def test_latches_that_nothing_gave_rise_to_are_named() -> None:
    """A loss latch without the loss, another loss than the one there was, a verdict's latch without the verdict."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "19000")
    world.step()
    latch = {"latch_id": "latch_x", "code": "loss.daily", "vault": "V_CORE", "exits": True, "value": "", "limit": "",
             "detail": "made up"}
    assert last(world, appended(world, "latch.set", latch)).differences[0].found.field == "latch"
    world.quote("equity:AAPL", "160.00")
    world.step()
    other = edited(world, first(world, "latch.set").seq, lambda payload: payload.update(code="loss.drawdown"))
    assert replayed(other, kept(world)).differences[0].found.recorded == "latch.set (loss.drawdown)"
    by_verdict = appended(world, "latch.set", {**latch, "code": "gateway.more_than_queued"}, intent_id=name)
    assert last(world, by_verdict).differences[0].found.field == "verdict"


def test_other_adjustments_than_funding_are_taken_as_recorded() -> None:
    """A dividend is evidence from outside; a second funding of a vault is nobody's."""
    world = busy()
    dividend = {"type": "dividend", "vault": "V_CORE", "account": "paper", "currency": "USD", "amount": "12",
                "evidence": "", "why": "cash dividend"}
    assert last(world, appended(world, "adjustment", dividend)).differences == []
    again = {**dict(first(world, "adjustment").payload)}
    assert last(world, appended(world, "adjustment", again)).differences[0].found.field == "adjustment"


def test_an_order_that_the_venue_never_had_was_withheld_by_the_venue_s_word() -> None:
    """After a restart: no last look is asked for what the venue answered."""
    gate = HaltsLater(ALL_CLEAR)
    world = World(gate=gate)
    gate.looks = 1
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    target = first(world, "order.withheld")
    asked = edited(world, target.seq, lambda payload: payload.update(code="broker.outcome_unknown"))
    assert replayed(asked, kept(world)).differences == []
    other = edited(world, target.seq, lambda payload: payload.update(code="halt.maintenance"))
    assert replayed(other, kept(world)).differences[0].found.field == "code"
    digest = next(record.payload["sha256"] for record in world.journal.read() if record.kind == "instruments.seen")
    blind = replayed(list(world.journal.read()), {name: raw for name, raw in kept(world).items() if name != digest})
    assert blind.differences == []
    assert any("could not be recomputed" in said for said in blind.missing)


def test_inputs_that_nothing_names_or_nobody_can_read_are_missing() -> None:
    """No record of the overlay, or a snapshot of a form that this version does not know."""
    world = busy()
    overlay = first(world, "control.seen")
    assert overlay.payload["what"] == "vaults"
    seqs = [record.seq for record in world.journal.read() if record.kind == "control.seen"]
    assert "no record says" in " ".join(replayed(without(world, seqs[1])[:17], kept(world)).missing)
    strange = {**kept(world), overlay.payload["sha256"]: b'{"vaults": [], "rails": 7}'}
    assert "cannot be read by this version" in " ".join(replayed(list(world.journal.read()), strange).missing)


@pytest.mark.parametrize("what", ["overlay", "vaults"])
def test_a_lost_input_is_missing_and_neither_equal_nor_different(what: str) -> None:
    """Without a snapshot nothing is guessed: the first record that needed it is named."""
    world = busy()
    digest = next(record.payload["sha256"] for record in world.journal.read()
                  if record.kind == "control.seen" and record.payload["what"] == what)
    blobs = {name: raw for name, raw in kept(world).items() if name != digest}
    replay = replayed(list(world.journal.read()), blobs)
    assert replay.differences == []
    assert any(digest in said for said in replay.missing)


def test_a_start_that_names_no_settings_is_missing() -> None:
    """A log of a version that did not record its settings cannot be replayed, and says so."""
    world = busy()
    records = edited(world, first(world, "program.started").seq, lambda payload: payload.pop("settings"))
    replay = replayed(records, kept(world))
    assert replay.differences == []
    assert any("program.started" in said for said in replay.missing)


def test_a_record_without_its_fields_is_a_state_error() -> None:
    """A record that is not what its kind says ends the walk with its number."""
    world = busy()
    target = first(world, "intent.refused")
    records = edited(world, target.seq, lambda payload: payload.pop("lines"))
    broken = edited(world, first(world, "quote.seen").seq, lambda payload: payload.pop("at"))
    assert replayed(records, kept(world)).differences[0].seq == target.seq
    with pytest.raises(StateError, match=r"quote\.seen"):
        replayed(broken, kept(world))


def test_records_may_be_folded_without_being_decided() -> None:
    """The book is the same; what is decided in silence is not counted, and nothing is said about it."""
    world = busy()
    records = list(world.journal.read())
    folded, silent = Replay(kept(world)), Replay(kept(world))
    for record in records:
        folded.take(record, decide=False)
        silent.take(record, tell=False)
    assert folded.book.hash == silent.book.hash == world.book.hash
    assert folded.checked == silent.checked == {}


def test_a_forged_verdict_is_told_only_where_it_is_asked_about() -> None:
    """Decided in silence it is no difference; its missing input is none either."""
    world = busy()
    target = first(world, "intent.refused")
    forged = edited(world, target.seq, lambda body: body.update(lines=[["halt", "halt.full_halt", "a", "b", "c"]]))
    silent, blind = Replay(kept(world)), Replay({})
    for record in forged:
        silent.take(record, tell=record.seq != target.seq)
        blind.take(record, tell=False)
    assert [one.seq for one in silent.differences] == []
    assert (blind.differences, blind.missing) == ([], {})


def test_what_a_verdict_announced_is_looked_for_even_where_nothing_else_is_decided() -> None:
    """The outbox record is missing: whatever comes in its place is held against it."""
    world = busy()
    approved = first(world, "intent.approved")
    replay = Replay(kept(world))
    with contextlib.suppress(StateError):
        for record in without(world, approved.seq + 1):
            replay.take(record, decide=record.seq == approved.seq)
    assert [one.seq for one in replay.differences] == [approved.seq + 1]


def test_a_difference_names_the_program_that_wrote_the_record() -> None:
    """As its start says."""
    world = busy()
    target = first(world, "intent.refused")
    replay = replayed(edited(world, target.seq, lambda body: body.update(lines=[["a", "b", "c", "d", "e"]])),
                      kept(world))
    assert {one.by for one in replay.differences} == {first(world, "program.started").payload["program"]}
