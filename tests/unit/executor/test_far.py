"""An executor on a host of its own: its overlay and Alpha's have to permit, and Alpha has to vouch for hers."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.alpha.core.test_replay import again, assert_equal
from tests.unit.executor.world import ALL_CLEAR, OPEN, World, without_permission
from vanta.common.canonical import sha256
from vanta.common.clock import ManualClock
from vanta.common.models.configuration import Settings
from vanta.common.paths import CONTROLS_LEASE, OPERATOR_COMMANDS, OVERLAY, QUEUE, VAULTS, Home
from vanta.common.permit import arm
from vanta.common.reasons import Reason
from vanta.common.store.files import FolderFiles
from vanta.common.store.storage import DURABLE
from vanta.common.times import iso
from vanta.executor.core.controls import read_overlay
from vanta.executor.far import Far, FarControls
from vanta.executor.wire import files_of, gate_of
from vanta.transport.lease import LeaseWriter

SEVERAL = Settings.model_validate({"node": {"name": "executor"}, "transport": {"lease_s": 10, "latch_s": 30}})


class Pair:
    """An executor's home into which Alpha's files arrive by hand."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "executor").prepare()
        self.place = self.home.replica("alpha")
        self.place.memory.mkdir(parents=True)
        self.home.file(OVERLAY).write_bytes(ALL_CLEAR)
        arm(self.home, by="ann", reason="test", now=OPEN)
        self.clock = ManualClock(OPEN)
        self.alpha = ManualClock(OPEN)
        self.put(OVERLAY, ALL_CLEAR)
        self.put(VAULTS, b"{}")
        self.say()
        self.gate = gate_of(self.home, SEVERAL, self.clock)

    def put(self, name: str, raw: bytes) -> None:
        """Something arrives."""
        FolderFiles(self.place.memory).replace(name, raw)

    def say(self) -> None:
        """Alpha's word for what arrived, by her clock."""
        LeaseWriter(FolderFiles(self.place.memory), self.alpha, by="test").beat(0)

    def word(self) -> str:
        """Why it does not count."""
        far = self.gate.read().far
        assert far is not None
        return far.lease

    def later(self, seconds: float, *, said: bool = False) -> None:
        """Time passes on both hosts."""
        for clock in (self.clock, self.alpha):
            clock.move_to(clock.now() + timedelta(seconds=seconds))
        if said:
            self.say()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Everything permits."""
    return Pair(tmp_path)


def test_both_permit(pair: Pair) -> None:
    """Then nothing stops, as long as Alpha's word is said again."""
    for _ in range(5):
        reading = pair.gate.read()
        assert reading.controls.clear
        assert reading.permit
        pair.later(9, said=True)


def _old(pair: Pair) -> None:
    pair.later(11)


def _old_by_our_clock_alone(pair: Pair) -> None:
    pair.gate.read()
    pair.alpha.move_to(pair.alpha.now() + timedelta(seconds=9))
    pair.say()
    pair.gate.read()
    pair.clock.move_to(pair.clock.now() + timedelta(seconds=10.5))


def _repeated(pair: Pair) -> None:
    pair.clock.move_to(pair.clock.now() + timedelta(seconds=30))


def _from_ahead(pair: Pair) -> None:
    pair.alpha.move_to(pair.alpha.now() + timedelta(seconds=30))
    pair.say()


def _missing(pair: Pair) -> None:
    pair.place.file(CONTROLS_LEASE).unlink()


def _broken(pair: Pair) -> None:
    pair.put(CONTROLS_LEASE, b"{}")


def _other_overlay(pair: Pair) -> None:
    pair.put(OVERLAY, ALL_CLEAR + b"\n")


def _other_vaults(pair: Pair) -> None:
    pair.put(VAULTS, b'{"vaults": []}')


def _no_vaults(pair: Pair) -> None:
    pair.place.file(VAULTS).unlink()


def _commands_on_the_way(pair: Pair) -> None:
    raw = pair.place.file(CONTROLS_LEASE).read_bytes()
    pair.put(CONTROLS_LEASE, raw.replace(b'"size": 0', b'"size": 7').replace(b'"size":0', b'"size":7'))


