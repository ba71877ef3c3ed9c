"""`tracker_manager.py`: releases of modules: what runs, whether a candidate may, and moving from one to another.

A candidate lies in `build/modules/MODULE/releases/VERSION/`. `vt-add TITLE --release MODULE@VERSION` puts it into the
tracker with the hash of its manifest, `vt-mark ID approved --reason TEXT` approves exactly those bytes, and `promote`
uses nothing else. `rollback` needs neither approval nor network. `start MODULE -- COMMAND` is how programs start: it
looks once which release is in use and stays in that folder, so that a program never mixes two.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from vanta.alpha.cli.tracker import By, where
from vanta.alpha.core.releases import approval, unfinished
from vanta.alpha.core.tracker_words import SENTENCES
from vanta.alpha.core.words import when
from vanta.alpha.releases import Order, Shelf, allowed, collect, promote, rollback, start_from, try_out
from vanta.alpha.tracker import desk, look
from vanta.common import cli
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, exit_table
from vanta.common.errors import StateError, UsageError
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.paths import Home
from vanta.common.settings import load
from vanta.common.store.atomic import describe

app = application("Releases of modules.")
_CODES = exit_table(Exit.DONE, Exit.USAGE, Exit.REFUSED, Exit.TEMPORARY, Exit.CONFIG)

ModuleArgument = Annotated[str, typer.Argument(metavar="MODULE", help="A folder below build/modules/.")]
VersionArgument = Annotated[str, typer.Argument(metavar="REL", help="A folder below its releases/.")]
OnlyModule = Annotated[str | None, typer.Option("--module", metavar="MODULE", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]
Keep = Annotated[int, typer.Option("--keep", min=1, metavar="N", help="So many that ran last stay.")]
Canary = Annotated[Path | None, typer.Option(
    "--canary", metavar="DIR", show_default=False,
    help="payloads/NAME are given to the release's bin/canary, which has to print the bytes of golden/NAME.")]
Health = Annotated[str | None, typer.Option(
    "--health", metavar="COMMAND", show_default=False,
    help="Has to end with 0 once the link is turned, or it is turned back. Run without a shell, in the release.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, max=25, metavar="SECONDS",
                                        help="How long the canary may take for each payload, and the health check.")]


@app.command(epilog=_CODES)
def status(home: HomeOption = None, *, now: NowOption = None, json: JsonFlag = False) -> int:
    """What each module runs, what else is there, and moves that were cut off."""
    place, clock = where(home, now)
    modules = place.root / "build" / "modules"
    names = sorted(one.name for one in modules.iterdir() if one.is_dir()) if modules.is_dir() else []
    moves = look(place).moves
    rows: list[dict[str, Any]] = []
    for name in names:
        shelf = Shelf(place, name)
        rows.append({"module": name, "running": shelf.running(), "slots": {slot: shelf.in_slot(slot) for slot in (
            "_A", "_B")}, "releases": shelf.versions(), "cut_off": unfinished(moves, name) is not None})
    return emit(Report(
        schema="vanta.releases/1", at=clock.now(), items={"modules": rows},
        lines=[f"{row['module']:<20} {row['running'] or 'nothing':<16} of {', '.join(row['releases']) or 'none'}"
               for row in rows] or ["there is no module below build/modules/"],
        warnings=[f"a move of {row['module']} was cut off: the next command about it takes it back" for row in rows
                  if row["cut_off"]]), as_json=json)


@app.command(epilog=_CODES)
def verify(candidate: Annotated[str, typer.Argument(metavar="MODULE@REL")], home: HomeOption = None, *,
           now: NowOption = None, json: JsonFlag = False) -> int:
    """Whether exactly these bytes may be used: the hash of their manifest, and who approved it."""
    place, clock = where(home, now)
    module, _, version = candidate.partition("@")
    made = Shelf(place, module).manifest(version)
    item, why, cure = None, "", ""
    try:
        item = approval(look(place), candidate, made.digest, two_person=two_person(place))
    except StateError as error:
        why, cure = error.what, error.cure
    return emit(Report(
        schema="vanta.releases.verify/1", at=clock.now(), exit=Exit.REFUSED if item is None else Exit.DONE,
        items={"manifest": made.digest, "approved_by": None if item is None else item.history[-1].by, "why": why},
        lines=[f"manifest {made.digest}", why if item is None else f"approved by {item.history[-1].by}: {item.id}"],
        next=[Next("what is missing", cure)] if item is None else []), as_json=json)


@app.command("promote", epilog=_CODES)
def promoted(module: ModuleArgument, version: VersionArgument, reason: Reason, home: HomeOption = None,  # noqa: PLR0913
             *, canary: Canary = None, health: Health = None, timeout: Timeout = 10, dry_run: Annotated[
                 bool, typer.Option("--dry-run", help="Everything but the signature and the link.")] = False,
             by: By = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Put an approved release into use. What programs run goes on until they are started again."""
    place, clock = where(home, now)
    order = Order(module=module, version=version, reason=_reason(reason), canary=canary, health=health,
                  timeout_s=timeout, two_person=two_person(place))
    if dry_run:
        with desk(place, clock, by=by or account()) as one:
            shelf = Shelf(place, module)
            allowed(one, shelf, order)
            if canary is not None:
                try_out(shelf.folder(version), order)
        return _moved(f"{module}@{version} could be put into use", {}, clock.now(), as_json=json)
    laps = promote(place, clock, order, by=by or account())
    return _moved(f"{module} runs {version}", laps, clock.now(), as_json=json)


