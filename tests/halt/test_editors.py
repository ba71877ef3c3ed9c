"""Whoever saves the overlay, and however: nothing torn, empty or missing lets an order leave; the last word counts."""

import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.halt.editors import STYLES, Save, Style, save
from tests.halt.fuzz import open_gate
from tests.halt.homes import overlay
from tests.halt.rig import Rig
from tests.halt.terminal import nano
from vanta.common.canonical import sha256
from vanta.common.paths import OVERLAY, Home
from vanta.executor.gate import FileGate

OPEN, OTHER_OPEN = overlay(), overlay(reason="all is well again")
SHUT, OTHER_SHUT = overlay(full_halt=True), overlay(maintenance=True)
TURNS = [(OPEN, SHUT), (SHUT, OPEN), (SHUT, OTHER_SHUT), (OPEN, OTHER_OPEN)]


def whole(raw: bytes | None) -> bool:
    """One of the two documents that permit, up to its last bracket: what follows is space."""
    return raw is not None and raw.rstrip() in (OPEN.rstrip(), OTHER_OPEN.rstrip())


def state(path: Path) -> bytes | None:
    """The file as it lies there, `None` while there is none."""
    return path.read_bytes() if path.exists() else None


@pytest.fixture
def home(outside: Path) -> Home:
    return Home(outside / "home").prepare()


def wrong_steps(home: Home, style: Style, permits: Callable[[], bool]) -> Iterator[bytes | None]:
    """States of the file at which `permits` answers wrongly, between every two kinds of document, over many cuts."""
    path = home.file(OVERLAY)
    for turn, (old, new) in enumerate(TURNS):
        for cut in range(1 + turn, len(new), 11):
            path.write_bytes(old)
            path.chmod(0o640)
            saving = Save(path, new, [cut])
            for step in style(saving):
                step(saving)
                if permits() is not whole(state(path)):
                    yield state(path)
            assert state(path) == new
            for left in path.parent.glob(f"*{path.name}?*"):
                left.unlink()


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_no_step_of_a_save_permits_what_was_not_written_whole(home: Home, style: Style) -> None:
    """Every step of every style, with the write cut in many places."""
    gate = FileGate(home)
    assert list(wrong_steps(home, style, lambda: open_gate(gate.read().controls))) == []


