"""`vanta-diagnostics doctor [--fix] [--bundle]`, and the further looks of the screen, on real folders and files."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from vanta.alpha.cli import diagnostics
from vanta.alpha.core.sights import Disk, Facts, LockSight, Row
from vanta.alpha.doctor import STALE_S, clock, leftovers, points, synchronised, units
from vanta.alpha.facts import gather
from vanta.alpha.mending import mend
from vanta.alpha.outlook import MOST_BYTES, MOST_FILES, look, nodes, saved
from vanta.alpha.support import write
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Check
from vanta.common.models.configuration import Settings
from vanta.common.paths import CONTROL_LOG, EXECUTOR_STATE, MARKET_QUOTES, OVERLAY, PERMIT, TRADE_LOG, VAULTS, Home
from vanta.common.times import parse_iso

NOW = "2026-11-18T15:02:10Z"
Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


def run(capsys: Capture, *words: object) -> tuple[int, str]:
    before = sys.argv
    sys.argv = ["vanta-diagnostics", *(str(one) for one in words)]
    try:
        status = diagnostics.main()
    finally:
        sys.argv = before
    return status, capsys.readouterr().out


def facts_of(home: Home) -> Facts:
    return gather(home, Settings(), parse_iso(NOW))


def checked(home: Home, **more: Any) -> dict[str, Row]:
    return {row.name: row for row in points(home, replace(facts_of(home), **more), [])}


def test_a_lived_home_is_in_order(copied: Home, capsys: Capture) -> None:
    """Every point with its mark; the clock is as this host keeps it."""
    status, text = run(capsys, "doctor", "--home", copied.root, "--now", NOW)
    for words in ("✓ settings: they can be read; mode paper", "✓ vaults: V_CORE, V_SWIFT", "✓ overlay: it can be read",
                  "✓ instruments: ", "✓ quotes: ", "✓ folders: ", "✓ credentials: nobody else can read them",
                  "✓ key: it can be read", "✓ log trade_log: ", "✓ locks: ", "disk: ", "file slots: ", "✓ leftovers: ",
                  "units: ", "time service: "):
        assert words in text
    assert "✗" not in text
    assert status == (Check.OK if synchronised() else Check.WARNING if synchronised() is False else Check.UNKNOWN)
    status, text = run(capsys, "doctor", "--home", copied.root, "--now", NOW, "--json")
    said = json.loads(text)
    assert (said["schema"], said["done"], said["contains"]) == ("vanta.diagnostics.doctor/1", [], [])


def _settings(home: Home) -> None:
    (home.config / "vanta.toml").write_text("nonsense = 1")


def _world_writable(home: Home) -> None:
    home.logs.chmod(0o777)


def _open_credentials(home: Home) -> None:
    (home.config / "credentials").chmod(0o755)


def _open_secret(home: Home) -> None:
    (home.config / "credentials" / "audit" / "signing_key").chmod(0o644)


def _no_key(home: Home) -> None:
    (home.config / "credentials" / "audit" / "signing_key").unlink()


def _no_name_of_a_key(home: Home) -> None:
    (home.config / "credentials" / "audit" / "signing_key").rename(home.config / "credentials" / "audit" / "other")


def _bad_key(home: Home) -> None:
    (home.config / "credentials" / "audit" / "signing_key").write_text("short")


def _no_folder(home: Home) -> None:
    (home.root / "build").rmdir()


def _file_for_folder(home: Home) -> None:
    (home.root / "build").rmdir()
    (home.root / "build").write_text("")


FAULTS: dict[str, tuple[Callable[[Home], object], str, Check, str, str]] = {
    "settings": (_settings, "settings", Check.CRITICAL, "nonsense", "config/vanta.toml"),
    "vaults": (lambda home: home.file(VAULTS).write_text("{"), "vaults", Check.CRITICAL, "vault.json:1", "vault edit"),
    "no vaults": (lambda home: home.file(VAULTS).unlink(), "vaults", Check.CRITICAL, "does not exist", "vault edit"),
    "overlay": (lambda home: home.file(OVERLAY).write_text("{"), "overlay", Check.CRITICAL, "it halts everything",
                "vanta overlay check"),
    "instruments": (lambda home: (home.config / "instruments.json").write_text("{"), "instruments", Check.CRITICAL,
                    "instruments.json:1", "config/instruments.json"),
    "no quotes": (lambda home: home.file(MARKET_QUOTES).unlink(), "quotes", Check.WARNING, "no quote",
                  "collect prices"),
    "anybody's folder": (_world_writable, "folder logs", Check.CRITICAL, "by everybody", "chmod o-w"),
    "a missing folder": (_no_folder, "folder build", Check.WARNING, "ENOENT", "doctor --fix"),
    "a file for a folder": (_file_for_folder, "folder build", Check.CRITICAL, "is not a folder", "ls -ld"),
    "open credentials": (_open_credentials, "credentials", Check.CRITICAL, "open to others (mode 755)", "chmod 700"),
    "an open secret": (_open_secret, "credentials", Check.CRITICAL, "(mode 644)", "chmod 600"),
    "no key": (_no_key, "key", Check.CRITICAL, "not here", "put it back"),
    "another name": (_no_name_of_a_key, "key", Check.CRITICAL, "no signing key", "put the right one back"),
    "a bad key": (_bad_key, "key", Check.CRITICAL, "no signing key", "put the right one back"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_with_what_mends_it(copied: Home, name: str) -> None:
    """Its point, its level, its words, its command; and looking changes nothing."""
    spoil, point, level, words, fix = FAULTS[name]
    spoil(copied)
    before = {path: path.lstat().st_mtime_ns for path in copied.root.rglob("*")}
    row = checked(copied)[point]
    assert (row.level, words in row.text, fix in row.fix) == (level, True, True), row
    assert {path: path.lstat().st_mtime_ns for path in copied.root.rglob("*")} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give folders away")
def test_a_folder_of_somebody_else(copied: Home) -> None:
    """Whose folder it is matters to programs that run as the owner of memory/."""
    os.chown(copied.logs, 12345, -1)
    row = checked(copied)["folder logs"]
    assert (row.level, row.fix) == (Check.CRITICAL, f"chown {copied.memory.stat().st_uid} {copied.logs}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give folders away")
def test_what_the_installer_made_roots_stays_roots(copied: Home) -> None:
    """Where units run the home, its account has no business in config/; what it writes is its own all the same."""
    for path in (copied.memory, copied.logs):
        os.chown(path, 12345, -1)
    assert checked(copied)["folder config"].level is Check.CRITICAL
    assert "folders" in checked(copied, units=True)
    os.chown(copied.logs, 0, -1)
    found = checked(copied, units=True)
    assert found["folder logs"].fix == f"chown 12345 {copied.logs}"
    os.chown(copied.logs, 12345, -1)
    os.chown(copied.config, 54321, -1)
    assert checked(copied, units=True)["folder config"].fix == f"chown 0 {copied.config}"


def test_the_public_half_of_a_key_may_be_read(copied: Home) -> None:
    """Its private half may not."""
    for name in ("key", "key.pub"):
        path = copied.config / "credentials" / "transport" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch()
        path.chmod(0o644)
    assert "/key is open" in checked(copied)["credentials"].text
    path.with_name("key").chmod(0o600)
    assert checked(copied)["credentials"].level is Check.OK


@pytest.mark.parametrize(("node", "vaults", "overlay", "quotes"), [
    ("executor", "on Alpha: vanta vault edit", "vanta overlay check memory/vault_overlay.json",
     "on Markets: vanta markets collect prices"),
    ("markets", "on Alpha: vanta vault edit", "on Alpha: vanta overlay show", "vanta markets collect prices"),
    ("alpha", "vanta vault edit", "vanta overlay check memory/vault_overlay.json", "")])
def test_what_is_another_nodes_is_mended_there(tmp_path: Path, node: str, vaults: str, overlay: str,
                                               quotes: str) -> None:
    """An empty home of several hosts: who is asked to do what."""
    home = Home(tmp_path / "home").prepare()
    found = checked(home, node=node)
    assert (found["vaults"].fix, found["overlay"].fix) == (vaults, overlay)
    assert (found["quotes"].fix if quotes else "") == quotes
    assert ("quotes" in found) is bool(quotes)


def test_what_arrived_of_alpha_counts(copied: Home) -> None:
    """On the executor the vaults are Alpha's, as they lie in the replica."""
    there = copied.replica("alpha").file(VAULTS)
    there.parent.mkdir(parents=True)
    copied.file(VAULTS).rename(there)
    assert checked(copied, node="executor")["vaults"].text == "V_CORE, V_SWIFT"
    assert checked(copied)["vaults"].level is Check.CRITICAL


