"""With the executor's records come the snapshots that they rest on, so that they can be decided again elsewhere."""

from contextlib import closing
from pathlib import Path

from tests.unit.transport.world import World
from vanta.common.canonical import sha256
from vanta.common.events import Kind
from vanta.common.paths import TRADE_LOG
from vanta.common.signing_key import signer_of
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.journal import FileJournal
from vanta.transport.core.inputs import digest_of, name_of, promised

A, B = b"the settings", b"an overlay"


def stated(world: World, *inputs: bytes) -> None:
    """A record there that states inputs."""
    with closing(FileJournal(world.there.file(TRADE_LOG), signer=signer_of(world.there))) as journal:
        for raw in inputs:
            journal.append(Kind.CONTROL_SEEN, {"what": "overlay", "sha256": sha256(raw)}, at="2026-11-20T16:00:00.000Z")
    world.show()
    for raw in inputs:
        world.remote.contents[name_of(sha256(raw))] = raw


def test_what_records_promise() -> None:
    """Hashes wherever they stand, in the kinds of records that state inputs; of others none."""
    journal = MemoryJournal()
    one, two = sha256(A), sha256(B)
    journal.append(Kind.PROGRAM_STARTED, {"settings": one, "calendars": {"XNYS": two}, "brokers": ["paper"]}, at="t")
    journal.append(Kind.FILL, {"settings": "f" * 64}, at="t")
    journal.append(Kind.CONTROL_SEEN, {"what": "permit", "sha256": "present"}, at="t")
    assert list(promised(journal.raw())) == [one, two]
    assert digest_of(name_of(one)) == one
    for name in ("snapshots/x", f"checkpoints/{one}", one, f"snapshots/{one.upper()}"):
        assert digest_of(name) == ""


def test_inputs_arrive_with_their_records(tmp_path: Path) -> None:
    """Each once; one that is missing there keeps nothing."""
    world = World(tmp_path)
    world.write(1)
    stated(world, A, B, A)
    del world.remote.contents[name_of(sha256(B))]
    world.turn()
    assert world.replica() == world.log()
    assert world.landing.snapshots.get(sha256(A)) == A
    assert not world.landing.snapshots.has(sha256(B))
    assert world.remote.asked.count(name_of(sha256(A))) == 1
    stated(world, A)
    world.turn()
    assert world.remote.asked.count(name_of(sha256(A))) == 1


def test_an_input_that_is_another_one(tmp_path: Path) -> None:
    """Is refused with the records that state it, which come once it is right."""
    world = World(tmp_path)
    world.write(1)
    stated(world, A)
    world.remote.contents[name_of(sha256(A))] = B
    assert world.turn().refused
    assert "not what its name says" in world.problem()
    assert world.replica() == b""
    world.remote.contents[name_of(sha256(A))] = A
    world.turn()
    assert world.replica() == world.log()


def test_a_link_that_goes_down_among_inputs(tmp_path: Path) -> None:
    """The records wait with them."""
    world = World(tmp_path)
    world.write(1)
    stated(world, A)
    world.remote.breaks_at = name_of(sha256(A))
    world.turn()
    assert world.link.down
    assert world.replica() == b""
    world.remote.breaks_at = None
    world.turn(3)
    assert world.replica() == world.log()
