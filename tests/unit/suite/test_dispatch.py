"""`vanta COMMAND`: finds commands, imports only the one that is asked for."""

import json
import sys

import pytest

from tests.processes import run
from vanta import __version__
from vanta.suite.dispatch import COMMANDS, main, suggestion

NAMES = [row.name for row in COMMANDS]


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, on stdout, status 0."""
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == NAMES


def test_nothing_asked_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The same text on stderr, status 2."""
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "markets" in captured.err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version of the package."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vanta {__version__}\n"


def test_an_unknown_command_is_told_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2 and a suggestion, as JSON where asked for."""
    assert main(["makets"]) == 2
    assert "vanta markets" in capsys.readouterr().err
    assert main(["makets", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["exit"] == 2


@pytest.mark.parametrize(("typed", "said"), [("exlain", "`vanta explain`"), ("zzz", "vanta --help")])
def test_suggestions(typed: str, said: str) -> None:
    """Something close by, or where to look."""
    assert said in suggestion(typed)


def test_names_are_unique() -> None:
    """No command hides another."""
    assert len(set(NAMES)) == len(NAMES)


def test_help_and_version_import_nothing_heavy() -> None:
    """The dispatcher itself loads no command, no models and no command-line library."""
    loaded = run("import sys; from vanta.suite.dispatch import main; main(['--help']);"
                 "print([n for n in sys.modules if n.startswith(('vanta.', 'typer', 'pydantic'))], file=sys.stderr)")
    assert "Usage" in loaded
    names = run("import sys; import vanta.suite.dispatch;"
                "print(sorted(n for n in sys.modules if n.startswith(('vanta.', 'typer', 'pydantic'))))")
    assert names.strip() == "['vanta.common', 'vanta.common.exitcodes', 'vanta.suite', 'vanta.suite.dispatch']"


def test_only_the_chosen_command_is_imported() -> None:
    """`vanta markets` does not load the executor, nor the other way round."""
    names = run("import sys; from vanta.suite.dispatch import main; code = main(['markets', '--help']);"
                "print(code, [n for n in sys.modules if n.startswith(('vanta.executor', 'vanta.alpha'))])")
    assert names.splitlines()[-1] == "0 []"


def test_a_subcommand_is_called_by_its_full_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Usage errors inside name what was typed, not the module."""
    assert main(["markets", "colect"]) == 2
    assert "vanta markets --help" in capsys.readouterr().err
    assert sys.argv[0] != "vanta markets"
