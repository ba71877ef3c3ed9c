"""What was allowed when, by the executor's own reading of the overlay; and every event in words."""

from typing import Any

import pytest

from tests.unit.alpha.core.report.looks import NOON, history, of, record
from tests.unit.alpha.core.test_days import three_days
from tests.unit.alpha.homes import busy, kept
from tests.unit.executor.world import ALL_CLEAR, without_permission
from vanta.alpha.core.report import columns, deeds, reign
from vanta.alpha.core.report.reign import NO_PERMIT, NOT_KEPT, RUNS, UNREADABLE, Reign, Spell
from vanta.alpha.core.report.told import told
from vanta.common.canonical import sha256
from vanta.common.events import Kind
from vanta.common.times import millis_of

AT = millis_of(NOON)
DIGEST = "a" * 64


def seen(*versions: bytes | str, step: int = 1_000) -> tuple[Reign, dict[str, bytes]]:
    """The overlay was read in one version after another."""
    made, found = Reign(), {}
    for place, raw in enumerate(versions):
        digest = raw if isinstance(raw, str) else sha256(raw)
        if isinstance(raw, bytes):
            found[digest] = raw
        made.take(record(Kind.CONTROL_SEEN, {"what": "overlay", "sha256": digest}), AT + step * place)
    return made, found


def test_a_halt_is_a_spell_from_save_to_save() -> None:
    """In a real morning: when the executor saw it until when it saw it gone."""
    world = busy()
    made = of(world)
    spells = made.reign.spells(millis_of(made.book.at), kept(world))
    times = [one.at for one in world.journal.read()
             if one.kind == Kind.CONTROL_SEEN and one.payload["what"] == "overlay"]
    assert [one for one in spells if one.name.startswith("full_halt")] == [
        Spell("full_halt on everything", millis_of(times[1]), millis_of(times[2]))]
    assert {one.name for one in spells if one.open} == set()
    assert [one.name for one in spells if one.name == RUNS] == [RUNS, RUNS]


def test_a_switch_in_many_versions_is_one_spell() -> None:
    """It began with the first and was still on at the end; scopes are named."""
    on = without_permission({"full_halt": True})
    scoped = without_permission({"full_halt": True, "scopes": {"vault": {"V": {"reduce_only": True}}}})
    made, found = seen(ALL_CLEAR, on, scoped, on)
    assert made.spells(AT + 9_000, found) == [
        Spell("full_halt on everything", AT + 1_000, AT + 9_000, open=True),
        Spell("reduce_only on vault V", AT + 2_000, AT + 3_000)]


def test_a_switch_that_ends_by_itself_ends_then() -> None:
    """Before the next version, or before the end of the log; not after either; others wait for a person."""
    until = {"enabled": True, "until": "2026-11-20T12:00:05Z", "reason": "x", "by": "y"}
    made, found = seen(without_permission({"maintenance": until, "full_halt": until}))
    assert made.spells(AT + 9_000, found) == [
        Spell("full_halt on everything", AT, AT + 9_000, open=True), Spell("maintenance on everything", AT, AT + 5_000)]
    assert made.spells(AT + 2_000, found)[1] == Spell("maintenance on everything", AT, AT + 2_000, open=True)
    made, found = seen(without_permission({"maintenance": until}), ALL_CLEAR, step=20_000)
    assert made.spells(AT + 99_000, found) == [Spell("maintenance on everything", AT, AT + 5_000)]
    made, found = seen(without_permission({"maintenance": until}), ALL_CLEAR)
    assert made.spells(AT + 99_000, found) == [Spell("maintenance on everything", AT, AT + 1_000)]


def test_nothing_is_guessed_of_bytes_that_are_not_there() -> None:
    """A version that is not kept is a spell of its own; one that cannot be read halts, as the executor has it."""
    made, found = seen(DIGEST, "unreadable: gone", b"{", ALL_CLEAR)
    assert made.spells(AT + 9_000, found) == [
        Spell(NOT_KEPT, AT, AT + 1_000), Spell(UNREADABLE, AT + 1_000, AT + 3_000)]


