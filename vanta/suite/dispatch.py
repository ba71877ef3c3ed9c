"""`vanta COMMAND …`: finds the command's module and runs it. Imports nothing else, so that help costs nothing.

Each row of `COMMANDS` names a module and either its typer application (`app`) or its own entry point (`main`, for
commands that are programs of their own as well: `vanta run` is `vanta-run`).
"""

import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from vanta import __version__
from vanta.common.exitcodes import Exit


class Command(NamedTuple):
    """One row. `check` marks the check family of exit statuses."""

    name: str
    summary: str
    module: str
    program: str | None = None
    check: bool = False


COMMANDS = (
    Command("run", "the suite on one host: demo, up, once, status, kill, release", "vanta.suite.run", "vanta-run"),
    Command("diagnostics", "feeds, kill state, queue and logs at a glance", "vanta.alpha.cli.diagnostics",
            "vanta-diagnostics"),
    Command("markets", "collect feeds, reflect on them, stage intents", "vanta.markets.cli"),
    Command("executor", "carry staged intents to the broker under the fences", "vanta.executor.cli"),
    Command("explain", "why a signal, order, refusal or any record is what it is", "vanta.alpha.cli.explain"),
    Command("report", "one page that shows a home: worth, profit, orders, controls, feeds", "vanta.alpha.cli.report"),
    Command("verify", "check every log and document of a home", "vanta.alpha.cli.verify", check=True),
    Command("replay", "recompute a home's decisions from its logs, byte for byte", "vanta.alpha.cli.replay"),
    Command("audit", "the key that signs logs, witnessing another home, bundles of records", "vanta.alpha.cli.audit",
            check=True),
    Command("transport", "what crosses between hosts: pull, serve, lease", "vanta.transport.cli"),
    Command("outside", "whom the programs of this node may ask, and what needs it", "vanta.suite.outside"),
    Command("tidy", "pack and put away old logs, and say what they take on disk", "vanta.alpha.cli.tidy"),
    Command("archive", "daily copies of a home's journals: begin, list, verify, restore", "vanta.alpha.cli.archive"),
    Command("install", "lay out a host for one node: accounts, folders, units, cron jobs", "vanta.alpha.cli.install"),
    Command("overlay", "the kill switches: check, show, set, clear, flip, history", "vanta.alpha.cli.overlay"),
    Command("vault", "the vaults and their limits: list, show, check, edit", "vanta.alpha.cli.vault"),
    Command("assistant", "ask why, what changed, is it safe to release", "vanta.alpha.cli.assistant",
            "vanta-assistant"),
    Command("thread", "timelines of incidents and decisions", "vanta.alpha.cli.thread", "vanta-thread"),
    Command("simulate", "run the very same programs over recorded feeds and prices", "vanta.suite.simulate"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("--help", "-h", "help"):
        (sys.stdout if given else sys.stderr).write(usage())
        return Exit.DONE if given else Exit.USAGE
    if given[0] in ("--version", "version"):
        sys.stdout.write(f"vanta {__version__}\n")
        return Exit.DONE
    command = next((row for row in COMMANDS if row.name == given[0]), None)
    if command is None:
        frame = importlib.import_module("vanta.common.cli")
        what, cure = f"there is no command {given[0]!r}", suggestion(given[0])
        return int(frame.fail(Exit.USAGE, what, cure, as_json="--json" in given))
    return start(command, given[1:])


def usage() -> str:
    """All commands, one line each."""
    width = max(len(row.name) for row in COMMANDS)
    rows = "\n".join(f"  {row.name:<{width}}  {row.summary}" for row in COMMANDS)
    return (f"Usage: vanta COMMAND [ARGUMENTS]\n\nCommands:\n{rows}\n\n"
            "Every command takes --help, --home DIR (or $VANTA_HOME) and --json.\n")


def suggestion(name: str) -> str:
    """What was probably meant."""
    close = difflib.get_close_matches(name, [row.name for row in COMMANDS], n=1)
    return f"Did you mean `vanta {close[0]}`?" if close else "`vanta --help` lists all commands."


def start(command: Command, arguments: list[str]) -> int:
    """Import the command's module and run it."""
    module = importlib.import_module(command.module)
    if command.program is not None:
        sys.argv = [command.program, *arguments]
        return int(module.main() or 0)
    frame = importlib.import_module("vanta.common.cli")
    return int(frame.main(module.app, program=f"vanta {command.name}", arguments=arguments, check=command.check))


if __name__ == "__main__":
    sys.exit(main())
