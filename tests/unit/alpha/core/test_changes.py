"""Control changes: who, what of it, what it stopped and until when; nothing is claimed that is not recorded."""

from typing import Any

import orjson
import pytest

from tests.unit.executor.world import ALL_CLEAR, HaltsLater, World, vault, without_permission
from vanta.alpha.core.affairs import Affairs, Said, codes_of
from vanta.alpha.core.changes import Changes
from vanta.alpha.core.fields import changed
from vanta.alpha.core.node import Node, flatten
from vanta.alpha.core.trail import Trail
from vanta.common.canonical import document
from vanta.common.paths import CONTROL_LOG, TRADE_LOG, VAULTS
from vanta.common.store.ports import Record

HALT = {"full_halt": {"enabled": True, "reason": "drill", "by": "ann"}}


def control(seq: int, at: str, **payload: Any) -> Record:
    """An entry of the control log."""
    return Record(seq, at, "control.changed", None, {}, {
        "by": "ben", "reason": "odd fills", "account": "ops", "uid": 1000, **payload}, "", "")


def index(world: World, *controls: Record, edits: tuple[Record, ...] = ()) -> Affairs:
    """The affairs of a world with every version of its files."""
    trail = Trail(world.journal.read())
    affairs = Affairs(trail)
    own = [record for record in world.journal.read() if record.kind != "control.edited"]
    for record in (*own, *edits):
        affairs.take(TRADE_LOG, record)
    for record in controls:
        affairs.take(CONTROL_LOG, record)
    affairs.contents = dict(world.snapshots._blobs)
    return affairs


def seen(affairs: Affairs, what: str, number: int = -1) -> Said:
    """A reading of a control."""
    return [said for said in affairs.seen if said.what == what][number]


def texts(tree: Node) -> list[str]:
    """Every sentence."""
    return [node.text for _, node in flatten(tree)]


@pytest.fixture
def halted() -> World:
    """One intent is held by a halt that ends, another waits to the end of the log."""
    world = World()
    world.quote("equity:AAPL", "200")
    world.step()
    world.gate.raw = without_permission(HALT)
    world.want("equity:AAPL", "1000")
    world.step()
    world.want("equity:MSFT", "1000")
    world.step()
    world.gate.raw = ALL_CLEAR
    world.step()
    return world


def test_a_halt_names_its_field_its_reason_and_everything_it_held(halted: World) -> None:
    """And until when: one was approved after it, one still waits for a quote."""
    affairs = index(halted)
    found = texts(Changes(affairs).change(seen(affairs, "overlay", 1)))
    assert "the executor saw that vault_overlay.json was in the version" in found[0]
    assert "full_halt.reason from nothing to drill" in found[0]
    assert found[1] == "The file itself says why: drill (by ann)."
    aapl, msft = halted.book.intents
    assert found[2].startswith(f"It held intent {aapl} (buy equity:AAPL in V_CORE) from 2026-11-20 15:00:02 UTC "
                               f"(trade_log:")
    assert " until this ended at 2026-11-20 15:00:04 UTC (trade_log:" in found[2]
    assert "; then it was approved (trade_log:" in found[2]
    assert msft in found[3]
    assert found[3].endswith("; it was still waiting when the log ended.")
    assert found[4].startswith("It was in force until 2026-11-20 15:00:04 UTC (trade_log:")
    assert len(found) == 5


def test_the_end_of_a_halt_names_what_it_let_go(halted: World) -> None:
    """A bare switch states no reason, so nobody is named."""
    affairs = index(halted)
    last = seen(affairs, "overlay")
    found = texts(Changes(affairs).change(last))
    assert "full_halt from true to false" in found[0]
    assert found[1] == "Who changed it is not recorded: no entry of control_log.jsonl fits."
    assert found[2].startswith("It let intent ")
    assert "go on, held since 2026-11-20 15:00:02 UTC" in found[2]
    assert found[-1].startswith("It is still in force at the end of the log, 2026-11-20 15:00:04 UTC")


def test_a_reason_for_loosening_is_told_as_the_executor_recorded_it(halted: World) -> None:
    """The file's own reason and name, for everything that it loosens."""
    halted.gate.raw = without_permission(HALT)
    halted.step()
    halted.gate.raw = without_permission({"reason": "all is well", "by": "cy"})
    halted.step()
    affairs = index(halted)
    assert "The file itself says why: all is well (by cy)." in texts(Changes(affairs).change(seen(affairs, "overlay")))


