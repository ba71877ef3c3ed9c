"""Making a demonstration's state tree: a copy of a shipped tree, with paths and times filled in.

A tree is only ever thrown away if the marker says that a demonstration made it and nobody works in it.
"""

import os
import re
import shutil
from datetime import datetime
from pathlib import Path

import typer

from vanta.common.errors import OperatorError
from vanta.common.paths import FOLDERS, Home
from vanta.common.store import atomic
from vanta.common.store.lock import holder
from vanta.common.times import iso

MARKER = ".vanta-demo"
FEEDS_FOLDER = "feeds"
_PROGRAMS = ("up", "executor", "markets")


def prepare(home: Home, source: Path, now: datetime, *, contact: str | None = None) -> None:
    """Put a fresh copy of the tree `source` at `home`. Raises `OperatorError` rather than touch what is not ours.

    In its configuration `@HOME@` becomes the home's path and `@NOW@` the time, at which a shifted clock is anchored.
    A `contact` is written below `[markets]`; it has to be an address of `contact_address`.
    """
    clear(home)
    home.prepare()
    atomic.replace(home.root / MARKER, b"made by `vanta-run demo`, which may throw this tree away again\n")
    text = (source / "config" / "vanta.toml").read_text("utf-8")
    if contact is not None:
        text = text.replace("[markets]\n", f'[markets]\ncontact = "{contact}"\n', 1)
    quoted = str(home.root).replace("\\", "\\\\").replace('"', '\\"')
    atomic.replace(home.config / "vanta.toml", text.replace("@HOME@", quoted).replace("@NOW@", iso(now)).encode())
    for file in sorted((source / "memory").iterdir()):
        atomic.replace(home.file(file.name), file.read_bytes())


def contact_address(text: str) -> str:
    """The value of `--contact`: an e-mail address, of characters that no header and no TOML text would take apart."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text):
        raise typer.BadParameter(f"{text!r} is not an e-mail address")
    return text


def clear(home: Home) -> None:
    """Throw an earlier demonstration away."""
    if not home.root.exists() or not any(home.root.iterdir()):
        return
    if not (home.root / MARKER).is_file():
        raise OperatorError(f"{home.root} is not empty, and no demonstration made it",
                            "Give another folder with --home; this one is left as it is.")
    for program in _PROGRAMS:
        stamp = holder(home.lock(program))
        if stamp is not None:
            raise OperatorError(f"{home.root} is in use by {stamp}", "Stop that process first.")
    for name in (*FOLDERS, FEEDS_FOLDER):
        shutil.rmtree(home.root / name, ignore_errors=True)


def serve(home: Home, wave: Path) -> tuple[str, ...]:
    """Let each feed of a wave find that wave's payloads from now on, all of them at once. Returns the feeds.

    A feed's folder is a link that is replaced in one step, so that no pass ever sees half of a wave.
    """
    root = home.root / FEEDS_FOLDER
    feeds = tuple(sorted(path.name for path in wave.iterdir() if path.is_dir()))
    for feed in feeds:
        copy = root / "waves" / wave.name / feed
        shutil.copytree(wave / feed, copy, dirs_exist_ok=True)
        fresh = root / f".{feed}.next"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(copy.relative_to(root))
        os.replace(fresh, root / feed)
    return feeds
