"""Executor and Alpha over a real NATS server with the shipped configuration; links, programs and server are cut."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from scripts.make_nats import CONFIGURATION, written
from tests.conformance.transport.nats_server import SERVER, WAY, Nats, Wire, nats_server, why_not
from tests.processes import ROOT
from vanta.common.clock import SystemClock
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.outside.allowed import Allowed
from vanta.common.outside.ledger import MemoryLedger
from vanta.common.outside.out import Out, unwatched
from vanta.common.paths import PORTFOLIO, TRADE_LOG, Home
from vanta.common.settings import load
from vanta.common.signatures import Signer, fingerprint
from vanta.common.signing_key import signer_of
from vanta.common.store.journal import FileJournal
from vanta.transport.bus import Conflict, Message, NotTaken, Way
from vanta.transport.core import streams
from vanta.transport.core.envelope import Piece, opened, sealed
from vanta.transport.core.table import NODES
from vanta.transport.port import LinkDown
from vanta.transport.puller import Link
from vanta.transport.wire import bus, links, publisher

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")

VANTA = [sys.executable, "-m", "vanta.suite.dispatch", "transport"]
LOG = streams.place("executor", TRADE_LOG)
STREAMS = sum(1 for node in NODES for _ in streams.configurations(node))
BOUND_S = 60.0


class Hosts:
    """Two homes and the server between them, over a wire that is cut."""

    def __init__(self, folder: Path, server: Nats, held: ExitStack) -> None:
        self.server, self.held = server, held
        self.there, self.here = Home(folder / "executor").prepare(), Home(folder / "alpha").prepare()
        self.wire = held.enter_context(closing(Wire(server.port)))
        self.write(1)
        self.pin = fingerprint(signer_of(self.there).public)
        self.configure(self.there, "executor", "")
        self.configure(self.here, "alpha", f'[transport.executor]\nkind = "nats"\nkey = "{self.pin}"')
        self.there.file(PORTFOLIO).write_bytes(b'{"cash": "1"}')

    def configure(self, home: Home, node: str, more: str) -> None:
        """Its settings, with its own certificate."""
        access = self.server.access(node, self.wire.port).model_dump()
        words = "\n".join(f"{name} = {json.dumps(value)}" for name, value in access.items())
        (home.config / "vanta.toml").write_text(f'[node]\nname = "{node}"\n[transport]\ntimeout_s = 3\nlogs_s = 0.2\n'
                                                f"[transport.nats]\n{words}\n{more}\n")

    def write(self, count: int, size: int = 200_000) -> None:
        """Records of so many bytes, signed for."""
        with closing(FileJournal(self.there.file(TRADE_LOG), signer=signer_of(self.there), daily=True)) as journal:
            for number in range(count):
                journal.append("control.seen", {"n": number, "long": "y" * size}, at="2026-11-20T15:00:00.000Z")
            journal.sync()

    def log(self) -> bytes:
        """The source."""
        return self.there.file(TRADE_LOG).read_bytes()

    def replica(self) -> bytes:
        """What Alpha holds of it."""
        path = self.here.replica("executor").file(TRADE_LOG)
        return path.read_bytes() if path.exists() else b""

    def stored(self) -> list[bytes]:
        """Every piece of the log that the server holds, in order."""
        found, seq = list[Message](), 1
        with closing(bus(self.here, self.server.settings("alpha"), "alpha", WAY)) as server:
            while more := server.from_seq(LOG, seq, count=64, most=1 << 20):
                found += more
                seq = found[-1].seq + 1
        return [opened(one.body, LOG.subject, (signer_of(self.there).public,)).body for one in found]

    def publish(self) -> list[str]:
        """With a new program, whatever keeps it. Returns how often it was cut."""
        cuts, more = list[str](), True
        with closing(publisher(self.there, load(self.there), unwatched())) as one:
            while more:
                assert len(cuts) < 20, cuts
                try:
                    more = one.turn().more
                except LinkDown as error:
                    cuts.append(error.what)
                    self.wire.heal()
        return cuts

    def link(self) -> Link:
        """Alpha's."""
        return next(iter(links(self.here, load(self.here), SystemClock(), unwatched())))

    def pull(self) -> None:
        """Until everything is here."""
        with closing(self.link()) as link:
            until(lambda: (link.turn(SystemClock()), self.replica() == self.log())[1])
            assert link.down == ""

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """A command to its end."""
        return subprocess.run([*VANTA, *words], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nats]:
    """One of its own, with its streams."""
    with nats_server(tmp_path / "nats") as made:
        made.make_streams()
        yield made


