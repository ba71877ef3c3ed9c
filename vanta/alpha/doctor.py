"""A checklist of what has to be right on a host for its home to work: each point with the exact command that helps.

Looks only: nothing is written, nobody is asked, no key is made. What cannot be told is UNKNOWN.
"""

import ctypes
import os
import re
import shlex
import stat
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from vanta.alpha.core.doing import collect, doing
from vanta.alpha.core.sights import Facts, Row, since
from vanta.alpha.operators import owners
from vanta.common.errors import OperatorError, VantaError
from vanta.common.exitcodes import Check
from vanta.common.models.vault import VaultRegistry
from vanta.common.paths import FOLDERS, MARKET_QUOTES, OVERLAY, VAULTS, Home, NodeHome
from vanta.common.registry import FILE as INSTRUMENTS
from vanta.common.registry import Registry
from vanta.common.secrets import credential_exists, read_secrets
from vanta.common.settings import load, on_path
from vanta.common.signatures import KEY_BYTES, KEYS, bytes_of
from vanta.common.signing_key import CREDENTIAL, SECRET
from vanta.common.store.atomic import describe, read
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.document import parse
from vanta.common.store.guarded import guarded_read
from vanta.executor.core.controls import MAX_BYTES, read_overlay

UNIT_FOLDERS = (Path("/etc/systemd/system"), Path("/usr/local/lib/systemd/system"), Path("/usr/lib/systemd/system"))
RUNNING = Path("/run/systemd/system")
STALE_S = 3_600
_OURS = ("vanta*.service", "vanta*.timer", "executor-*.service", "markets-*.service")
_WRITTEN = ("memory", "logs")
_CONTROLS = ("", "alpha")
"""Where vaults are edited."""

_TEMP = re.compile(r"\..+\.(\d+)\.\d+\.tmp")
_PID = re.compile(r"pid=(\d+)")
_UNSYNCHRONISED, _TIMEX_BYTES, _STATUS_AT = 0x40, 512, 40
FIX = "vanta-diagnostics doctor --fix"


def points(home: Home, facts: Facts, found: list[Row]) -> list[Row]:
    """Every point. `found` are the rows of the screen, of which disk, locks and logs belong here too."""
    told = [row for row in found if row.name in ("disk", "locks") or row.name.startswith("log ")]
    seen = NodeHome(home.root, facts.node)
    return [_settings(home), _vaults(seen), _overlay(seen), _instruments(home), *_quotes(seen, facts),
            *_folders(home, installed=facts.units), *_credentials(home), _key(home), clock(), *told, _inodes(facts),
            *_locks(facts), _leftovers(home, facts.now), *units()]


def _ok(name: str, text: str) -> Row:
    return Row(name=name, level=Check.OK, text=text)


def _settings(home: Home) -> Row:
    try:
        settings = load(home)
    except OperatorError as error:
        return Row(name="settings", level=Check.CRITICAL, text=error.what, fix="${EDITOR:-vi} config/vanta.toml")
    return _ok("settings", f"they can be read; mode {settings.executor.mode}")


def _vaults(home: NodeHome) -> Row:
    """Alpha's, or what arrived of them."""
    try:
        registry = parse(read(home.file(VAULTS)), VaultRegistry, file=VAULTS)
    except VantaError as error:
        where = "" if home.node in _CONTROLS else "on Alpha: "
        return Row(name="vaults", level=Check.CRITICAL, text=error.what, fix=f"{where}vanta vault edit")
    return _ok("vaults", ", ".join(vault.vault_id for vault in registry.vaults) or "there is none")


def _overlay(home: NodeHome) -> Row:
    raw, problem = guarded_read(home.file(OVERLAY), owners=owners(home), max_bytes=MAX_BYTES)
    controls = read_overlay(raw, problem=problem)
    if controls.problem:
        return Row(name="overlay", level=Check.CRITICAL, text=f"it halts everything: {controls.problem}",
                   fix="on Alpha: vanta overlay show" if home.node == "markets" else
                   "vanta overlay check memory/vault_overlay.json")
    return _ok("overlay", "it can be read")


