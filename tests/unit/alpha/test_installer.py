"""Laying out a host below another root: whole, twice, with differences, and what it refuses."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from tests.scenarios.hosts import ask, tool
from vanta.alpha.cli.install import app
from vanta.alpha.core.placing import NODES, Place, pieces
from vanta.alpha.installer import Installer, Order, shipped
from vanta.common.cli import main
from vanta.common.errors import OperatorError, StateError, UsageError

HOME, PROGRAMS = "/opt/vanta", "/opt/vanta/venv/bin"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes accounts and gives files away")
UNIT = "etc/systemd/system/executor-router.service"


class Shell:
    """Runs `vanta install` against one image."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys
        self.out = self.err = ""

    def __call__(self, node: str, *options: str) -> int:
        code = main(app, program="vanta install", arguments=[
            "--node", node, "--root", str(self.root), "--programs", PROGRAMS, *options])
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def document(self) -> Any:
        """What was printed with --json."""
        return json.loads(self.out)

    def tree(self) -> dict[str, tuple[int, int, int, int, bytes]]:
        """Everything that is there: mode, owner, group, time of change and content."""
        return {str(path.relative_to(self.root)): (
            (info := path.lstat()).st_mode, info.st_uid, info.st_gid, info.st_ctime_ns,
            path.read_bytes() if stat.S_ISREG(info.st_mode) else b"") for path in sorted(self.root.rglob("*"))}


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    for name in ("systemd-sysusers", "systemd-tmpfiles"):
        tool(name)
    (tmp_path / "host").mkdir()
    return Shell(tmp_path / "host", capsys)


def ids(root: Path, table: str) -> dict[str, int]:
    return {row.split(":")[0]: int(row.split(":")[2]) for row in (root / "etc" / table).read_text().splitlines()}


@AS_ROOT
@pytest.mark.parametrize("node", NODES)
def test_the_first_run_lays_out_everything_and_the_second_nothing(shell: Shell, node: str) -> None:
    """Files, accounts and folders, each with its owner and mode; then not even a time changes, and it says so."""
    assert shell(node) == 0, shell.err
    assert "nothing was started or enabled" in shell.out
    for piece in pieces(node, HOME):
        assert (shell.root / piece.target.lstrip("/")).is_file()
    before = shell.tree()
    assert shell(node) == 0
    assert f"install {node}: nothing to change, " in shell.out
    assert shell.tree() == before
    assert shell(node, "--force", "--json") == 0
    assert (shell.document["changed"], shell.document["differs"], shell.document["missing"]) == (False, {}, [])
    assert shell.tree() == before


@AS_ROOT
def test_whose_the_files_are(shell: Shell) -> None:
    """State is the node's and read by a group; configuration is root's; secrets are root's alone; nothing is open."""
    assert shell("executor") == 0
    users, groups = ids(shell.root, "passwd"), ids(shell.root, "group")
    mine, readers = users["vanta-executor"], groups["vanta"]
    wanted = {
        "opt/vanta": (0o750, 0, readers), "opt/vanta/memory": (0o2750, mine, readers),
        "opt/vanta/logs": (0o2750, mine, readers), "opt/vanta/build": (0o755, 0, 0),
        "opt/vanta/config": (0o750, 0, groups["vanta-executor"]), "opt/vanta/config/credentials": (0o700, 0, 0),
        "opt/vanta/config/vanta.toml": (0o640, 0, groups["vanta-executor"]),
        "opt/vanta/config/known_hosts": (0o640, 0, groups["vanta-executor"]),
        "opt/vanta/config/credentials/transport": (0o700, 0, 0), "opt/vanta/ssh": (0o755, 0, 0),
        "opt/vanta/ssh/.ssh": (0o750, 0, readers), "opt/vanta/ssh/.ssh/authorized_keys": (0o640, 0, readers),
        "etc/sudoers.d/vanta-executor": (0o440, 0, 0), "etc/cron.d/vanta-executor": (0o644, 0, 0), UNIT: (0o644, 0, 0)}
    for name, (mode, user, group) in wanted.items():
        info = (shell.root / name).lstat()
        assert (name, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid) == (name, mode, user, group)
    assert "vanta-ops" in groups
    for name, (mode, *_) in shell.tree().items():
        assert not mode & stat.S_IWOTH, name
        assert not mode & stat.S_IWGRP, name
    assert "/usr/sbin/nologin" in (shell.root / "etc/passwd").read_text()


@AS_ROOT
@pytest.mark.parametrize("node", NODES)
def test_nothing_is_enabled_by_being_there(shell: Shell, node: str) -> None:
    """Systemd itself sees disabled units; there is no permit, no key and no log."""
    assert shell(node) == 0
    assert not [path for path in shell.root.rglob("*") if path.is_symlink() or ".wants" in path.name]
    assert not list((shell.root / "opt/vanta/memory").iterdir())
    assert not list((shell.root / "opt/vanta/config/credentials/audit").iterdir())
    units = [path.name for path in (shell.root / "etc/systemd/system").glob("vanta-*.target")]
    done = ask(tool("systemctl"), f"--root={shell.root}", "is-enabled", *units)
    assert set(done.stdout.split()) == {"disabled"}


@AS_ROOT
def test_a_file_that_looks_different_is_shown_and_left(shell: Shell) -> None:
    """Status 3 and a diff; with --force it is replaced, but never what is the operator's."""
    assert shell("executor") == 0
    unit, settings = shell.root / UNIT, shell.root / "opt/vanta/config/vanta.toml"
    unit.write_text(unit.read_text().replace("WatchdogSec=120", "WatchdogSec=600"))
    settings.write_text("# mine\n")
    assert shell("executor") == 3
    assert "-WatchdogSec=600\n+WatchdogSec=120" in shell.err
    assert "WatchdogSec=600" in unit.read_text()
    assert shell("executor", "--force", "--dry-run") == 0
    assert f"replaced  /{UNIT}" in shell.out
    assert "WatchdogSec=600" in unit.read_text()
    assert shell("executor", "--force") == 0
    assert "WatchdogSec=120" in unit.read_text()
    assert settings.read_text() == "# mine\n"


