"""`python3 build/vanta_assistant.py` and its like: run from anywhere, they become the installed program."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.hosts import PROGRAMS, place
from vanta.alpha.core.placing import pieces, render
from vanta.alpha.installer import shipped
from vanta.common.paths import Home

SHIMS = [piece for piece in pieces("alpha", "/opt/vanta") if piece.source == "shims/program.py"]
NAMES = [piece.target.removeprefix("/opt/vanta/") for piece in SHIMS]
SAID = {"vanta_assistant.py": "vanta-run kill --home {home}", "vanta_diagnostics.py": "executor ",
        "vanta_thread.py": "vanta-thread", "tracker_manager.py": "there is no module",
        "tracker_status_summary.py": "VANTA", "tracker_viewer.py": "the board is in"}
"""What the program that a file becomes has to say for the words below."""

WORDS = {"vanta_assistant.py": ["ask", "halt everything"], "vanta_thread.py": ["--help"],
         "tracker_manager.py": ["status"], "tracker_status_summary.py": ["--oneline"],
         "tracker_viewer.py": ["--out", "{home}/build/board.html"]}


def laid_out(root: Path, programs: str = PROGRAMS) -> Home:
    """A home with its shims, as an installation leaves it."""
    home = Home(root).prepare()
    (root / "alpha").mkdir()
    for name in NAMES:
        (root / name).write_text(render(shipped("shims/program.py"), place("alpha", str(root), programs)))
    return home


def run(home: Home, name: str, *words: str, folder: Path,
        path: str = "/usr/bin:/bin") -> "subprocess.CompletedProcess[str]":
    """As an operator would, from another folder and with an environment that says nothing."""
    return subprocess.run([sys.executable, str(home.root / name), *words], cwd=folder, input="", capture_output=True,
                          text=True, check=False, env={"PATH": path, "LANG": "C.UTF-8"}, timeout=60)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return laid_out(tmp_path_factory.mktemp("there") / "opt")


@pytest.mark.parametrize("name", NAMES)
def test_each_becomes_its_program_and_looks_at_the_home_in_which_it_lies(home: Home, tmp_path: Path, name: str) -> None:
    """From another folder; commands that are proposed name that home, which is not the usual one."""
    file = name.partition("/")[2]
    words = [word.format(home=home.root) for word in WORDS.get(file, [])]
    done = run(home, name, *words, folder=tmp_path)
    assert SAID[file].format(home=home.root) in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_build_that_is_only_read_is_left_as_it_is(home: Home, tmp_path: Path) -> None:
    """No file beside them, no cache of compiled code: on other hosts the folder is mounted read-only."""
    before = sorted(path for path in (home.root / "build").rglob("*"))
    assert run(home, "build/vanta_diagnostics.py", "check", folder=tmp_path).returncode in (0, 1, 2, 3)
    tool = shutil.which("unshare")
    if tool is not None:
        build = home.root / "build"
        script = (f"mount --bind {build} {build} && mount -o remount,ro,bind {build} && ! touch {build}/x 2>/dev/null "
                  f"&& exec {sys.executable} {build}/vanta_diagnostics.py --help")
        done = subprocess.run([tool, "-m", "sh", "-c", script], capture_output=True, text=True, check=False,
                              cwd=tmp_path, timeout=60)
        assert done.returncode == 0 or "permitted" in done.stderr, done.stderr
    assert sorted(path for path in (home.root / "build").rglob("*")) == before


def test_without_an_installation_it_says_so(tmp_path: Path) -> None:
    """No stack trace, and the status that a unit does not restart for."""
    home = laid_out(tmp_path / "home", programs="/nowhere")
    done = run(home, "build/vanta_assistant.py", folder=tmp_path)
    assert (done.returncode, done.stdout) == (78, "")
    assert "vanta-assistant is not installed on this host" in done.stderr
    beside = run(home, "alpha/tracker_manager.py", "status", folder=tmp_path, path=f"{PROGRAMS}:/usr/bin:/bin")
    assert "there is no module" in beside.stdout  # found on the PATH


def test_what_follows_two_dashes_is_left_alone(home: Home, tmp_path: Path) -> None:
    """A module's own words are not ours."""
    done = run(home, "alpha/tracker_manager.py", "start", "scorer", "--", "bin/run", "--fast", folder=tmp_path)
    assert "nothing of scorer is in use" in done.stderr
