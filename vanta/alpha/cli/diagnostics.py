"""`vanta-diagnostics`: feeds, kill state, executor, queue, logs, locks, disk, clock and nodes on one screen; and more.

`check` for monitoring, `--watch` for a person who keeps looking, `doctor` for what is wrong with the host and the home,
`serve` for metrics. Offline and fast: reads files, asks nobody. The screen ends with 0 whatever it shows. `check`
follows the contract of monitoring plugins: one line of at most 80 characters with figures, and 0, 1, 2 or 3. Monitoring
calls this program, so whatever keeps it from looking, a mistyped command line among it, is 3 with and without `check`.
"""

import importlib
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.core import outlook
from vanta.alpha.core.sights import Facts, Limits, Row, one_line
from vanta.alpha.core.summary import headline, rows, worst
from vanta.alpha.facts import gather, unread
from vanta.alpha.outlook import look as look_further
from vanta.alpha.watching import Watching
from vanta.common import cli, typed
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, emit, show
from vanta.common.clock import Clock, SystemClock, clock_for
from vanta.common.errors import OperatorError
from vanta.common.exitcodes import Check
from vanta.common.settings import clock_from, home_from, load, terminal_kind

PROGRAM = "vanta-diagnostics"
EVERY_S = 2.0
_WORDS = {Check.OK: "OK", Check.WARNING: "WARN", Check.CRITICAL: "CRIT", Check.UNKNOWN: "UNKNOWN"}
_OTHERS = {"doctor": "vanta.alpha.cli.doctor", "serve": "vanta.alpha.cli.serve"}
_SECONDS = re.compile(r"\d+(?:\.\d*)?|\.\d+")

app = cli.application("How is this home doing?")
app.info.no_args_is_help = False

Watch = Annotated[float | None, typer.Option(
    "--watch", metavar="[SECONDS]", min=0.1, max=86_400, show_default=False,
    help=f"Look again every so many seconds (default {EVERY_S:g}) until Ctrl-C; with --json one line a look.")]


@app.callback(invoke_without_command=True, no_args_is_help=False)
def screen(context: typer.Context, home: HomeOption = None, now: NowOption = None, json: JsonFlag = False,
           watch: Watch = None) -> int:
    """Every check on one screen, each with the command that helps. Ends with 0 whatever it shows."""
    if context.invoked_subcommand is not None:
        return 0
    if watch is not None:
        return _watched(home, now, watch, as_json=json)
    return emit(_report(*look(home, now)), as_json=json)


@app.command(epilog="Exit status: 0 OK; 1 WARNING; 2 CRITICAL; 3 UNKNOWN, or the command line is wrong.")
def check(home: HomeOption = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """One line and an exit status for a monitoring system; further lines say more."""
    facts, found = look(home, now)
    return emit(Report(
        schema="vanta.diagnostics.check/1", at=facts.now, exit=worst(found), items=_items(found),
        lines=[headline(found), *(_line(row) for row in found if row.level is not Check.OK)],
        next=[Next(row.name, row.fix) for row in found if row.fix] if json else []), as_json=json)


def look(home: Path | None, now: datetime | None) -> tuple[Facts, list[Row]]:
    """Gather and judge. Settings that cannot be read are one of the findings, and defaults stand in for them."""
    facts, _, found = sighted(home, now)
    return facts, found


def sighted(home: Path | None, now: datetime | None) -> tuple[Facts, outlook.More, list[Row]]:
    """The same, with what was looked at."""
    place = home_from(home).existing()
    problems: tuple[str, ...] = ()
    try:
        settings = load(place)
        clock: Clock = clock_from(settings, now)
    except OperatorError as error:
        settings, clock, problems = unread(place), clock_for(now), (error.what,)
    facts = gather(place, settings, clock.now(), problems)
    limits = Limits(heartbeat_warn_s=3 * settings.executor.heartbeat_s, heartbeat_s=6 * settings.executor.heartbeat_s)
    more = look_further(place, facts)
    return facts, more, [*outlook.counted(rows(facts, limits), more), *outlook.rows(facts, more, limits)]


def _report(facts: Facts, found: list[Row]) -> Report:
    return Report(
        schema="vanta.diagnostics/1", at=facts.now, items=_items(found), lines=[_line(row) for row in found],
        next=[Next(row.name, row.fix) for row in found if row.fix])


def _line(row: Row) -> str:
    return f"{_WORDS[row.level]:<8}{row.name:<20}{one_line(row.text)}"


def _items(found: list[Row]) -> dict[str, object]:
    return {"level": worst(found).name, "checks": [
        {"name": row.name, "level": row.level.name, "text": row.text, "fix": typed.command(row.fix) or None}
        for row in found]}


def _watched(home: Path | None, now: datetime | None, every_s: float, *, as_json: bool) -> int:
    """Look and draw until somebody ends it: that is no failure."""
    live = sys.stdout.isatty() and terminal_kind() != "dumb" and not as_json

    def view() -> str:
        report = _report(*look(home, now))
        if as_json:
            return cli.document(report)
        fixes = [f"  → {one.why}: {typed.command(one.command)}" for one in report.next]
        return "\n".join([f"{PROGRAM}, {report.at:%Y-%m-%d %H:%M:%S} UTC, every {every_s:g} s; Ctrl-C ends it",
                          *report.lines, *fixes])

    Watching(show=lambda text: show(text, newline=False), clock=SystemClock(), live=live).run(view, every_s)
    return 0


def with_seconds(arguments: Sequence[str]) -> list[str]:
    """`--watch` may stand without its number."""
    found: list[str] = []
    for at, word in enumerate(arguments):
        bare = word == "--watch" and not _SECONDS.fullmatch((*arguments[at + 1:], "")[0])
        found += [word, f"{EVERY_S:g}"] if bare else [word]
    return found


def _with_others(arguments: Sequence[str]) -> typer.Typer:
    """The application with the commands that are asked for: a look does not pay for the others."""
    known = {one.name for one in app.registered_commands}
    for name, module in _OTHERS.items():
        if name not in known and (name in arguments or "--help" in arguments):
            app.registered_commands += importlib.import_module(module).app.registered_commands
    return app


def main() -> int:
    """The console script."""
    given = with_seconds(sys.argv[1:])
    return cli.main(_with_others(given), program=PROGRAM, arguments=given, check=True)


if __name__ == "__main__":
    sys.exit(main())