def test_a_new_home_lacks_nothing_that_comes_by_itself(tmp_path: Path) -> None:
    """No key yet, no credentials, no vault yet."""
    home = Home(tmp_path / "new").prepare()
    home.file(VAULTS).write_text('{"vaults": []}')
    found = checked(home)
    assert found["key"].text == "there is none yet; it is made at first use"
    assert found["credentials"].text == "there are none in config/"
    assert found["vaults"].text == "there is none"
    assert not (home.config / "credentials").exists()


def test_disks_and_their_slots(copied: Home) -> None:
    """Few free slots are a warning, none is critical; a file system without a number has none."""
    for free, level in ((50, Check.OK), (4, Check.WARNING), (0, Check.CRITICAL)):
        assert checked(copied, disk=Disk(1, 2, free, 100))["file slots"].level is level
    assert checked(copied, disk=None)["file slots"].text == checked(copied, disk=Disk(1, 2, 0, 0))["file slots"].text


def test_a_lock_whose_process_is_gone_is_named(copied: Home) -> None:
    """Something that it started keeps the file open."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    locks = (LockSight("executor", f"executor pid={gone.pid} since=x"), LockSight("markets", f"m pid={os.getpid()}"),
             LockSight("a", "nobody knows"), LockSight("b", None), LockSight("c", f"c pid={10**30}"),
             LockSight("d", "d pid=1 since=x"))
    found = checked(copied, locks=locks)
    assert found["lock executor"].level is Check.WARNING
    assert [name for name in found if name.startswith("lock ")] == ["lock executor"]


@pytest.mark.parametrize(("told", "level", "fix"), [
    (True, Check.OK, ""), (False, Check.WARNING, "timedatectl set-ntp true"), (None, Check.UNKNOWN, "timedatectl")])
def test_the_clock_as_far_as_the_host_tells(told: bool | None, level: Check, fix: str) -> None:
    """Kept, not kept, not told."""
    row = clock(lambda: told)
    assert (row.level, row.fix) == (level, fix)
    assert synchronised() in (True, False, None)


def test_units_where_there_are_some(tmp_path: Path, monkeypatch: Patch) -> None:
    """None; some without systemd; one that it has given up; one that runs; and no answer."""
    folder, tools = tmp_path / "units", tmp_path / "bin"
    assert [row.text for row in units((folder,))] == ["none is installed"]
    folder.mkdir()
    tools.mkdir()
    (folder / "vanta-executor.service").touch()
    (folder / "vanta-tidy.timer").touch()
    (folder / "executor-router.service").touch()
    for name in ("other.service", "vanta-alert@.service"):  # another's; a template, of which there is no state
        (folder / name).touch()
    (row,) = units((folder,), tmp_path / "not running")
    assert row.level is Check.UNKNOWN
    assert "executor-router.service, vanta-executor.service, vanta-tidy.timer are installed" in row.text
    program = tools / "systemctl"
    program.write_text('#!/bin/sh\n[ "$2" = vanta-tidy.timer ] && { echo failed; exit 0; }\necho active; exit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    found = {row.name: row for row in units((folder,), tmp_path)}
    runs = found["unit vanta-executor.service"]
    assert (runs.level, runs.text) == (Check.OK, "active")
    assert found["unit vanta-tidy.timer"].level is Check.CRITICAL
    program.write_text("no program at all")
    assert {row.level for row in units((folder,), tmp_path)} == {Check.UNKNOWN}


# --fix

def _stale(home: Home, *, pid: int, age_s: float = STALE_S + 60, name: str = "portfolio.json") -> Path:
    path = home.memory / f".{name}.{pid}.77.tmp"
    path.write_text("half")
    then = SystemClock().now().timestamp() - age_s
    os.utime(path, (then, then))
    return path


def test_fix_does_what_is_safe_and_says_each(copied: Home, capsys: Capture) -> None:
    """Folders made and closed, leftovers of dead processes gone; everything else is as it was, to the byte."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    stale = _stale(copied, pid=gone.pid)
    kept = [_stale(copied, pid=os.getpid()), _stale(copied, pid=gone.pid, age_s=60, name="x"),
            copied.memory / ".notes.tmp", copied.memory / f".odd.{gone.pid}.1.tmp"]
    kept[2].write_text("somebody's")
    kept[3].mkdir()
    (copied.root / "build").rmdir()
    copied.logs.chmod(0o777)
    _open_credentials(copied)
    _open_secret(copied)
    copied.file(OVERLAY).write_text("{")
    others = {path: path.read_bytes() for path in copied.root.rglob("*") if path.is_file() and path != stale}
    status, text = run(capsys, "doctor", "--fix", "--home", copied.root, "--now", NOW)
    assert status == Check.CRITICAL  # the overlay and the open secret are a person's to mend
    assert [line.partition(": ")[2] for line in text.splitlines() if line.startswith("fixed: ")] == [
        f"made {copied.root / 'build'}", f"closed {copied.logs} to others: mode 777 → 775",
        f"closed {copied.config / 'credentials'} to others: mode 755 → 700", f"removed {stale}"]
    assert {path: path.read_bytes() for path in others} == others
    assert all(path.exists() for path in kept)
    assert stat.S_IMODE((copied.config / "credentials" / "audit" / "signing_key").stat().st_mode) == 0o644
    assert mend(copied, SystemClock().now()) == []


