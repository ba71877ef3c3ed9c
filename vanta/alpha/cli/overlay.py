"""`vanta overlay check FILE`: would these very bytes let an order leave?

Exit 0 only if they would, 5 otherwise, with the reason. The file is read as the executor reads it: a link, a pipe, a
folder, a foreign owner or a file that everybody may write is a refusal, never a wait. `reduce_only` refuses too: it
lets exits through and nothing else.

Scopes deny only what they name, and all of it where they together name everything that the home's vaults may trade.
Names in `scopes` have to exist. They come from the home (`--home`, `$VANTA_HOME`): its vaults, instruments and the
brokers that its executor last reported. Without a home no such name is known, and a scope that names one halts.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.core.permission import permission
from vanta.alpha.operators import known, open_ways, owners
from vanta.common.canonical import sha256
from vanta.common.cli import HomeOption, JsonFlag, NowOption, Report, application, emit, exit_table
from vanta.common.clock import Clock, clock_for
from vanta.common.errors import VantaError
from vanta.common.exitcodes import Exit
from vanta.common.paths import Home
from vanta.common.settings import clock_from, home_from, load
from vanta.common.store.guarded import guarded_read
from vanta.executor.core.controls import MAX_BYTES, read_overlay

app = application("Would these kill switches let an order pass?")
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The overlay to judge, in place or not.")]


@app.callback()
def overlay() -> None:
    """Would these kill switches let an order pass?"""


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE, Exit.REFUSED))
def check(file: FileArgument, home: HomeOption = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Judge one file's bytes as the executor would, right before an order."""
    place = home_from(home)
    if home is not None:
        place.existing()
    at = _clock(place, now).now()
    raw, problem = guarded_read(file, owners=owners(place), max_bytes=MAX_BYTES)
    controls = read_overlay(raw, problem=problem, file=str(file))
    said = permission(controls, known(place, controls), now=at, ways=open_ways(place, controls))
    verdict = "these bytes permit an order" if said.permits else "no order would leave"
    return emit(Report(
        schema="vanta.overlay.check/1", at=at, exit=Exit.DONE if said.permits else Exit.REFUSED,
        items={"file": str(file), "sha256": None if raw is None else sha256(raw), "permits": said.permits,
               "stops": list(said.stops), "scoped": list(said.scoped)},
        lines=[f"{verdict}: {file}", *(f"  {stop}" for stop in said.stops),
               *(f"  only in part: {stop}" for stop in said.scoped)]), as_json=json)


def _clock(home: Home, now: datetime | None) -> Clock:
    """The home's clock, so that an `until` ends here when it ends for the executor."""
    try:
        return clock_from(load(home), now)
    except VantaError:
        return clock_for(now)
