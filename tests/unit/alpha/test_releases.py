"""Releases on disk: only what was approved, back if it is not well, and the old one whatever dies in between."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.processes import ROOT
from vanta.alpha.cli import manager, tracker
from vanta.alpha.releases import NotAllowed, Order, Shelf, promote, rollback, start_from
from vanta.alpha.tracker import New, desk, look
from vanta.alpha.verifier import Verifier
from vanta.common.clock import FixedClock
from vanta.common.errors import StateError, UsageError, VantaError
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.paths import Home
from vanta.common.times import parse_iso

CLOCK = FixedClock(parse_iso("2026-11-20T15:00:00Z"))
Capture = pytest.CaptureFixture[str]


def candidate(home: Home, version: str, *, says: str = "signals") -> Path:
    """A release whose canary prints a word and the payload."""
    folder = home.root / "build" / "modules" / "m" / "releases" / version
    (folder / "bin").mkdir(parents=True)
    for name, body in (("canary", f'#!/bin/sh\nprintf "{says} "; cat "$1"\n'), ("well", "#!/bin/sh\nexit 0\n"),
                       ("ill", "#!/bin/sh\nexit 3\n"), ("spoils", "#!/bin/sh\necho x > more\n"),
                       ("name", '#!/bin/sh\nprintf "%s" "$PWD $1"\n')):
        (folder / "bin" / name).write_text(body)
        (folder / "bin" / name).chmod(0o755)
    (folder / "version").write_text(version)
    return folder


def approve(home: Home, version: str, *, uid: int | None = None) -> str:
    """Add it to the tracker and approve it."""
    digest = Shelf(home, "m").manifest(version).digest
    with desk(home, CLOCK, by="ann") as one:
        name = one.add(New(title=f"m {version}", kind="release", subject=f"m@{version}", digest=digest)).id
    with desk(home, CLOCK, by="bo", uid=uid) as one:
        return one.mark(name, "approved", "read it").id


def order(version: str, **more: Any) -> Order:
    """Put it into use."""
    return Order(module="m", version=version, reason="better", **more)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that runs release 1 and has an approved release 2."""
    home = Home(tmp_path / "home").prepare()
    for version in ("1", "2"):
        candidate(home, version)
        approve(home, version)
    promote(home, CLOCK, order("1"), by="ann")
    return home


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """Two payloads and what has to come of them."""
    folder = tmp_path / "canary dir"
    for name in ("a", "b"):
        for kind, text in (("payloads", f"p{name}\n"), ("golden", f"signals p{name}\n")):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            (folder / kind / name).write_text(text)
    return folder


def running(home: Home) -> str | None:
    """What is in use."""
    return Shelf(home, "m").running()


def test_a_release_is_used_and_taken_back(home: Home, canary: Path) -> None:
    """The link goes from slot to slot, both ways; the log, the manifest and its signature say so."""
    shelf = Shelf(home, "m")
    assert (running(home), os.readlink(shelf.root / "current")) == ("1", "_A")
    laps = promote(home, CLOCK, order("2", canary=canary, health="bin/well"), by="ann")
    assert list(laps) == ["verify", "canary", "sign", "flip", "health"]
    assert (running(home), os.readlink(shelf.root / "current"), shelf.in_slot("_A")) == ("2", "_B", "1")
    rollback(home, CLOCK, order(""), by="ann")
    assert (running(home), os.readlink(shelf.root / "current")) == ("1", "_A")
    rollback(home, CLOCK, order("2"), by="ann")
    assert running(home) == "2"
    assert [str(one) for one in Verifier(home).run() if one.level is not Check.OK] == []
    assert not list(shelf.root.glob(".*"))


def spoiled(change: Callable[[Path], object]) -> Callable[[Home], object]:
    """Release 2 after a change."""
    return lambda home: change(home.root / "build" / "modules" / "m" / "releases" / "2")


