"""The same command in other surroundings: hash seeds, time zones, locales, and another Python where one is found.

Locales are those of `WANTED` that the host has; Turkish, whose i is not ours, is compiled from the C library's sources
where those lie on the host. Another Python is `$VANTA_SECOND_PYTHON`, else the one that `make second` installs for; it
needs VANTA's dependencies.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from tests.processes import ROOT

WANTED = ("tr_TR.utf8", "de_DE.utf8", "C.utf8")
SEEDS = ("0", "1")
ZONES = ("UTC", "Asia/Kathmandu")
_TURKISH = "tr_TR.UTF-8"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One way to run it."""

    python: str
    seed: str
    zone: str
    locale: str
    compiled: Path | None = None

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run `vanta` with these arguments."""
        own = {"PYTHONHASHSEED": self.seed, "TZ": self.zone, "LC_ALL": self.locale, "LANG": self.locale,
               "PYTHONDONTWRITEBYTECODE": "1", **({"LOCPATH": str(self.compiled)} if self.compiled else {})}
        return subprocess.run([self.python, "-m", "vanta.suite.dispatch", *arguments], cwd=ROOT,
                              env={**_unmeasured(), **own}, capture_output=True, check=False)

    def __str__(self) -> str:
        return f"{self.python}, hash seed {self.seed}, {self.zone}, {self.locale}"


def _unmeasured() -> dict[str, str]:
    """Without the measurement of coverage, which would take most of the time."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def second_python() -> tuple[str | None, str]:
    """Another Python that can run VANTA, and a sentence about it."""
    named = os.environ.get("VANTA_SECOND_PYTHON")
    path = Path(named) if named else ROOT / ".second" / "bin" / "python"
    if not path.exists():
        return None, f"no second Python at {path}: `make second` installs for one, $VANTA_SECOND_PYTHON names one"
    asked = subprocess.run([str(path), "-c", "import sys, vanta.alpha.cli.replay; print(*sys.version_info[:2])"],
                           cwd=ROOT, text=True, capture_output=True, check=False)
    if asked.returncode != 0:
        return None, f"{path} cannot run VANTA: {asked.stderr.strip().splitlines()[-1]}"
    version = tuple(map(int, asked.stdout.split()))
    if version == sys.version_info[:2]:
        return None, f"{path} is the same Python as the tests': {asked.stdout.strip()}"
    return str(path), f"second Python: {path}, {'.'.join(map(str, version))}"


def locales(folder: Path) -> list[tuple[str, Path | None]]:
    """Locales besides C, and for a compiled one the folder that it lies in."""
    here: set[str] = set()
    if shutil.which("locale"):
        here.update(subprocess.run(["locale", "-a"], text=True, capture_output=True, check=False).stdout.split())
    found: list[tuple[str, Path | None]] = [(name, None) for name in WANTED if name in here]
    if "tr_TR.utf8" not in here and shutil.which("localedef"):
        made = subprocess.run(["localedef", "-i", "tr_TR", "-f", "UTF-8", str(folder / _TURKISH)], capture_output=True,
                              check=False)
        found = [*([(_TURKISH, folder)] if made.returncode == 0 else []), *found]
    return found


def surroundings(folder: Path) -> Iterator[Surroundings]:
    """Every seed, zone and locale at least once, and once another Python; prints what there is and what is not run."""
    others = locales(folder)
    print("locales: C, " + ", ".join(name for name, _ in others))
    second, said = second_python()
    print(said if second else f"not run: {said}")
    mine = [Surroundings(sys.executable, SEEDS[0], ZONES[0], "C")]
    elsewhere = zip(cycle(SEEDS[::-1]), cycle(ZONES[::-1]), others or [("C", None)], strict=False)
    mine += [Surroundings(sys.executable, seed, zone, *locale) for seed, zone, locale in elsewhere]
    yield from mine
    if second:
        yield replace(mine[1], python=second)


def alike(folder: Path, *arguments: str) -> bytes:
    """What `vanta` prints with these arguments; in all surroundings it has to end with 0 and to print the same."""
    first: bytes | None = None
    for one in surroundings(folder):
        done = one.run(*arguments)
        assert done.returncode == 0, f"{one}: {done.stdout.decode()[:2000]} {done.stderr.decode()[:2000]}"
        assert first in (None, done.stdout), f"{one} prints something else"
        first = done.stdout
        print(f"equal: {one}")
    assert first is not None
    return first
