"""Collecting as real processes: killed between any two steps, side by side, stopped from outside."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from tests.processes import ROOT, run
from tests.unit.markets.payloads import NOW, rss
from vanta.common.models.signal import FeedDocument
from vanta.common.paths import COLLECTION_LOG, Home
from vanta.common.store.document import load
from vanta.common.store.files import FolderFiles
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock
from vanta.common.times import parse_iso

PATIENCE_S = 30.0

KILLED = '''
import json, os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from tests.unit.markets.claims import NOW
from tests.unit.markets.feeds import ToyCollector, payload
from vanta.common.models.configuration import FeedSettings
from vanta.common.paths import COLLECTION_LOG, Home
from vanta.common.store.files import FolderFiles
from vanta.common.store.snapshot import FileSnapshots
from vanta.common.store.storage import DURABLE
from vanta.common.clock import ManualClock
from vanta.markets.collect import Ports, Task, run
from vanta.markets.collectors.port import Gate
from vanta.markets.journals import open_log
from vanta.markets.core.products import SignalsFile

class Deadly:
    """Adapters that end the process with SIGKILL at the n-th durable step, before or after it."""
    def __init__(self, at, after):
        self.at, self.after, self.count = at, after, 0
    def __call__(self, step, *arguments):
        self.count += 1
        if self.count == self.at and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = step(*arguments)
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

class DeadlyFiles(FolderFiles):
    def __init__(self, folder, deadly):
        super().__init__(folder)
        self.deadly = deadly
    def replace(self, name, data):
        self.deadly(super().replace, name, data)

class DeadlySnapshots(FileSnapshots):
    def __init__(self, folder, deadly):
        super().__init__(folder)
        self.deadly = deadly
    def put(self, data):
        return self.deadly(super().put, data)

def one_pass(home, deadly, serve):
    @contextmanager
    def journal():
        log = open_log(home, COLLECTION_LOG, program="test", now=NOW, storage=DURABLE)
        sync = log.sync
        class Synced:
            append, head, read = log.append, log.head, log.read
            def sync(self):
                deadly(sync)
        try:
            yield Synced()
        finally:
            log.close()
    private = home.collector_state("news")
    private.mkdir(parents=True, exist_ok=True)
    toy = ToyCollector(serve)
    run(Task(collector=toy, product=SignalsFile(toy), settings=FeedSettings(), universe={}, state_dir=private, now=NOW,
             gate=Gate(private, ManualClock(NOW), lambda: None)),
        Ports(files=DeadlyFiles(home.memory, deadly), snapshots=DeadlySnapshots(home.snapshots, deadly),
              private=DeadlyFiles(private, deadly), journal=journal))

def in_child(*arguments):
    pid = os.fork()
    if pid == 0:
        one_pass(*arguments)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

root, serve, results = Path(sys.argv[1]), [payload("b", url="https://feed/2")], []
for after in (False, True):
    for at in range(1, 100):
        home = Home(root / f"{at}-{after}").prepare()
        in_child(home, Deadly(0, False), [payload("a")])
        killed = in_child(home, Deadly(at, after), serve)
        again = in_child(home, Deadly(0, False), serve)
        results.append([home.root.name, killed, again])
        if killed == 0:
            break
print(json.dumps(results))
'''


def test_kill_dash_nine_between_any_two_steps_loses_nothing(tmp_path: Path) -> None:
    """Killed before or after each durable step, the next pass ends where an undisturbed one would have."""
    results = json.loads(run(KILLED, str(tmp_path)))
    killed = [name for name, status, _ in results if status == -signal.SIGKILL]
    assert len(killed) >= 2 * 8, "every step was reached, from both sides"
    assert {status for _, status, _ in results} == {-signal.SIGKILL, 0}
    for name, _, again in results:
        home = Home(tmp_path / name)
        assert again == 0, name
        document = load(FolderFiles(home.memory), "news_signals.json", FeedDocument).value
        assert sorted(one.summary for one in document.signals) == ["a", "b"], name
        cursor = orjson.loads((home.collector_state("news") / "cursor.json").read_bytes())["cursor"]
        assert cursor == {"https://feed/1": "seen", "https://feed/2": "seen"}, name
        journal = FileJournal(home.file(COLLECTION_LOG))
        assert journal.set_aside == [], name
        outputs = [record.payload["output"]["sha256"] for record in journal.read() if record.kind == "collected"]
        journal.close()
        assert load(FolderFiles(home.memory), "news_signals.json", FeedDocument).sha256 == outputs[-1], name
        assert not list(home.memory.rglob("*.tmp")), name


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "vanta.suite.dispatch", "markets", *arguments]


def collect(home: Path, page: Path, *more: str, feed: str = "news") -> "subprocess.Popen[str]":
    return subprocess.Popen(command("collect", feed, "--from", str(page), "--home", str(home), "--now", NOW, *more),
                            cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page with two claims."""
    file = tmp_path / "page.xml"
    file.write_bytes(rss(("Acme", "Apple (NASDAQ: AAPL) beats forecast", -60),
                         ("Acme", "Tesla (NASDAQ: TSLA) misses forecast", -30)))
    return file