def _went_back(pair: Pair) -> None:
    before = pair.place.file(CONTROLS_LEASE).read_bytes()
    pair.say()
    pair.gate.read()
    pair.put(CONTROLS_LEASE, before)


WRONG = {
    "nothing new for too long": (_old, "has not been followed"),
    "by our clock alone": (_old_by_our_clock_alone, "has not been followed"),
    "said too long ago": (_repeated, "before our time"),
    "said ahead of our time": (_from_ahead, "after our time"),
    "missing": (_missing, "no word from Alpha"), "broken": (_broken, "no word from Alpha"),
    "another overlay": (_other_overlay, "another vault_overlay.json"),
    "other vaults": (_other_vaults, "another vault.json"),
    "no vaults": (_no_vaults, "another vault.json"), "commands on the way": (_commands_on_the_way, "have not arrived"),
    "went back": (_went_back, "goes back: 2 was seen"),
}


@pytest.mark.parametrize(("spoil", "words"), WRONG.values(), ids=WRONG)
def test_a_word_that_does_not_count(pair: Pair, spoil: Callable[[Pair], None], words: str) -> None:
    """Is no permission, at once, whatever the overlays say; the sentence stays the same while nothing changes."""
    if spoil is _repeated:
        spoil(pair)
    else:
        assert pair.word() == ""
        spoil(pair)
    assert words in pair.word()
    assert pair.gate.read().controls.troubles == {Reason.HALT_NO_LEASE: pair.word()}
    again_ = pair.word()
    pair.clock.move_to(pair.clock.now() + timedelta(seconds=0.5))
    assert pair.word() == again_


def test_it_counts_again(pair: Pair) -> None:
    """Once she speaks again."""
    _old(pair)
    assert pair.word()
    pair.say()
    assert pair.word() == ""


def test_commands_that_have_arrived(pair: Pair) -> None:
    """The lease names their end; more may have come since."""
    pair.put(OPERATOR_COMMANDS, b"x" * 20)
    pair.put(CONTROLS_LEASE, pair.place.file(CONTROLS_LEASE).read_bytes().replace(b'"size": 0', b'"size": 7'))
    assert pair.word() == ""


def test_her_overlay_stops_by_itself(pair: Pair) -> None:
    """An edit of hers halts as soon as it has arrived, before her word for it has; one here does as well."""
    pair.put(OVERLAY, without_permission({"full_halt": True}))
    reading = pair.gate.read()
    assert not reading.controls.clear
    assert reading.far is not None
    assert reading.far.controls.overlay is not None
    assert reading.far.controls.overlay.full_halt is True
    pair.put(OVERLAY, ALL_CLEAR)
    pair.home.file(OVERLAY).write_bytes(b"{")
    assert set(pair.gate.read().controls.troubles) == {Reason.HALT_UNREADABLE}


def test_her_overlay_is_not_there(pair: Pair) -> None:
    """Missing is halted."""
    pair.place.file(OVERLAY).unlink()
    found = pair.gate.read().controls.troubles
    assert "Alpha" in found[Reason.HALT_NO_LEASE]


def test_files_of_others_are_read_where_they_arrived(pair: Pair) -> None:
    """The queue, quotes, vaults and commands; a home of one host reads its own."""
    routed, plain = files_of(pair.home, SEVERAL, DURABLE), files_of(pair.home, Settings(), DURABLE)
    assert routed.read(VAULTS) == b"{}"
    assert not plain.exists(VAULTS)
    assert not routed.exists(QUEUE)


def test_one_host_reads_no_more_than_before(pair: Pair) -> None:
    """Without a node's name there is no Alpha elsewhere."""
    assert gate_of(pair.home, Settings(), pair.clock).read().far is None


def test_files_that_cannot_be_looked_at(pair: Pair) -> None:
    """Vaults of which the bytes are withheld count as others than those that are named."""
    path = pair.place.file(VAULTS)
    path.unlink()
    path.symlink_to("elsewhere")
    assert "another vault.json" in pair.word()
    owners = {os.geteuid()}
    assert FarControls(Home(pair.home.root / "none"), pair.clock, limit_s=1, owners=owners).read().raw is None


