"""`vanta overlay check FILE | show | set | clear | flip | history`: the kill switches, from the command line.

`check`: would these very bytes let an order leave? Exit 0 only if they would, 5 otherwise, with the reason. The file is
read as the executor reads it: a link, a pipe, a folder, a foreign owner or a file that everybody may write is a
refusal, never a wait. `reduce_only` refuses too: it lets exits through and nothing else.

Scopes deny only what they name, and all of it where they together name everything that the home's vaults may trade.
Names in `scopes` have to exist. They come from the home (`--home`, `$VANTA_HOME`): its vaults, instruments and the
brokers that its executor last reported. Without a home no such name is known, and a scope that names one halts.
"""

from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.cli import overlay_change
from vanta.alpha.cli.overlay_history import history
from vanta.alpha.core.permission import permission
from vanta.alpha.core.sights import one_line
from vanta.alpha.core.switching import flip_words, rows
from vanta.alpha.halting import look
from vanta.alpha.operators import known, open_ways, owners
from vanta.alpha.placed import here
from vanta.common.canonical import sha256
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, exit_table
from vanta.common.exitcodes import Exit
from vanta.common.paths import OVERLAY
from vanta.common.settings import clock_of, home_from
from vanta.common.store.guarded import guarded_read
from vanta.executor.core.controls import MAX_BYTES, read_overlay

app = application("The kill switches: show, check, set and clear them, and who did so when.")
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The overlay to judge, in place or not.")]


@app.callback()
def overlay() -> None:
    """The kill switches: show, check, set and clear them, and who did so when."""


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE, Exit.REFUSED))
def check(file: FileArgument, home: HomeOption = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Judge one file's bytes as the executor would, right before an order."""
    place = home_from(home)
    if home is not None:
        place.existing()
    at = clock_of(place, now).now()
    raw, problem = guarded_read(file, owners=owners(place), max_bytes=MAX_BYTES)
    controls = read_overlay(raw, problem=problem, file=str(file))
    seen = here(place)
    said = permission(controls, known(seen, controls), now=at, ways=open_ways(seen, controls))
    verdict = "these bytes permit an order" if said.permits else "no order would leave"
    return emit(Report(
        schema="vanta.overlay.check/1", at=at, exit=Exit.DONE if said.permits else Exit.REFUSED,
        items={"file": str(file), "sha256": None if raw is None else sha256(raw), "permits": said.permits,
               "stops": list(said.stops), "scoped": list(said.scoped)},
        lines=[f"{verdict}: {file}", *(f"  {one_line(stop)}" for stop in said.stops),
               *(f"  only in part: {one_line(stop)}" for stop in said.scoped)]), as_json=json)


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE))
def show(home: HomeOption = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Show every switch, boost and flip, and what holds orders back. Ends with 0 whatever that is."""
    place = here(home_from(home).existing())
    at, seen = clock_of(place, now).now(), look(place)
    controls = seen.controls
    said = permission(controls, known(place, controls), now=at, ways=open_ways(place, controls))
    overlay = controls.overlay
    found = rows(overlay, at) if overlay else []
    boosts = {name: str(share) for name, share in overlay.persona_boosts.items()} if overlay else {}
    tilt = flip_words(overlay.flip, at) if overlay else "unknown"
    lines = [f"{name:<26}{text}" if where == "everything" else f"  {one_line(where)}: {name} {text}"
             for where, name, words in found for text in (one_line(words),)]
    if overlay:
        lines += [f"{'persona boosts':<26}{', '.join(f'{name} {share}' for name, share in boosts.items()) or 'none'}",
                  f"{'flip':<26}{tilt}"]
    return emit(Report(
        schema="vanta.overlay.show/1", at=at, items={
            "file": str(place.file(OVERLAY)), "sha256": None if seen.raw is None else sha256(seen.raw),
            "permits": said.permits, "stops": list(said.stops), "scoped": list(said.scoped),
            "switches": [{"scope": where, "switch": name, "state": words} for where, name, words in found],
            "persona_boosts": boosts, "flip": tilt},
        lines=[*lines, "these bytes permit an order" if said.permits else "no order would leave:",
               *(f"  {one_line(stop)}" for stop in said.stops)],
        next=[Next("halt", "vanta overlay set full_halt"), Next("who changed it", "vanta overlay history")]),
        as_json=json)


app.registered_commands += overlay_change.app.registered_commands
app.command(epilog=exit_table(Exit.DONE, Exit.USAGE))(history)
