"""One suite for every adapter of the transport's port: a link shows what there is, and nothing that the table hides."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conformance.transport.sshd import forced_serve, sshd, why_not
from vanta.common.canonical import sha256
from vanta.common.clock import SystemClock
from vanta.common.errors import Missing, StateError
from vanta.common.models.configuration import LinkSettings
from vanta.common.paths import PERMIT, PORTFOLIO, PROMOTION_LOG, TRADE_LOG, VAULTS, Home
from vanta.common.signatures import KEYS
from vanta.common.signing_key import signer_of
from vanta.common.store import segments
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.journal import FileJournal
from vanta.common.store.snapshot import FileSnapshots
from vanta.transport.core.inputs import name_of
from vanta.transport.core.table import checkpoints_of, names
from vanta.transport.inmemory import MemoryRemote
from vanta.transport.pipe import PipeRemote
from vanta.transport.port import LinkDown, Refused, Remote, TooLarge, WasCut
from vanta.transport.reading import HomeReader
from vanta.transport.wire import command

HERE = Home(Path("/nowhere"))
"""Who asks: it says where its own key lies, unless the link does."""

INPUT = b"what a decision rested on"
POINTS = checkpoints_of(TRADE_LOG)


def made(place: Path) -> Home:
    """An executor's home with a log of two days, of which the first is sealed, and a document."""
    home = Home(place).prepare()
    FileJournal.least = 1
    try:
        with closing(FileJournal(home.file(TRADE_LOG), signer=signer_of(home), daily=True)) as journal:
            for day in (20, 21):
                for number in range(3):
                    journal.append("control.seen", {"n": number, "sha256": sha256(INPUT)},
                                   at=f"2026-11-{day}T15:00:00.000Z")
                    journal.sync()
    finally:
        FileJournal.least = 64 << 10
    home.file(PORTFOLIO).write_bytes(b'{"cash": "1"}')
    home.file(PERMIT).write_bytes(b"x")
    FileSnapshots(home.snapshots).put(INPUT)
    return home


def whole(home: Home) -> bytes:
    """The log as one stream."""
    pieces = sorted((home.memory / "segments" / TRADE_LOG).glob("*.jsonl"))
    assert len(pieces) == 1
    return pieces[0].read_bytes() + home.file(TRADE_LOG).read_bytes()


def shown(home: Home) -> HomeReader:
    """A home as Alpha may see it."""
    return HomeReader(home, "executor", "alpha", FileSnapshots(home.snapshots))


class RemoteSuite:
    """What every link has to do. Subclasses give `remote`, which shows `home` to Alpha."""

    @pytest.fixture
    def home(self, tmp_path: Path) -> Home:
        """The other node's home."""
        return made(tmp_path / "there")

    def test_a_document_is_read_whole(self, remote: Remote, home: Home) -> None:
        """With its hash, so that one that did not change need not travel."""
        raw = home.file(PORTFOLIO).read_bytes()
        stat = remote.stat(PORTFOLIO)
        assert (stat.size, stat.sha256) == (len(raw), sha256(raw))
        assert remote.read(PORTFOLIO, 0, 100) == raw

    def test_a_document_that_is_larger_than_asked_for(self, remote: Remote) -> None:
        """Is not read in part."""
        with pytest.raises(TooLarge, match="at most 5"):
            remote.read(PORTFOLIO, 0, 5)

    def test_a_log_is_one_stream(self, remote: Remote, home: Home) -> None:
        """Whatever was sealed since: positions count from its first record, and pieces break anywhere."""
        raw = whole(home)
        stat = remote.stat(TRADE_LOG)
        assert (stat.size, stat.sha256, stat.first, stat.start) == (len(raw), None, 1, 0)
        assert remote.read(TRADE_LOG, 0, 10_000) == raw
        assert remote.read(TRADE_LOG, 7, 11) == raw[7:18]
        assert remote.read(TRADE_LOG, len(raw) - 3, 10) == raw[-3:]
        assert remote.read(TRADE_LOG, len(raw), 10) == b""

    def test_a_position_beyond_the_end(self, remote: Remote, home: Home) -> None:
        """Means that the log was cut: an error of its own kind, for a log and its checkpoints."""
        with pytest.raises(WasCut, match="fewer than"):
            remote.read(TRADE_LOG, len(whole(home)) + 1, 10)
        with pytest.raises(WasCut, match="fewer than"):
            remote.read(POINTS, remote.stat(POINTS).size + 1, 10)

    def test_checkpoints_are_one_stream(self, remote: Remote) -> None:
        """Six records, each signed for, over both pieces, none of them twice."""
        raw = remote.read(POINTS, 0, 100_000)
        assert raw.count(b"\n") == len(set(raw.split(b"\n")[:-1])) == 6
        assert remote.stat(POINTS).size == len(raw)
        assert remote.read(POINTS, 10, 20) == raw[10:30]

    def test_inputs_are_read_by_their_hash(self, remote: Remote) -> None:
        """Whole, or not at all; no other name leads into their store."""
        name = name_of(sha256(INPUT))
        assert remote.read(name, 0, 100) == INPUT
        with pytest.raises(TooLarge):
            remote.read(name, 0, 5)
        with pytest.raises(Missing):
            remote.read(name_of("0" * 64), 0, 5)
        with pytest.raises(Refused):
            remote.read("snapshots/../dispatch.permit", 0, 5)

    def test_keys_are_shown(self, remote: Remote, home: Home) -> None:
        """The public list lies in `config/`, the private key beside it does not cross."""
        assert remote.read(KEYS, 0, 10_000) == (home.config / KEYS).read_bytes()

    @pytest.mark.parametrize("name", [PERMIT, VAULTS, PROMOTION_LOG, "../config/vanta.toml", "/etc/passwd", "",
                                      "x" * 3000, "checkpoints/../dispatch.permit",
                                      "config/credentials/audit/signing_key"])
    def test_what_the_table_does_not_name(self, remote: Remote, name: str) -> None:
        """Cannot be asked for, and the link goes on."""
        with pytest.raises(Refused):
            remote.stat(name)
        with pytest.raises(Refused):
            remote.read(name, 0, 100)
        assert remote.stat(PORTFOLIO).size

    def test_missing(self, absent: Remote) -> None:
        """A file that is not there is never an empty one."""
        for name in (PORTFOLIO, TRADE_LOG):
            with pytest.raises(Missing):
                absent.stat(name)
            with pytest.raises(Missing):
                absent.read(name, 0, 10)


