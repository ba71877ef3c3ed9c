"""One link: what may be adopted is, once; what may not is refused, kept and named; nothing keeps controls waiting."""

import json
from pathlib import Path

import pytest

from tests.unit.transport.core.test_lease import lease
from tests.unit.transport.world import World
from vanta.alpha.verifier import Coverages, covered_by
from vanta.common.exitcodes import Check
from vanta.common.paths import (
    CONTROLS_LEASE,
    OPERATOR_COMMANDS,
    OVERLAY,
    PORTFOLIO,
    PROMOTION_LOG,
    QUEUE,
    TRADE_LOG,
    VAULTS,
)
from vanta.common.signatures import KEYS, fingerprint, keys
from vanta.common.store import segments
from vanta.common.store.journal import FileJournal
from vanta.transport.core.table import PIECE, checkpoints_of
from vanta.transport.inmemory import MemoryRemote
from vanta.transport.puller import FLOOR, STATUS

POINTS = checkpoints_of(TRADE_LOG)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Alpha pulls from an executor that has written three records."""
    made = World(tmp_path)
    made.write(3)
    made.there.file(PORTFOLIO).write_bytes(b"{}")
    made.show()
    return made


def controls(tmp_path: Path) -> World:
    """The executor pulls from Alpha."""
    made = World(tmp_path, "alpha", "executor")
    made.there.file(OVERLAY).write_bytes(b'{"full_halt": false}')
    made.there.file(VAULTS).write_bytes(b"{}")
    made.there.file(CONTROLS_LEASE).write_bytes(lease(1))
    made.show()
    return made


def unsound(world: World, name: str = TRADE_LOG) -> list[str]:
    """What verification finds wrong with a replica and its checkpoints."""
    place = world.landing.place
    coverages = Coverages(place.config / KEYS)
    found = [*covered_by(place.file(name), [coverages.of(place.file(name))], coverages), *coverages.findings]
    return [str(one) for one in found if one.level is not Check.OK]


def test_everything_arrives_where_nothing_local_lies(world: World) -> None:
    """Below `replica/`, as a home that can be verified like any other."""
    found = world.turn()
    assert set(found.news) == {KEYS, TRADE_LOG, PORTFOLIO}
    assert world.replica() == world.log()
    assert world.replica(PORTFOLIO) == b"{}"
    assert not world.here.file(TRADE_LOG).exists()
    assert unsound(world) == []


def test_nothing_new_is_no_news(world: World) -> None:
    """And costs a question for each file."""
    world.turn()
    assert world.turn().news == []
    assert world.link.files[TRADE_LOG].seq == 3


def test_a_log_grows(world: World) -> None:
    """Only what is new is appended; a restart goes on where it ended."""
    world.turn()
    for restart in (False, True):
        world.write(2)
        world.show()
        if restart:
            world.start()
        assert TRADE_LOG in world.turn().news
        assert world.replica() == world.log()
    assert world.replica(POINTS) == world.remote.contents[POINTS]


def test_what_is_not_signed_for_waits(world: World) -> None:
    """The records are there before their checkpoint; they are adopted with it."""
    points = world.remote.contents[POINTS].splitlines(keepends=True)
    world.remote.contents[POINTS] = b"".join(points[:2])
    world.turn()
    assert world.link.files[TRADE_LOG].seq == 2
    assert world.link.files[TRADE_LOG].behind > 0
    world.remote.contents[POINTS] = b"".join(points)
    world.turn()
    assert world.replica() == world.log()


def test_without_keys_nothing_counts(world: World) -> None:
    """A log whose keys have not arrived is not adopted."""
    del world.remote.contents[KEYS]
    world.turn()
    assert "nothing says whose signatures count" in world.problem()
    assert world.replica() == b""


def test_a_log_in_many_pieces(tmp_path: Path) -> None:
    """A long log arrives piece by piece."""
    world = World(tmp_path)
    world.write(9_000, batch=100)
    world.show()
    assert len(world.log()) > PIECE
    world.turn()
    assert world.replica() == world.log()


class SlowRemote(MemoryRemote):
    """Each question takes its time."""

    def __init__(self, world: World) -> None:
        super().__init__(world.source, world.to)
        self.world = world

    def read(self, name: str, start: int, most: int) -> bytes:
        """See `Remote.read`."""
        self.world.clock.sleep(0.6)
        return super().read(name, start, most)


def test_a_long_log_keeps_nothing_waiting(tmp_path: Path) -> None:
    """It arrives in slices of time, the others in between, and goes on at once."""
    world = World(tmp_path)
    world.remote = SlowRemote(world)
    world.start()
    world.write(27_000, batch=100)
    world.show()
    world.turn()
    assert 0 < len(world.replica()) < len(world.log())
    assert world.link.wait_s(world.clock.monotonic()) == 0
    for _ in range(4):
        world.turn()
    assert world.replica() == world.log()


def test_a_batch_that_is_longer_than_a_piece(tmp_path: Path) -> None:
    """More is asked for until a checkpoint covers it."""
    world = World(tmp_path)
    world.write(9_000, batch=9_000)
    world.show()
    for _ in range(3):
        world.turn()
    assert world.replica() == world.log()


def test_a_line_without_end(world: World) -> None:
    """Something that grows and never holds together is refused once it is larger than anything of ours."""
    world.turn()
    world.remote.contents[TRADE_LOG] += b"x" * (65 << 20)
    world.turn()
    for _ in range(4):
        world.turn()
        if world.problem():
            break
    assert "no checkpoint covers any of" in world.problem()
    assert world.replica() == world.log()


def test_sealed_logs_arrive_as_one(tmp_path: Path) -> None:
    """The source seals its days; the replica is one file of the same stream."""
    world = World(tmp_path)
    FileJournal.least = 1
    try:
        for day in (20, 21, 22):
            world.write(3, day=day)
            world.show()
            world.turn()
    finally:
        FileJournal.least = 64 << 10
    assert len(segments.sealed(world.there.file(TRADE_LOG))) == 2
    assert world.replica() == segments.whole(world.there.file(TRADE_LOG))
    assert segments.sealed(world.landing.place.file(TRADE_LOG)) == []


def later(tmp_path: Path) -> World:
    """A promotion log whose first day was put away."""
    world = World(tmp_path, "markets", "alpha")
    FileJournal.least = 1
    try:
        for day in (20, 21, 22):
            world.write(3, PROMOTION_LOG, day=day)
    finally:
        FileJournal.least = 64 << 10
    first = segments.sealed(world.there.file(PROMOTION_LOG))[0]
    first.path.unlink()
    first.checkpoints.unlink()
    world.show()
    return world


def test_a_log_that_begins_later(tmp_path: Path) -> None:
    """What was put away at the source is not missed: the replica begins after a signed head and goes on from it."""
    world = later(tmp_path)
    world.turn()
    assert not world.problem(PROMOTION_LOG)
    place = world.landing.place.file(PROMOTION_LOG)
    assert segments.begin(place) == segments.begin(world.there.file(PROMOTION_LOG))
    start = segments.begin(place).size
    assert segments.whole(place, start) == segments.whole(world.there.file(PROMOTION_LOG), start)
    world.write(1, PROMOTION_LOG, day=22)
    world.show()
    world.start()
    world.turn()
    assert segments.whole(place, start) == segments.whole(world.there.file(PROMOTION_LOG), start)
    assert unsound(world, PROMOTION_LOG) == []


def test_a_log_that_begins_later_without_a_signed_head(tmp_path: Path) -> None:
    """Nobody vouches for what came before: refused."""
    world = later(tmp_path)
    name = checkpoints_of(PROMOTION_LOG)
    for _ in range(2):
        world.remote.contents[name] = world.remote.contents[name].partition(b"\n")[2]
    world.turn()
    assert "no checkpoint covers what came before" in world.problem(PROMOTION_LOG)


def test_older_pieces_put_away_later(tmp_path: Path) -> None:
    """The replica keeps what its source put away, and goes on; its checkpoints still hold together."""
    world = World(tmp_path, "markets", "alpha")
    FileJournal.least = 1
    try:
        for day in (20, 21, 22):
            world.write(3, PROMOTION_LOG, day=day)
        world.show()
        world.turn()
        before = world.replica(PROMOTION_LOG)
        first = segments.sealed(world.there.file(PROMOTION_LOG))[0]
        first.path.unlink()
        first.checkpoints.unlink()
        world.write(2, PROMOTION_LOG, day=22)
        world.show()
        world.turn()
    finally:
        FileJournal.least = 64 << 10
    assert world.problem(PROMOTION_LOG) == ""
    assert world.replica(PROMOTION_LOG).startswith(before)
    assert world.link.files[PROMOTION_LOG].seq == 11
    assert unsound(world, PROMOTION_LOG) == []


@pytest.mark.parametrize("left", [0, 1])
def test_a_power_cut_that_took_checkpoints(world: World, left: int) -> None:
    """They are never synced there: the records are what counts, and the replica takes up the new ones."""
    world.turn()
    path = world.there.memory / POINTS
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:left]))
    world.show()
    world.turn()
    assert world.problem() == ""
    world.write(1)
    world.show()
    world.turn()
    assert world.problem() == ""
    assert world.replica() == world.log()
    assert unsound(world) == []


def _cut(log: bytes) -> bytes:
    return b"".join(log.splitlines(keepends=True)[:2])


def _cut_within(log: bytes) -> bytes:
    return log[:-9]


def _forked(log: bytes) -> bytes:
    return log.replace(b'"n":2', b'"n":7')


def _cut_far(log: bytes) -> bytes:
    return log.splitlines(keepends=True)[0]


SPOILT = {"cut": (_cut, "it was cut"), "cut before its last line": (_cut_far, "it was cut"),
          "cut within its last line": (_cut_within, "it was cut"),
          "forked": (_forked, "made anew")}


@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT)
def test_a_log_that_is_no_longer_what_it_was(world: World, spoil: object, words: str) -> None:
    """Is refused, kept as evidence, named once as news and as long as it lasts; the replica stays, others go on."""
    world.turn()
    good = world.replica()
    world.remote.contents[TRADE_LOG] = spoil(good)  # type: ignore[operator]
    world.remote.contents[PORTFOLIO] = b'{"new": 1}'
    found = world.turn()
    assert [words in one for one in found.refused] == [True]
    assert found.news == [PORTFOLIO]
    assert world.turn().refused == []
    assert words in world.problem()
    assert world.replica() == good
    assert len(world.evidence()) == 1
    world.write(1)
    world.show()
    assert TRADE_LOG in world.turn().news
    assert world.problem() == ""


def test_a_break_is_refused_before_a_byte_of_it(world: World) -> None:
    """New lines that do not follow one another are not appended, not even those before the break."""
    world.turn()
    good = world.replica()
    world.write(3)
    world.show()
    world.remote.contents[TRADE_LOG] = world.remote.contents[TRADE_LOG].replace(b'{"seq":6', b'{"seq":9')
    assert world.turn().refused
    assert world.replica() == good


def test_checkpoints_of_a_stranger(tmp_path: Path, world: World) -> None:
    """A log that was made anew with another key has another list of keys: both are refused."""
    world.turn()
    other = World(tmp_path / "other")
    other.write(5)
    other.show()
    world.remote.contents = other.remote.contents
    found = world.turn()
    assert [one.split(":")[0] for one in found.refused] == [KEYS, TRADE_LOG]
    assert "changed or cut" in world.problem(KEYS)


def test_another_key_after_a_sound_list(tmp_path: Path, world: World) -> None:
    """Signed by a key that nobody vouched for."""
    world.turn()
    other = World(tmp_path / "other")
    other.write(5)
    other.show()
    world.remote.contents[POINTS] = other.remote.contents[POINTS]
    world.turn()
    assert "does not name" in world.problem()


def test_a_pinned_key(tmp_path: Path, world: World) -> None:
    """The first key has to be the one that somebody wrote down; then no first look is simply believed."""
    good = fingerprint(keys(world.remote.contents[KEYS])[0])
    world.key = "aaaa-bbbb"
    world.start()
    world.turn()
    assert "not with the one that [transport.executor] pins" in world.problem(KEYS)
    assert world.replica() == b""
    world.key = good
    world.start()
    world.turn()
    assert world.replica() == world.log()


def test_a_list_of_keys_that_is_none(world: World) -> None:
    """Is refused."""
    world.remote.contents[KEYS] = b"{}\n"
    assert world.turn().refused
    assert "did not sign" in world.problem(KEYS)


def test_a_document_that_is_too_large(tmp_path: Path) -> None:
    """Is not taken, and is named; what was held stays."""
    world = controls(tmp_path)
    world.turn()
    world.remote.contents[OVERLAY] = b" " * (300 << 10)
    world.turn()
    assert "at most" in world.problem(OVERLAY)


def test_what_is_not_there(world: World) -> None:
    """A document that does not exist yet, or any more, is said to be missing; the copy of one that informs stays."""
    world.turn()
    del world.remote.contents[PORTFOLIO]
    world.turn()
    assert "does not exist" in world.problem(PORTFOLIO)
    assert world.replica(PORTFOLIO) == b"{}"


def test_a_kill_switch_that_was_deleted(tmp_path: Path) -> None:
    """Is missing here too, and missing means halted; so is a lease, whose counter is remembered."""
    world = controls(tmp_path)
    world.turn()
    assert world.replica(OVERLAY)
    del world.remote.contents[OVERLAY]
    del world.remote.contents[CONTROLS_LEASE]
    world.turn()
    assert not world.landing.place.file(OVERLAY).exists()
    assert not world.landing.place.file(CONTROLS_LEASE).exists()
    world.remote.contents[CONTROLS_LEASE] = lease(1)
    world.turn()
    assert "1 was seen before" in world.problem(CONTROLS_LEASE)
    world.remote.contents[CONTROLS_LEASE] = lease(2)
    world.turn()
    assert world.replica(CONTROLS_LEASE) == lease(2)


def test_a_lease_that_went_back_takes_the_one_before_away(tmp_path: Path) -> None:
    """Whoever answers is not, or no longer, the Alpha that was: the executor halts at once, over restarts too."""
    world = controls(tmp_path)
    world.remote.contents[CONTROLS_LEASE] = lease(5)
    world.turn()
    world.remote.contents[CONTROLS_LEASE] = lease(4)
    assert world.turn().refused
    assert not world.landing.place.file(CONTROLS_LEASE).exists()
    world.start()
    world.turn()
    assert "counter 4, but 5" in world.problem(CONTROLS_LEASE)
    world.remote.contents[CONTROLS_LEASE] = lease(6)
    world.turn()
    assert world.replica(CONTROLS_LEASE) == lease(6)
    world.remote.contents[CONTROLS_LEASE] = b"{"
    world.turn()
    world.remote.contents[CONTROLS_LEASE] = lease(6)
    world.turn()
    assert "counter 6, but 6" in world.problem(CONTROLS_LEASE)


def test_a_lease_that_was_spoilt_here(tmp_path: Path) -> None:
    """What is no lease any more gives way to the next; what is no counter any more is named."""
    world = controls(tmp_path)
    world.turn()
    world.landing.put(CONTROLS_LEASE, b"{")
    world.remote.contents[CONTROLS_LEASE] = lease(2)
    world.turn()
    assert world.replica(CONTROLS_LEASE) == lease(2)
    world.landing.put(FLOOR, b"many")
    world.remote.contents[CONTROLS_LEASE] = lease(3)
    world.turn()
    assert "holds no counter" in world.problem(CONTROLS_LEASE)


def test_commands_may_lie_open(tmp_path: Path) -> None:
    """A flatten must not wait for a key: whole lines that follow one another are enough."""
    world = controls(tmp_path)
    world.write(2, OPERATOR_COMMANDS)
    world.show()
    world.remote.contents[OPERATOR_COMMANDS] += b'{"torn'
    world.turn()
    assert world.replica(OPERATOR_COMMANDS) == world.log(OPERATOR_COMMANDS)


def test_controls_are_looked_at_more_often(tmp_path: Path) -> None:
    """Five times for once of the rest, and first."""
    world = World(tmp_path, "alpha", "markets")
    world.turn()
    world.remote.asked.clear()
    for _ in range(5):
        world.turn(0.21)
    assert world.remote.asked.count(OVERLAY) == 5
    other = World(tmp_path / "b", "markets", "executor")
    other.turn()
    other.remote.asked.clear()
    for _ in range(5):
        other.turn(0.21)
    assert other.remote.asked.count(QUEUE) == 1


def test_a_link_that_is_down_is_tried_again_after_longer_and_longer(world: World) -> None:
    """Its problem is shown, no file is blamed, and it heals by itself."""
    world.turn()
    world.remote.down = "no route to host"
    world.remote.asked.clear()
    waits = []
    for _ in range(6):
        world.turn(2.1)
        waits.append(round(world.link.wait_s(world.clock.monotonic()), 1))
    assert waits == [0.2, 0.5, 1.0, 2.0, 2.0, 2.0]
    assert world.link.down == "no route to host"
    assert world.turn(0.1).news == []
    assert len(world.remote.asked) == 6
    world.remote.down = ""
    world.write(1)
    world.show()
    assert TRADE_LOG in world.turn(2.1).news
    assert world.link.down == ""


def test_status_says_what_there_is_to_say(world: World) -> None:
    """For diagnostics: when the link was heard, what is behind, what is wrong; written when it says something else."""
    world.turn()
    path = world.landing.place.root / STATUS
    said = json.loads(path.read_bytes())
    assert said["link"] == "up"
    assert said["heard_at"] == "2026-11-20T15:00:01.000Z"
    assert said["files"][TRADE_LOG]["seq"] == 3
    world.remote.down = "gone"
    world.turn()
    assert json.loads(path.read_bytes())["problem"] == "gone"
