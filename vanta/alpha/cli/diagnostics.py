"""`vanta-diagnostics`: feeds, kill state, executor, queue, logs, locks and disk on one screen; `check` for monitoring.

Offline and fast: reads files, asks nobody. The screen ends with 0 whatever it shows. `check` follows the contract of
monitoring plugins: one line of at most 80 characters with figures, and 0, 1, 2 or 3. Monitoring calls this program, so
whatever keeps it from looking, a mistyped command line among it, is 3 with and without `check`.
"""

import sys
from datetime import datetime
from pathlib import Path

import typer

from vanta.alpha.core.sights import Facts, Limits, Row, one_line
from vanta.alpha.core.summary import headline, rows, worst
from vanta.alpha.facts import gather
from vanta.common import cli, typed
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, emit
from vanta.common.clock import clock_for
from vanta.common.errors import OperatorError
from vanta.common.exitcodes import Check
from vanta.common.models.configuration import Settings
from vanta.common.settings import clock_from, home_from, load

PROGRAM = "vanta-diagnostics"
_WORDS = {Check.OK: "OK", Check.WARNING: "WARN", Check.CRITICAL: "CRIT", Check.UNKNOWN: "UNKNOWN"}

app = cli.application("How is this home doing?")
app.info.no_args_is_help = False


@app.callback(invoke_without_command=True, no_args_is_help=False)
def screen(context: typer.Context, home: HomeOption = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Every check on one screen, each with the command that helps. Ends with 0 whatever it shows."""
    if context.invoked_subcommand is not None:
        return 0
    facts, found = look(home, now)
    return emit(Report(
        schema="vanta.diagnostics/1", at=facts.now, items=_items(found), lines=[_line(row) for row in found],
        next=[Next(row.name, row.fix) for row in found if row.fix]), as_json=json)


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
    place = home_from(home).existing()
    problems: tuple[str, ...] = ()
    try:
        settings = load(place)
        clock = clock_from(settings, now)
    except OperatorError as error:
        settings, clock, problems = Settings(), clock_for(now), (error.what,)
    facts = gather(place, settings, clock.now(), problems)
    return facts, rows(facts, Limits(
        heartbeat_warn_s=3 * settings.executor.heartbeat_s, heartbeat_s=6 * settings.executor.heartbeat_s))


def _line(row: Row) -> str:
    return f"{_WORDS[row.level]:<8}{row.name:<20}{one_line(row.text)}"


def _items(found: list[Row]) -> dict[str, object]:
    return {"level": worst(found).name, "checks": [
        {"name": row.name, "level": row.level.name, "text": row.text, "fix": typed.command(row.fix) or None}
        for row in found]}


def main() -> int:
    """The console script."""
    return cli.main(app, program=PROGRAM, check=True)


if __name__ == "__main__":
    sys.exit(main())
