"""`tracker_status_summary.py`: how much is open, for a login message, a mail, or a monitoring system.

Without an option it prints a few lines and ends with 0. `--oneline` is one line. `--check` follows the contract of
monitoring plugins: one line of at most 80 characters with figures, and 0, 1, 2 or 3; what keeps it from looking is 3.
"""

import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer

from vanta.alpha.cli.tracker import where
from vanta.alpha.core.items import Wanted, changed_since, headline, level, row, sorted_items, tally
from vanta.alpha.core.sights import one_line
from vanta.alpha.core.words import when
from vanta.alpha.tracker import look
from vanta.common import cli
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit
from vanta.common.errors import UsageError
from vanta.common.times import iso

PROGRAM = "tracker_status_summary.py"
_SPAN = re.compile(r"([1-9][0-9]{0,5})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_WORST = 5

app = application("How much is open?")
app.info.no_args_is_help = False


def since_when(text: str) -> timedelta:
    """`24h`, `90m` or `7d`. Raises `UsageError`."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise UsageError(f"{text[:20]!r} is no span of time", "Write it as 90m, 24h or 7d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@app.command(epilog="Exit status: 0; with --check 0 OK, 1 WARNING, 2 CRITICAL; 3 UNKNOWN, or the line is wrong.")
def summary(home: HomeOption = None, *, oneline: Annotated[bool, typer.Option(  # noqa: PLR0913 - options
        "--oneline", help="One line, always 0.")] = False, check: Annotated[bool, typer.Option(
        "--check", help="One line and an exit status for monitoring.")] = False,
        since: Annotated[str | None, typer.Option("--since", metavar="SPAN", show_default=False,
                                                  help="Also what happened within 24h, 90m, 7d.")] = None,
        now: NowOption = None, json: JsonFlag = False) -> int:
    """Say how many items are open, and which are the worst."""
    place, clock = where(home, now)
    tracker, at = look(place), clock.now()
    figures, worst = tally(tracker), sorted_items(tracker, Wanted())[:_WORST]
    happened = [] if since is None else changed_since(tracker, iso(at - since_when(since)))
    lines = [headline(figures)]
    if not oneline and not check:
        lines += [f"  {row(one, at)}" for one in worst]
        lines += [f"  {when(then)}  {one_line(text)}" for then, text in happened]
    return emit(Report(
        schema="vanta.tracker.summary/1", at=at, exit=level(figures) if check else 0, lines=lines,
        items={"level": level(figures).name, **figures, "worst": [one.model_dump(mode="json") for one in worst],
               "since": [{"at": then, "text": text} for then, text in happened]},
        next=[Next("all of them", "vt-list")] if worst and not oneline and not check else []), as_json=json)


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(app, program=PROGRAM, arguments=arguments, check=True)


if __name__ == "__main__":
    sys.exit(main())