def test_what_cannot_be_mended_is_said(tmp_path: Path) -> None:
    """A folder that cannot be made: nothing is raised."""
    home = Home(tmp_path / "h").prepare()
    (home.root / "tools").rmdir()
    (home.root / "tools").symlink_to("/nowhere/at/all")
    assert mend(home, SystemClock().now()) == []
    missing = Home(tmp_path / "file" / "x")
    (tmp_path / "file").write_text("")
    said = mend(missing, SystemClock().now())
    assert any(one.startswith("could not make ") for one in said)
    assert any(one.startswith("could not close ") for one in said)
    assert leftovers(missing, SystemClock().now()) == []


# --bundle

SECRET, PERSON = "s3cr3t-key-value", "zebulon"


def test_a_bundle_holds_what_helps_and_no_secret_or_name(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """Every byte of it is searched; what it contains is listed; it is readable by its owner alone."""
    (copied.config / "vanta.toml").write_text(
        f'[markets]\ncontact = "{PERSON}@example.org"\n[executor.accounts.real]\nadapter = "tradier"\n'
        f'[executor.accounts.real.options]\naccount_id = "VA777888"\nx_token = "{SECRET}"\n')
    (copied.config / "credentials" / "tradier").mkdir()
    (copied.config / "credentials" / "tradier" / "access_token").write_text(SECRET)
    overlay = orjson.loads(copied.file(OVERLAY).read_bytes())
    copied.file(OVERLAY).write_bytes(orjson.dumps({**overlay, "maintenance": {
        "enabled": True, "reason": f"{PERSON} wants it", "by": PERSON}}))
    copied.file(PERMIT).write_bytes(orjson.dumps({"by": "quentin", "reason": "x"}))
    (copied.logs / "executor.log").write_text(f'{{"api_key": "{SECRET}", "said": "quentin released it"}}\n' * 5_000)
    key = (copied.config / "credentials" / "audit" / "signing_key").read_text().strip()
    out = tmp_path / "help.zip"
    _, text = run(capsys, "doctor", "--home", copied.root, "--now", NOW, "--bundle", out)
    assert f"{out} contains, with secrets and names masked:" in text
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist()}
    for name in files:
        assert name in text
    host = os.uname().nodename
    words = [SECRET, PERSON, "quentin", "VA777888", key, "example.org", *([host] if len(host) > 6 else [])]
    for data in files.values():
        for word in words:
            assert word.encode() not in data
    assert {"CONTENTS.txt", "doctor.json", "diagnostics.json", "versions.json", "files.txt", "config/vanta.toml",
            f"memory/{OVERLAY}", f"memory/{VAULTS}", f"memory/{EXECUTOR_STATE}", f"memory/{TRADE_LOG}",
            "logs/executor.log"} <= set(files)
    assert not any("portfolio" in name or "credentials/" in name or "snapshots" in name for name in files)
    assert orjson.loads(files[f"memory/{TRADE_LOG}"].splitlines()[-1])["kind"]
    assert len(files["logs/executor.log"]) < 200_000
    before = out.read_bytes()
    status, _ = run(capsys, "doctor", "--home", copied.root, "--bundle", out)
    assert (status, out.read_bytes()) == (Check.UNKNOWN, before)


