"""Laying out a host for one node: accounts, folders, units, cron jobs and what belongs to them, from `deploy/`.

It only writes files and lets systemd's own tools make accounts and folders. Nothing is started, enabled or reloaded.
A file that is there and looks different is replaced only if it is asked to; what is as it should be is left alone, so a
second run finds nothing to do. Below another root it makes an image of a host.
"""

import difflib
import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import vanta
from vanta.alpha.core.placing import (
    NODES,
    SYSUSERS,
    TMPFILES,
    Entry,
    Piece,
    Place,
    accounts,
    check,
    entries,
    pieces,
    render,
)
from vanta.common.errors import Missing, OperatorError, UsageError
from vanta.common.settings import on_path
from vanta.common.store import atomic

FOLDER = "deploy"
LONGEST_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be laid out where. `dry`: only say it. `force`: replace what looks different."""

    place: Place
    root: Path = Path("/")
    dry: bool = False
    force: bool = False


@dataclass(slots=True)
class Outcome:
    """What was done, or would be: paths as the host names them, and differences as diffs by path."""

    written: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    differs: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return bool(self.written or self.replaced or self.made)


def shipped(name: str) -> str:
    """A file of `deploy/`: inside the package once it is installed, beside it in a checkout."""
    package = Path(vanta.__file__).resolve().parent
    for folder in (package / FOLDER, package.parent / FOLDER):
        if (folder / name).is_file():
            return atomic.read(folder / name).decode()
    raise OperatorError(f"deploy/{name} is not there", "Install VANTA again: the package is not whole.")


class Installer:
    """One run."""

    def __init__(self, order: Order) -> None:
        """Raises `UsageError` if the place cannot be used."""
        check(order.place)
        self._order, self._place = order, order.place
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Lay it out. Raises `OperatorError` where it cannot, `UsageError` if another node lives in that home."""
        self._insist_on_a_home_of_its_own()
        theirs = pieces(self._place.node, self._place.home)
        first = [piece for piece in theirs if piece.target.startswith((SYSUSERS, TMPFILES))]
        for piece in first:
            self._put(piece)
        for piece in first:  # in the order in which they stand: accounts before the folders that are theirs
            if piece.target.startswith(SYSUSERS):
                self._make_accounts(piece)
        for piece in first:
            if piece.target.startswith(TMPFILES):
                self._make_folders(piece)
        for piece in theirs[len(first):]:
            self._put(piece)
        return self._outcome

    def _insist_on_a_home_of_its_own(self) -> None:
        """The state of a node is its account's alone."""
        for node in (one for one in NODES if one != self._place.node):
            said = _text(self._there(f"{TMPFILES}/vanta-{node}.conf"))
            if said is not None and self._place.home in {one.path for one in entries(said)}:
                raise UsageError(f"{self._place.home} is the home of the node {node}",
                                 "Give this one a home of its own with --home, or run all on one host: vanta-run up.")

    def _there(self, path: str) -> Path:
        return self._order.root / path.lstrip("/")

    def _put(self, piece: Piece) -> None:
        """One file, unless it is there."""
        path, outcome = self._there(piece.target), self._outcome
        text, before = render(shipped(piece.source), self._place), _text(path)
        if before is not None and piece.kept:
            outcome.kept.append(piece.target)
        elif before is None:
            self._write(piece, text, outcome.written)
        elif before != text and not self._order.force:
            outcome.differs[piece.target] = _diff(piece.target, before, text)
        elif before != text or self._off(path, piece):
            self._write(piece, text, outcome.replaced)
        else:
            outcome.same.append(piece.target)

    def _off(self, path: Path, piece: Piece) -> bool:
        info, group = path.stat(), self._ids("group")[piece.group]
        return (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid) != (piece.mode, 0, group)

    def _write(self, piece: Piece, text: str, noted: list[str]) -> None:
        noted.append(piece.target)
        if self._order.dry:
            return
        path = self._there(piece.target)
        try:
            for folder in reversed([one for one in path.parents if not one.exists()]):
                folder.mkdir()
                folder.chmod(0o755)
            atomic.replace(path, text.encode(), mode=piece.mode)
            path.chmod(piece.mode)  # whatever the mask of whoever runs this
            os.chown(path, 0, self._ids("group")[piece.group])
        except OSError as error:
            raise OperatorError(f"{path} cannot be written: {atomic.describe(error)}", "Run this as root.") from error

    def _make_accounts(self, piece: Piece) -> None:
        """Groups, users and memberships that are missing."""
        groups, users, members = accounts(render(shipped(piece.source), self._place))
        if all(_listed(self._table("group"), *one) for one in [*((name,) for name in groups), *members]) and \
                all(name in self._ids("passwd") for name in users):
            return
        self._outcome.made.append(f"accounts: {', '.join(users)}")
        self._let("systemd-sysusers", piece)

    def _make_folders(self, piece: Piece) -> None:
        """Folders and logs that are missing, or not whose they should be."""
        wanted = entries(render(shipped(piece.source), self._place))
        off = [one.path for one in wanted if not self._as_wanted(one)]
        if off:
            self._outcome.made += off
            self._let("systemd-tmpfiles", piece, "--create")
        if not self._order.dry:
            self._outcome.missing += [one.path for one in wanted if not self._as_wanted(one)]

    def _as_wanted(self, entry: Entry) -> bool:
        try:
            info = self._there(entry.path).lstat()
        except OSError:
            return False
        kind = stat.S_ISDIR if entry.kind == "d" else stat.S_ISREG
        whose = self._ids("passwd").get(entry.user), self._ids("group").get(entry.group)
        return kind(info.st_mode) and stat.S_IMODE(info.st_mode) == entry.mode and (info.st_uid, info.st_gid) == whose

    def _table(self, name: str) -> str:
        return _text(self._there(f"/etc/{name}")) or ""

    def _ids(self, name: str) -> dict[str, int]:
        """Numbers of accounts by name, as that host knows them; root is 0 everywhere."""
        rows = (line.split(":") for line in self._table(name).splitlines())
        return {"root": 0, **{row[0]: int(row[2]) for row in rows if len(row) > 3 and row[2].isdecimal()}}

    def _let(self, tool: str, piece: Piece, *options: str) -> None:
        """Let systemd do it, by the file that was just written."""
        if self._order.dry:
            return
        found = on_path(tool)
        if found is None:
            raise OperatorError(f"{tool} is not here", "It comes with systemd; a node needs a host that runs systemd.")
        command = [found, f"--root={self._order.root}", *options, str(self._there(piece.target))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)  # noqa: S603
        if done.returncode:
            raise OperatorError(f"{tool} failed: {done.stderr.strip() or done.returncode}", "Run this as root.")


def _listed(table: str, group: str, *member: str) -> bool:
    """Whether a group is there; given `member, group`, whether it has that member."""
    name, who = (member[0], group) if member else (group, None)
    rows = [line.split(":") for line in table.splitlines() if line.startswith(f"{name}:")]
    return any(who is None or who in row[-1].split(",") for row in rows)


def _text(path: Path) -> str | None:
    """What a file holds; `None` if there is none. Raises `StateError` if it is no plain file."""
    try:
        return atomic.read(path).decode("utf-8", "replace")
    except Missing:
        return None


def _diff(name: str, there: str, ours: str) -> str:
    return "".join(_lines(difflib.unified_diff(there.splitlines(), ours.splitlines(), f"{name} (there)",
                                               f"{name} (shipped)", lineterm="")))


def _lines(rows: Iterator[str]) -> Iterator[str]:
    return (f"{row}\n" for row in rows)
