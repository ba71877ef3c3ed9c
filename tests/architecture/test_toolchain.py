"""The tools themselves: locks that are complete and checked, entry points that exist, coverage that is really held."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from scripts.check_coverage import CORE_LIMIT, OTHER_LIMIT, group_of, groups, report
from tests.architecture.source import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = ("run", "nats", "dev", "installer", "peer", "peer2")
PIN = re.compile(r"^([a-z0-9-]+)==([^\s;\\]+)", re.MULTILINE)


def lock(name: str) -> str:
    """The text of a lock file."""
    return (ROOT / "requirements" / f"{name}.lock").read_text("utf-8")


def pins(name: str) -> dict[str, set[str]]:
    """Versions by package; more than one where they differ by platform or Python."""
    found: dict[str, set[str]] = {}
    for package, version in PIN.findall(lock(name)):
        found.setdefault(package, set()).add(version)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes(name: str) -> None:
    """Each package is one version with at least one hash; no line is without either, none names a host."""
    blocks = re.split(r"\n(?=\S)", lock(name).strip())
    assert len(blocks) >= 1
    for block in blocks:
        assert PIN.match(block), block
        assert "--hash=sha256:" in block
    assert "://" not in lock(name)


def test_dev_contains_run() -> None:
    """What tests run with is what VANTA runs with."""
    ours = {**pins("run"), **pins("nats")}
    assert {package: versions for package, versions in ours.items() if pins("dev").get(package) != versions} == {}


def _names(requirements: list[Any]) -> set[str]:
    return {re.split(r"[<>=!~ \[]", one)[0].lower() for one in requirements if isinstance(one, str)}


def test_everything_declared_is_locked() -> None:
    """Dependencies and the build's own tools are in the lock that runs; the tests' tools in the other."""
    groups_ = PROJECT["dependency-groups"]
    needed = _names(PROJECT["project"]["dependencies"]) | _names(groups_["build"])
    assert needed <= set(pins("run"))
    assert _names(PROJECT["project"]["optional-dependencies"]["nats"]) <= set(pins("nats"))
    assert _names(groups_["dev"]) <= set(pins("dev"))
    assert _names(PROJECT["build-system"]["requires"]) <= _names(groups_["build"])


def test_licence_allows_the_dependencies() -> None:
    """The project says which licence it has, and the text is there."""
    assert PROJECT["project"]["license"] == "MIT"
    assert "Permission is hereby granted" in (ROOT / "LICENSE").read_text("utf-8")


@pytest.mark.parametrize(("script", "target"), PROJECT["project"]["scripts"].items())
def test_console_scripts_exist(script: str, target: str) -> None:
    """Each installed command leads to a function."""
    module, _, function = target.partition(":")
    code = f"import importlib; assert callable(getattr(importlib.import_module({module!r}), {function!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", ["scripts/setup.sh", "scripts/lock.sh", ".ci/run"])
def test_scripts_can_be_run(name: str) -> None:
    """Scripts are executable and their shell understands them."""
    path = ROOT / name
    assert path.stat().st_mode & 0o111
    shell = "bash" if path.read_text("utf-8").splitlines()[0].endswith("bash") else "sh"
    subprocess.run([shell, "-n", str(path)], check=True)


def test_makefile_is_short_and_explains_itself() -> None:
    """Under 80 lines; `make` without a target lists every target with a sentence."""
    text = (ROOT / "Makefile").read_text("utf-8")
    assert text.count("\n") < 80
    shown = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    targets = re.findall(r"^([a-z]+):", text, re.MULTILINE)
    assert set(targets) >= {"help", "run", "test", "bench", "lint", "lock", "clean"}
    for target in targets:
        assert re.search(rf"^  {target} +\w", shown, re.MULTILINE), target


def test_ci_runs_make_test() -> None:
    """CI runs exactly what a developer runs."""
    assert (ROOT / ".ci" / "run").read_text("utf-8").rstrip().endswith("exec make test")


def _file(statements: int, missing: list[int], branches: list[list[int]]) -> dict[str, Any]:
    return {"summary": {"num_statements": statements, "covered_lines": statements - len(missing), "num_branches": 10,
                        "covered_branches": 10 - len(branches)}, "missing_lines": missing, "missing_branches": branches}


WHOLE = {f"vanta/{name}/x.py": _file(100, [], []) for name in ("common", "markets", "executor", "alpha", "suite")}


def test_one_missed_branch_in_core_fails() -> None:
    """A single branch that no test takes misses the limit of a core package, and is named."""
    found = groups({**WHOLE, "vanta/markets/core/decay.py": _file(100, [], [[7, 9], [7, -1]])})
    assert found["vanta.markets.core"].limit == CORE_LIMIT
    assert not found["vanta.markets.core"].passes
    assert found["vanta.markets"].passes
    assert any("vanta/markets/core/decay.py: 7→9, 7→exit" in row for row in report(found))


def test_elsewhere_a_twentieth_may_be_missed() -> None:
    """Shells are held to 95 % of lines and branches together."""
    assert groups({**WHOLE, "vanta/alpha/x.py": _file(90, [1, 2, 3, 4, 5], [])})["vanta.alpha"].passes
    assert not groups({**WHOLE, "vanta/alpha/x.py": _file(90, [1, 2, 3, 4, 5, 6], [])})["vanta.alpha"].passes


def test_nothing_measured_is_no_pass() -> None:
    """A package that no data file mentions fails: the run was not what it should be."""
    found = groups({})
    assert found
    assert not any(group.passes for group in found.values())
    assert all("NOTHING MEASURED" in row for row in report(found) if row.startswith("vanta") and "%" in row)


PLACES = {"vanta/markets/core/decay.py": ("vanta.markets.core", CORE_LIMIT),
          "vanta/executor/core/fences/cash.py": ("vanta.executor.core", CORE_LIMIT),
          "vanta/markets/parsers/sec.py": ("vanta.markets", OTHER_LIMIT), "vanta/__init__.py": ("vanta", OTHER_LIMIT)}


@pytest.mark.parametrize(("path", "group"), PLACES.items())
def test_files_are_grouped(path: str, group: tuple[str, float]) -> None:
    """Each file counts for its package, core apart."""
    assert group_of(path) == group


def test_bytecode_is_compiled_at_install() -> None:
    """Every way of installing asks for bytecode: without it, each start would compile its libraries anew."""
    text = Path(ROOT / "scripts" / "setup.sh").read_text("utf-8")
    installs = [line for line in text.splitlines() if re.search(r'"\$uv" pip (install|sync)', line)]
    assert len(installs) == 4
    assert all("--compile-bytecode" in line or "--editable" in line for line in installs)
    assert "compileall -q vanta" in text
    assert all("--require-hashes" in line or "--offline" in line for line in installs)