class TestHomeReader(RemoteSuite):
    """A home without a link in between."""

    @pytest.fixture
    def remote(self, home: Home) -> Remote:
        """Its reader."""
        return shown(home)

    @pytest.fixture
    def absent(self, tmp_path: Path) -> Remote:
        """Of a home without files."""
        return shown(Home(tmp_path / "empty"))


class TestMemoryRemote(RemoteSuite):
    """The twin."""

    @pytest.fixture
    def remote(self, home: Home) -> Remote:
        """With the same contents."""
        remote, source = MemoryRemote("executor", "alpha"), shown(home)
        remote.contents = {name: source.read(name, 0, 1 << 20) for name in (TRADE_LOG, POINTS, PORTFOLIO, KEYS,
                                                                               name_of(sha256(INPUT)))}
        return remote

    @pytest.fixture
    def absent(self) -> Remote:
        """Without contents."""
        return MemoryRemote("executor", "alpha")



class TestSharedDirectory(RemoteSuite):
    """Our own `serve` on a folder."""

    @pytest.fixture
    def remote(self, home: Home) -> Iterator[Remote]:
        """A child on the other home."""
        link = LinkSettings(kind="shared", path=str(home.root))
        with closing(PipeRemote(command(HERE, link, "executor", "alpha", 20), timeout_s=20)) as found:
            yield found

    @pytest.fixture
    def absent(self, tmp_path: Path) -> Iterator[Remote]:
        """A child on an empty one."""
        link = LinkSettings(kind="shared", path=str(tmp_path / "empty"))
        with closing(PipeRemote(command(HERE, link, "executor", "alpha", 20), timeout_s=20)) as found:
            yield found


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")
class TestSsh(RemoteSuite):
    """`ssh` to a real server on loopback, whose key has a forced command."""

    @pytest.fixture
    def remote(self, home: Home, tmp_path: Path) -> Iterator[Remote]:
        """Over loopback."""
        with (sshd(tmp_path / "ssh", forced_serve(home.root, "executor", "alpha")) as server,
              closing(PipeRemote(command(HERE, server.link(), "executor", "alpha", 20), timeout_s=20)) as found):
            yield found

    @pytest.fixture
    def absent(self, tmp_path: Path) -> Iterator[Remote]:
        """To a host whose home is empty."""
        with (sshd(tmp_path / "ssh", forced_serve(tmp_path / "empty", "executor", "alpha")) as server,
              closing(PipeRemote(command(HERE, server.link(), "executor", "alpha", 20), timeout_s=20)) as found):
            yield found

    def test_another_host_key_is_not_believed(self, remote: Remote, tmp_path: Path) -> None:
        """Whoever answers at that address has to be the host that was meant."""
        del remote
        known = tmp_path / "ssh" / "known_hosts"
        stranger = (tmp_path / "ssh" / "key.pub").read_text()
        known.write_text(f"{known.read_text().split()[0]} {stranger}")
        link = LinkSettings(kind="ssh", host="127.0.0.1", port=int(known.read_text().split(":")[1].split()[0]),
                            identity=str(tmp_path / "ssh" / "key"), known_hosts=str(known), user="root")
        with closing(PipeRemote(command(HERE, link, "executor", "alpha", 20), timeout_s=20)) as found, \
                pytest.raises(LinkDown, match="verification failed"):
            found.stat(PORTFOLIO)