BAD: dict[str, Callable[[Home], object]] = {
    "a changed byte": spoiled(lambda folder: (folder / "version").write_text("3")),
    "another file": spoiled(lambda folder: (folder / "more").write_text("")),
    "a file less": spoiled(lambda folder: (folder / "version").unlink()),
    "another mode": spoiled(lambda folder: (folder / "version").chmod(0o755)),
    "a link": spoiled(lambda folder: (folder / "link").symlink_to("/etc/passwd")),
    "a pipe": spoiled(lambda folder: os.mkfifo(folder / "pipe")),
    "an odd name": spoiled(lambda folder: (folder / "a\nb").write_text("")),
    "an approval withdrawn": lambda home: tracker.mark_main(
        [list(look(home).items)[1], "open", "--reason", "no", "--home", str(home.root)]),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_what_was_not_approved_is_not_used(home: Home, change: Callable[[Home], object]) -> None:
    """Not one byte more, less or other; the old one runs on and nothing is written about it."""
    change(home)
    seen = look(home).seq
    with pytest.raises(NotAllowed):
        promote(home, CLOCK, order("2"), by="ann")
    assert (running(home), look(home).seq) == ("1", seen)


def test_two_persons_where_that_is_asked(home: Home) -> None:
    """The account that asked does not count; another does."""
    with pytest.raises(NotAllowed, match="another one"):
        promote(home, CLOCK, order("2", two_person=True), by="ann")
    approve(home, "2", uid=os.getuid() + 1)
    promote(home, CLOCK, order("2", two_person=True), by="ann")
    assert running(home) == "2"


@pytest.mark.parametrize(("more", "why"), [({"health": "bin/ill"}, "ended with 3"), ({"health": "bin/none"}, "started"),
                                          ({"health": "sleep 60", "timeout_s": 0.2}, "ended with None"),
                                          ({"health": "bin/spoils"}, "")])
def test_what_is_not_well_is_taken_back(home: Home, more: dict[str, Any], why: str) -> None:
    """The link is turned back at once, and the log says why; a release that changes itself is caught the next time."""
    if why:
        with pytest.raises(NotAllowed, match="was taken back"):
            promote(home, CLOCK, order("2", **more), by="ann")
        assert running(home) == "1"
        with desk(home, CLOCK, by="ann") as one:
            last = one.tracker.moves[-1]
            assert why in last.payload["reason"]
            assert last.payload["after"] == "1"
    else:
        promote(home, CLOCK, order("2", **more), by="ann")
        rollback(home, CLOCK, order("1"), by="ann")
        with pytest.raises(NotAllowed, match="not what was signed"):
            rollback(home, CLOCK, order("2"), by="ann")


def test_the_first_release_that_is_not_well_leaves_nothing(tmp_path: Path) -> None:
    """There was none before, so there is none after."""
    home = Home(tmp_path / "home").prepare()
    candidate(home, "1")
    approve(home, "1")
    with pytest.raises(NotAllowed):
        promote(home, CLOCK, order("1", health="bin/ill"), by="ann")
    assert running(home) is None
    with pytest.raises(NotAllowed, match="nothing of m"):
        start_from(home, "m")
    with pytest.raises(UsageError, match="ran nothing before"):
        rollback(home, CLOCK, order(""), by="ann")


def test_the_canary_has_to_reproduce_the_golden_signals(home: Home, canary: Path, tmp_path: Path) -> None:
    """Other signals, a failure, no payloads, no golden file: the old one runs on."""
    candidate(home, "3", says="other")
    approve(home, "3")
    cases: Sequence[tuple[Order, str]] = (
        (order("3", canary=canary), "does not reproduce"), (order("2", canary=canary, try_out="bin/ill"), "with 3"),
        (order("2", canary=tmp_path / "home"), "holds no payloads"))
    for one, why in cases:
        with pytest.raises(NotAllowed, match=why):
            promote(home, CLOCK, one, by="ann")
    (canary / "golden" / "a").unlink()
    with pytest.raises(StateError):
        promote(home, CLOCK, order("2", canary=canary), by="ann")
    assert running(home) == "1"


def test_only_what_ran_and_is_signed_is_gone_back_to(home: Home) -> None:
    """Not a candidate, and not one whose files, manifest or signature changed."""
    with pytest.raises(NotAllowed, match="never put into use"):
        rollback(home, CLOCK, order("2"), by="ann")
    promote(home, CLOCK, order("2"), by="ann")
    folder = Shelf(home, "m").folder("1")
    signature = Shelf(home, "m").root / "manifests" / "1.sig"
    raw = signature.read_bytes()
    signature.write_bytes(b"A" + raw[1:] if raw[:1] != b"A" else b"B" + raw[1:])
    with pytest.raises(NotAllowed, match="not what was signed"):
        rollback(home, CLOCK, order(""), by="ann")
    signature.write_bytes(raw)
    (folder / "version").write_text("1.1")
    with pytest.raises(NotAllowed, match="not what was signed"):
        rollback(home, CLOCK, order(""), by="ann")
    assert running(home) == "2"


KILLED = """
import os, signal, sys
from pathlib import Path
from vanta.alpha.releases import Order, promote
from vanta.common.clock import SystemClock
from vanta.common.paths import Home
root, at, health = sys.argv[1], int(sys.argv[2]), sys.argv[3]
seen = 0
def watch(event, arguments):
    global seen
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if (event in ("os.rename", "os.symlink", "os.remove", "os.mkdir", "subprocess.Popen") or writes) and at >= 0:
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
clock = SystemClock()
import vanta.alpha.checks
sys.addaudithook(watch)
promote(Home(Path(root)), clock, Order(module="m", version="2", reason="better", health=health), by="ann")
print(seen)
"""


def test_a_kill_at_any_step_leaves_the_old_release(home: Home, tmp_path: Path) -> None:
    """Before each change of a file: until the end is recorded, programs start from the old one; the next move works."""
    at, killed = 0, 0
    while True:
        at += 1
        copy = Home(tmp_path / f"copy{at}")
        shutil.copytree(home.root, copy.root, symlinks=True)
        done = subprocess.run([sys.executable, "-c", KILLED, str(copy.root), str(at), "bin/well"], cwd=ROOT,
                              capture_output=True, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
        killed += 1
        with desk(copy, CLOCK, by="ann") as one:
            ended = one.tracker.moves[-1].payload["after"] == "2" and one.tracker.moves[-1].kind == "release.moved"
        expected = "2" if ended else "1"
        assert start_from(copy, "m").name == expected
        assert [str(one) for one in Verifier(copy).run() if one.level is Check.CRITICAL] == []
        promote(copy, CLOCK, order("2"), by="ann")
        assert start_from(copy, "m").name == "2"
        rollback(copy, CLOCK, order("1"), by="ann")
        assert running(copy) == "1"
        shutil.rmtree(copy.root)
    assert killed >= 8
    assert start_from(copy, "m").name == "2"


def test_names_links_and_places_that_are_none_are_refused(home: Home) -> None:
    """A path for a name, a link for a release, something else for a link."""
    for module in ("../m", "", "a/b"):
        with pytest.raises(UsageError):
            Shelf(home, module)
    shelf = Shelf(home, "m")
    (shelf.root / "releases" / "9").symlink_to("/etc")
    for version in ("../1", "9", "none", ""):
        with pytest.raises(UsageError):
            shelf.folder(version)
    assert Shelf(home, "none").versions() == []
    (shelf.root / "current").unlink()
    (shelf.root / "current").symlink_to("/tmp")
    with pytest.raises(StateError, match="no slot"):
        shelf.running()
    (shelf.root / "current").unlink()
    (shelf.root / "current").write_text("_A")
    with pytest.raises(StateError, match="not a link"):
        shelf.running()


# the command

def call(home: Home, *arguments: object) -> int:
    """Run `tracker_manager.py`."""
    return manager.main([*map(str, arguments), "--home", str(home.root)])


def test_the_command_from_candidate_to_rollback(home: Home, canary: Path, capsys: Capture) -> None:
    """Verified, asked for, approved, tried, used, taken back, listed, cleared away."""
    candidate(home, "3")
    assert call(home, "verify", "m@3") == 5
    assert "nobody has added m@3" in capsys.readouterr().out
    assert tracker.add_main(["third", "--release", "m@3", "--home", str(home.root)]) == 0
    name = list(look(home).items)[-1]
    assert call(home, "promote", "m", "3", "--reason", "x") == 5
    assert tracker.mark_main([name, "approved", "--reason", "read", "--home", str(home.root)]) == 0
    assert call(home, "verify", "m@3") == 0
    assert call(home, "promote", "m", "3", "--reason", "x", "--canary", canary, "--dry-run") == 0
    assert call(home, "promote", "m", "3", "--reason", "x", "--dry-run") == 0
    assert running(home) == "1"
    assert call(home, "promote", "m", "3", "--reason", " ") == 2
    assert call(home, "promote", "m", "3", "--reason", "x", "--canary", canary) == 0
    capsys.readouterr()
    assert call(home, "rollback", "m", "--json") == 0
    said = orjson.loads(capsys.readouterr().out)
    assert (said["said"], said["ms"].keys()) == ("m runs 1", {"verify", "flip"})
    assert call(home, "promote", "m", "2", "--reason", "x") == 0
    assert call(home, "history", "--module", "m") == 0
    assert "began to move m from 1 to 3: x." in capsys.readouterr().out
    assert call(home, "history", "--module", "other") == 0
    assert call(home, "gc", "m", "--keep", "1") == 0
    assert "removed m@3" in capsys.readouterr().out
    assert call(home, "gc", "m", "--keep", "1") == 0
    assert call(home, "status") == 0
    shown = capsys.readouterr()
    assert "of 1, 2" in shown.out
    assert shown.err == ""


def test_status_of_a_home_without_modules(tmp_path: Path, capsys: Capture) -> None:
    """Nothing is said to be nothing; settings that cannot be read refuse: nobody knows how many persons they want."""
    home = Home(tmp_path / "home").prepare()
    assert call(home, "status") == 0
    assert "no module" in capsys.readouterr().out
    candidate(home, "1")
    (home.config / "vanta.toml").write_text("[releases]\ntwo_person = true\n")
    assert manager.two_person(home) is True
    (home.config / "vanta.toml").write_text("[")
    with pytest.raises(VantaError):
        manager.two_person(home)


def test_a_program_stays_in_the_release_that_it_was_started_from(home: Home) -> None:
    """Its folder is the release itself, no link: what is in use later does not matter to it."""
    script = Path(sys.executable).parent / "tracker_manager.py"
    done = subprocess.run([str(script), "start", "m", "--home", str(home.root), "--", "bin/name", "x y"],
                          capture_output=True, text=True, check=True)
    assert done.stdout == f"{Shelf(home, 'm').folder('1').resolve()} x y"
    assert call(home, "start", "m", "bin/none") == 2


def test_a_first_move_that_was_cut_off_leaves_nothing_to_start(tmp_path: Path, capsys: Capture) -> None:
    """The link is turned, but nobody has seen the release work; the next command takes it away."""
    home = Home(tmp_path / "home").prepare()
    candidate(home, "1")
    approve(home, "1")
    shelf = Shelf(home, "m")
    with desk(home, CLOCK, by="ann") as one:
        one.release(Kind.RELEASE_MOVING, {"module": "m", "before": None, "after": "1", "manifest": "a" * 64,
                                          "reason": "x"})
        shelf.point("1")
        assert start_from(home, "m").name == "1"
    with pytest.raises(NotAllowed, match="nothing of m"):
        start_from(home, "m")
    assert call(home, "status") == 0
    assert "was cut off" in capsys.readouterr().err
    assert call(home, "gc", "m", "--keep", "1") == 0
    assert running(home) is None


def test_going_back_to_what_no_slot_has(home: Home) -> None:
    """A slot is made to lead there."""
    shelf = Shelf(home, "m")
    for version in ("3", "4"):
        candidate(home, version)
        approve(home, version)
    shelf.point("3")
    shelf.point("4")
    shelf.back("1")
    assert running(home) == "1"


def test_a_release_that_is_no_longer_what_was_approved_is_taken_back(home: Home) -> None:
    """Its own canary changed it between the first look and the last."""
    folder = Shelf(home, "m").folder("2")
    (folder / "bin" / "canary").write_text('#!/bin/sh\necho x > more\nprintf "signals "; cat "$1"\n')
    approve(home, "2")
    cases = home.root / "cases"
    for kind, text in (("payloads", "p"), ("golden", "signals p")):
        (cases / kind).mkdir(parents=True)
        (cases / kind / "a").write_text(text)
    with pytest.raises(NotAllowed, match="not what was approved"):
        promote(home, CLOCK, order("2", canary=cases), by="ann")
    assert running(home) == "1"


def test_what_a_cut_off_move_turned_is_not_gone_back_to(home: Home) -> None:
    """It is taken back before the next one begins, so that this one, if not well, leads to what ran before both."""
    shelf = Shelf(home, "m")
    with desk(home, CLOCK, by="ann") as one:
        one.release(Kind.RELEASE_MOVING, {"module": "m", "before": "1", "after": "2", "manifest": "a" * 64,
                                          "reason": "x"})
        shelf.point("2")
    with pytest.raises(NotAllowed, match="was taken back"):
        promote(home, CLOCK, order("2", health="bin/ill"), by="ann")
    assert running(home) == "1"
