"""A home published to a server that is cut, forged, emptied: the replica is the source byte for byte, or stays."""

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.unit.transport.published import INDEX, LOG, POINTS, STRANGER, Published, append
from vanta.common.canonical import sha256
from vanta.common.errors import Missing, OperatorError
from vanta.common.log import configure
from vanta.common.models.configuration import LinkSettings, NatsSettings, Settings, TransportSettings
from vanta.common.notify import Notifier
from vanta.common.outside.out import unwatched
from vanta.common.paths import CONTROLS_LEASE, OPERATOR_COMMANDS, OVERLAY, PORTFOLIO, TRADE_LOG, VAULTS, Home
from vanta.common.signatures import KEYS, Signer, first, successor, text_of
from vanta.common.signing_key import signer_of
from vanta.transport.core import streams
from vanta.transport.core.envelope import Foreign, Index, Piece, index_message, index_of, opened, sealed
from vanta.transport.core.inputs import name_of
from vanta.transport.core.table import NODES, checkpoints_of
from vanta.transport.daemon import Around
from vanta.transport.port import LinkDown, TooLarge
from vanta.transport.publishing import PublishDaemon
from vanta.transport.streamed import SILENT_S
from vanta.transport.wire import publisher


@pytest.fixture
def world(tmp_path: Path) -> Published:
    made = Published(tmp_path)
    made.there.file(PORTFOLIO).write_bytes(b'{"cash": "1"}')
    made.write(60, batch=15)
    return made


def test_the_replica_is_the_source(world: Published) -> None:
    """Byte for byte, each record once."""
    assert world.both() == ""
    assert world.replica() == world.log() == b"".join(world.pieces())
    assert len(world.pieces()) > 2
    assert world.replica(PORTFOLIO) == b'{"cash": "1"}'
    world.write(5)
    assert world.both() == ""
    assert world.replica() == world.log()


def test_what_is_there_is_not_published_again(world: Published) -> None:
    """Neither in the next turn nor by the next program."""
    world.publish()
    before = json.dumps({name: len(held) for name, held in world.bus.messages.items()})
    world.publish()
    world.republish()
    assert world.publish().news == {"index": 2}
    assert json.dumps({name: len(held) for name, held in world.bus.messages.items()}) == before


@pytest.mark.parametrize("takes_effect", [False, True])
def test_the_link_is_cut_at_each_call_of_the_publisher(tmp_path: Path, takes_effect: bool) -> None:
    """Before a message is stored, or after it while the answer is lost; every third time by a new program."""
    cut, more = 0, True
    while more:
        world = Published(tmp_path / str(cut))
        append(world, {"n": 1})
        append(world, {"long": "y" * 9000})
        world.bus.cut_in, world.bus.takes_effect = cut, takes_effect
        try:
            world.publisher.turn()
            more = False
        except LinkDown:
            cut += 1
        if cut % 3 == 0:
            world.republish()
        world.bus.cut_in = None
        world.publish()
        assert b"".join(world.pieces()) == world.log()
        assert world.both() == ""
        assert world.replica() == world.log()
    assert cut > 10


def test_the_link_is_cut_at_each_call_of_the_puller(world: Published) -> None:
    """What is adopted is a beginning of the source, each time."""
    world.publish()
    for cut in range(40):
        world.bus.cut_in = cut
        world.turn(3)
        assert world.log().startswith(world.replica())
    world.bus.cut_in = None
    world.turn(3)
    assert world.replica() == world.log()
    assert world.evidence() == []


@pytest.mark.parametrize("forged", [b"", b"no line of ours", b"{}\n",
                                    *(sealed(Piece(one.subject, 1, 0, b"x\n"), STRANGER) for one in (LOG, POINTS))])
def test_what_a_stranger_publishes_is_passed_over(world: Published, forged: bytes) -> None:
    """By readers and by the publisher, which goes on behind it."""
    for stream in (LOG, POINTS):
        world.forge(stream, forged)
    world.both()
    for number in range(3):
        for stream in (LOG, POINTS):
            world.forge(stream, forged)
        world.write(4)
        world.publish()  # takes note that its message was not the next one
        assert world.both() == "", number
        assert world.replica() == world.log()
    assert world.evidence() == []