def test_a_bundle_of_a_broken_home(tmp_path: Path, capsys: Capture) -> None:
    """What cannot be read is named; a place where nothing can be written is an error."""
    home = Home(tmp_path / "h").prepare()
    home.file(OVERLAY).write_text("{")
    (home.logs / "x.log").mkdir()
    contains = write(home, tmp_path / "b.zip", {}, SystemClock().now())
    assert f"memory/{OVERLAY}.problem.txt" in contains
    assert "config/vanta.toml" not in contains
    home.config.rename(tmp_path / "elsewhere")
    assert write(home, tmp_path / "c.zip", {}, SystemClock().now())
    status, _ = run(capsys, "doctor", "--home", home.root, "--bundle", tmp_path / "no" / "b.zip")
    assert status == Check.UNKNOWN


def test_a_bundle_takes_the_newest_records(copied: Home, tmp_path: Path) -> None:
    """So many at the most."""
    line = b'{"seq":%d,"at":"2026-11-18T15:00:00.000Z","kind":"alert","ids":{},"payload":{"by":{"a":1}},"prev":"x"}\n'
    copied.file(CONTROL_LOG).write_bytes(b"".join(line % number for number in range(500)))
    write(copied, tmp_path / "b.zip", {}, SystemClock().now())
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        records = [orjson.loads(one) for one in bundle.read(f"memory/{CONTROL_LOG}").splitlines()]
    assert [record["seq"] for record in records] == list(range(200, 500))


