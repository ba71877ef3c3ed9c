"""The tracker on disk: several at once, a crash in between, and checks that run without being trusted."""

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.processes import run as python
from tests.processes import start
from vanta.alpha.checks import run, words
from vanta.alpha.explainer import Explainer
from vanta.alpha.tracker import WAIT_S, New, Refused, desk, evidence_state, find, look, rendered
from vanta.alpha.verifier import Verifier, verify_file
from vanta.common.clock import FixedClock, ManualClock
from vanta.common.errors import LockHeld, OperatorError, StateError, UsageError
from vanta.common.exitcodes import Check
from vanta.common.paths import THREAD_TRACKER, TRACKER_LOG, Home
from vanta.common.store.lock import FileLock
from vanta.common.times import parse_iso

AT = parse_iso("2026-11-20T15:00:00Z")
ADDS = """
import sys
from pathlib import Path
from vanta.alpha.tracker import New, desk
from vanta.common.clock import SystemClock
from vanta.common.paths import Home
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    with desk(Home(Path(sys.argv[1])), SystemClock(), by="ann") as one:
        one.add(New(title=f"{sys.argv[2]} {number}"))
"""
DIES = """
import os, sys
from pathlib import Path
from vanta.alpha.tracker import New, desk
from vanta.common.clock import SystemClock
from vanta.common.paths import Home
with desk(Home(Path(sys.argv[1])), SystemClock(), by="ann") as one:
    one.add(New(title="kept"))
    one._journal.sync()
    os._exit(0)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without anything."""
    return Home(tmp_path / "home").prepare()


def bad(home: Home) -> list[str]:
    """What verification finds wrong."""
    return [str(one) for one in Verifier(home).run() if one.level is not Check.OK]


def test_concurrent_writers_lose_nothing(home: Home) -> None:
    """Four processes begin at the same moment; every item of each is there, once, and all of it verifies."""
    running = [start(ADDS, str(home.root), f"p{number}", "12") for number in range(4)]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate()
        assert process.returncode == 0
    titles = sorted(one.title for one in look(home).items.values())
    assert titles == sorted(f"p{number} {count}" for number in range(4) for count in range(12))
    assert home.file(THREAD_TRACKER).read_bytes() == rendered(look(home))
    assert bad(home) == []


def test_whoever_waits_too_long_is_told_who_has_it(home: Home) -> None:
    """Not for ever, and nothing is written."""
    clock = ManualClock(AT)
    with FileLock(home.lock("tracker"), owner="another", now=AT), pytest.raises(LockHeld, match="another"), \
            desk(home, clock, by="ann") as one:
        one.add(New(title="x"))
    assert clock.monotonic() >= WAIT_S
    assert not home.file(TRACKER_LOG).exists()


def test_a_kill_between_log_and_document_is_put_right_by_the_next_change(home: Home) -> None:
    """The log has it; the document is behind, which verification says without alarm; then both agree."""
    with desk(home, FixedClock(AT), by="ann") as one:
        one.add(New(title="before"))
    python(DIES, str(home.root))
    assert [one.title for one in look(home).items.values()] == ["before", "kept"]
    assert [one.split()[0] for one in bad(home)] == ["UNKNOWN"]
    with desk(home, FixedClock(AT), by="ann") as one:
        one.add(New(title="after"))
    assert bad(home) == []


def test_verification_finds_what_was_changed(home: Home) -> None:
    """The document edited; the log gone from under it; a log by itself."""
    with desk(home, FixedClock(AT), by="ann") as one:
        one.add(New(title="before"))
    assert {one.level for one in verify_file(home.file(TRACKER_LOG))} == {Check.OK}
    raw = home.file(THREAD_TRACKER).read_bytes()
    home.file(THREAD_TRACKER).write_bytes(raw.replace(b"before", b"beyond"))
    assert any("is not the fold" in one for one in bad(home))
    home.file(THREAD_TRACKER).write_bytes(raw)
    home.file(TRACKER_LOG).unlink()
    assert any("is missing, but thread_tracker.json is its fold" in one for one in bad(home))


def test_a_log_that_cannot_be_is_not_read_as_an_empty_one(home: Home) -> None:
    """Whoever looks is told, and nobody adds to it."""
    with desk(home, FixedClock(AT), by="ann") as one:
        one.add(New(title="before"))
    raw = home.file(TRACKER_LOG).read_bytes()
    home.file(TRACKER_LOG).write_bytes(raw.replace(b"before", b"beyond"))
    with pytest.raises(StateError):
        look(home)
    with pytest.raises(StateError), desk(home, FixedClock(AT), by="ann"):
        pass


def test_evidence_is_held_by_its_hash(home: Home, tmp_path: Path) -> None:
    """Unchanged, changed, gone; a file that is not there cannot be evidence."""
    proof = tmp_path / "proof.txt"
    proof.write_text("as it was")
    with desk(home, FixedClock(AT), by="ann") as one:
        item = one.add(New(title="x", evidence=proof))
        bare = one.add(New(title="y"))
        with pytest.raises(Refused, match="cannot be read"):
            one.add(New(title="x", evidence=tmp_path / "none"))
    assert (evidence_state(item), evidence_state(bare)) == ("unchanged", "")
    proof.write_text("as it is")
    assert evidence_state(item) == "changed"
    proof.unlink()
    assert evidence_state(item) == "gone"
    proof.mkdir()
    assert evidence_state(item) == "unreadable"