@AS_ROOT
def test_modes_owners_and_folders_are_put_right(shell: Shell) -> None:
    """What somebody opened is closed again, and a folder that went comes back."""
    assert shell("markets") == 0
    cron, logs, archive = (shell.root / name for name in (
        "etc/cron.d/vanta-markets", "opt/vanta/logs", "opt/vanta/archive"))
    cron.chmod(0o666)
    logs.chmod(0o777)
    archive.rmdir()
    assert shell("markets", "--json") == 0
    assert (shell.document["replaced"], shell.document["made"]) == (
        ["/etc/cron.d/vanta-markets"], ["/opt/vanta/logs", "/opt/vanta/archive"])
    assert (stat.S_IMODE(cron.stat().st_mode), stat.S_IMODE(logs.stat().st_mode)) == (0o644, 0o2750)
    assert archive.is_dir()


@AS_ROOT
def test_what_cannot_be_put_right_is_said(shell: Shell) -> None:
    """A file in the place of a folder is nobody's to remove."""
    (shell.root / "opt/vanta").mkdir(parents=True)
    (shell.root / "opt/vanta/tools").write_text("")
    done = shell("alpha")
    assert done in (3, 78), shell.err
    assert "tools" in shell.err


def test_a_dry_run_says_everything_and_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also for somebody who could not."""
    shell = Shell(tmp_path, capsys)
    assert shell("executor", "--dry-run") == 0
    assert "install executor: would be done" in shell.out
    assert f"wrote     /{UNIT}" in shell.out
    assert "made      accounts: vanta, vanta-executor" in shell.out
    assert not list(tmp_path.iterdir())


@AS_ROOT
def test_two_nodes_share_a_host_and_no_home(shell: Shell) -> None:
    """Each needs an account of its own, and the state is the account's alone."""
    assert shell("executor") == 0
    assert shell("markets") == 2
    assert "/opt/vanta is the home of the node executor" in shell.err
    assert shell("markets", "--home", "/opt/vanta-markets") == 0
    assert shell("executor") == 0
    assert "nothing to change" in shell.out
    assert "/opt/vanta-markets/memory" in (shell.root / "etc/systemd/system/markets-reflector.service").read_text()


@AS_ROOT
def test_somebody_elses_mask_changes_nothing(shell: Shell) -> None:
    """Root's own mask may be as tight as it likes: cron and systemd have to read what is theirs."""
    before = os.umask(0o077)
    try:
        assert shell("executor") == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((shell.root / UNIT).stat().st_mode) == 0o644
    assert stat.S_IMODE((shell.root / "etc/nftables.d").stat().st_mode) == 0o755


def test_a_root_that_cannot_be_written(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "host").write_text("")
    with pytest.raises((OperatorError, StateError)):
        Installer(Order(place=Place("alpha", HOME, PROGRAMS), root=tmp_path / "host")).run()


def test_a_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """Nothing is written to where somebody else points."""
    folder = tmp_path / "etc/sysusers.d"
    folder.mkdir(parents=True)
    (folder / "vanta-alpha.conf").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError):
        Installer(Order(place=Place("alpha", HOME, PROGRAMS), root=tmp_path)).run()
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_not_shipped_is_missed() -> None:
    """A package that is not whole is no package."""
    with pytest.raises(OperatorError):
        shipped("cron/vanta-tracker")


def test_an_environment_that_services_cannot_see_is_refused(tmp_path: Path) -> None:
    """The units would not start."""
    with pytest.raises(UsageError):
        Installer(Order(place=Place("alpha", HOME, "/home"), root=tmp_path))


@AS_ROOT
def test_a_host_without_systemd_is_told(tmp_path: Path) -> None:
    """In a process whose path holds nothing."""
    done = subprocess.run([sys.executable, "-m", "vanta.suite.dispatch", "install", "--node", "alpha", "--root",
                           str(tmp_path), "--programs", PROGRAMS], capture_output=True, text=True, check=False,
                          cwd=ROOT, env={**os.environ, "PATH": "/nowhere"})
    assert (done.returncode, "systemd-sysusers is not here" in done.stderr) == (78, True)


@AS_ROOT
def test_a_tool_that_fails_is_quoted(shell: Shell) -> None:
    """Where accounts cannot be made nothing after them is laid out."""
    (shell.root / "etc/passwd").mkdir(parents=True)
    assert shell("alpha") == 78
    assert not (shell.root / "etc/cron.d").exists()


FOR_THE_BUS = {"nats/vanta.conf", "nats/certificates.sh"}
"""For the host of the NATS server, which is no node."""


def test_a_wheel_holds_the_very_files(tmp_path: Path) -> None:
    """`deploy/` is the one truth: an installed package has all of it and nothing else."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT,
                   check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        inside = {name.removeprefix("vanta/deploy/"): packed.read(name) for name in packed.namelist()
                  if name.startswith("vanta/deploy/")}
    deploy = ROOT / "deploy"
    assert inside == {str(path.relative_to(deploy)): path.read_bytes() for path in deploy.rglob("*") if path.is_file()}
    sources = {piece.source for node in NODES for piece in pieces(node, HOME)}
    assert set(inside) == sources | FOR_THE_BUS  # none is shipped for nobody
