"""`vanta-run demo | up | once | status | kill | release | …`: the suite on one host. One module a command.

Only the module of the command that is asked for is imported, so that `kill` and `status` do not pay for the others.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

import typer

from vanta.common.cli import application, exit_table
from vanta.common.cli import main as run_main
from vanta.common.exitcodes import Exit

PROGRAM = "vanta-run"


class Command(NamedTuple):
    """One row: the command's name is the function's, `exits` are the statuses that its help names."""

    name: str
    module: str
    exits: tuple[Exit, ...]


COMMANDS = (
    Command("demo", "vanta.suite.demo", (Exit.DONE, Exit.FAILED, Exit.PARTIAL, Exit.UNAVAILABLE, Exit.CONFIG,
                                         Exit.INTERRUPTED)),
    Command("up", "vanta.suite.up", (Exit.DONE, Exit.FAILED, Exit.TEMPORARY, Exit.CONFIG)),
    Command("once", "vanta.suite.once", (Exit.DONE, Exit.PARTIAL, Exit.CREDENTIALS, Exit.REFUSED, Exit.UNAVAILABLE,
                                         Exit.TEMPORARY, Exit.CONFIG)),
    Command("status", "vanta.suite.status", (Exit.DONE,)),
    Command("kill", "vanta.suite.controls", (Exit.DONE, Exit.OUTCOME_UNKNOWN, Exit.PERMISSION)),
    Command("mode", "vanta.suite.mode", (Exit.DONE, Exit.USAGE, Exit.TEMPORARY, Exit.CONFIG)),
    Command("flatten", "vanta.suite.asking", (Exit.DONE, Exit.USAGE, Exit.TEMPORARY, Exit.CONFIG)),
    Command("cancel", "vanta.suite.asking", (Exit.DONE, Exit.USAGE, Exit.TEMPORARY, Exit.CONFIG)),
    Command("override", "vanta.suite.asking", (Exit.DONE, Exit.USAGE, Exit.TEMPORARY, Exit.CONFIG)),
    Command("acknowledge", "vanta.suite.asking", (Exit.DONE, Exit.USAGE, Exit.TEMPORARY, Exit.CONFIG)),
    Command("release", "vanta.suite.release", (Exit.DONE, Exit.USAGE, Exit.REFUSED, Exit.CONFIG)),
)


def app(name: str | None) -> typer.Typer:
    """The application with the command of that name, or with all of them if there is none such."""
    made = application("The whole suite on one host.")
    made.callback()(_suite)
    for row in [one for one in COMMANDS if one.name == name] or COMMANDS:
        function = getattr(importlib.import_module(row.module), row.name)
        made.command(name=row.name, epilog=exit_table(*row.exits))(function)
    return made


def _suite() -> None:
    """The whole suite on one host."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = next((word for word in given if not word.startswith("-")), None)
    other = name in {row.name for row in COMMANDS} - {"status"}  # a mistyped name may have meant `status`
    return run_main(app(name), program=PROGRAM, arguments=given, check="--check" in given and not other)


if __name__ == "__main__":
    sys.exit(main())
