"""`vanta archive begin | list | verify | restore`: the copies of a home's journals that `vanta tidy` keeps each day.

They stand for themselves: `verify` and `restore` need the archive, not the home that it is of.
"""

from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.archives.restoring import manifests, problems, restore
from vanta.alpha.archives.rounds import begin, owner
from vanta.alpha.archives.wire import archive_of
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit, exit_table
from vanta.common.clock import SystemClock
from vanta.common.errors import StateError
from vanta.common.exitcodes import Exit
from vanta.common.settings import Settings, home_from, load
from vanta.common.signatures import fingerprint
from vanta.common.store.lock import FileLock
from vanta.common.times import iso

app = application("The copies of a home's journals that are kept each day, elsewhere.")
Folder = Annotated[Path | None, typer.Option("--folder", metavar="DIR", show_default=False,
                                             help="The archive. Default: [archive] folder of the home's settings.")]
There = Annotated[Path, typer.Argument(metavar="DIR", help="The archive.")]
Pin = Annotated[str | None, typer.Option("--key", metavar="FINGERPRINT", show_default=False, help="The first key of "
                                         "the home, as `vanta audit key` shows it and somebody wrote it down.")]
To = Annotated[Path, typer.Option("--to", metavar="DIR", help="A new folder for the home.")]
Number = Annotated[int | None, typer.Option("--number", metavar="N", min=1, show_default=False,
                                            help="Which manifest. Default: the newest.")]


@app.command(name="begin", epilog=exit_table(Exit.DONE, Exit.USAGE, Exit.CONFIG))
def begin_(home: HomeOption = None, folder: Folder = None, json: JsonFlag = False) -> int:
    """Say once that a folder is this home's archive. A disk that is not mounted is then never taken for it."""
    place, now = home_from(home).existing(), SystemClock().now()
    archive = archive_of(load(place), folder)
    with FileLock(place.lock("housekeeping"), owner="vanta archive begin", now=now):
        begin(place, archive, iso(now))
    return emit(Report(schema="vanta.archive.begin/1", at=now, items={"key": owner(archive).key},
                       lines=[f"the archive of the home whose first key is {fingerprint(owner(archive).key)}"],
                       next=[Next("keep the first copy", "vanta tidy")]), as_json=json)


@app.command(name="list", epilog=exit_table(Exit.DONE, Exit.CONFIG))
def list_(home: HomeOption = None, folder: Folder = None, pin: Pin = None, json: JsonFlag = False) -> int:
    """Show what was kept when."""
    archive = archive_of(load(home_from(home)), folder)
    rows = [{"number": one.number, "at": one.at, "files": len(one.files), "bytes": sum(file.size for file in one.files)}
            for _, one in manifests(archive, pin)]
    return emit(Report(schema="vanta.archive.list/1", at=SystemClock().now(), items={"manifests": rows},
                       lines=[f"{row['number']:>6}  {row['at']}  {row['files']:,} files, {row['bytes']:,} bytes"
                              for row in rows] or ["nothing was kept yet"]), as_json=json)


@app.command(epilog=exit_table(Exit.DONE, Exit.FAILED, Exit.CONFIG))
def verify(home: HomeOption = None, folder: Folder = None, pin: Pin = None, json: JsonFlag = False) -> int:
    """Read every byte of the archive: is it what its home signed?"""
    archive = archive_of(load(home_from(home)), folder)
    found = list(problems(archive, pin))
    first = fingerprint(owner(archive).key)
    said = f"everything that was archived is there, signed by the home whose first key is {first}"
    return emit(Report(schema="vanta.archive.verify/1", at=SystemClock().now(), items={"problems": found, "key": first},
                       lines=found or [said], exit=Exit.FAILED if found else Exit.DONE), as_json=json)


@app.command(name="restore", epilog=exit_table(Exit.DONE, Exit.FAILED, Exit.USAGE, Exit.CONFIG))
def restore_(folder: There, to: To, *, pin: Pin = None, number: Number = None, json: JsonFlag = False) -> int:
    """Lay the journals out in a new folder, as they were, after everything was held to its hash and signature."""
    archive, now = archive_of(Settings(), folder), SystemClock().now()
    try:
        name, manifest = restore(archive, to, pin, number)
    except StateError as error:
        return emit(Report(schema="vanta.archive.restore/1", at=now, items={"problem": error.what}, exit=Exit.FAILED,
                           lines=[f"nothing is restored: {error.what}"]), as_json=json)
    return emit(Report(schema="vanta.archive.restore/1", at=now, items={"manifest": name, "files": len(manifest.files)},
                       lines=[f"{len(manifest.files):,} files of {manifest.at} are in {to}"],
                       next=[Next("check them", f"vanta verify --home {to}")]), as_json=json)
