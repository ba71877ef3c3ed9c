"""The markets daemon as a process: reacts to files, runs collectors beside itself, stops when told to."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import ROOT
from vanta.common.paths import Home

PATIENCE_S = 20.0

PROGRAM = '''
import json, sys
from vanta.common.clock import SystemClock
from vanta.common.errors import BadInput, StateError
from vanta.common.log import configure
from vanta.common.models.configuration import FeedSettings, MarketsSettings
from vanta.common.notify import Notifier
from vanta.common.paths import Home
from vanta.common.settings import notify_address, watchdog_s
from vanta.markets.daemon import Daemon, Parts
from pathlib import Path

plan = json.loads(sys.argv[1])
home = Home(Path(plan["home"])).prepare()
counts = {"reflect": 0, "promote": 0}

def step(name):
    def act():
        counts[name] += 1
        print(name, counts[name], flush=True)
        if plan.get(name) == "operator":
            if (home.root / "broken").exists():
                raise BadInput("not JSON", file="vault.json")
        if plan.get(name) == "state":
            raise StateError("the log is broken")
    return act

feeds = {feed: FeedSettings(enabled=feed in plan["feeds"], every_s=plan.get("every_s", 60))
         for feed in ("sec", "news", "reddit", "crypto", "prices")}
settings = MarketsSettings(feeds=feeds, reflect_every_s=plan.get("reflect_every_s", 60.0))
clock = SystemClock()
parts = Parts(home=home, settings=settings, clock=clock, log=configure(home, "markets", clock),
              notifier=Notifier(notify_address()), watchdog_s=watchdog_s(), reflect=step("reflect"),
              promote=step("promote"), collects=plan.get("collects", True),
              command=lambda feed: [sys.executable, "-c", plan["collector"], feed, plan["home"]])
Daemon(parts).run()
print("ended", flush=True)
'''


class Running:
    """A daemon under test, whose output is read line by line."""

    def __init__(self, process: "subprocess.Popen[bytes]", home: Home) -> None:
        self.process, self.home = process, home
        self._read = b""

    def line(self) -> str:
        """The next line it prints."""
        assert self.process.stdout is not None
        while b"\n" not in self._read:
            assert select.select([self.process.stdout], [], [], PATIENCE_S)[0], "it prints nothing"
            piece = os.read(self.process.stdout.fileno(), 4096)
            assert piece, "it has ended"
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def settle(self) -> None:
        """Read the first reflection and promotion."""
        assert [self.line(), self.line()] == ["reflect 1", "promote 1"]

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Tell it to end and return what it still printed."""
        self.process.send_signal(number)
        return (self._read + self.process.communicate(timeout=PATIENCE_S)[0]).decode()

    def log(self) -> list[dict[str, object]]:
        """The operational log so far."""
        file = self.home.logs / "markets.log"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Running] = []

    def begin(environment: dict[str, str] | None = None, **plan: object) -> Running:
        plan = {"home": str(tmp_path), "feeds": [], "collector": "", **plan}
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, json.dumps(plan)], cwd=ROOT,
                                   stdout=subprocess.PIPE, env={**os.environ, **(environment or {})})
        running.append(Running(process, Home(tmp_path)))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.process.communicate()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must come about; fail if it does not."""
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.01)


def save(path: Path, text: str) -> None:
    """Replace a file as programs do."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").rename(path)


@pytest.mark.parametrize(("name", "steps"), [
    ("sec_signals.json", ["reflect 2", "promote 2"]),
    ("crypto_signals.json", ["reflect 2", "promote 2"]),
    ("vault_overlay.json", ["reflect 2", "promote 2"]),
    ("vault.json", ["reflect 2", "promote 2"]),
    ("portfolio.json", ["promote 2"]),
    ("market_quotes.json", ["promote 2"]),
    ("trade_log.jsonl", ["promote 2"]),
])
def test_a_changed_file_leads_to_the_steps_that_depend_on_it(start: Start, name: str, steps: list[str]) -> None:
    """Signals, overlay and vaults are reflected on; holdings, quotes and the trade log are only promoted."""
    daemon = start()
    daemon.settle()
    save(daemon.home.file(name), "x")
    assert [daemon.line() for _ in steps] == steps
    assert daemon.stop() == "ended\n", "and to nothing else"


def test_files_that_are_none_of_its_inputs_change_nothing(start: Start) -> None:
    """Its own outputs and strangers wake it up at most."""
    daemon = start()
    daemon.settle()
    for name in ("trade_signals.json", "autotrade_queue.json", "stranger.json"):
        save(daemon.home.file(name), "x")
    save(daemon.home.file("sec_signals.json"), "x")
    assert [daemon.line(), daemon.line()] == ["reflect 2", "promote 2"]