def _instruments(home: Home) -> Row:
    registry = Registry(home)
    count = len(registry())
    if registry.problem:
        return Row(name="instruments", level=Check.CRITICAL, text=registry.problem,
                   fix=f"${{EDITOR:-vi}} config/{INSTRUMENTS}")
    return _ok("instruments", f"{count} are known")


def _quotes(home: NodeHome, facts: Facts) -> Iterator[Row]:
    """Alpha has none."""
    if home.file(MARKET_QUOTES).exists():
        yield _ok("quotes", f"{MARKET_QUOTES} is there")
    elif home.node != "alpha":
        yield Row(name="quotes", level=Check.WARNING, text="no quote has been collected yet",
                  fix=doing(facts, collect("prices")))


def _folders(home: Home, *, installed: bool) -> Iterator[Row]:
    """There, of one owner, and not to be written by everybody.

    What `vanta install` lays out is root's where the node's account has nothing to write, and has to stay so.
    """
    owner, fine = home.memory.stat().st_uid, True
    for path in (home.root, *(home.root / name for name in FOLDERS)):
        roots = installed and path.name not in _WRITTEN
        said, fix = _folder(path, {owner, 0} if roots else {owner})
        if said:
            fine = False
            yield Row(name=f"folder {path.name}", level=Check.WARNING if fix == FIX else Check.CRITICAL, text=said,
                      fix=fix)
    if fine:
        yield _ok("folders", f"all of {home.root} are there, with one owner")


def _folder(path: Path, may: set[int]) -> tuple[str, str]:
    try:
        info = path.lstat()
    except OSError as error:
        return f"{path}: {describe(error)}", FIX
    if not stat.S_ISDIR(info.st_mode):
        return f"{path} is not a folder", f"ls -ld {shlex.quote(str(path))}"
    if info.st_mode & stat.S_IWOTH:
        return f"{path} may be written by everybody", f"chmod o-w {shlex.quote(str(path))}"
    if info.st_uid not in may:
        owner = min(may)
        return f"{path} belongs to uid {info.st_uid}, not to uid {owner}", f"chown {owner} {shlex.quote(str(path))}"
    return "", ""


def _credentials(home: Home) -> Iterator[Row]:
    """Only their owner may do anything with them."""
    folder, fine = home.config / "credentials", True
    for path in [folder, *sorted(folder.rglob("*"))] if folder.is_dir() else []:
        mode = path.lstat().st_mode
        if mode & 0o077 and path.suffix != ".pub":  # the public half of an ssh key
            fine = False
            yield Row(name="credentials", level=Check.CRITICAL,
                      text=f"{path} is open to others (mode {mode & 0o777:o})",
                      fix=f"chmod {'700' if stat.S_ISDIR(mode) else '600'} {shlex.quote(str(path))}")
    if fine:
        yield _ok("credentials", "nobody else can read them" if folder.is_dir() else "there are none in config/")


def _key(home: Home) -> Row:
    """Can the key that signs the logs be read? None is made by looking."""
    try:
        if not credential_exists(CREDENTIAL, home):
            signed = (home.config / KEYS).exists() or (home.memory / FOLDER).exists()
            return Row(name="key", level=Check.CRITICAL, text="the key that has signed the logs is not here",
                       fix=f"put it back to {home.config}/credentials/{CREDENTIAL}/{SECRET}") if signed else \
                _ok("key", "there is none yet; it is made at first use")
        bytes_of(read_secrets(CREDENTIAL, home)[SECRET], KEY_BYTES)
    except VantaError as error:
        return Row(name="key", level=Check.CRITICAL, text=error.what, fix=error.cure)
    except (LookupError, ValueError):
        return Row(name="key", level=Check.CRITICAL, text=f"credential {CREDENTIAL} holds no signing key",
                   fix="put the right one back")
    return _ok("key", "it can be read")


