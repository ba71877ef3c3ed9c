"""Commands are proposed so that they work when they are pasted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vanta.common import typed


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of scripts of our names that is not on PATH, in a folder with a space in its name."""
    folder = tmp_path / "my tree" / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in (*typed.PROGRAMS, "python"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("VANTA_HOME", raising=False)
    monkeypatch.chdir(folder.parent.parent)
    monkeypatch.setattr(sys, "argv", [".venv/bin/vanta-run", "status"])
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    return folder


def test_a_program_off_path_is_named_as_it_was_typed(installed: Path) -> None:
    """By the folder of the command that ran, relative if it was relative; other programs stand beside it."""
    assert typed.command("vanta-run status") == ".venv/bin/vanta-run status"
    assert typed.command("vanta verify") == ".venv/bin/vanta verify"


def test_an_absolute_path_is_quoted(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a space survives the shell."""
    monkeypatch.setattr(sys, "argv", [str(installed / "vanta-run")])
    assert typed.command("vanta verify") == f"'{installed}/vanta' verify"


def test_a_program_on_path_keeps_its_name(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only if PATH finds this very installation, though, not another one of the same name."""
    monkeypatch.setenv("PATH", f"{installed}:/usr/bin")
    assert typed.command("vanta verify") == "vanta verify"
    other = installed.parent / "other"
    other.mkdir()
    (other / "vanta").write_text("#!/bin/sh\n")
    (other / "vanta").chmod(0o755)
    monkeypatch.setenv("PATH", f"{other}:{installed}")
    assert typed.command("vanta verify") == ".venv/bin/vanta verify"


@pytest.mark.parametrize("called", ["vanta-run", "/somewhere/vanta/suite/run.py"])
def test_started_as_a_module_the_scripts_of_the_interpreter_are_named(
        called: str, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from the working directory if they lie below it."""
    monkeypatch.setattr(sys, "argv", [called])
    assert typed.command("vanta verify") == ".venv/bin/vanta verify"
    monkeypatch.chdir(installed)
    assert typed.command("vanta verify") == "./vanta verify"
    monkeypatch.chdir("/usr")
    assert typed.command("vanta verify") == f"'{installed.resolve()}/vanta' verify"


def test_without_scripts_the_name_has_to_do(installed: Path) -> None:
    """Where nothing is installed there is no path to give."""
    (installed / "vanta").unlink()
    assert typed.command("vanta verify") == "vanta verify"


@pytest.mark.parametrize(("arguments", "said"), [
    ([], ".venv/bin/vanta verify"),
    (["--home", "./var"], ".venv/bin/vanta verify --home ./var"),
    (["status", "--home=./var"], ".venv/bin/vanta verify --home ./var"),
    (["--home", "my var; ls"], ".venv/bin/vanta verify --home 'my var; ls'"),
])
def test_home_is_repeated_where_it_was_typed(arguments: list[str], said: str, installed: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was typed, quoted; what $VANTA_HOME or the default says holds for the next command by itself."""
    monkeypatch.setenv("VANTA_HOME", "/elsewhere")
    with typed.typed(arguments):
        assert typed.command("vanta verify") == said
    assert typed.command("vanta verify") == ".venv/bin/vanta verify"


def test_home_stands_where_it_is_taken(installed: Path) -> None:
    """A program without a command, help, and a command that names another home get none."""
    with typed.typed(["--home", "h"]):
        assert typed.command("vanta --help") == ".venv/bin/vanta --help"
        assert typed.command("vanta-run") == ".venv/bin/vanta-run"
        assert typed.command("vanta-diagnostics") == ".venv/bin/vanta-diagnostics --home h"
        assert typed.command("vanta verify --home COPY") == ".venv/bin/vanta verify --home COPY"
        typed.stay_in("./var")
        assert typed.command("vanta verify") == ".venv/bin/vanta verify --home ./var"


def test_files_of_the_home_are_named_in_full(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the home as it was typed, else below the one that is meant; words that only look alike are left alone."""
    with typed.typed(["--home", "my var"]):
        assert typed.command("tail -n 20 logs/executor.log") == "tail -n 20 'my var/logs/executor.log'"
        assert typed.command("vanta overlay check memory/vault_overlay.json") == \
            ".venv/bin/vanta overlay check 'my var/memory/vault_overlay.json' --home 'my var'"
        assert typed.command("look at /x/logs/executor.log") == "look at /x/logs/executor.log"
    monkeypatch.setenv("VANTA_HOME", "/opt/here")
    assert typed.command("${EDITOR:-vi} config/vanta.toml") == "${EDITOR:-vi} /opt/here/config/vanta.toml"


def test_commands_in_prose(installed: Path) -> None:
    """Between backticks; other words between backticks stay."""
    with typed.typed(["--home", "h"]):
        assert typed.prose("See `vanta-run status`; a `latch` is `vantage`.") == \
            "See `.venv/bin/vanta-run status --home h`; a `latch` is `vantage`."


@pytest.mark.parametrize(("text", "yes"), [
    ("vanta-run status", True), ("tail -n 20 logs/x", True), ("look at the venue", False), ("", False),
])
def test_commands_and_advice(text: str, yes: bool) -> None:
    """A shell understands the one, a person the other."""
    assert typed.is_command(text) is yes


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    """The path is then given from the root."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"import os; os.rmdir({str(gone)!r}); from vanta.common import typed; print(typed.command('vanta verify'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=gone, text=True, capture_output=True, check=False,
                          env={**os.environ, "PATH": "/usr/bin:/bin"})
    assert done.stdout.endswith("/bin/vanta verify\n"), done.stderr