def test_permit_latches_overrides_and_runs() -> None:
    """Each from what began it to what ended it; of a program that crashed, to the last that it wrote."""
    made = Reign()
    rows: list[tuple[str, dict[str, Any]]] = [
        (Kind.PROGRAM_STARTED, {"program": "executor", "mode": "paper"}),
        (Kind.CONTROL_SEEN, {"what": "permit", "sha256": "absent"}),
        (Kind.CONTROL_SEEN, {"what": "vaults", "sha256": DIGEST}),
        (Kind.LATCH_SET, {"latch_id": "l", "code": "loss.daily", "vault": None}),
        (Kind.OVERRIDE_SET, {"command_id": "c", "limit": "max", "vault": "V", "value": "1", "by": "ann",
                             "until": NOON, "reason": "r"}),
        (Kind.CONTROL_SEEN, {"what": "permit", "sha256": "present"}),
        (Kind.PROGRAM_STARTED, {"program": "executor", "mode": "paper"}),
        (Kind.LATCH_RELEASED, {"latch_id": "l", "by": "ann", "reason": "r"}),
        (Kind.LATCH_RELEASED, {"latch_id": "another", "by": "ann", "reason": "r"}),
        (Kind.OVERRIDE_ENDED, {"command_id": "c", "limit": "max", "vault": "V"})]
    for place, (kind, body) in enumerate(rows):
        made.take(record(kind, body), AT + 1_000 * place)
    made.take(record(Kind.PROGRAM_STARTED, {"program": "vanta-run"}), AT + 99_000, "control_log")
    made.take(record(Kind.PROGRAM_STOPPED, {"program": "vanta-run"}), AT + 99_000, "control_log")
    spells = {one.name: (one.from_ms - AT, one.to_ms - AT, one.open) for one in made.spells(AT + 60_000, {})[1:]}
    assert spells == {NO_PERMIT: (1_000, 5_000, False), "latch loss.daily": (3_000, 7_000, False),
                      "override of max in V": (4_000, 9_000, False), RUNS: (6_000, 60_000, True)}
    assert made.spells(AT + 60_000, {})[0] == Spell(RUNS, AT, AT + 5_000)


def test_of_many_events_the_newest_stay() -> None:
    """By time, whichever log they come from; all are counted."""
    made = Reign()
    for number in range(2 * reign.LONGEST + 1):
        at = f"2026-11-20T12:{number // 60:02}:{number % 60:02}.000Z"
        made.take(record(Kind.PROGRAM_STOPPED, {"program": "p"}, at=at), AT)
    assert len(made.events) == reign.LONGEST
    assert made.events[-1].at == at
    assert made.counts == {Kind.PROGRAM_STOPPED: 2 * reign.LONGEST + 1}
    shown = "".join(deeds.controls([], made.events, made.counts, (AT, AT)))
    assert f"The newest {deeds.MOST_EVENTS} of 801 events." in shown
    assert shown.count("<tr>") == deeds.MOST_EVENTS + 1