def test_ids_are_found_by_their_beginning() -> None:
    """With and without the prefix; too short, unknown and ambiguous ones are refused."""
    ids = ["vt_aaaabbbbccccdddd", "vt_aaaabbbbccccdddc", "vt_zzzzbbbbccccdddd"]
    assert find("zzzz", ids, prefix="vt_") == find("vt_zzzz", ids, prefix="vt_") == ids[2]
    assert find(ids[0], ids, prefix="vt_") == ids[0]
    for name, why in (("zzz", "there is no item"), ("vt_", "there is no item"), ("vt_yyyy", "there is no item"),
                      ("aaaa", "can mean 2 items")):
        with pytest.raises(Refused, match=why):
            find(name, ids, prefix="vt_")
    with pytest.raises(Refused, match="there is no thread"):
        find("yyyy", ids, prefix="th_")


def test_items_and_threads_are_explained(home: Home) -> None:
    """By id, by its beginning, and not by one that nobody has."""
    with desk(home, FixedClock(AT), by="ann") as one:
        item = one.begin(one.add(New(title="the feed is stale")).id)
    explainer = Explainer(home)
    assert explainer.meant(item.id) == explainer.meant(item.id[:9]) == [item.id]
    assert explainer.meant("vt_7777777777777777") == explainer.meant("vt_") == []
    assert "the feed is stale" in explainer.explain(item.id).text
    assert explainer.explain(str(item.thread)).kind == "thread"


# checks

def python_says(code: str) -> str:
    """A command that runs a piece of Python."""
    return f"{sys.executable} -c '{code}'"


def is_over(pid: int) -> bool:
    """Whether a process ends, within a generous time; one that nobody has waited for counts as over."""
    state = Path(f"/proc/{pid}/stat")
    for _ in range(1000):
        try:
            if state.read_text().rpartition(") ")[2][0] in "ZX":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_a_check_gets_no_secrets_and_no_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was meant for this program is not in its environment; signs of a shell are words; it has no stdin."""
    monkeypatch.setenv("VANTA_EXECUTOR__MODE", "live")
    monkeypatch.setenv("ALPACA_SECRET", "hush")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials")
    ended = run(python_says('import os, sys; print(sorted(os.environ)); print(sys.argv[1:], repr(sys.stdin.read()))')
                + " '$(id)' ';' rm '*'", folder=tmp_path, timeout_s=60)
    assert ended.code == 0
    names, arguments = ended.output.splitlines()
    assert not [name for name in ("VANTA_EXECUTOR__MODE", "ALPACA_SECRET", "CREDENTIALS_DIRECTORY") if name in names]
    assert arguments == "['$(id)', ';', 'rm', '*'] ''"


def test_a_check_that_does_not_end_is_ended_with_what_it_started(tmp_path: Path) -> None:
    """Neither it nor its child is there afterwards."""
    code = ('import subprocess, sys, time; child = subprocess.Popen([sys.executable, "-c", "import time; '
            'time.sleep(600)"]); print(child.pid, flush=True); time.sleep(600)')
    ended = run(python_says(code), folder=tmp_path, timeout_s=2)
    assert ended.code is None
    assert is_over(int(ended.output))


def test_what_a_check_left_behind_is_ended(tmp_path: Path) -> None:
    """A child that went on in silence does not outlive the check."""
    code = ('import subprocess, sys; child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], '
            'stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); print(child.pid)')
    ended = run(python_says(code), folder=tmp_path, timeout_s=60)
    assert ended.code == 0
    assert is_over(int(ended.output))


def test_only_the_last_of_a_long_output_is_kept(tmp_path: Path) -> None:
    """A flood does not become a flood here."""
    assert len(run(python_says("print(\"x\" * 100000)"), folder=tmp_path, timeout_s=60).output) == 4096


@pytest.mark.parametrize("command", ["", "  ", "'unclosed", "a\x00b", "a\nb", "a\x1b[31m"])
def test_what_is_no_command_is_refused(command: str) -> None:
    """Before it is kept."""
    with pytest.raises(UsageError):
        words(command)


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    """By name of the error, not by a traceback."""
    with pytest.raises(UsageError, match="cannot be started"):
        run("/nonexistent/check", folder=tmp_path, timeout_s=5)


def test_a_home_from_a_bundle_is_only_read(home: Home) -> None:
    """Evidence is not added to."""
    (home.root / "manifest.json").write_text("{}")
    with pytest.raises(OperatorError, match="laid out from an audit bundle"), desk(home, FixedClock(AT), by="ann"):
        pass
    assert os.listdir(home.memory) == []
    shutil.rmtree(home.root)
