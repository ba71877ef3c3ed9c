"""The command line of `vanta-run`, its progress lines, and children that do not outlive their parent."""

import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.processes import ROOT, run
from vanta.common.clock import ManualClock
from vanta.common.typed import command
from vanta.suite import child
from vanta.suite.progress import Progress
from vanta.suite.run import COMMANDS, main


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_every_command_has_help_with_its_statuses(row: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` works for each and names the exit statuses."""
    assert main([row.name, "--help"]) == 0
    assert "Exit status: 0" in capsys.readouterr().out


def test_help_lists_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command everything is shown."""
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {row.name} " in out for row in COMMANDS)


@pytest.mark.parametrize("words", [["klil"], ["kill", "--hom", "x"], ["up", "--nope"]])
def test_a_typo_is_a_usage_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, what was wrong and where help is, on stderr."""
    assert main(words) == 2
    assert f"Try: {command('vanta-run')}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["kill", "status"])
def test_an_emergency_does_not_pay_for_a_demonstration(name: str) -> None:
    """`kill` and `status` import neither the daemons nor any client or terminal library."""
    heavy = ["vanta.markets.wire", "vanta.executor.wire", "ccxt", "praw", "feedparser", "lxml", "httpx", "rich",
             "structlog", "vanta.suite.demo"]
    said = run(f"import sys; from vanta.suite.run import app; app({name!r}); "
               f"print([name for name in {heavy!r} if name in sys.modules])")
    assert said.strip() == "[]"


def test_progress_is_plain_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a step, with its time."""
    clock = ManualClock(datetime(2026, 11, 18, tzinfo=UTC))
    with Progress(clock, as_json=False).step("counting"):
        clock.sleep(1.5)
    assert capsys.readouterr().out == "- counting … 1.5 s\n"


def test_progress_stays_out_of_a_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to stderr there."""
    with Progress(ManualClock(datetime(2026, 11, 18, tzinfo=UTC)), as_json=True).step("counting"):
        pass
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "counting" in captured.err


def test_progress_spins_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step is ticked off once it is done."""
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen: Any = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    with Progress(ManualClock(datetime(2026, 11, 18, tzinfo=UTC)), as_json=False).step("counting"):
        pass
    assert "✓" in screen.getvalue()
    assert "counting" in screen.getvalue()


def test_a_child_runs_its_command() -> None:
    """The command line that `command` makes ends with the command's own status."""
    done = subprocess.run(child.command("--version"), cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("vanta ")


def test_a_child_whose_parent_is_gone_does_not_begin() -> None:
    """A parent that died before it could be watched: the command is not run."""
    stranger = [sys.executable, "-m", "vanta.suite.child", str(os.getppid()), "--version"]
    done = subprocess.run(stranger, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
