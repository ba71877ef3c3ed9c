"""Releases of modules below `build/modules/`: looked at, put into use by one rename, and taken back the same way.

    build/modules/<module>/releases/<version>/   a candidate, or what ran once
    build/modules/<module>/manifests/            manifest and signature of whatever was put into use
    build/modules/<module>/_A, _B                two slots: links to releases
    build/modules/<module>/current               a link to a slot: what programs start from

A promotion points the idle slot at the new release and then renames one link over `current`: whoever starts finds the
old release or the new one, never half of either. Before that the files are held to the manifest that was approved,
tried on recorded payloads, and signed with the home's key; after it they are looked at once more, a health check may
speak, and whatever is wrong turns the link back. Each move stands in the tracker's log before it begins and after it
ended. A move that was cut off is taken back by whoever comes next, and until then programs start
from the release before.
"""

import os
import shlex
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vanta.alpha import checks
from vanta.alpha.core.releases import (
    SLOTS,
    File,
    Manifest,
    approval,
    before,
    is_name,
    manifest,
    superfluous,
    unfinished,
)
from vanta.alpha.tracker import Desk, desk, look
from vanta.common.canonical import sha256
from vanta.common.clock import Clock
from vanta.common.errors import Missing, StateError, UsageError
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.paths import Home
from vanta.common.signatures import is_signed, keys
from vanta.common.signing_key import signer_of
from vanta.common.store import atomic
from vanta.common.store.lock import holder

CURRENT = "current"
MOST_BYTES = 256 << 20
GOLDEN, PAYLOADS = "golden", "payloads"


