"""`vanta tidy`: pack sealed logs, put away what is old, keep a day's copy elsewhere, and say what it all takes on disk.

For cron, once a day, while the programs run. Nothing is deleted: what `retention.keep_days` no longer keeps goes to the
archive, and the control log says so before it goes.
"""

from typing import Annotated

import typer

from vanta.alpha.archives.rounds import Kept
from vanta.alpha.archives.wire import kept
from vanta.alpha.housekeeping import Done, Housekeeping, Order, Usage, usage
from vanta.common.cli import HomeOption, JsonFlag, Report, application, emit, exit_table
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.settings import clock_from, home_from, load
from vanta.common.store.lock import FileLock

app = application("Pack and put away old logs, and say what they take.")
Look = Annotated[bool, typer.Option("--look", help="Only say what there is; touch nothing.")]


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE, Exit.PARTIAL))
def tidy(home: HomeOption = None, *, look: Look = False, json: JsonFlag = False) -> int:
    """Do a day's housekeeping."""
    place = home_from(home).existing()
    settings = load(place)
    now = clock_from(settings, None).now()
    done, copy = Done(), None
    if not look:
        with FileLock(place.lock("housekeeping"), owner="vanta tidy", now=now):
            done = Housekeeping(place, Order(now=now, real=SystemClock().now(), by=account(),
                                             retention=settings.retention)).run()
            copy, problem = kept(place, settings, SystemClock().now())
            done.problems += [problem] if problem else []
    found = usage(place, SystemClock().now().date())
    return emit(Report(
        schema="vanta.tidy/1", at=now, exit=Exit.PARTIAL if done.problems else Exit.DONE,
        items={"packed": done.packed, "saved_bytes": done.saved, "retired": done.retired,
               "moved": {"files": done.moved.files, "bytes": done.moved.size},
               "archived": {"manifest": copy.name, "files": copy.files, "new": copy.copied, "bytes": copy.size}
               if copy else None,
               "disk": [{"what": one.what, "bytes": one.size, "bytes_per_day": one.per_day()} for one in found]},
        lines=[*(() if look else _said(done, copy)), *_table(found)],
        warnings=[f"left for the next time: {one}" for one in done.problems]), as_json=json)


def _said(done: Done, copy: Kept | None) -> list[str]:
    put = [f"{name} up to record {seq:,}" for name, seq in sorted(done.retired.items())]
    return [f"packed {done.packed:,} pieces of logs, {_size(done.saved)} less",
            f"put away: {', '.join(put) or 'no log'}; {done.moved.files:,} snapshot files, {_size(done.moved.size)}",
            *([f"archived {copy.files:,} files, {copy.copied:,} of them new, {_size(copy.size)}"] if copy else [])]


def _table(found: list[Usage]) -> list[str]:
    rows = [f"{'on disk':<24}{'now':>12}{'a day':>12}"]
    rows += [f"{one.what:<24}{_size(one.size):>12}{_size(one.per_day()) if one.days else 'unknown':>12}"
             for one in found]
    return [*rows, "A day is the mean of the last seven with anything sealed or stored; unknown before there is one."]


def _size(number: int) -> str:
    """`1.4 MB`: bytes for a person."""
    value, unit = float(number), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
