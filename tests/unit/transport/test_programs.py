"""The programs around the links: what they say, when they end, and what they do not do on a single host."""

import io
import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import start
from tests.unit.transport.world import NOW, World
from vanta.common.cli import main
from vanta.common.clock import ManualClock, SystemClock
from vanta.common.errors import Bug, OperatorError, StateError
from vanta.common.events import LogEvent
from vanta.common.exitcodes import Exit
from vanta.common.log import Log, configure
from vanta.common.models.configuration import LinkSettings, Settings
from vanta.common.notify import Notifier
from vanta.common.outside.allowed import Allowed
from vanta.common.outside.ledger import NoLedger
from vanta.common.outside.out import Out, unwatched
from vanta.common.paths import CONTROLS_LEASE, OPERATOR_COMMANDS, OVERLAY, TRADE_LOG, Home
from vanta.common.store.inmemory import MemoryFiles
from vanta.common.store.lock import FileLock
from vanta.transport.cli import app
from vanta.transport.core.frames import Answer, Ask, Garbled, Stat, line
from vanta.transport.daemon import Around, Carrier, LeaseDaemon
from vanta.transport.inmemory import MemoryRemote
from vanta.transport.lease import LeaseWriter
from vanta.transport.serve import serve
from vanta.transport.wire import command, links, node_of, reader, witness
from vanta.transport.witness import EVERY_S, LONGEST_S, Witness


def run(*arguments: str) -> int:
    return main(app, program="vanta transport", arguments=list(arguments))


def configured(home: Home, text: str) -> Home:
    home.prepare()
    (home.config / "vanta.toml").write_text(text)
    return home


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An executor that has written three records, and Alpha configured to look at it through a shared folder."""
    made = World(tmp_path)
    made.write(3)
    configured(made.here, '[node]\nname = "alpha"\n[transport]\ntimeout_s = 60\n[transport.executor]\n'
               f'kind = "shared"\npath = "{made.there.root}"\n')
    return made


def test_the_table_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """For people and for programs: every row."""
    assert run("table") == 0
    assert "vault_overlay.json" in capsys.readouterr().out
    assert run("table", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {"file": OVERLAY, "from": "alpha", "to": ["executor", "markets"], "how": "document", "controls": True,
            "covered": False, "most_bytes": 256 << 10} in rows


def test_pull_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything is looked at once; the status says whether all of it is well."""
    home = ["--home", str(world.here.root)]
    assert run("pull", "--once", *home) == 0
    assert "executor: 2 files are new" in capsys.readouterr().out
    assert world.here.replica("executor").file(TRADE_LOG).read_bytes() == world.log()
    world.there.file(TRADE_LOG).write_bytes(world.log()[:-5])
    assert run("pull", "--once", "--json", *home) == Exit.PARTIAL
    said = json.loads(capsys.readouterr().out)
    assert "it was cut" in said["links"]["executor"]["problems"][TRADE_LOG]
    assert run("pull", "--once", *home) == Exit.PARTIAL
    assert "executor/trade_log.jsonl: " in capsys.readouterr().out