def test_a_version_is_found_by_its_hash_however_often_it_was_in_force(halted: World) -> None:
    """The same bytes came back: both times are told."""
    affairs = index(halted)
    digest = str(seen(affairs, "overlay").record.payload["sha256"])
    tree = Changes(affairs).version(digest)
    assert tree.text == f"vault_overlay.json was in the version {digest[:12]} 2 times."
    assert "It is the first time that this log tells of it." in texts(tree)
    once = str(seen(affairs, "overlay", 1).record.payload["sha256"])
    assert Changes(affairs).version(once).place == seen(affairs, "overlay", 1).place
    assert {digest, once} <= affairs.names()


def test_a_tool_s_entry_and_what_the_executor_read_are_one_change(halted: World) -> None:
    """Either address tells who, why, what, and what it held."""
    at = "2026-11-20T15:00:02.500Z"
    tool = control(2, at, what="overlay full_halt", before="off", after="on")
    affairs = index(halted, tool, control(3, "2026-11-20T15:00:03.900Z", what="overlay full_halt", before="on",
                                          after="off"))
    found = texts(Changes(affairs).change(seen(affairs, "overlay", 1)))
    assert " ben changed full_halt" in found[0]
    assert found[1] == ("ben did it with vanta-run at 2026-11-20 15:00:02.500 UTC (control_log:2), as account ops. The "
                        "reason "
                        "given: odd fills.")
    assert "The file itself says why" not in "\n".join(found)
    other = texts(Changes(affairs).change(Said(CONTROL_LOG, tool)))
    assert other[0] == "ben changed full_halt from off to on at 2026-11-20 15:00:02.500 UTC (control_log:2)."
    assert other[2] == found[2]


@pytest.mark.parametrize(("what", "before", "after", "at"), [
    ("overlay full_halt", "off", "on", "2026-11-20T19:00:00.000Z"),
    ("overlay maintenance", "off", "on", "2026-11-20T15:00:02.000Z"),
    ("overlay full_halt", "on", "off", "2026-11-20T15:00:02.000Z"), ("overlay", "a", "b", "2026-11-20T15:00:02.000Z"),
    ("permit", "present", "absent", "2026-11-20T15:00:02.000Z")],
    ids=["hours away", "another switch", "the other way", "no switch named", "another control"])
def test_an_entry_that_does_not_fit_is_not_taken_for_the_cause(halted: World, what: str, before: str, after: str,
                                                               at: str) -> None:
    """Better nobody than the wrong one."""
    tool = control(2, at, what=what, before=before, after=after)
    affairs = index(halted, tool)
    assert "ben" not in "\n".join(texts(Changes(affairs).change(seen(affairs, "overlay", 1))))


def test_an_entry_that_the_executor_never_read_says_so() -> None:
    """A change after the log's end."""
    world = World()
    tool = control(2, "2026-11-20T15:00:02.000Z", what="permit", before="present", after="absent")
    found = texts(Changes(index(world, tool)).change(Said(CONTROL_LOG, tool)))
    assert found[0].startswith("ben changed dispatch.permit from present to absent")
    assert found[-1] == "The executor's log does not tell when it took notice."


def test_a_hash_in_the_control_log_is_proof_enough(halted: World) -> None:
    """However far apart the clocks are."""
    plain = index(halted)
    digest = seen(plain, "overlay", 1).record.payload["sha256"]
    affairs = index(halted, control(2, "2026-11-25T00:00:00.000Z", what="overlay", before="x", after=digest))
    assert "ben did it with vanta-run" in "\n".join(texts(Changes(affairs).change(seen(affairs, "overlay", 1))))


def edit(seq: int, **payload: Any) -> Record:
    """What the operating system knew of a save."""
    return Record(seq, "2026-11-20T15:00:02.000Z", "control.edited", None, {}, {
        "what": "overlay", "before": None, "uid": 1000, "user": "ann", "mtime": "2026-11-20T15:00:01.500Z",
        "terminals": ["pts/1", {"user": "ann", "line": "pts/2"}, ["ben", "tty1"]],
        "changes": [["full_halt", "false", "true"], ["reason", None, '"drill"'], ["x", False, True], ["", "1,", "2"]],
        **payload}, "", "")


