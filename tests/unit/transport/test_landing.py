"""A replica on disk: whole lines, each once, whatever came between two writes."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.unit.transport.world import World
from vanta.common.errors import StateError
from vanta.common.paths import TRADE_LOG, Home
from vanta.common.store.inmemory import MemorySnapshots
from vanta.transport.core.table import checkpoints_of
from vanta.transport.landing import Landing
from vanta.transport.puller import STATUS

POINTS = checkpoints_of(TRADE_LOG)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Alpha pulls from an executor that has written three records."""
    made = World(tmp_path)
    made.write(3)
    made.show()
    return made


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file unwritable even for root")
def test_a_disk_that_takes_nothing(world: World) -> None:
    """Is a problem of this file, and the replica is opened anew afterwards."""
    world.turn()
    path = world.landing.place.file(TRADE_LOG)
    whole = path.read_bytes()
    path.rename(path.with_suffix(".aside"))
    path.mkdir()
    world.write(1)
    world.show()
    world.turn()
    assert "cannot be written" in world.problem()
    path.rmdir()
    path.with_suffix(".aside").rename(path)
    path.write_bytes(whole + world.log()[len(whole):len(whole) + 9])
    world.turn()
    assert world.replica() == world.log()


def test_a_kill_between_records_and_checkpoints(world: World) -> None:
    """A torn line and a torn checkpoint: what is missing is fetched, nothing is there twice."""
    world.turn()
    place = world.landing.place
    good, points = world.replica(), place.memory / POINTS
    points.write_bytes(points.read_bytes()[:-30])
    place.file(TRADE_LOG).write_bytes(good[:-20])
    world.write(2)
    world.show()
    world.start()
    world.turn()
    assert world.replica() == world.log()
    assert points.read_bytes() == world.remote.contents[POINTS]


def test_a_kill_before_the_checkpoints(world: World) -> None:
    """The records are there already: they are found again, and only their checkpoints are fetched."""
    world.turn()
    points = world.landing.place.memory / POINTS
    points.write_bytes(points.read_bytes().splitlines(keepends=True)[0])
    world.start()
    world.turn()
    assert world.replica() == world.log()
    assert points.read_bytes() == world.remote.contents[POINTS]


def test_checkpoints_that_were_lost_here(world: World) -> None:
    """All of them are fetched again."""
    world.turn()
    points = world.landing.place.memory / POINTS
    points.unlink()
    world.remote.contents[POINTS] = world.remote.contents[POINTS]
    world.start()
    world.turn()
    assert points.read_bytes() == world.remote.contents[POINTS]


def test_a_replica_that_was_changed_here(world: World) -> None:
    """It is not what its checkpoints say: nothing is appended to it, and the message says so."""
    world.turn()
    path = world.landing.place.file(TRADE_LOG)
    path.write_bytes(path.read_bytes().replace(b'"n":2', b'"n":7'))
    world.write(1)
    world.show()
    world.start()
    world.turn()
    assert "as its checkpoint has it" in world.problem()


def test_evidence_is_bounded(world: World) -> None:
    """So many pieces, each no longer than a megabyte."""
    for number in range(70):
        world.landing.refuse("x", b"%d" % number)
    assert len(world.evidence()) == 64
    assert not world.landing.refuse("x", b"1")


def test_evidence_that_cannot_be_kept(world: World) -> None:
    """A full disk does not make a fork any better: it is news all the same."""
    (world.landing.place.root / "refused").write_bytes(b"")
    assert world.landing.refuse("x", b"1")


def test_a_place_that_cannot_be_prepared(tmp_path: Path) -> None:
    """Something else lies there."""
    (tmp_path / "replica").write_bytes(b"")
    with pytest.raises(StateError, match="cannot be prepared"):
        Landing(Home(tmp_path / "replica"), MemorySnapshots())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root acts in somebody's place")
def test_what_root_pulls_by_hand_is_the_nodes_own(world: World) -> None:
    """Else the service that pulls next could write nothing there."""
    os.chown(world.landing.place.memory.parents[1], 12_345, 12_345)
    shutil.rmtree(world.landing.place.root)
    world.start()
    world.turn()
    world.landing.refuse(TRADE_LOG, b"x")
    found = list(world.landing.place.root.rglob("*"))
    assert {path.name for path in found} >= {TRADE_LOG, "checkpoints", "refused", "audit_keys.jsonl", "status.json"}
    assert {path.lstat().st_uid for path in [world.landing.place.root, *found]} == {12_345}


def test_what_is_refused_is_told_from_what_is_missing(world: World) -> None:
    """In `status.json`, for whoever is woken: a log that was cut, until it is whole; not a missing document."""
    def refused() -> dict[str, bool]:
        said = json.loads((world.landing.place.root / STATUS).read_bytes())
        return {name: one["refused"] for name, one in said["files"].items()}

    world.turn()
    assert set(refused().values()) == {False}
    whole = world.remote.contents[TRADE_LOG]
    world.remote.contents[TRADE_LOG] = whole[:-30]
    world.turn()
    assert {name for name, one in refused().items() if one} == {TRADE_LOG}
    world.remote.contents[TRADE_LOG] = whole
    world.turn()
    assert set(refused().values()) == {False}