def test_whoever_floods_a_stream_has_it_published_anew(world: Published) -> None:
    """The end of ours is not looked for without end."""
    world.both()
    for _ in range(25):
        world.forge(LOG, b"noise")
    world.write(1)
    world.publish()
    assert "somebody else has its certificate" in world.publish().problems.get(TRADE_LOG, "") or world.both() == ""
    world.both()
    assert world.replica() == world.log()


def spoiled(world: Published) -> dict[str, Callable[[Index], bytes]]:
    ours = signer_of(world.there)
    theirs, named = json.dumps(first(STRANGER.public)) + "\n", INDEX.subject
    return {
        "signed by a stranger": lambda one: index_message(one, INDEX.subject, STRANGER),
        "with a stranger's keys": lambda one: index_message(Index(one.at_ms, theirs, one.names), named, STRANGER),
        "for somebody else": lambda one: index_message(one, streams.index("executor", "markets").subject, ours),
        "changed": lambda one: index_message(one, INDEX.subject, ours).replace(b'"size":', b'"size":1', 1),
        "without a signature": lambda one: index_message(one, INDEX.subject, ours).replace(b',"sig"', b',"gis"', 1),
        "no index": lambda one: sealed(Piece(INDEX.subject, 0, one.at_ms, b"{"), ours),
        "nothing": lambda one: b"",
    }


@pytest.mark.parametrize("how", ["signed by a stranger", "with a stranger's keys", "for somebody else", "changed",
                                 "without a signature", "no index", "nothing"])
def test_a_forged_index(world: Published, how: str) -> None:
    """Is believed by nobody: the link is down, the replica stays, and the true one heals it."""
    assert world.both() == ""
    before = world.replica()
    index, _ = index_of(world.told(), INDEX.subject, world.pin)
    world.forge(INDEX, spoiled(world)[how](index))
    world.write(3)
    world.turn()
    assert "is refused" in world.link.down
    assert world.replica() == before
    world.publish()
    world.turn(5)
    assert world.link.down == ""
    assert world.replica() == world.log()


def test_an_older_index(world: Published) -> None:
    """A server that shows what it showed before is a link that is down."""
    world.both()
    old = world.told()
    world.write(1)
    world.both()
    world.forge(INDEX, old)
    world.turn()
    assert "went back" in world.link.down


def test_another_document_than_the_one_that_was_published(world: Published) -> None:
    """Has not the hash that the index names."""
    world.both()
    world.forge(streams.place("executor", PORTFOLIO), b'{"cash": "1000000"}')
    (world.landing.place.memory / PORTFOLIO).unlink()
    world.turn()
    assert "holds another document" in world.link.down
    assert world.replica(PORTFOLIO) == b""


def test_a_silent_publisher(world: Published) -> None:
    """What is there is adopted, and the link says how old it may be; an input by both clocks."""
    world.publish()
    world.turn(SILENT_S + 1)
    assert world.replica() == world.log()
    assert "has published nothing for 16 s" in world.link.down
    assert not world.heard()
    world.publish()
    world.turn()
    assert world.down() == ""
    assert world.heard()
    world.turn(SILENT_S - 1)
    assert world.down() == ""
    world.turn(1)
    assert world.link.down


def test_nothing_was_published(world: Published) -> None:
    """The link is down, in words that say what to look for."""
    world.turn()
    assert "has published nothing for alpha" in world.link.down
    assert world.streamed.stale() == ""


