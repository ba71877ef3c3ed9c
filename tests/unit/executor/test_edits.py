"""An edit of overlay or vaults is on record: before and after, and by whom as far as the host tells."""

from typing import Any

import pytest

from tests.unit.executor.world import ALL_CLEAR, HaltsLater, World, vault, without_permission
from vanta.common.canonical import document, sha256
from vanta.common.paths import OVERLAY, VAULTS
from vanta.common.store.inmemory import MemorySnapshots
from vanta.executor.attribution import Editor
from vanta.executor.edits import Edits

ANN = Editor("1000", "ann", 1_795_000_000_123, "pts/1")
HALT = without_permission({"full_halt": {"enabled": True, "reason": "enough", "by": "ann"}})


def edits(world: World) -> list[dict[str, Any]]:
    """Payloads of what was told of edits."""
    return [dict(record.payload) for record in world.journal.read() if record.kind == "control.edited"]


def attributed(world: World) -> list[tuple[str, str]]:
    """From here on the host names Ann; returns what it was asked."""
    asked: list[tuple[str, str]] = []

    def editor(name: str, digest: str) -> Editor:
        asked.append((name, digest))
        return ANN

    world.executor._edits = Edits(world.executor.recorder, world.snapshots, editor)
    return asked


def test_the_first_sight_of_a_home_is_no_edit() -> None:
    """There is nothing that it could differ from."""
    world = World()
    world.step()
    assert edits(world) == []


def test_an_edit_of_the_overlay_is_told_with_before_after_and_who() -> None:
    """Everything in one record, which names the one that saw it; the same bytes are told once."""
    world = World()
    asked = attributed(world)
    world.gate.raw = HALT
    world.step()
    assert world.journal.synced == world.book.seq
    world.step()
    seen = next(record for record in world.journal.read() if record.kind == "control.seen"
                and record.payload["sha256"] == sha256(HALT))
    assert seen.payload["before"] == sha256(ALL_CLEAR)
    assert edits(world) == [{
        "what": "overlay", "seen": seen.seq, "before": sha256(ALL_CLEAR), "after": sha256(HALT), "more": 0,
        "changes": [["full_halt", "false", None], ["full_halt.by", None, '"(a name)"'],
                    ["full_halt.enabled", None, "true"], ["full_halt.reason", None, '"enough"']],
        "noticed": "running", "by": "ann", "uid": "1000", "user": "ann", "mtime": 1_795_000_000_123,
        "terminals": "pts/1"}]
    assert asked == [(OVERLAY, sha256(HALT))]
    assert world.book.edits == {}


def test_the_permit_is_no_file_that_anybody_edits() -> None:
    """It comes and goes by commands, which are recorded elsewhere."""
    world = World()
    world.gate.permit = False
    world.step()
    assert world.book.inputs["permit"] == "absent"
    assert edits(world) == []


def test_an_edit_of_the_vaults_is_told() -> None:
    """A limit that somebody raised, by the vault's name."""
    world = World()
    asked = attributed(world)
    risk = {"max_single_pos_pct": "0.30", "max_asset_class_pct": {"equity": "1.0", "crypto": "0.5"}}
    world.files.replace(VAULTS, document({"vaults": [vault(risk=risk)]}))
    world.step()
    (told,) = edits(world)
    assert (told["what"], told["changes"]) == (
        "vaults", [["vaults.V_CORE.risk.max_single_pos_pct", '"0.20"', '"0.30"']])
    assert asked == [(VAULTS, told["after"])]


def test_a_save_that_cannot_be_read_is_told_and_what_follows_is_measured_from_the_last_that_could() -> None:
    """Half a file halts; the whole file after it differs from the one before by what was changed."""
    world = World()
    world.gate.raw = None
    world.step()
    world.gate.raw = HALT
    world.step()
    half, whole = edits(world)
    assert half["after"].startswith("unreadable: ")
    assert half["changes"] == [["", f"{len(ALL_CLEAR)} bytes", None]]
    assert half["before"] == whole["before"] == sha256(ALL_CLEAR)
    assert whole["changes"][0] == ["full_halt", "false", None]


def test_what_was_edited_while_nobody_ran_is_told_at_the_start() -> None:
    """The log's last look against the file now."""
    world = World()
    world.gate.raw = HALT
    world.start()
    assert [(told["noticed"], told["after"]) for told in edits(world)] == [("at a start", sha256(HALT))]


def test_an_edit_that_a_crash_left_untold_is_told_by_the_next_start() -> None:
    """It was seen and recorded; what is owed is in the book."""
    world = World()
    world.gate.raw = HALT
    world.executor._parts.observer.controls(world.gate.read(), world.clock.now())
    assert len(world.book.edits) == 1
    world.start()
    world.step()
    assert len(edits(world)) == 1
    assert world.book.edits == {}


def test_every_save_within_one_step_is_told() -> None:
    """The last look of an order may see what the step's first did not: before the next order, not after the batch."""
    gate = HaltsLater(ALL_CLEAR)
    world = World(gate=gate)
    world.quote("equity:AAPL", "200.00")
    world.quote("equity:MSFT", "100.00")
    world.want("equity:AAPL", "1000")
    world.want("equity:MSFT", "1000")
    gate.looks = 2
    report = world.step()
    assert report.accepted == 1
    kinds = world.kinds()
    assert kinds.index("order.withheld") < kinds.index("control.edited")
    assert len(edits(world)) == 1


@pytest.mark.parametrize("lost", [ALL_CLEAR, HALT])
def test_bytes_that_the_store_has_lost_are_told_as_unknown(lost: bytes) -> None:
    """The record stands without them."""
    world = World()

    class Lossy(MemorySnapshots):
        def get(self, digest: str) -> bytes:
            return super().get("0" * 64 if digest == sha256(lost) else digest)

    lossy = Lossy()
    for raw in (ALL_CLEAR, HALT):
        lossy.put(raw)
    world.executor._edits = Edits(world.executor.recorder, lossy, lambda _name, _seen: Editor())
    world.gate.raw = HALT
    world.step()
    (told,) = edits(world)
    assert told["changes"] == [["", None if lost is ALL_CLEAR else f"{len(ALL_CLEAR)} bytes",
                                None if lost is HALT else f"{len(HALT)} bytes"]]
    assert (told["uid"], told["user"], told["mtime"], told["terminals"]) == (None, None, None, None)


def test_half_a_save_does_not_hide_what_the_whole_one_changed() -> None:
    """An editor that empties the file before it writes: the edit is told from the version that was valid last."""
    world = World()
    world.gate.raw = HALT
    world.step()
    world.gate.raw = b""
    world.step()
    world.gate.raw = ALL_CLEAR
    world.step()
    half, whole = edits(world)[1:]
    assert half["before"] == whole["before"] == sha256(HALT)
    assert half["changes"] == [["", f"{len(HALT)} bytes", "0 bytes"]]
    assert ["full_halt.enabled", "true", None] in whole["changes"]