@pytest.fixture
def two(tmp_path: Path, server: Nats) -> Iterator[Hosts]:
    """Both hosts."""
    with ExitStack() as held:
        yield Hosts(tmp_path, server, held)


def until(condition: Callable[[], object]) -> None:
    """Wait for it, generously."""
    ends = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_the_link_is_cut_in_the_middle_of_a_batch(two: Hosts) -> None:
    """For the publisher and for the puller: byte for byte, each record once, nothing adopted that is not verified."""
    for after in (10_000, 350_000, 800_000):
        two.write(5)
        two.wire.cut_after(up=after)
        assert two.publish()
        assert b"".join(two.stored()) == two.log()
    assert two.wire.cuts >= 3
    for after in (5_000, 400_000, 900_000, 1_700_000):
        two.wire.cut_after(down=after)
        with closing(two.link()) as link:
            until(lambda link=link: (link.turn(SystemClock()), link.down)[1])  # type: ignore[misc]
            assert two.log().startswith(two.replica())
            assert link.files[TRADE_LOG].problem == ""
    assert two.wire.cuts >= 7
    two.wire.heal()
    two.pull()
    assert (two.here.replica("executor").file(PORTFOLIO)).read_bytes() == b'{"cash": "1"}'


def test_publisher_and_server_are_killed(two: Hosts) -> None:
    """`kill -9` at any moment: each record is stored once, and a replica that was deleted is rebuilt."""
    with closing(bus(two.here, two.server.settings("alpha"), "alpha", WAY)) as looking:
        for kill_server in (False, True):
            before = looking.from_seq(LOG, 1, count=500, most=9 << 20)
            two.write(6)
            process = subprocess.Popen([*VANTA, "publish", "--home", str(two.there.root)], cwd=ROOT)
            try:
                until(lambda before=before: looking.from_seq(LOG, len(before) + 1, count=1, most=1))  # type: ignore[misc]
                if kill_server:
                    two.server.kill()
                    two.server.again()
                    until(lambda: b"".join(two.stored()) == two.log())
            finally:
                process.kill()
                process.wait()
    assert two.run("publish", "--once", "--home", str(two.there.root)).returncode == 0
    assert b"".join(two.stored()) == two.log()
    done = two.run("pull", "--once", "--home", str(two.here.root))
    assert "files are new" in done.stdout, done.stdout + done.stderr
    for path in two.here.replica("executor").memory.rglob("*.jsonl"):
        path.unlink()
    two.pull()


def test_who_is_not_let_in(two: Hosts, tmp_path: Path) -> None:
    """The shipped configuration refuses another's subjects, another authority, nobody, and whoever empties a stream."""
    two.publish()
    settings = two.server.settings
    with closing(bus(two.here, settings("markets"), "markets", WAY)) as markets:
        for act in (lambda: markets.publish(LOG, b"forged"), lambda: markets.last(streams.place("markets", TRADE_LOG)),
                    lambda: markets.last(streams.index("executor", "alpha")),
                    lambda: markets.ensure(next(streams.configurations("markets")))):
            with pytest.raises(LinkDown, match=r"(?i)permissions violation"):
                act()
    script = ROOT / "deploy" / "nats" / "certificates.sh"
    subprocess.run([script, tmp_path / "others", "localhost"], check=True)
    pair = (str(tmp_path / "others" / "executor.crt"), str(tmp_path / "others" / "executor.key"))
    with closing(bus(two.here, settings("executor"), "executor", WAY, pair)) as one, pytest.raises(LinkDown):
        one.last(LOG)
    with closing(bus(two.here, settings("executor"), "executor", WAY, ("/nowhere", "/nowhere"))) as one, \
            pytest.raises(LinkDown, match="cannot be used"):
        one.last(LOG)
    assert b"".join(two.stored()) == two.log()