class NotAllowed(StateError):
    """The release must not be used."""

    exit_code = Exit.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Put `version` of `module` into use, or go back to it (empty: to the one before).

    `canary` is a folder of recorded payloads with what has to come of them, `try_out` the command that is given each
    payload's path and prints signals, and nothing else; `health` has to end with 0 afterwards. Both are run in the
    release, without a shell.
    """

    module: str
    version: str
    reason: str
    canary: Path | None = None
    try_out: str = "bin/canary"
    health: str | None = None
    timeout_s: float = 10.0
    two_person: bool = False


class Shelf:
    """The releases of one module."""

    def __init__(self, home: Home, module: str) -> None:
        if not is_name(module):
            raise UsageError(f"{module[:60]!r} is no name of a module", "Letters, digits, dots, dashes; at most 64.")
        self.module, self._home = module, home
        self.root = home.root / "build" / "modules" / module

    def folder(self, version: str) -> Path:
        """Where a release lies. Raises `UsageError` where there is none."""
        path = self.root / "releases" / version
        if not is_name(version) or path.is_symlink() or not path.is_dir():
            raise UsageError(f"there is no release {self.module}@{version[:60]}",
                             f"Put it into {self.root / 'releases'}/VERSION.")
        return path

    def versions(self) -> list[str]:
        """Every release that is there."""
        with suppress(OSError):
            return sorted(one.name for one in (self.root / "releases").iterdir() if is_name(one.name))
        return []

    def running(self) -> str | None:
        """The release that `current` leads to, `None` while there is none."""
        slot = _link(self.root / CURRENT)
        return None if slot is None else self.in_slot(slot)

    def in_slot(self, slot: str) -> str | None:
        """The release that a slot leads to. Raises `StateError` for a link that is none of ours."""
        if slot not in SLOTS:
            raise StateError(f"{self.root / CURRENT} leads to {slot[:60]!r}, which is no slot")
        target = _link(self.root / slot)
        return None if target is None else target.removeprefix("releases/")

    def manifest(self, version: str) -> Manifest:
        """What the files of a release are now. Raises `StateError` for anything but plain files and folders."""
        return manifest(self.module, version, list(_files(self.folder(version))))

    def check_signature(self, version: str, digest: str) -> None:
        """That a release was put into use before as it is now. Raises `NotAllowed`."""
        beside, signature = self._manifests(version)
        try:
            raw, signed = atomic.read(beside), atomic.read(signature).decode("ascii", "replace")
            trusted = keys(atomic.read(self._home.config / "audit_keys.jsonl"))
        except Missing as error:
            raise NotAllowed(f"{self.module}@{version} was never put into use: {error.what}") from error
        if sha256(raw) != digest or not any(is_signed(raw, signed.strip(), key) for key in trusted):
            raise NotAllowed(f"{self.module}@{version} is not what was signed: its files or its manifest have changed",
                             "Keep it as evidence; go to another release with --to.")

    def sign(self, version: str, made: Manifest) -> None:
        """Keep manifest and signature. They lie beside the release, in which a crash must leave nothing."""
        signature = signer_of(self._home).sign(made.raw)
        beside, signed = self._manifests(version)
        beside.parent.mkdir(mode=0o750, exist_ok=True)
        atomic.give_to_owner(beside.parent)
        atomic.sync_folder(self.root)
        atomic.replace_all([(beside, made.raw), (signed, signature.encode() + b"\n")])

    def _manifests(self, version: str) -> tuple[Path, Path]:
        folder = self.root / "manifests"
        return folder / f"{version}.json", folder / f"{version}.sig"

    def point(self, version: str) -> None:
        """Let the idle slot lead to a release, and `current` to that slot: two renames, each durable."""
        slot = SLOTS[1] if _link(self.root / CURRENT) == SLOTS[0] else SLOTS[0]
        _relink(self.root / slot, f"releases/{version}")
        _relink(self.root / CURRENT, slot)

    def back(self, version: str | None) -> None:
        """Let `current` lead where it led: the other slot still does, or is made to."""
        if version is None:
            atomic.remove(self.root / CURRENT)
            return
        for slot in SLOTS:
            if self.in_slot(slot) == version:
                _relink(self.root / CURRENT, slot)
                return
        self.point(version)


def promote(home: Home, clock: Clock, order: Order, *, by: str) -> dict[str, float]:
    """Put a release into use. Returns how long each step took, in ms. Raises `NotAllowed`; then the old one runs on."""
    shelf, watch = Shelf(home, order.module), Watch(clock)
    with desk(home, clock, by=by) as one:
        recover(one, shelf)
        made = allowed(one, shelf, order)
        watch.lap("verify")
        if order.canary is not None:
            try_out(shelf.folder(order.version), order)
            watch.lap("canary")
        shelf.sign(order.version, made)
        watch.lap("sign")
        old = shelf.running()
        step = {"module": order.module, "before": old, "after": order.version, "manifest": made.digest,
                "reason": order.reason}
        one.release(Kind.RELEASE_MOVING, step)
        shelf.point(order.version)
        watch.lap("flip")
        wrong = _unwell(shelf, order, made)
        watch.lap("health")
        if wrong:
            shelf.back(old)
            one.release(Kind.RELEASE_MOVED, {**step, "before": order.version, "after": old, "reason": wrong})
            raise NotAllowed(f"{order.module}@{order.version} was taken back: {wrong}",
                             f"{order.module} runs {old or 'nothing'} again.")
        one.release(Kind.RELEASE_MOVED, step)
    return watch.laps


def allowed(one: Desk, shelf: Shelf, order: Order) -> Manifest:
    """The manifest of a release that may be used. Raises `NotAllowed`."""
    made = shelf.manifest(order.version)
    subject = f"{order.module}@{order.version}"
    try:
        approval(one.tracker, subject, made.digest, two_person=order.two_person)
    except StateError as error:
        raise NotAllowed(error.what, f"`vt-add TITLE --release {subject}`, then "
                                     "`vt-mark ID approved --reason TEXT`.") from error
    return made


def rollback(home: Home, clock: Clock, order: Order, *, by: str) -> dict[str, float]:
    """Go back to the release that ran before, or to a named one that ran once. Needs no network and no approval."""
    shelf, watch, module = Shelf(home, order.module), Watch(clock), order.module
    with desk(home, clock, by=by) as one:
        recover(one, shelf)
        old = shelf.running()
        version = order.version or before(one.tracker.moves, module, old)
        if version is None:
            raise UsageError(f"{module} ran nothing before", "Name a release with --to.")
        made = shelf.manifest(version)
        shelf.check_signature(version, made.digest)
        watch.lap("verify")
        step = {"module": module, "before": old, "after": version, "manifest": made.digest,
                "reason": order.reason}
        one.release(Kind.RELEASE_MOVING, step)
        shelf.point(version)
        one.release(Kind.RELEASE_MOVED, step)
        watch.lap("flip")
    return watch.laps


def recover(one: Desk, shelf: Shelf) -> None:
    """Take a move back that was cut off: nobody has seen the new release work."""
    move = unfinished(one.tracker.moves, shelf.module)
    if move is not None:
        shelf.back(move["before"])
        one.release(Kind.RELEASE_MOVED, {**move, "before": move["after"], "after": move["before"],
                                         "reason": "the move was cut off, and taken back"})


def start_from(home: Home, module: str) -> Path:
    """The folder that a program of a module starts from and stays in: a release, and no link that may turn meanwhile.

    The one before, where a move was cut off. Raises `NotAllowed` where nothing is in use.
    """
    shelf = Shelf(home, module)
    busy = holder(home.lock("tracker"))  # before the log is read: whoever begins afterwards has turned nothing yet
    move = unfinished(look(home).moves, module)
    version = shelf.running() if move is None or busy is not None else move["before"]
    if version is None:
        raise NotAllowed(f"nothing of {module} is in use", f"`tracker_manager.py promote {module} REL --reason TEXT`.")
    return shelf.folder(version)


def collect(home: Home, clock: Clock, module: str, *, keep: int, by: str) -> list[str]:
    """Remove releases that ran once, are in no slot and not among the last `keep`. Returns their names."""
    shelf = Shelf(home, module)
    with desk(home, clock, by=by) as one:
        recover(one, shelf)
        ran = [str(move.payload["after"]) for move in one.tracker.moves
               if move.kind == Kind.RELEASE_MOVED and move.payload["module"] == module]
        kept = [version for slot in SLOTS if (version := shelf.in_slot(slot)) is not None]
        gone = superfluous(shelf.versions(), ran, kept, keep)
        for version in gone:
            shutil.rmtree(shelf.folder(version))
    return gone


def try_out(folder: Path, order: Order) -> None:
    """Every recorded payload has to give the signals that are laid beside it, byte for byte. Raises `NotAllowed`."""
    cases = sorted((order.canary or folder).glob(f"{PAYLOADS}/*"))
    if not cases:
        raise NotAllowed(f"{order.canary} holds no {PAYLOADS}/", "A canary without payloads shows nothing.")
    for case in cases:
        wanted = atomic.read(case.parent.parent / GOLDEN / case.name)
        command = f"{order.try_out} {shlex.quote(str(case.absolute()))}"
        ended = checks.run(command, folder=folder, timeout_s=order.timeout_s)
        if ended.code != 0 or ended.raw != wanted:
            raise NotAllowed(f"the canary differs on {case.name}: the release does not reproduce the golden signals"
                             if ended.code == 0 else f"the canary ended with {ended.code} on {case.name}")


def _unwell(shelf: Shelf, order: Order, made: Manifest) -> str:
    """What is wrong after the flip; empty if nothing is."""
    try:
        if shelf.running() != order.version or shelf.manifest(order.version).digest != made.digest:
            return "what runs is not what was approved"
        if order.health is None:
            return ""
        ended = checks.run(order.health, folder=shelf.folder(order.version), timeout_s=order.timeout_s)
    except (StateError, UsageError) as error:
        return error.what
    return "" if ended.code == 0 else f"its health check ended with {ended.code}"


class Watch:
    """How long the steps of a move take."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._last = clock, clock.monotonic()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """The time since the last one, in ms."""
        now = self._clock.monotonic()
        self.laps[name], self._last = round((now - self._last) * 1000, 1), now


def _link(path: Path) -> str | None:
    """Where a link leads. Raises `StateError` where something else stands in its place."""
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{path} is not a link: {atomic.describe(error)}") from error


def _relink(path: Path, target: str) -> None:
    """Let `path` lead to `target` from one instant to the next, durably."""
    temp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with suppress(FileNotFoundError):
        temp.unlink()
    temp.symlink_to(target)
    os.replace(temp, path)
    atomic.sync_folder(path.parent)


def _files(folder: Path) -> Iterator[File]:
    waiting: Sequence[Path] = [folder]
    while waiting:
        here, *waiting = waiting
        for path in sorted(here.iterdir()):
            mode = path.lstat().st_mode
            name = str(path.relative_to(folder))
            if stat.S_ISDIR(mode):
                waiting = [*waiting, path]
            elif not stat.S_ISREG(mode) or not name.isprintable():
                raise NotAllowed(f"{name!r} is no plain file: a release holds nothing else")
            else:
                raw = atomic.read(path, max_bytes=MOST_BYTES)
                yield File(name, len(raw), sha256(raw), bool(mode & 0o111))