@app.command("rollback", epilog=_CODES)
def rolled_back(module: ModuleArgument, home: HomeOption = None, *, to: Annotated[str, typer.Option(  # noqa: PLR0913
        "--to", metavar="REL", show_default=False, help="Default: the release before.")] = "",
        reason: Reason = "not stated", by: By = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Go back to a release that ran before. Asks nothing; a reason may be left out in a hurry."""
    place, clock = where(home, now)
    laps = rollback(place, clock, Order(module=module, version=to, reason=_reason(reason)), by=by or account())
    return _moved(f"{module} runs {Shelf(place, module).running()}", laps, clock.now(), as_json=json)


@app.command(epilog=_CODES)
def history(home: HomeOption = None, *, module: OnlyModule = None, now: NowOption = None,
            json: JsonFlag = False) -> int:
    """Every move, oldest first."""
    place, clock = where(home, now)
    found = [one for one in look(place).moves if module in (None, one.payload["module"])]
    return emit(Report(
        schema="vanta.releases.history/1", at=clock.now(),
        items={"moves": [{"seq": one.seq, "at": one.at, "kind": one.kind, **one.payload} for one in found]},
        lines=[f"{when(one.at)}  {SENTENCES[one.kind](one.payload)}" for one in found] or ["nothing was ever moved"]),
        as_json=json)


@app.command(epilog=_CODES)
def gc(module: ModuleArgument, keep: Keep, home: HomeOption = None, *, by: By = None,  # noqa: PLR0913 - options
       now: NowOption = None, json: JsonFlag = False) -> int:
    """Remove releases that ran once, are in no slot and not among the last N that ran."""
    place, clock = where(home, now)
    gone = collect(place, clock, module, keep=keep, by=by or account())
    return emit(Report(schema="vanta.releases.gc/1", at=clock.now(), items={"removed": gone},
                       lines=[f"removed {module}@{one}" for one in gone] or ["nothing to remove"]), as_json=json)


@app.command(epilog=_CODES)
def start(module: ModuleArgument, command: Annotated[list[str], typer.Argument(metavar="COMMAND...")],
          home: HomeOption = None) -> int:
    """Become a program of the release in use, in its folder: what is in use later does not matter to it."""
    place, _ = where(home, None)
    folder = start_from(place, module).resolve()
    program = folder / command[0]
    try:
        os.chdir(folder)
        os.execv(program, [str(program), *command[1:]])  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise UsageError(f"{program} cannot be started: {describe(error)}",
                         "Name a program by its path in the release.") from error


def two_person(home: Home) -> bool:
    """Whether another account has to approve. Settings that cannot be read refuse: nobody knows what they ask for."""
    return load(home).releases.two_person


def _reason(text: str) -> str:
    if not text.strip():
        raise UsageError("this needs a reason", "Add --reason TEXT.")
    return text


def _moved(said: str, laps: Mapping[str, float], at: Any, *, as_json: bool) -> int:
    total = round(sum(laps.values()), 1)
    times = ", ".join(f"{name} {value:g}" for name, value in laps.items())
    return emit(Report(schema="vanta.releases.move/1", at=at, items={"said": said, "ms": dict(laps), "total_ms": total},
                       lines=[said + (f" ({total:g} ms: {times})" if laps else "")]), as_json=as_json)


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(app, program="tracker_manager.py", arguments=arguments)