def test_passes_side_by_side_end_with_one_log(tmp_path: Path, page: Path) -> None:
    """Several feeds at once write one chain; several passes of one feed: one does the work, the others end with 75."""
    home = tmp_path / "home"
    passes = [collect(home, page) for _ in range(3)]
    others = [collect(home, page, feed=feed) for feed in ("sec", "reddit")]
    for one in (*passes, *others):
        one.communicate(timeout=PATIENCE_S)
    codes = sorted(one.returncode for one in passes)
    assert set(codes) <= {0, 75}
    assert codes[0] == 0
    journal = FileJournal(Home(home).file(COLLECTION_LOG))
    feeds = [record.payload["feed"] for record in journal.read() if record.kind == "collected"]
    journal.close()
    assert sorted(feeds) == sorted(["news"] * codes.count(0) + ["sec", "reddit"])


def test_a_held_lock_ends_with_75(tmp_path: Path, page: Path) -> None:
    """In a process of its own, with who holds it; nothing is written."""
    home = Home(tmp_path / "home").prepare()
    with FileLock(home.lock("collect-news"), owner="another pass", now=parse_iso(NOW)):
        done = collect(home.root, page)
        out, err = done.communicate(timeout=PATIENCE_S)
    assert (done.returncode, out) == (75, "")
    assert "another pass pid=" in err
    assert not home.file("news_signals.json").exists()


def test_text_and_json_end_alike(tmp_path: Path, page: Path) -> None:
    """--json changes what is printed, never the status: good, partial and nothing usable."""
    folder = tmp_path / "pages"
    folder.mkdir()
    bad = folder / "bad.xml"
    bad.write_bytes(b"<html>")
    (folder / "good.xml").write_bytes(page.read_bytes())
    cases = ((page, 0), (folder, 3), (bad, 78), (tmp_path / "nowhere", 2))
    texts = [collect(tmp_path / f"a{index}", source) for index, (source, _) in enumerate(cases)]
    documents = [collect(tmp_path / f"b{index}", source, "--json") for index, (source, _) in enumerate(cases)]
    for (source, code), plain, structured in zip(cases, texts, documents, strict=True):
        plain.communicate(timeout=PATIENCE_S)
        out, err = structured.communicate(timeout=PATIENCE_S)
        assert (plain.returncode, structured.returncode, err) == (code, code, ""), source
        assert json.loads(out)["ok"] is (code == 0), source


def test_the_daemon_end_to_end(tmp_path: Path, page: Path) -> None:
    """It collects by itself, reflects on it, refuses company, and stops on SIGTERM with status 0."""
    home = Home(tmp_path / "home").prepare()
    (home.config / "vanta.toml").write_text(
        '[clock]\nstarts_at = "2026-03-04T10:00:00.000Z"\nanchored_at = "'
        + time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()) + '"\n'
        + "".join(f"[markets.feeds.{feed}]\nenabled = false\n" for feed in ("sec", "reddit", "crypto", "prices"))
        + f'[markets.feeds.news]\nsource = "{page}"\n')
    daemon = subprocess.Popen(command("run", "--home", str(home.root)), cwd=ROOT, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    try:
        ends, ranked = time.monotonic() + PATIENCE_S, home.file("trade_signals.json")
        while not (ranked.exists() and "equity:AAPL" in ranked.read_text()):
            assert daemon.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.02)
        second = subprocess.run(command("run", "--home", str(home.root)), cwd=ROOT, capture_output=True, text=True,
                                check=False, timeout=PATIENCE_S)
        assert second.returncode == 75
        assert f"pid={daemon.pid}" in second.stderr
        daemon.send_signal(signal.SIGTERM)
        out, err = daemon.communicate(timeout=PATIENCE_S)
    finally:
        daemon.kill()
        daemon.wait()
    assert (daemon.returncode, out) == (0, "markets: stopped\n"), err