def synchronised() -> bool | None:
    """Whether the kernel's clock is kept by a time service; `None` if this host does not tell."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        failed = ctypes.CDLL(None).adjtimex(buffer) < 0
    except (OSError, AttributeError):
        return None
    status = int.from_bytes(buffer.raw[_STATUS_AT:_STATUS_AT + 4], "little")
    return None if failed else not status & _UNSYNCHRONISED


def clock(told: Callable[[], bool | None] = synchronised) -> Row:
    """A clock that nobody keeps drifts until it is set, and a step of more than a second latches the executor."""
    kept = told()
    if kept:
        return _ok("time service", "the clock is kept by one")
    if kept is None:
        return Row(name="time service", level=Check.UNKNOWN, text="this host does not tell whether one keeps its clock",
                   fix="timedatectl")
    return Row(name="time service", level=Check.WARNING, text="the kernel knows of none that keeps the clock",
               fix="timedatectl set-ntp true")


def _inodes(facts: Facts) -> Row:
    if facts.disk is None or not facts.disk.files:
        return _ok("file slots", "this file system has no fixed number")
    share = facts.disk.free_files / facts.disk.files
    level = Check.OK if share >= 0.05 else Check.WARNING if share > 0 else Check.CRITICAL
    return Row(name="file slots", level=level, text=f"{facts.disk.free_files:,} of {facts.disk.files:,} are free",
               fix="" if level is Check.OK else "df -i memory/")


def _locks(facts: Facts) -> Iterator[Row]:
    """A lock that is held while the process of its stamp is gone: a child of it has kept the file."""
    for lock in facts.locks:
        said = _PID.search(lock.holder or "")
        if said and not _lives(int(said[1])):
            yield Row(name=f"lock {lock.name}", level=Check.WARNING, fix=f"ls -l /proc/*/fd | grep {lock.name}.lock",
                      text=f"held, but process {said[1]} of its stamp is gone: something that it started keeps it")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def leftovers(home: Home, now: datetime) -> list[Path]:
    """Temporary files of processes that are gone, at least an hour old."""
    found = []
    for folder in (home.memory, home.config, *(home.memory / name for name in (FOLDER, "collectors", "replica"))):
        for path in sorted(folder.glob(".*.tmp")) if folder.is_dir() else []:
            said = _TEMP.fullmatch(path.name)
            info = path.lstat()
            old = since(datetime.fromtimestamp(info.st_mtime, now.tzinfo), now) >= STALE_S
            if said and stat.S_ISREG(info.st_mode) and old and not _lives(int(said[1])):
                found.append(path)
    return found


def _leftovers(home: Home, now: datetime) -> Row:
    count = len(leftovers(home, now))
    if count:
        return Row(name="leftovers", level=Check.WARNING, fix=FIX,
                   text=f"{count} temporary files of processes that are gone")
    return _ok("leftovers", "no temporary file was left behind")


def units(folders: tuple[Path, ...] = UNIT_FOLDERS, running: Path = RUNNING) -> Iterator[Row]:
    """The host's units of ours, where there are any, and whether systemd has given one up."""
    names = sorted({path.name for folder in folders if folder.is_dir()
                    for pattern in _OURS for path in folder.glob(pattern) if not path.stem.endswith("@")})
    if not names:
        yield _ok("units", "none is installed")
        return
    program = on_path("systemctl")
    if program is None or not running.is_dir():
        yield Row(name="units", level=Check.UNKNOWN, text=f"{', '.join(names)} are installed, but systemd does not run "
                  "here", fix="systemctl status 'vanta*'")
        return
    for name in names:
        yield _unit(program, name)


def _unit(program: str, name: str) -> Row:
    try:
        done = subprocess.run([program, "is-failed", name], capture_output=True, text=True, timeout=5,  # noqa: S603
                              check=False)
        said, failed = done.stdout.strip() or "unknown", done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return Row(name=f"unit {name}", level=Check.UNKNOWN, text="systemd does not answer",
                   fix=f"systemctl status {name}")
    if failed:
        return Row(name=f"unit {name}", level=Check.CRITICAL, text=said, fix=f"systemctl status {name}")
    return _ok(f"unit {name}", said)