# further looks

def test_signals_are_counted_where_that_costs_little(copied: Home) -> None:
    """By lines of a file that a program wrote; another form, a missing and a huge file are not counted."""
    path = copied.file("sec_signals.json")
    count = len(orjson.loads(path.read_bytes())["signals"])
    assert look(copied, facts_of(copied)).signals["sec"] == count > 0
    copied.file("news_signals.json").write_text('{"feed":"news","signals":[]}')
    copied.file("reddit_signals.json").unlink(missing_ok=True)
    with path.open("ab") as file:
        file.truncate(MOST_BYTES + 1)
    found = look(copied, facts_of(copied)).signals
    assert "sec" not in found
    assert "news" not in found
    assert "reddit" not in found


def test_the_screen_says_who_permitted_and_what_is_tilted(copied: Home, capsys: Capture) -> None:
    """With the flip's time left; after a kill, who stopped it."""
    overlay = orjson.loads(copied.file(OVERLAY).read_bytes())
    copied.file(OVERLAY).write_bytes(orjson.dumps({**overlay, "flip": {
        "flip_id": "f1", "vault": "V_CORE", "persona": "Ares", "ttl_min": 30, "slice": 0.1, "amplify": 0.5,
        "started_at": "2026-11-18T15:00:00Z"}}))
    _, text = run(capsys, "--home", copied.root, "--now", NOW)
    assert "OK      permission          permitted by ann at " in text
    assert "V_CORE towards Ares, slice 0.1, amplify 0.5, 28 min left" in text
    assert "signals" in text
    copied.file(PERMIT).unlink()
    _, text = run(capsys, "--home", copied.root, "--now", NOW)
    assert "it was never permitted here" in text
    assert saved(copied) is not None
    copied.file(OVERLAY).unlink()
    assert saved(copied) is None


def test_nodes_are_what_lies_in_replica(tmp_path: Path) -> None:
    """The newest file below each folder counts; an empty folder has sent nothing; links and files are no nodes."""
    home = Home(tmp_path / "h").prepare()
    assert list(nodes(home)) == []
    place = home.memory / "replica"
    (place / "markets" / "deep").mkdir(parents=True)
    (place / "alpha").mkdir()
    (place / "stray").write_text("")
    for name, at in (("markets/a", 1_700_000_000), ("markets/deep/b", 1_700_000_600)):
        (place / name).write_text("")
        os.utime(place / name, (at, at))
    (place / "markets" / "loop").symlink_to(place)
    os.utime(place / "markets" / "loop", (1_600_000_000, 1_600_000_000), follow_symlinks=False)
    found = {node.name: node.arrived for node in nodes(home)}
    assert found["alpha"] is None
    assert found["markets"] is not None
    assert found["markets"].timestamp() == 1_700_000_600
    for number in range(MOST_FILES + 10):
        (place / "alpha" / f"{number}").touch()
    assert {node.name for node in nodes(home)} == {"alpha", "markets"}


def test_help_names_every_command(capsys: Capture) -> None:
    """Though a look does not import them."""
    _, text = run(capsys, "--help")
    for name in ("check", "doctor", "serve"):
        assert f"  {name} " in text