CLEAR = read_overlay(ALL_CLEAR)


def far(raw: bytes | None = ALL_CLEAR, *, lease: str = "", counter: int = 1) -> Far:
    """What a gate says of Alpha."""
    if raw is None:
        return Far(read_overlay(None, problem="of Alpha's: gone"), None, None, lease, counter)
    return Far(read_overlay(raw, file="Alpha's vault_overlay.json"), sha256(raw), raw, lease, counter)


def several() -> World:
    """A world whose Alpha is on another host, with something to buy."""
    world = World()
    world.gate.far = far()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    return world


def test_an_order_leaves_while_both_permit_and_replays() -> None:
    """What came from Alpha is recorded before it is used, once, and decides again the same."""
    world = several()
    world.step()
    world.step()
    assert world.kinds().count("fill") == 1
    seen = [record.payload for record in world.journal.read() if record.kind == "control.seen"]
    assert [one["what"] for one in seen].count("lease of alpha") == 1
    assert_equal(world, "intent.approved", "order.submitting", "order.accepted")


def test_no_lease_holds_at_once_and_latches_if_it_lasts() -> None:
    """Held with its own reason; after `latch_s` latched, with the permit taken; replay finds the same."""
    world = several()
    world.gate.far = far(lease="lease 7 of Alpha has not been followed by another one within 10 s")
    name = world.intents[0]["intent_id"]
    report = world.step()
    assert "halt.no_lease" in report.halted
    assert world.codes(name) == {"halt.no_lease"}
    world.step(seconds=29)
    assert world.book.latches == {}
    world.step(seconds=2)
    assert [latch["code"] for latch in world.book.latches.values()] == ["halt.no_lease"]
    assert not world.gate.permit
    assert_equal(world, "intent.held", "latch.set")


def test_her_halt_stops_and_is_recorded_with_her_words() -> None:
    """Her switch stops what ours lets pass; taking it off without a reason is noted like any other."""
    world = several()
    world.gate.far = far(without_permission({"maintenance": {"enabled": True, "reason": "audit", "by": "ann",
                                                             "until": iso(OPEN + timedelta(seconds=5))}}))
    name = world.intents[0]["intent_id"]
    world.step()
    assert world.codes(name) == {"halt.maintenance"}
    world.step(seconds=6)
    world.step()
    assert [record.payload["what"] for record in world.journal.read() if record.kind == "control.ended"] == [
        f"maintenance on everything until {iso(OPEN + timedelta(seconds=5))} (Alpha)"]
    world.gate.far = far()
    world.step()
    assert "maintenance" in world.book.unstated
    assert world.kinds().count("fill") == 1
    assert_equal(world, "intent.held", "order.accepted")


def test_her_overlay_that_is_gone_holds_and_replays() -> None:
    """An absence is recorded as such."""
    world = several()
    world.gate.far = far(None, lease="no word from Alpha")
    world.step()
    world.step(seconds=31)
    assert {latch["detail"] for latch in world.book.latches.values()} == {"of Alpha's: gone"}
    assert_equal(world, "intent.held", "latch.set")


def test_several_hosts_become_one_again() -> None:
    """From then on only what is here counts, and the log says so."""
    world = several()
    world.gate.far = far(lease="old")
    world.step()
    world.gate.far = None
    world.step()
    world.step()
    assert world.kinds().count("fill") == 1
    replay = again(world)
    assert replay.differences == []
    assert replay.missing == {}


def test_flips_are_alphas() -> None:
    """Markets plans by her overlay, so hers is the one whose flip an order may name."""
    raw = without_permission({"flip": {"flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "ttl_min": 45,
                                       "slice": "0.10", "amplify": "0.35", "started_at": iso(OPEN)}})
    world = World()
    world.gate.far = far(raw)
    flips = world.gate.read().controls.flips
    assert flips is not None
    assert flips.flip is not None
    assert CLEAR.flips is CLEAR.overlay
    world.gate.far = far(None)
    assert world.gate.read().controls.flips is None