@pytest.mark.parametrize("spoil", ["cut", "forked"])
def test_a_log_that_is_no_longer_what_it_was(world: Published, spoil: str) -> None:
    """Is shown as it is, and refused as over every link; what was published before stays in the stream."""
    world.both()
    whole = world.log()
    lines = whole.splitlines(keepends=True)
    last = lines[-1].replace(b"Z", b"Y", 1) if spoil == "forked" else b""
    world.there.file(TRADE_LOG).write_bytes(b"".join(lines[:-1]) + last)
    assert "published anew" in world.publish().problems[TRADE_LOG]
    world.turn()
    assert ("made anew" if spoil == "forked" else "it was cut") in world.problem()
    assert world.replica() == whole
    assert world.evidence()
    assert b"".join(world.pieces())[:len(whole)] == whole
    world.republish()
    assert world.publish().problems == {}


def test_checkpoints_that_a_power_cut_took(world: Published) -> None:
    """They are never synced: others come in their place, published anew, and the log itself goes on."""
    for number in range(4):
        append(world, {"n": number})
    world.both()
    points = world.there.memory / checkpoints_of(TRADE_LOG)
    points.write_bytes(b"".join(points.read_bytes().splitlines(keepends=True)[:-2]))
    append(world, {"n": 5})
    assert world.both() == ""
    assert world.replica() == world.log()


def test_only_what_is_covered_is_published(world: Published) -> None:
    """What no checkpoint covers could still be taken back by a power cut."""
    world.write(3, batch=100)
    world.publish()
    assert b"".join(world.pieces()) == world.log()[:len(b"".join(world.pieces()))]
    assert len(b"".join(world.pieces())) <= len(world.log())


def test_a_stream_that_dropped_what_is_needed(world: Published) -> None:
    """It is said in words that name the way out, and nothing is adopted."""
    world.publish()
    del world.bus.messages[LOG.name][0]
    world.turn()
    assert "no longer in the stream" in world.problem()
    assert "over ssh or from a shared directory" in world.problem()
    assert world.replica() == b""


def test_a_server_that_lost_messages(world: Published) -> None:
    """The last of them: they are published again, once; until then what is missing is a broken link."""
    world.both()
    world.start()
    del world.bus.messages[LOG.name][-1]
    world.turn()
    assert "does not hold byte" in world.link.down
    world.republish()
    world.publish()
    world.turn(5)
    assert world.replica() == world.log() == b"".join(world.pieces())


def test_a_replica_that_is_ahead_of_a_new_stream(world: Published) -> None:
    """A server whose store is gone holds less than was adopted: that is no cut."""
    world.both()
    for held in world.bus.messages.values():
        held.clear()
    world.republish()
    world.bus.kept.pop(LOG.name)
    gone = world.bus.messages.pop(LOG.name)
    assert "no stream" in world.publish().problems[TRADE_LOG]
    world.turn()
    assert "cannot be published at the moment" in world.problem()
    world.bus.messages[LOG.name], world.bus.kept[LOG.name] = gone, -1
    assert world.both() == ""
    assert world.replica() == world.log()
    assert world.evidence() == []


def test_a_late_reader_is_rebuilt_from_any_place(world: Published, tmp_path: Path) -> None:
    """After hundreds of messages it asks for few: it halves."""
    for _ in range(50):
        world.write(5, batch=5)
        world.publish()
    world.turn()
    assert world.replica() == world.log()
    for size in (1, 5000, len(world.log()) - 7):
        world.start()
        before = world.bus.calls
        assert world.streamed.read(TRADE_LOG, size, 10) == world.log()[size:size + 10]
        assert world.bus.calls - before < 12


def test_inputs_go_first(world: Published) -> None:
    """What records rest on is there before they are; what the server does not take is missing, not in the way."""
    held, large = b"what it rested on", b"x" * 5000
    for raw in (held, large):
        world.snapshots.put(raw)
    append(world, {"a": sha256(held), "b": sha256(large), "c": "0" * 64})
    world.publish()
    assert world.streamed.read(name_of(sha256(held)), 0, 100) == held
    with pytest.raises(TooLarge):
        world.streamed.read(name_of(sha256(held)), 0, 5)
    with pytest.raises(Missing):
        world.streamed.read(name_of(sha256(large)), 0, 10_000)
    assert world.both() == ""


