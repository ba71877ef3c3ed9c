"""`vanta report`: one page that shows a home: worth, profit and why, orders, refusals, controls, feeds, days, disk.

The page is one file that needs nothing else: no network, no script; it opens from disk and prints. It is made from the
files of the home alone, nothing has to run, and nothing but the page is written.
"""

from pathlib import Path
from typing import Annotated

import typer

from vanta import __version__
from vanta.alpha.core.report.whole import page
from vanta.alpha.core.words import when
from vanta.alpha.pages import outside
from vanta.alpha.reporter import Reporter
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit, exit_table, show
from vanta.common.clock import SystemClock
from vanta.common.errors import OperatorError
from vanta.common.exitcodes import Exit
from vanta.common.models.configuration import Settings
from vanta.common.settings import clock_from, home_from, load
from vanta.common.store import atomic
from vanta.common.times import iso

app = application("Write one page that shows a home: worth, profit and why, orders, refusals, controls, feeds.")
OutOption = Annotated[Path | None, typer.Option(
    "--out", metavar="FILE", show_default=False, help="Where to. Default: build/report.html in the home; - prints it.")]
_EXAMPLE = "--out report.html"


@app.command(epilog=exit_table(Exit.DONE, Exit.PARTIAL, Exit.USAGE))
def report(home: HomeOption = None, out: OutOption = None, *, json: JsonFlag = False) -> int:
    """Make the page. Ends with 3 if something could not be read; the page says what."""
    place = home_from(home).existing()
    target = place.root / "build" / "report.html" if out is None else outside(out, place, _EXAMPLE)
    host, problems = SystemClock(), list[str]()
    try:
        settings = load(place)
        now = clock_from(settings, None).now()
    except OperatorError as error:
        settings, now = Settings(), host.now()
        problems.append(f"{error.what}; defaults stand in for the settings")
    look = Reporter(place, settings, now, problems).look(host.now().date())
    made = iso(host.now())
    drawn = page(look, f"Made by vanta report {__version__} at {when(made)} from the files of a home; vanta verify "
                       "checks that none of them was changed.").encode()
    problems = [*look.gaps, *look.sightings.problems, *filter(None, [look.history.problem])]
    status = Exit.PARTIAL if problems else Exit.DONE
    if out is not None and str(out) == "-":
        show(drawn.decode(), newline=False)
        return emit(Report(schema="vanta.report/1", at=host.now(), exit=status, items={}, lines=[],
                           warnings=problems), as_json=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic.replace(target, drawn, durable=False)
    return emit(Report(
        schema="vanta.report/1", at=host.now(), exit=status,
        items={"page": str(target), "url": target.resolve().as_uri(), "bytes": len(drawn), "problems": problems},
        lines=[f"the page is in {target} ({len(drawn):,} bytes); in a browser: {target.resolve().as_uri()}"],
        warnings=problems, next=[Next("check that none of this was changed", "vanta verify")]), as_json=json)