def fake(code: str, timeout_s: float = 20) -> PipeRemote:
    """A link to a child of our own making."""
    return PipeRemote([sys.executable, "-c", code], timeout_s=timeout_s)


ODD = {
    "a greeting": ("print('Welcome to host', flush=True); input()", "not an answer"),
    "an endless line": ("import sys; sys.stdout.write('x' * 10000); sys.stdout.flush(); input(); input()", "no end"),
    "an end": ("import sys; input(); sys.exit('no route to host')", "the link ended: no route to host"),
    "more than asked for": ("input(); print('{\"size\":99}', flush=True); input()", "99 bytes are announced"),
    "half a body": ("input(); print('{\"size\":9}', flush=True); print('abc', end='', flush=True)", "the link ended"),
}


@pytest.mark.parametrize(("code", "words"), ODD.values(), ids=ODD)
def test_a_link_that_talks_nonsense(code: str, words: str) -> None:
    """Is down, says why, and is begun anew by the next question."""
    with closing(fake(code)) as remote:
        for _ in range(2):
            with pytest.raises(LinkDown, match=words):
                remote.read(PORTFOLIO, 0, 10)


def test_an_answer_without_what_was_asked_for() -> None:
    """A stat without a stat."""
    with closing(fake("input(); print('{}', flush=True); input()")) as remote, pytest.raises(LinkDown, match="without"):
        remote.stat(PORTFOLIO)


def test_a_link_that_hangs_is_bounded() -> None:
    """A mount that does not answer hangs its reader, never whoever asks; the reader is ended."""
    with closing(fake("import time; time.sleep(600)", timeout_s=0.3)) as remote:
        with pytest.raises(LinkDown, match="no answer within"):
            remote.stat(PORTFOLIO)
        assert remote._child is None
        assert remote._left == []


class HastyClock(SystemClock):
    """A second passes whenever somebody looks."""

    def __init__(self) -> None:
        self._looks = 0.0

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        self._looks += 1
        return self._looks


def test_a_link_that_drips_is_bounded() -> None:
    """A byte now and then is no progress: the whole answer has one deadline."""
    drip = "import time\nwhile True: print('x', end='', flush=True); time.sleep(0.001)"
    with (closing(PipeRemote([sys.executable, "-c", drip], timeout_s=5, clock=HastyClock())) as remote,
          pytest.raises(LinkDown, match="no answer within 5 s")):
        remote.stat(PORTFOLIO)


def test_a_program_that_is_not_there() -> None:
    """The client may not be installed."""
    with closing(PipeRemote(["/nowhere/ssh"], timeout_s=1)) as remote, pytest.raises(LinkDown, match="cannot be st"):
        remote.stat(PORTFOLIO)


def test_a_sealed_piece_that_was_packed(tmp_path: Path) -> None:
    """The stream is the same whichever form a piece has."""
    home = made(tmp_path / "there")
    before = whole(home)
    segments.pack(segments.sealed(home.file(TRADE_LOG))[0])
    reader = shown(home)
    assert reader.read(TRADE_LOG, 0, 100_000) == before
    assert reader.stat(TRADE_LOG).size == len(before)


def test_a_log_that_cannot_be_looked_at(tmp_path: Path) -> None:
    """A loop of links in its place is an error, not an absence; and so is a folder where a document should be."""
    home = Home(tmp_path / "there").prepare()
    home.file(TRADE_LOG).symlink_to(home.file(TRADE_LOG))
    home.file(PORTFOLIO).mkdir()
    reader = shown(home)
    for name in (TRADE_LOG, PORTFOLIO):
        with pytest.raises(StateError):
            reader.stat(name)


def test_a_log_whose_written_file_is_just_being_made(tmp_path: Path) -> None:
    """Between sealing and the new file there are only pieces: the stream ends with them."""
    home = made(tmp_path / "there")
    last = home.file(TRADE_LOG).read_bytes()
    before = whole(home)
    home.file(TRADE_LOG).unlink()
    reader = shown(home)
    assert reader.stat(TRADE_LOG).size == len(before) - len(last)
    (home.memory / FOLDER / TRADE_LOG).unlink()
    assert reader.read(POINTS, 0, 100_000).count(b"\n") == 3


def test_every_name_of_the_twin_is_one_of_the_table() -> None:
    """The twin lets itself be asked for exactly what the table names."""
    remote = MemoryRemote("markets", "alpha")
    for name in names("markets", "alpha"):
        with pytest.raises(Missing):
            remote.stat(name)