def test_a_line_longer_than_a_message(world: Published) -> None:
    """Crosses in parts, and a kill between two of them does no harm."""
    append(world, {"long": "y" * 600_000, "a": "0" * 64})
    world.bus.cut_in = 60
    world.publish()
    world.republish()
    append(world, {"b": "1" * 64})
    assert world.both() == ""
    assert world.replica() == world.log() == b"".join(world.pieces())


def test_a_document_that_the_server_does_not_take(world: Published) -> None:
    """Is named with the way out, at both ends."""
    world.there.file(PORTFOLIO).write_bytes(b"x" * 5000)
    assert "raise its max_payload" in world.publish().problems[PORTFOLIO]
    world.turn()
    assert "raise its max_payload" in world.problem(PORTFOLIO)
    with pytest.raises(TooLarge):
        world.streamed.stat(PORTFOLIO)


def test_controls_are_taken_away_with_their_file(tmp_path: Path) -> None:
    """At Alpha deleted is here deleted, which halts; one that is being replaced is never missing."""
    world = Published(tmp_path, "alpha", "executor")
    for name in (OVERLAY, VAULTS):
        world.there.file(name).write_bytes(b"{}")
    world.write(2, OPERATOR_COMMANDS)
    world.publish()
    world.turn()
    assert world.replica(OVERLAY) == b"{}"
    assert world.replica(OPERATOR_COMMANDS) == world.log(OPERATOR_COMMANDS)
    world.there.file(OVERLAY).write_bytes(b'{"a": 1}')
    world.publish()
    world.turn()
    assert world.replica(OVERLAY) == b'{"a": 1}'
    world.there.file(OVERLAY).unlink()
    world.publish()
    world.turn()
    assert not world.landing.place.file(OVERLAY).exists()
    assert world.replica(VAULTS) == b"{}"
    assert CONTROLS_LEASE in world.problem(CONTROLS_LEASE)


def test_before_everything_was_looked_at_nothing_is_told(tmp_path: Path) -> None:
    """A publisher that begins does not let a control seem to be gone."""
    world = Published(tmp_path, "alpha", "executor")
    world.there.file(OVERLAY).write_bytes(b"{}")
    world.bus.cut_in = 1
    with pytest.raises(LinkDown):
        world.publisher.turn()
    assert world.bus.messages[streams.index("alpha", "executor").name] == []


def test_a_new_key(world: Published) -> None:
    """Signs what follows; what the key before it has signed stands. A list that is shorter than before went back."""
    world.both()
    before = signer_of(world.there)
    key = Signer(b"n" * 32)
    said = successor(key.public, {"at": "2026-11-20T15:00:00.000Z", "by": "ann", "reason": "yearly"}, before)
    path = world.there.config / KEYS
    old = path.read_bytes()
    path.write_bytes(old + json.dumps(said).encode() + b"\n")
    (world.there.config / "credentials/audit/signing_key").write_text(text_of(b"n" * 32))
    world.write(3)
    assert world.both() == ""
    assert world.replica() == world.log()
    index, keys = index_of(world.told(), INDEX.subject, world.pin)
    assert keys == (before.public, key.public)
    world.forge(INDEX, index_message(Index(index.at_ms + 9, old.decode(), index.names), INDEX.subject, before))
    world.turn()
    assert "went back" in world.link.down
    with pytest.raises(Foreign, match="newest key"):
        index_of(index_message(index, INDEX.subject, before), INDEX.subject, world.pin)


def test_an_entry_that_cannot_be_read(world: Published) -> None:
    """The source's own words cross."""
    world.both()
    world.there.file(TRADE_LOG).unlink()
    world.there.file(TRADE_LOG).symlink_to(world.there.file(TRADE_LOG))
    assert "cannot be looked at" in world.publish().problems[TRADE_LOG]
    world.turn()
    assert world.problem()


