"""`vanta-diagnostics doctor [--fix] [--bundle FILE]`: a checklist of host and home, with the command that mends each.

✓ is right, ! wants a look, ✗ is wrong, ? cannot be told. `--fix` makes missing folders, closes folders to others and
takes away temporary files of dead processes, and says each; it never touches controls, logs, orders, settings or keys.
"""

from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.cli.diagnostics import look
from vanta.alpha.core.sights import Row, one_line
from vanta.alpha.core.summary import worst
from vanta.alpha.doctor import points
from vanta.alpha.mending import mend
from vanta.alpha.support import write
from vanta.common import typed
from vanta.common.cli import HomeOption, JsonFlag, NowOption, Report, application, emit
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Check
from vanta.common.paths import own
from vanta.common.settings import home_from

MARKS = {Check.OK: "✓", Check.WARNING: "!", Check.CRITICAL: "✗", Check.UNKNOWN: "?"}

app = application("What is wrong with this host and this home?")

Fix = Annotated[bool, typer.Option("--fix", help="Do what is safe and local: folders and leftovers. Says each.")]
Bundle = Annotated[Path | None, typer.Option("--bundle", metavar="FILE", show_default=False,
                                             help="Also write one zip for whoever helps; secrets and names masked.")]


@app.command(epilog="Exit status: 0 all right; 1 something wants a look; 2 something is wrong; 3 cannot be told, or the"
             " command line is wrong.")
def doctor(home: HomeOption = None, now: NowOption = None, json: JsonFlag = False, fix: Fix = False,
           bundle: Bundle = None) -> int:
    """Check host and home point by point, each with the command that mends it."""
    place, clock = home_from(home).existing(), SystemClock()
    done = mend(own(place), clock.now()) if fix else []
    facts, rows = look(home, now)
    found = points(place, facts, rows)
    items: dict[str, object] = {"level": worst(found).name, "checks": [_item(row) for row in found], "done": done}
    put = [] if bundle is None else write(place, bundle, {"doctor": items, "diagnostics": {
        "checks": [_item(row) for row in rows]}}, facts.now)
    told = [f"{bundle} contains, with secrets and names masked:", *(f"  {one}" for one in put)] if put else []
    return emit(Report(
        schema="vanta.diagnostics.doctor/1", at=facts.now, exit=worst(found),
        items={**items, "bundle": None if bundle is None else str(bundle), "contains": put},
        lines=[*(f"fixed: {one}" for one in done), *(line for row in found for line in _lines(row)), *told]),
        as_json=json)


def _lines(row: Row) -> list[str]:
    fix = [f"    Fix: {typed.command(row.fix)}"] if row.fix else []
    return [f"{MARKS[row.level]} {row.name}: {one_line(row.text)}", *fix]


def _item(row: Row) -> dict[str, object]:
    return {"name": row.name, "level": row.level.name, "text": row.text, "fix": typed.command(row.fix) or None}