def test_a_save_names_the_file_s_owner_the_terminals_and_every_field(halted: World) -> None:
    """From its own address, from the reading's, and from the hash; a save without terminals names none."""
    digest = seen(index(halted), "overlay", 1).record.payload["sha256"]
    affairs = index(halted, edits=(edit(90, after=digest), edit(91, after="unreadable: odd", user=None, terminals=None,
                                                                 changes=[])))
    affairs.contents = {}
    one, other = affairs.edited
    found = texts(Changes(affairs).change(one))
    assert "Changed: 4 fields, listed below." in found[0]
    assert found[1] == ("The file belonged to ann (uid 1000) when it was saved at 2026-11-20 15:00:01.500 UTC; logged "
                        "in then: "
                        "pts/1, ann pts/2 and ben tty1.")
    assert {"full_halt: from false to true.", "reason: from nothing to drill.", "x: from false to true.",
            "content: from 1, to 2."} <= set(found)
    assert any(text.startswith("It held intent ") for text in found)
    assert found[1] in texts(Changes(affairs).change(seen(affairs, "overlay", 1)))
    assert found[1] in texts(Changes(affairs).version(str(digest)))
    bare = texts(Changes(affairs).change(other))
    assert bare[0].endswith("the executor saw that vault_overlay.json could not be read (odd).")
    assert bare[1] == ("The file belonged to an account without a name (uid 1000) when it was saved at 2026-11-20 "
                       "15:00:01.500 "
                       "UTC.")


def test_a_save_is_matched_by_the_number_of_the_reading_that_it_names(halted: World) -> None:
    """The same content was read twice: each reading has the save that names it; unknown owners are told so."""
    plain = index(halted)
    first, second = seen(plain, "overlay", 0), seen(plain, "overlay", 2)
    digest = first.record.payload["sha256"]
    affairs = index(halted, edits=(
        edit(80, after=digest, seen=first.record.seq, user="old", mtime=1795186801500),
        edit(81, after=digest, seen=second.record.seq, user=None, uid=None, mtime=None, terminals=None, more=2,
             noticed="at a start"), edit(82, after=digest, seen=9999, mtime=None)))
    one, two = (texts(Changes(affairs).change(said)) for said in (first, second))
    assert one[1] == ("The file belonged to old (uid 1000) when it was saved at 2026-11-20 15:00:01.500 UTC; logged in "
                      "then: "
                      "pts/1, ann pts/2 and ben tty1.")
    assert two[1] == ("Whose file it was then could not be found out. The executor noticed it when it started. 2 "
                      "fields more "
                      "changed.")
    by_edit = texts(Changes(affairs).change(affairs.edited[1]))
    assert [text for text in by_edit if text.startswith("It let intent ")] == [
        text for text in two if text.startswith("It let intent ")] != []
    assert texts(Changes(affairs).change(affairs.edited[2]))[1].startswith("The file belonged to ann (uid 1000); "
                                                                           "logged in")


def test_names_that_were_withheld_are_told_as_such() -> None:
    """Nobody takes a hash for a name."""
    world = World()
    tool = control(2, "2026-11-20T15:00:02.000Z", what="permit", before="present", after="absent", by="withheld:0f0f")
    found = texts(Changes(index(world, tool)).change(Said(CONTROL_LOG, tool)))
    assert found[0].startswith("somebody whose name is withheld (withheld:0f0f) changed dispatch.permit from present")
    affairs = index(world, edits=(edit(90, after="x", user="withheld:1a1a", terminals="withheld:2b2b"),))
    saved = texts(Changes(affairs).change(affairs.edited[0]))[1]
    assert saved.startswith("The file belonged to somebody whose name is withheld (withheld:1a1a) (uid 1000)")
    assert saved.endswith("; logged in then: withheld:2b2b.")


def test_the_permit_is_told_as_there_or_not(halted: World) -> None:
    """A kill and a release; what it held while it was away."""
    world = World()
    world.quote("equity:AAPL", "200")
    world.step()
    world.gate.permit = False
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.gate.permit = True
    world.step()
    affairs = index(world, control(2, "2026-11-20T15:00:02.000Z", what="permit", before="present", after="absent"))
    gone = texts(Changes(affairs).change(seen(affairs, "permit", 1)))
    assert gone[0].endswith("the executor saw that dispatch.permit was not there.")
    assert gone[1].startswith("ben did it")
    assert name in gone[2]
    back = texts(Changes(affairs).change(seen(affairs, "permit", 2)))
    assert back[0].endswith("the executor saw that dispatch.permit was there.")
    assert name in back[2]


