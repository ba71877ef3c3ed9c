"""Commands as the person in front of the screen can type them: the one place that renders them.

Everywhere else a command is written by its plain name (`vanta-run status`, a file of the home as
`memory/vault_overlay.json`). Here it becomes what works when it is pasted, in the same folder, by the same person: the
program is named by its path where its name alone would not find it, `--home` is repeated where it was typed, and
everything that a shell would take apart is quoted.

    command("vanta-run status")          ->  ".venv/bin/vanta-run status --home ./var"
    prose("See `vanta-run status`.")     ->  "See `.venv/bin/vanta-run status --home ./var`."
"""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from pathlib import Path

from vanta.common.settings import home_from, on_path

PROGRAMS = ("vanta", "vanta-run", "vanta-diagnostics", "vanta-assistant", "vanta-thread", "vt-add", "vt-list",
            "vt-mark", "vt-note", "vt-open", "vt-fix", "tracker_manager.py", "tracker_status_summary.py",
            "tracker_viewer.py")
_WITHOUT_ARGUMENTS = ("vanta-diagnostics", "vt-list", "tracker_status_summary.py")
"""Those that look at a home though nothing else is said."""

_OF_THE_SYSTEM = ("make", "tail", "df", "ls", "mkdir", "chmod", "chown", "timedatectl", "systemctl", "${EDITOR:-vi}")
_IN_THE_HOME = re.compile(r"(?<!\S)(?:memory|logs|config)/\S*")
_IN_PROSE = re.compile(rf"`((?:{'|'.join(map(re.escape, PROGRAMS))})(?: [^`]*)?)`")

_home: ContextVar[str | None] = ContextVar("home", default=None)


@contextmanager
def typed(arguments: Sequence[str]) -> Iterator[None]:
    """While this lasts, proposed commands carry the `--home` of these arguments, if they have one."""
    token = _home.set(home_in(arguments))
    try:
        yield
    finally:
        _home.reset(token)


def home_in(arguments: Sequence[str]) -> str | None:
    """The value of `--home` as it was typed, the last one if there are several."""
    found = [value for name, value in pairwise(arguments) if name == "--home"]
    found += [argument.partition("=")[2] for argument in arguments if argument.startswith("--home=")]
    return found[-1] if found else None


def stay_in(home: str) -> None:
    """Propose commands for this home from now on, though nobody typed it: for a command with a default of its own."""
    _home.set(home)


def is_command(text: str) -> bool:
    """Whether a shell would understand it; everything else is advice to a person."""
    return text.partition(" ")[0] in (*PROGRAMS, *_OF_THE_SYSTEM)


def command(text: str) -> str:
    """One command as it can be pasted. Advice and files of the home keep their words, the latter with their folder."""
    text = _IN_THE_HOME.sub(lambda found: _within(found[0]), text)
    name, _, rest = text.partition(" ")
    if name not in PROGRAMS:
        return text
    home = _home.get()
    takes_home = "--home" not in rest and "--help" not in rest and (rest or name in _WITHOUT_ARGUMENTS)
    return " ".join([_program(name), *([rest] if rest else []),
                     *([f"--home {shlex.quote(home)}"] if home is not None and takes_home else [])])


def prose(text: str) -> str:
    """A sentence in which commands stand between backticks."""
    return _IN_PROSE.sub(lambda found: f"`{command(found[1])}`", text)


def _within(file: str) -> str:
    home = _home.get()
    return shlex.quote(f"{home if home is not None else home_from(None).root}/{file}")


def _program(name: str) -> str:
    """The name where it finds this very installation, else the path by which it was called, else the script's."""
    called = sys.argv[0]
    folder = Path(called).parent if os.sep in called and Path(called).name in PROGRAMS else _beside_python()
    script = folder / name
    found = on_path(name)
    if not script.is_file() or (found is not None and script.samefile(found)):
        return name
    return shlex.quote(f"{folder}/{name}")


def _beside_python() -> Path:
    """The folder of this interpreter's scripts, seen from the working directory if it lies below that."""
    folder = Path(sys.executable).parent
    try:
        return folder.relative_to(Path.cwd())
    except (ValueError, OSError):
        return folder