EDIT = {"what": "overlay", "changes": [["full_halt", "false", "true"]], "more": 0, "user": "root", "by": "ann"}
SAID: dict[str, tuple[str, dict[str, Any], str]] = {
    "an edit": (Kind.CONTROL_EDITED, EDIT,
                "vault_overlay.json was edited, saved by root: full_halt: false → true"),
    "a new file": (Kind.CONTROL_EDITED, {**EDIT, "what": "vaults", "changes": [["", None, "9 bytes"]], "user": None},
                   "vault.json was edited, saved by ann: the whole file: nothing → 9 bytes"),
    "a large edit": (Kind.CONTROL_EDITED, {**EDIT, "changes": [["a", "1", "2"]] * 5, "more": 2, "user": None,
                                           "by": None},
                     "by whom is not known: a: 1 → 2; a: 1 → 2; a: 1 → 2 and 4 more fields"),
    "an unknown edit": (Kind.CONTROL_EDITED, {**EDIT, "changes": None, "more": None},
                        "what of it is not known"),
    "a change": (Kind.CONTROL_CHANGED, {"what": "permit", "before": "present", "after": "f" * 64, "by": "ann",
                                        "reason": "lunch"},
                 "ann changed permit from present to ffffffffffff…: lunch"),
    "unreadable": (Kind.CONTROL_SEEN, {"what": "overlay", "problem": "a comma"},
                   "vault_overlay.json could not be read, which halts: a comma"),
    "unstated": (Kind.CONTROL_SEEN, {"what": "overlay", "problem": None, "loosened": ["full_halt"], "by": None},
                 "loosened without a stated reason: full_halt"),
    "ended": (Kind.CONTROL_ENDED, {"what": "maintenance"}, "over by its own time: maintenance"),
    "a latch": (Kind.LATCH_SET, {"vault": None, "code": "loss.daily"},
                "latched everything (loss.daily): the vault lost more than its daily limit"),
    "a latch of one": (Kind.LATCH_SET, {"vault": "V", "code": "loss.daily"}, "latched vault V"),
    "a release": (Kind.LATCH_RELEASED, {"by": "ann", "latch_id": "l", "reason": "seen"}, "ann released l: seen"),
    "a command": (Kind.COMMAND_TAKEN, {"by": "ann", "kind": "flatten", "reason": "x"}, "had the executor flatten: x"),
    "a refusal": (Kind.COMMAND_REFUSED, {"kind": "cancel", "refused": "late"}, "refused to cancel: late"),
    "an override": (Kind.OVERRIDE_SET, {"by": "ann", "limit": "m", "vault": "V", "value": "2", "until": NOON,
                                        "reason": "x"}, "ann set m of V to 2 until 2026-11-20 12:00:00 UTC: x"),
    "its end": (Kind.OVERRIDE_ENDED, {"limit": "m", "vault": "V"}, "the override of m in V ended"),
    "an alert": (Kind.ALERT, {"about": "V gross", "level": 80, "value": "8", "limit": "10"},
                 "V gross: 80 % of the limit used (8 of 10)"),
    "its end again": (Kind.ALERT, {"about": "V gross", "level": 0}, "V gross: back below half of the limit"),
    "a start": (Kind.PROGRAM_STARTED, {"program": "executor 1", "mode": "live"}, "executor 1 started in mode live"),
    "a stop": (Kind.PROGRAM_STOPPED, {"program": "executor 1"}, "executor 1 stopped"),
    "archived": (Kind.LOG_RETIRED, {"by": "ann", "journal": "x", "seq": 1200}, "put x away up to record 1,200"),
}


@pytest.mark.parametrize("name", SAID)
def test_events_in_words(name: str) -> None:
    """One sentence each, and where it stands."""
    kind, body, words = SAID[name]
    said = told(record(kind, body, seq=7), "control_log")
    assert said is not None
    assert words in said.text
    assert said.place == "control_log:7"


def test_what_is_told_elsewhere_is_not_told_twice() -> None:
    """A reading that changed nothing that matters, a start of a tool, a quote."""
    for kind, body in ((Kind.CONTROL_SEEN, {"what": "permit"}), (Kind.PROGRAM_STARTED, {"program": "x"}),
                       (Kind.CONTROL_SEEN, {"what": "overlay", "problem": None, "loosened": ["a"], "by": "ann"}),
                       (Kind.QUOTE_SEEN, {})):
        assert told(record(kind, body)) is None


def test_lanes() -> None:
    """One a name, an arrow for what was still so; of too many the newest, and always when it ran."""
    spells = [Spell(RUNS, AT, AT + 60_000, open=True), *(Spell(f"s{number}", AT, AT + 1) for number in range(20)),
              Spell(NO_PERMIT, AT, AT + 5_000, open=True)]
    drawn = "".join(deeds.controls(spells, [], {}, (AT, AT + 60_000)))
    assert "8 older ones are left out" in drawn
    assert "Nobody has changed anything" in drawn
    assert drawn.count('l8 7l-8 7z') == 4, "two of them, wide and narrow"
    assert "still so at the end of the log" in drawn
    assert "<td>still so</td>" in drawn
    height, marks = columns.lanes(spells[:1], [RUNS], (AT, AT + 60_000), 352, "k")
    assert 'class="calm"' in "".join(marks)
    assert "url(#k-s)" not in "".join(marks)
    assert height < 100
    assert "figure" not in "".join(deeds.controls([], [], {}, (AT, AT)))


def test_a_log_that_contradicts_itself_is_told_up_to_there() -> None:
    """The page says where; what comes before stands."""
    records = list(three_days().journal.read())
    broken = history([*records[:10], records[10]._replace(kind="odd"), *records[11:]])
    assert "unknown kind odd" in broken.problem
    assert broken.book.seq == records[9].seq
    strange = history([*records[:10], records[10]._replace(kind=Kind.QUOTE_SEEN, payload={}), *records[11:]])
    assert "is not what a quote.seen record says" in strange.problem