def test_what_is_no_piece() -> None:
    """A message for another subject, changed, cut or signed by somebody else."""
    ours = Signer(b"o" * 32)
    piece = Piece("a.b", 3, 5, b"xyz")
    raw = sealed(piece, ours)
    assert opened(raw, "a.b", (ours.public,)) == piece
    assert piece.ends == 8
    for bad, subject in ((raw[:-1], "a.b"), (raw, "a.c"), (b"x" * 2000, "a.b"), (b"\xff\n", "a.b"),
                         (raw.replace(b'"at":5', b'"at":6'), "a.b"), (raw.replace(b"sig", b"gis"), "a.b")):
        with pytest.raises(Foreign):
            opened(bad, subject, (ours.public,))
    with pytest.raises(Foreign, match="stranger"):
        opened(raw, "a.b", (STRANGER.public,))


def test_who_may_do_what() -> None:
    """A node speaks on its own subjects only; nobody but the admin touches streams, and even that one empties none."""
    for node in NODES:
        speaks = [one for one in streams.may_publish(node) if not one.startswith("$JS.API.DIRECT.GET.")]
        assert speaks == [f"vanta.{node}.>"]
    assert not any(word in one for one in streams.may_publish(streams.ADMIN) for word in ("DELETE", "PURGE", ">"))
    assert streams.place("markets", KEYS).subject == "vanta.markets.documents.audit_keys-jsonl"
    asked = "$JS.API.DIRECT.GET.VANTA_alpha_controls.vanta.alpha.controls."
    assert {one.removeprefix(asked) for one in streams.may_publish("markets") if one.startswith(asked)} == {
        "vault-json", "vault_overlay-json"}


def test_streams_keep_what_was_published() -> None:
    """Logs are never dropped to make room; documents are their last message."""
    for node in NODES:
        for one in streams.configurations(node, max_age_s=5, replicas=3):
            assert one["deny_delete"]
            assert one["deny_purge"]
            assert one["num_replicas"] == 3
            log = one["max_msgs_per_subject"] == -1
            assert log == ("_log-" in one["name"] or "_points-" in one["name"])
            if log:
                assert (one["discard"], one["max_age"]) == ("new", 5_000_000_000)


def test_the_service_says_what_is_new(world: Published) -> None:
    """A cut link once, and that it is back; the watchdog is fed by turns that end; pauses grow, and end."""
    with ExitStack() as held, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(world.there.root / "notify"))
        log = held.enter_context(configure(world.there, "publish", world.clock))
        around = Around(clock=world.clock, log=log, notifier=Notifier(str(world.there.root / "notify")), watchdog_s=8.0)
        daemon = PublishDaemon(world.publisher, around, look_s=0.2)
        pauses = []
        for _ in range(6):
            world.bus.cut_in = 0
            pauses.append(daemon.turn())
        assert pauses == [0.2, 0.5, 1.0, 2.0, 2.0, 2.0]
        assert daemon.turn() == 0.2
        said = (world.there.logs / "publish.log").read_text()
        assert (said.count('"problem":'), said.count('"recovered"'), said.count('"link"')) == (1, 1, 2)
        assert ear.recv(100) == b"WATCHDOG=1"
        daemon.stop()
        daemon.run()
        assert ear.recv(100).startswith(b"READY=1")
        assert ear.recv(100) == b"STOPPING=1"
    world.publisher.close()


def test_without_a_server_there_is_nothing_to_publish_to(tmp_path: Path) -> None:
    """In words that name the setting; and hosts speak over mutual TLS only."""
    home = Home(tmp_path).prepare()
    with pytest.raises(OperatorError, match="no NATS server"):
        publisher(home, Settings.model_validate({"node": {"name": "alpha"}}), unwatched())
    with pytest.raises(ValueError, match="mutual TLS"):
        NatsSettings(servers=["nats://a:4222"], ca="a", certificate="b", key_file="c")
    with pytest.raises(ValueError, match=r"no \[transport.nats\]"):
        TransportSettings.model_validate({"alpha": {"kind": "nats", "key": "a"}})
    with pytest.raises(ValueError, match="needs key"):
        LinkSettings.model_validate({"kind": "nats"})