@pytest.mark.parametrize("style", [name for name in STYLES if name != "rename_over"])
def test_a_reader_that_believes_the_last_good_file_is_found_out(home: Home, style: str) -> None:
    """Taking an unreadable file for the one before lets orders leave while the operator saves."""
    gate, believed = FileGate(home), [False]

    def permits() -> bool:
        controls = gate.read().controls
        if controls.problem is None:
            believed[0] = open_gate(controls)
        return believed[0]

    assert any(not whole(found) for found in wrong_steps(home, STYLES[style], permits))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One executor process for all styles. It sees the same states, wherever its home lies."""
    with Rig(tmp_path_factory.mktemp("editors")) as running:
        yield running


def played(rig: Rig, style: Style, new: bytes) -> Iterator[bytes | None]:
    """Play a save, and after each step wait until the executor has recorded that it saw the file as it lies there."""
    saving, before = Save(rig.overlay, new, [len(new) // 2]), state(rig.overlay)
    for step in style(saving):
        rig.log.mark()
        step(saving)
        after = state(rig.overlay)
        if after != before:
            seen = "unreadable: " if after is None else sha256(after)
            rig.until(lambda seen=seen: f'"what":"overlay","sha256":"{seen}'.encode() in rig.log.text())  # type: ignore[misc]
        before = after
        yield after


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_running_executor_sends_nothing_between_the_steps(rig: Rig, style: Style) -> None:
    """Orders wait while the file is saved; none leaves before a permitting file is whole, and then all do."""
    save(STYLES["rename_over"], rig.overlay, SHUT)
    rig.permit()
    assert rig.stage(most=6) == 6
    sent = len(rig.stamps())
    for now in played(rig, style, OPEN):
        if now != OPEN:
            assert len(rig.stamps()) == sent
        else:
            rig.until(lambda: not rig.calm()["intents"])
    assert len(rig.stamps()) == sent + 6
    sent = len(rig.stamps())
    for now in played(rig, style, OTHER_SHUT):
        if now != OPEN:
            assert rig.stage(most=6) == 6  # held, as the log says before this returns
            assert len(rig.stamps()) == sent
    assert state(rig.overlay) == OTHER_SHUT
    assert len(rig.calm()["intents"]) == 6


class Watch:
    """Reads the gate without pause while a real editor saves."""

    def __init__(self, home: Home) -> None:
        self._gate = FileGate(home)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.states: Counter[str] = Counter()
        self.wrong: set[bytes | None] = set()

    def __enter__(self) -> "Watch":
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._look()

    def _look(self) -> None:
        reading = self._gate.read()
        raw = reading.raw
        name = ("missing or in flux" if raw is None else "empty" if not raw else "open" if raw == OPEN
                else "shut" if raw == SHUT else "partial")
        self.states[name] += 1
        if open_gate(reading.controls) and not whole(raw):
            self.wrong.add(raw)


def _swap(halt: bool) -> str:
    return "/false/true/" if halt else "/true/false/"


def _vim(program: str, *options: str) -> Callable[[Path, bool], None]:
    def edit(path: Path, halt: bool) -> None:
        run(program, *options, "-n", "-es", "-c", f"g/full_halt/s{_swap(halt)}", "-c", "wq", path.name, cwd=path.parent)
    return edit


def run(*words: str, cwd: Path, said: str = "") -> None:
    done = subprocess.run(words, cwd=cwd, input=said, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def _beside(path: Path, halt: bool) -> str:
    (path.parent / "next").write_bytes(SHUT if halt else OPEN)
    return "next"


EDITORS: dict[str, tuple[str, Callable[[Path, bool], None]]] = {
    "vim": ("vim", _vim("vim", "--clean")),
    "vim, in place": ("vim", _vim("vim", "-u", "NONE")),
    "vim.tiny": ("vim.tiny", _vim("vim.tiny", "-u", "NONE", "-N", "--cmd", "set backupcopy=no")),
    "nano": ("nano", lambda path, halt: nano(path, SHUT if halt else OPEN)),
    "ed": ("ed", lambda path, halt: run("ed", "-s", path.name, cwd=path.parent,
                                        said=f"/full_halt/s{_swap(halt)}\nw\nq\n")),
    "emacs": ("emacs", lambda path, halt: run(
        "emacs", "-Q", "--batch", path.name, "--eval", f'(progn (search-forward "full_halt") (search-forward '
        f'"{str(not halt).lower()}") (replace-match "{str(halt).lower()}") (save-buffer))', cwd=path.parent)),
    "sed -i": ("sed", lambda path, halt: run("sed", "-i", f"/full_halt/s{_swap(halt)}", path.name, cwd=path.parent)),
    "perl -i": ("perl", lambda path, halt: run("perl", "-pi", "-e", f"s{_swap(halt)} if /full_halt/", path.name,
                                               cwd=path.parent)),
    "sh >": ("sh", lambda path, halt: run("sh", "-c", f"cat {_beside(path, halt)} > {path.name}", cwd=path.parent)),
    "cp": ("cp", lambda path, halt: run("cp", _beside(path, halt), path.name, cwd=path.parent)),
    "mv": ("mv", lambda path, halt: run("mv", _beside(path, halt), path.name, cwd=path.parent)),
    "install": ("install", lambda path, halt: run("install", "-m", "640", _beside(path, halt), path.name,
                                                  cwd=path.parent)),
    "VS Code": ("code", lambda path, halt: None),
}


@pytest.mark.parametrize("name", EDITORS)
def test_a_real_editor_halts_and_resumes(home: Home, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Whatever a reader sees meanwhile, it permits only the one file that says so, whole; the last save counts."""
    program, edit = EDITORS[name]
    if name == "VS Code" or shutil.which(program) is None:
        pytest.skip(f"{program} is not installed here (or needs a screen): only its recorded calls are replayed")
    path = home.file(OVERLAY)
    path.write_bytes(OPEN)
    path.chmod(0o640)
    with Watch(home) as watch:
        for halt in (True, False, True):
            edit(path, halt)
            assert path.read_bytes() == (SHUT if halt else OPEN)
            assert open_gate(FileGate(home).read().controls) is not halt
    with capsys.disabled():
        print(f"\n  {name}: {dict(watch.states)}")
    assert watch.wrong == set()
    assert {"open", "shut"} <= set(watch.states)
    assert os.stat(path).st_uid == os.geteuid()