def test_orders_that_were_stopped_on_their_way_are_effects() -> None:
    """One withheld at the last look, one at the venue that was cancelled, and one that expired meanwhile."""
    gate = HaltsLater(ALL_CLEAR)
    world = World(gate=gate)
    world.quote("equity:MSFT", "300", size="1")
    world.want("equity:MSFT", "1500")
    world.step()
    world.quote("equity:AAPL", "200")
    name = world.want("equity:AAPL", "1000")
    gate.looks = 1
    world.step()
    world.step(seconds=1000)
    affairs = index(world)
    found = "\n".join(texts(Changes(affairs).change(seen(affairs, "overlay"))))
    assert f"of intent {name} (buy equity:AAPL in V_CORE) at the last look, 2026-11-20 15:00:02 UTC" in found
    assert ", when it expired." in found
    assert "It had order v" in found
    withheld = next(record for record in world.journal.read() if record.kind == "order.withheld")
    assert codes_of(withheld) == {"halt.full_halt"}
    assert codes_of(withheld._replace(kind="order.accepted")) == set()


def test_what_is_held_to_the_end_of_the_log_is_told_so() -> None:
    """Nothing has ended it."""
    world = World()
    world.gate.raw = without_permission({**HALT, "maintenance": True})
    world.want("equity:AAPL", "1000")
    world.step()
    world.gate.raw = without_permission(HALT)
    world.step()
    affairs = index(world)
    found = texts(Changes(affairs).change(seen(affairs, "overlay", 1)))
    assert any(text.startswith("It held") and text.endswith(" to the end of the log.") for text in found)
    assert "maintenance from true to false" not in found[0], "it is what came after"


def test_a_new_vault_file_tells_its_fields_and_the_verdicts_under_it() -> None:
    """Rows are known by their vault; without the kept bytes nothing is said about fields."""
    world = World()
    world.quote("equity:AAPL", "200")
    world.step()
    world.files.replace(VAULTS, document({"vaults": [vault("V_NEW"), vault(risk={"max_single_pos_pct": "0.01"})]}))
    world.want("equity:AAPL", "5000")
    world.step()
    affairs = index(world)
    found = texts(Changes(affairs).change(seen(affairs, "vaults")))
    assert any("vaults[V_CORE].risk.max_single_pos_pct: from 0.20 to 0.01." in text for text in found)
    assert "Verdicts on intents given under it: 1 refused." in found
    world.files.replace(VAULTS, document({"vaults": [vault("V_NEW")]}))
    world.step()
    affairs = index(world)
    affairs.contents = {}
    bare = texts(Changes(affairs).change(seen(affairs, "vaults", -2)))
    assert bare[0].endswith(f"was in the version {str(seen(affairs, 'vaults', -2).record.payload['sha256'])[:12]}.")
    assert "Verdicts on intents given under it: 1 refused." in bare
    assert "Verdicts on intents given under it: none." in texts(Changes(affairs).change(seen(affairs, "vaults")))


def test_fields_of_documents() -> None:
    """Long spellings, rows by name, lists without names, what is no JSON, and what is not there."""
    rows: list[tuple[bytes | None, bytes | None, list[tuple[str, str, str]]]] = [
        (b'{"a": {"enabled": false}}', b'{"a": true}', [("a", "false", "true")]),
        (b'{"v": [{"id": "x", "n": 1}]}', b'{"v": [{"id": "y", "n": 1}, {"id": "x", "n": 2}]}',
         [("v[x].n", "1", "2"), ("v[y].id", "nothing", "y"), ("v[y].n", "nothing", "1")]),
        (b'{"v": [{"id": "x"}, {"id": "x"}]}', b'{"v": []}', [("v", '[{"id":"x"},{"id":"x"}]', "[]")]),
        (None, b"7", [("content", "nothing", "7")]), (b"{", b"{}", [("content", "1 bytes that are no JSON", "{}")]),
        (b'{"a": "' + b"x" * 200 + b'"}', b"{}", [("a", "x" * 119 + "…", "nothing"), ("content", "nothing", "{}")]),
        (b'{"a": 1}', b'{"a": 1}', [])]
    for before, after, expected in rows:
        assert changed(before, after) == expected
    assert orjson.loads(ALL_CLEAR)["full_halt"] is False


def test_half_a_save_in_between_hides_no_field(halted: World) -> None:
    """The change is told from the version that was valid last, not from what could not be read."""
    halted.gate.raw = without_permission(HALT)
    halted.step()
    halted.gate.raw = b""
    halted.step()
    halted.gate.raw = ALL_CLEAR
    halted.step()
    affairs = index(halted)
    assert "full_halt from true to false" in texts(Changes(affairs).change(seen(affairs, "overlay")))[0]
