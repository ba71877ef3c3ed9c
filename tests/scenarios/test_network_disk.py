"""State on a network file system: the executor does not start there, the other programs say what they think of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.scenarios.test_reducing_risk import PRIVATE_MOUNTS, able
from vanta.common.exitcodes import Exit
from vanta.common.paths import Home

MOUNTS = os.access("/dev/fuse", os.W_OK) and able(*PRIVATE_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt")
real = pytest.mark.skipif(not MOUNTS, reason="this account cannot mount FUSE in a mount namespace of its own")


def on(home: Home, kind: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """A command while `memory/` is a real mount of that kind."""
    command = (sys.executable, "-m", "vanta.suite.dispatch", *words, "--home", str(home.root), "--json")
    done = subprocess.run([*PRIVATE_MOUNTS, sys.executable, "-m", "tests.scenarios.fusemount", str(home.memory), kind,
                           *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode != 99, done.stderr
    return done


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@real
@pytest.mark.parametrize("word", ["once", "run"])
@pytest.mark.parametrize("kind", ["fuse.sshfs", "fuse.glusterfs"])
def test_the_executor_refuses_to_start_in_the_network(home: Home, kind: str, word: str) -> None:
    """78, the kind, the server and the cure, before anything there is touched."""
    done = on(home, kind, "executor", word)
    said = json.loads(done.stdout)
    assert done.returncode == Exit.CONFIG
    assert f"network file system ({kind} from user@files:/export" in said["error"]
    assert "Move the home" in said["cure"]


@real
def test_an_unknown_kind_is_not_refused_for_what_it_is(home: Home) -> None:
    """It is tried; this one can do nothing, so that the lock is what fails."""
    assert "executor.lock cannot be opened" in json.loads(on(home, "fuse.odd", "executor", "once").stdout)["error"]


WITHOUT_PROC = """
import subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/proc"], check=True)
if sys.argv[1] != "-":
    import os
    os.mkdir("/proc/self")
    with open("/proc/self/mountinfo", "w") as file:
        file.write(sys.argv[1])
sys.exit(subprocess.run([sys.executable, "-m", "vanta.suite.dispatch", *sys.argv[2:]]).returncode)
"""


def told(home: Home, table: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """A command on a host whose /proc says that, or that has none."""
    command = [*PRIVATE_MOUNTS, sys.executable, "-c", WITHOUT_PROC, table, *words, "--home", str(home.root)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


@real
def test_a_host_without_proc_says_that_it_was_not_looked_at(home: Home) -> None:
    """And works."""
    done = told(home, "-", "executor", "once")
    assert done.returncode == 0, done.stderr
    assert "was not looked at" in done.stderr


@real
def test_programs_whose_state_can_be_made_again_only_warn(home: Home) -> None:
    """Reflecting goes on where trading is refused."""
    table = "27 1 254:0 / / rw - nfs4 files:/export rw\n"
    assert told(home, table, "executor", "once").returncode == Exit.CONFIG
    for words in (("markets", "reflect"), ("markets", "promote")):
        done = told(home, table, *words)
        assert done.returncode in (0, Exit.REFUSED), done.stderr
        assert "network file system (nfs4 from files:/export" in done.stderr