def test_it_reflects_without_any_change_too(start: Start) -> None:
    """Evidence decays while nothing happens: it looks again after `reflect_every_s`."""
    daemon = start(reflect_every_s=0.05)
    daemon.settle()
    assert [daemon.line(), daemon.line()] == ["reflect 2", "promote 2"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_to(start: Start, number: int) -> None:
    """Cleanly, even with a collector that does not want to end; the collector is gone afterwards."""
    stubborn = ("import os, signal, sys, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
                "pathlib.Path(sys.argv[2], 'pid').write_text(str(os.getpid())); time.sleep(60)")
    daemon = start(feeds=["sec"], collector=stubborn)
    pid = daemon.home.root / "pid"
    until(lambda: pid.exists() and pid.read_text() != "")
    assert daemon.stop(number).endswith("ended\n")
    assert daemon.process.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert [line["event"] for line in daemon.log()] == ["started", "stopped"]


def test_collectors_run_on_schedule_and_never_overlap(start: Start) -> None:
    """A pass that takes longer than its interval is followed by the next one, not joined by it."""
    collector = ("import sys, time, pathlib; file = pathlib.Path(sys.argv[2], 'passes');"
                 "file.open('a').write('+'); time.sleep(0.4); file.open('a').write('-')")
    daemon = start(feeds=["news"], every_s=1, collector=collector)
    passes = daemon.home.root / "passes"
    until(lambda: passes.exists() and passes.read_text().count("-") >= 2)
    daemon.stop()
    assert passes.read_text().startswith("+-+-")


def test_only_enabled_feeds_are_collected(start: Start) -> None:
    """The others are left alone."""
    collector = "import sys, pathlib; pathlib.Path(sys.argv[2], 'feed-' + sys.argv[1]).touch()"
    daemon = start(feeds=["crypto", "prices"], collector=collector)
    until((daemon.home.root / "feed-prices").exists)
    daemon.stop()
    assert sorted(path.name for path in daemon.home.root.glob("feed-*")) == ["feed-crypto", "feed-prices"]


def test_where_cron_collects_the_daemon_does_not(start: Start) -> None:
    """It reflects on what others write, and starts nobody."""
    daemon = start(feeds=["sec"], every_s=1, collects=False, reflect_every_s=0.5,
                   collector="import pathlib, sys; pathlib.Path(sys.argv[2], 'feed-' + sys.argv[1]).touch()")
    daemon.settle()
    assert [daemon.line() for _ in range(6)][-1] == "promote 4"  # so long that a collector would have been started
    daemon.stop()
    assert not list(daemon.home.root.glob("feed-*"))
    assert daemon.log()[0]["feeds"] == []


def test_a_failing_collector_is_reported_and_waited_for(start: Start) -> None:
    """One line with the status and when it is tried again; what it printed is in its own log."""
    daemon = start(feeds=["sec"], every_s=1, collector="import sys; print('no contact', file=sys.stderr); sys.exit(78)")
    until(lambda: len(daemon.log()) >= 2)
    daemon.stop()
    problem = daemon.log()[1]
    assert [problem[key] for key in ("event", "feed", "status", "next_in_s")] == ["feed.problem", "sec", 78, 2]
    assert (daemon.home.logs / "sec.log").read_text() == "no contact\n"


def test_a_refused_collector_is_tried_again_at_its_usual_time(start: Start) -> None:
    """Nobody was asked, so nobody has to be spared: when calls are allowed again the feed is not an hour behind."""
    daemon = start(feeds=["sec"], every_s=3600, collector="import sys; sys.exit(5)")
    until(lambda: len(daemon.log()) >= 2)
    daemon.stop()
    problem = daemon.log()[1]
    assert [problem[key] for key in ("event", "status", "failures")] == ["feed.problem", 5, 0]
    assert int(str(problem["next_in_s"])) <= 3600


def test_input_that_a_person_must_correct_is_said_once(start: Start) -> None:
    """The loop goes on, complains once, and says when it is over."""
    daemon = start(reflect_every_s=0.02, reflect="operator")
    broken = daemon.home.root / "broken"
    broken.touch()
    until(lambda: any(line["event"] == "pass.failed" for line in daemon.log()))
    for _ in range(6):
        daemon.line()
    broken.unlink()
    until(lambda: any(line["event"] == "recovered" for line in daemon.log()))
    assert [line["event"] for line in daemon.log()] == ["started", "pass.failed", "recovered"]
    assert daemon.log()[1]["error"] == "vault.json: not JSON"


def test_broken_state_ends_the_program(start: Start) -> None:
    """A log that cannot be trusted is no weather to sit out."""
    daemon = start(reflect="state")
    assert daemon.line() == "reflect 1"
    daemon.process.communicate(timeout=PATIENCE_S)
    assert daemon.process.returncode != 0


@contextmanager
def inbox(folder: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(folder / "notify"))
        receiver.settimeout(PATIENCE_S)
        yield receiver


def test_systemd_hears_of_it(start: Start, tmp_path: Path) -> None:
    """Ready, signs of life from the loop, stopping."""
    with inbox(tmp_path) as receiver:
        daemon = start({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "150000"})
        assert receiver.recv(200).startswith(b"READY=1")
        assert [receiver.recv(200), receiver.recv(200)] == [b"WATCHDOG=1", b"WATCHDOG=1"]
        daemon.stop()
        heard = [receiver.recv(200)]
        while heard[-1] != b"STOPPING=1":
            heard.append(receiver.recv(200))
        assert set(heard[:-1]) <= {b"WATCHDOG=1"}