def test_one_puller_a_home(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It is the only writer of the replicas."""
    with FileLock(world.here.lock("transport"), owner="test", now=NOW):
        assert run("pull", "--once", "--home", str(world.here.root)) == Exit.TEMPORARY
    capsys.readouterr()


SINGLE = {"nothing": ("", "single host"), "no link": ('[node]\nname = "executor"\n', "no other node"),
          "a link that carries nothing": ('[node]\nname = "alpha"\n[transport.alpha]\nkind = "shared"\npath = "/x"\n',
                                          "nothing is carried from alpha to alpha")}


@pytest.mark.parametrize(("text", "words"), SINGLE.values(), ids=SINGLE)
def test_where_there_is_nothing_to_carry(tmp_path: Path, text: str, words: str,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    """The command says so, and what to set."""
    home = configured(Home(tmp_path / "home"), text)
    assert run("pull", "--once", "--home", str(home.root)) == Exit.CONFIG
    assert words in capsys.readouterr().err


def until_stopped(condition: Callable[[], bool]) -> threading.Thread:
    """Sends SIGTERM to this process once a condition holds."""
    def wait() -> None:
        while not condition():
            time.sleep(0.02)
        signal.raise_signal(signal.SIGTERM)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_pull_as_a_program(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Until SIGTERM; on Alpha a witness looks as well."""
    place = world.here.replica("executor")
    waiting = until_stopped(lambda: b"sound" in (place.root / "status.json").read_bytes()
                            if (place.root / "status.json").exists() else False)
    assert run("pull", "--home", str(world.here.root)) == 0
    waiting.join()
    assert capsys.readouterr().out == "transport stopped\n"
    assert (place.root / "checkpoints" / TRADE_LOG).exists()


def test_lease_as_a_program(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Until SIGTERM; one at a time."""
    waiting = until_stopped(world.here.file(CONTROLS_LEASE).exists)
    assert run("lease", "--home", str(world.here.root)) == 0
    waiting.join()
    assert capsys.readouterr().out == "lease stopped\n"


def test_only_alpha_says_leases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Anybody else's word would count for nothing."""
    home = configured(Home(tmp_path / "home"), '[node]\nname = "executor"\n')
    assert run("lease", "--home", str(home.root)) == Exit.CONFIG
    assert "Only Alpha" in capsys.readouterr().err


def test_serve_is_no_shell(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no question ends it; nodes have to be such."""
    assert run("serve", "--node", "executor", "--to", "executor", "--home", str(world.there.root)) == Exit.CONFIG
    assert run("serve", "--node", "x", "--to", "alpha", "--home", str(world.there.root)) == Exit.CONFIG
    capsys.readouterr()
    with pytest.raises(OperatorError):
        reader(world.there.root, "executor", "y")


@pytest.mark.parametrize("raw", [b"rm -rf /\n", b"x" * 5000 + b"\n", b'{"op":"stat"'])
def test_what_is_no_question(raw: bytes) -> None:
    """Is refused, and nothing is answered."""
    said = io.BytesIO()
    with pytest.raises(Garbled):
        serve(MemoryRemote("executor", "alpha"), io.BytesIO(raw), said)
    assert said.getvalue() == b""


def test_questions_are_answered_until_nobody_asks(world: World) -> None:
    """One line each, bytes behind it, faults in words."""
    said = io.BytesIO()
    asks = [Ask("stat", TRADE_LOG), Ask("read", TRADE_LOG, 0, 5), Ask("stat", OVERLAY), Ask("stat", "portfolio.json")]
    count = serve(reader(world.there.root, "executor", "alpha"), io.BytesIO(b"".join(map(line, asks))), said)
    assert count == 4
    lines = said.getvalue().split(b"\n")
    assert json.loads(lines[1])["size"] == 5
    assert b'"kind":"refused"' in lines[2]
    assert b'"kind":"missing"' in lines[3]


SERVE = """
import sys
from vanta.common.cli import main
from vanta.transport.cli import app
sys.exit(main(app, program="vanta transport", arguments=sys.argv[1:]))
"""


def test_serve_as_a_process(world: World) -> None:
    """On pipes, as at the end of a link; whoever asks goes away at any time."""
    process = start(SERVE, "serve", "--node", "executor", "--to", "alpha", "--home", str(world.there.root))
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line(Ask("stat", TRADE_LOG)).decode())
    process.stdin.flush()
    assert Answer(**{**json.loads(process.stdout.readline()), "stat": None}).kind == ""
    process.stdin.write("what?\n")
    process.stdin.close()
    assert process.wait(60) == Exit.USAGE
    process.stdout.close()


def test_links_of_a_node(world: World) -> None:
    """One for each configured node, to a replica of its own."""
    settings = Settings.model_validate({"node": {"name": "markets"}, "transport": {
        "alpha": {"kind": "shared", "path": "/mnt/alpha"}, "executor": {
            "kind": "ssh", "host": "executor.example", "port": 2222, "identity": "/k", "known_hosts": "/h"}}})
    found = list(links(world.here, settings, ManualClock(NOW), unwatched()))
    assert [link.source for link in found] == ["alpha", "executor"]
    with pytest.raises(OperatorError, match="single host"):
        node_of(Settings())
    words = command(world.here, LinkSettings(kind="ssh", host="h.example", port=2222, identity="/k", known_hosts="/h"),
                    "executor", "alpha", 5)
    assert words[0] == "ssh"
    assert words[words.index("-p") + 1] == "2222"
    assert "StrictHostKeyChecking=yes" in words
    assert "BatchMode=yes" in words
    assert words[words.index("--") + 1] == "h.example"
    assert (words[words.index("-i") + 1], "UserKnownHostsFile=/h" in words) == ("/k", True)


def test_keys_where_the_settings_name_none(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit has its own copy, and nobody else reads root's; by hand it is root's."""
    link = LinkSettings(kind="ssh", host="h.example")

    def words() -> list[str]:
        return command(world.here, link, "executor", "alpha", 5)

    config = world.here.config
    assert words()[words().index("-i") + 1] == str(config / "credentials" / "transport" / "key")
    assert f"UserKnownHostsFile={config / 'known_hosts'}" in words()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert words()[words().index("-i") + 1] == str(config / "credentials" / "transport" / "key")
    (tmp_path / "transport_key").write_text("a key")
    assert words()[words().index("-i") + 1] == str(tmp_path / "transport_key")


@pytest.mark.parametrize(("link", "words"), [
    ({"kind": "shared"}, "needs path"), ({"kind": "ssh"}, "needs host"),
    ({"kind": "ssh", "host": "-oProxyCommand=x", "identity": "/k", "known_hosts": "/h"}, "pattern"),
    ({"kind": "ssh", "host": "h", "user": "a b", "identity": "/k", "known_hosts": "/h"}, "pattern")])
def test_links_that_are_none(link: dict[str, str], words: str) -> None:
    """What is missing is named; a host that is an option is no host."""
    with pytest.raises(ValueError, match=words):
        LinkSettings.model_validate(link)


class Told:
    """Who hears what a daemon has to tell systemd."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(60)
        self.notifier = Notifier(str(path))

    def until(self, word: str) -> None:
        """Wait for a datagram."""
        while word not in self.socket.recv(4096).decode():
            pass


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """A socket as systemd's."""
    made = Told(tmp_path / "notify")
    yield made
    made.socket.close()


@pytest.fixture
def log(world: World) -> Iterator[Log]:
    """The transport's log."""
    with configure(world.here, "transport", SystemClock()) as made:
        yield made


def events(world: World) -> list[dict[str, str]]:
    """What was logged."""
    return [json.loads(one) for one in (world.here.logs / "transport.log").read_text().splitlines()]


def looks(path: Path, status: int) -> Witness:
    """A witness that only ends with a status."""
    return Witness([sys.executable, "-c", f"open({str(path)!r}, 'a').write('x'); raise SystemExit({status})"])


def test_the_puller_runs_until_it_is_told_to_stop(world: World, told: Told, log: Log, tmp_path: Path) -> None:
    """It says when it is ready and that it gets on, pulls, lets the witness look, and ends on SIGTERM."""
    class Counting(NoLedger):
        settled = 0

        def settle(self) -> None:
            self.settled += 1

    world.show()
    calls = Counting()
    carrier = Carrier([world.link], Around(clock=SystemClock(), log=log, notifier=told.notifier, watchdog_s=1.0,
                                           out=Out(Allowed.of([]), calls, SystemClock())),
                      {"executor": looks(tmp_path / "looked", 2)})

    def meanwhile() -> None:
        told.until("READY=1")
        told.until("WATCHDOG=1")
        world.remote.contents[TRADE_LOG] = world.remote.contents[TRADE_LOG][:-9]
        while not {"refused", "problem"} <= {one["event"] for one in events(world)} or not world.link.witnessed:
            told.until("WATCHDOG=1")
        world.remote.contents[TRADE_LOG] = world.log()
        while "recovered" not in {one["event"] for one in events(world)}:
            told.until("WATCHDOG=1")
        signal.raise_signal(signal.SIGTERM)

    thread = threading.Thread(target=meanwhile)
    before = signal.getsignal(signal.SIGTERM)
    thread.start()
    carrier.run()
    thread.join()
    told.until("STOPPING=1")
    assert signal.getsignal(signal.SIGTERM) is before
    assert world.replica() == world.log()
    assert (tmp_path / "looked").read_text()
    assert calls.settled > 0
    said = events(world)
    assert {"started", "refused", "problem", "recovered", "stopped"} <= {one["event"] for one in said}
    assert any(one.get("about") == "executor/witness" and "changed" in one["problem"] for one in said)


def test_a_disk_that_cannot_be_written_ends_the_puller(world: World, told: Told, log: Log) -> None:
    """What is not about one file of the other node is no problem to go on with."""
    world.show()
    (world.landing.place.root / "status.json").mkdir()
    carrier = Carrier([world.link], Around(clock=SystemClock(), log=log, notifier=told.notifier, watchdog_s=None))
    with pytest.raises(StateError, match="cannot be written"):
        carrier.run()


class FaultyRemote(MemoryRemote):
    """Raises what nobody foresaw."""

    def stat(self, name: str) -> Stat:
        """See `Remote.stat`."""
        raise ZeroDivisionError(name)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_link_that_ends_by_a_fault_ends_the_puller(world: World, told: Told, log: Log) -> None:
    """It does not go on with one link fewer and nobody the wiser."""
    world.remote = FaultyRemote("executor", "alpha")
    world.start()
    carrier = Carrier([world.link], Around(clock=SystemClock(), log=log, notifier=told.notifier, watchdog_s=None))
    with pytest.raises(Bug, match="the link to executor ended"):
        carrier.run()


def test_a_puller_that_was_stopped_before(world: World, told: Told, log: Log) -> None:
    """Ends at once."""
    carrier = Carrier([world.link], Around(clock=SystemClock(), log=log, notifier=told.notifier, watchdog_s=None))
    carrier.stop()
    carrier.run()
    assert world.remote.asked == []


def test_the_lease_is_said_until_it_is_told_to_stop(world: World, told: Told, log: Log) -> None:
    """And what keeps it from that is logged once, and over as soon as it is over."""
    files = MemoryFiles({OVERLAY: b"{}", OPERATOR_COMMANDS: b"{}\n"})
    daemon = LeaseDaemon(LeaseWriter(files, SystemClock(), by="test"),
                         Around(clock=SystemClock(), log=log, notifier=told.notifier, watchdog_s=0.5),
                         every_s=1, look_s=0.01)
    daemon.turn()
    daemon.turn()
    assert [one["event"] for one in events(world)] == [LogEvent.PROBLEM]
    files.remove(OPERATOR_COMMANDS)

    def meanwhile() -> None:
        told.until("READY=1")
        told.until("WATCHDOG=1")
        daemon.stop()

    thread = threading.Thread(target=meanwhile)
    thread.start()
    daemon.run()
    thread.join()
    assert files.exists(CONTROLS_LEASE)
    assert [one["event"] for one in events(world)] == ["problem", "started", "recovered", "stopped"]


def test_a_lease_without_a_watchdog(world: World, told: Told, log: Log) -> None:
    """Nobody is told that it gets on."""
    files = MemoryFiles()
    around = Around(clock=SystemClock(), log=log, notifier=told.notifier, watchdog_s=None)
    LeaseDaemon(LeaseWriter(files, SystemClock(), by="test"), around, every_s=1, look_s=1).turn()
    assert files.exists(CONTROLS_LEASE)


LONG = "import time; time.sleep(600)"


def test_the_witness_looks_now_and_then(tmp_path: Path) -> None:
    """At first, after news, and not more often than every few seconds; what is sound is said and not logged."""
    said: list[str] = []
    one = looks(tmp_path / "looked", 0)
    one.turn(100.0, said.append)
    while one.looks():
        one.turn(101.0, said.append)
    assert one.said == "sound"
    one.want()
    one.turn(100.0 + EVERY_S - 1, said.append)
    assert not one.looks()
    one.turn(100.0 + EVERY_S, said.append)
    assert one.looks()
    one.close()
    assert not one.looks()
    assert said == []


def test_a_look_that_does_not_end(tmp_path: Path) -> None:
    """Is ended, and it could not be told."""
    said: list[str] = []
    one = Witness([sys.executable, "-c", LONG])
    one.turn(0.0, said.append)
    one.turn(LONGEST_S - 1, said.append)
    assert said == []
    one.turn(LONGEST_S, said.append)
    assert said == ["it could not be told (status None)"]
    one.close()


def test_a_witness_that_cannot_be_started() -> None:
    """Is said as well."""
    one = Witness(["/nowhere/vanta"])
    one.turn(0.0, lambda said: None)
    assert "could not be told: No such file" in one.said


def test_the_witness_is_alphas_own_command(world: World) -> None:
    """On the replica, which is a home."""
    words = witness(world.here, "executor")._command
    assert str(world.here.replica("executor").root) in words
    assert "witness" in words