def test_a_stranger_with_a_stolen_certificate(two: Hosts) -> None:
    """Is let in by the server, and refused by everybody who reads: nothing of it is adopted."""
    two.publish()
    stranger = Signer(b"s" * 32)
    with closing(bus(two.here, two.server.settings("executor"), "executor", WAY)) as thief:
        with pytest.raises(Conflict):
            thief.publish(LOG, b"x", after=0)
        for body in (b"x", sealed(Piece(LOG.subject, 1, 0, b'{"seq":1}\n'), stranger)):
            thief.publish(LOG, body)
        thief.publish(streams.place("executor", PORTFOLIO), b'{"cash": "1000000"}')
        with pytest.raises(NotTaken, match="takes"):
            thief.publish(LOG, b"x" * (9 << 20))
        assert thief.publish(LOG, b"y", name="a") == thief.publish(LOG, b"z", name="a")
    with closing(two.link()) as link:
        link.turn(SystemClock())
        assert "holds another document" in link.down
    two.write(1)
    two.publish()
    two.pull()
    assert (two.here.replica("executor").file(PORTFOLIO)).read_bytes() == b'{"cash": "1"}'


def test_streams_are_made_by_the_command(tmp_path: Path) -> None:
    """By the admin's certificate and no other's; before, the publisher says what is missing."""
    with nats_server(tmp_path / "nats") as server, ExitStack() as held:
        two = Hosts(tmp_path, server, held)
        home, certs = ("--home", str(two.there.root)), tmp_path / "nats" / "certs"
        done = two.run("publish", "--once", *home)
        assert done.returncode == Exit.PARTIAL
        assert "vanta transport streams" in done.stdout
        refused = two.run("streams", *home, "--certificate", str(certs / "markets.crt"), "--key-file",
                          str(certs / "markets.key"))
        assert refused.returncode == Exit.PARTIAL
        assert "permissions violation" in refused.stdout.lower()
        admin = ("--certificate", str(certs / "admin.crt"), "--key-file", str(certs / "admin.key"))
        assert two.run("streams", *home, *admin).stdout.count(": made") == STREAMS
        assert two.run("streams", *home, *admin, "--max-age-days", "30").stdout.count(": is there") == STREAMS
        assert two.run("publish", "--once", *home).returncode == 0
        server.kill()
        down = two.run("pull", "--once", "--home", str(two.here.root))
        assert down.returncode == Exit.PARTIAL
        assert "executor: " in down.stdout


def test_the_shipped_configuration(tmp_path: Path) -> None:
    """Says for each node what the table says, no more; the real server takes it."""
    text = CONFIGURATION.read_text()
    assert text == written(), "run `python -m scripts.make_nats`"
    assert text.count("CN=") == len(NODES) + 1
    (tmp_path / "vanta.conf").write_text(text.replace("/etc/nats", str(tmp_path)))
    subprocess.run([ROOT / "deploy" / "nats" / "certificates.sh", tmp_path, "localhost"], check=True)
    assert SERVER is not None
    subprocess.run([SERVER, "-t", "-c", tmp_path / "vanta.conf"], check=True, capture_output=True)


def test_each_connection_leaves_its_lines_and_a_server_off_the_list_sees_none(two: Hosts) -> None:
    """Opened and closed with its bytes; refused by the list, by the library behind it, and by a server that is gone."""
    two.publish()
    ledger, out = MemoryLedger(), list[Out]()
    for allowed in (Allowed.of([]), Allowed.of([], here=False)):
        out.append(Out(allowed, ledger, SystemClock(), purpose="other"))
    settings = two.server.settings("alpha")
    with closing(bus(two.here, settings, "alpha", Way(out[0], "link:executor"))) as one:
        one.last(streams.index("executor", "alpha"))
    assert [(call.kind, call.status, call.purpose) for call in ledger.calls] == [
        (Kind.CALL_OPENED, "opened", "link:executor"), (Kind.CALL_CLOSED, "closed", "link:executor")]
    size = ledger.calls[-1].size
    assert size is not None
    assert size > 0
    with closing(bus(two.here, settings, "alpha", Way(out[1], "link:executor"))) as one, \
            pytest.raises(LinkDown, match="not among the hosts"):
        one.last(streams.index("executor", "alpha"))
    assert [call.status for call in ledger.calls[2:]] == ["off_list"]
    two.server.kill()
    with closing(bus(two.here, settings, "alpha", Way(out[0], "link:executor"))) as one, pytest.raises(LinkDown):
        one.last(streams.index("executor", "alpha"))
    two.server.again()
    assert [(call.kind, call.status) for call in ledger.calls[3:]] == [(Kind.CALL_MADE, "refused")]
