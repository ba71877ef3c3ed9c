"""`vt-add | vt-list | vt-mark | vt-note | vt-open`: what is to be followed, one short command each.

Each change is one record of the tracker's log, and is in `thread_tracker.json` when the command returns. Several people
may call them at once: each waits for its turn. An id may be shortened to four characters behind `vt_`.
"""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from vanta.alpha.checks import words
from vanta.alpha.core.items import Wanted, indented, row, sorted_items, told
from vanta.alpha.core.tracker import LONGEST_TEXT
from vanta.alpha.releases import Shelf
from vanta.alpha.tracker import New, desk, evidence_state, find, look
from vanta.common import cli
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, exit_table, show
from vanta.common.clock import Clock, clock_for
from vanta.common.errors import UsageError, VantaError
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.models.tracker import Item
from vanta.common.paths import Home
from vanta.common.settings import clock_from, home_from, load

EVERY_S = 2.0
_CODES = exit_table(Exit.DONE, Exit.USAGE, Exit.TEMPORARY, Exit.CONFIG)

add_app = application("Follow something from now on.")
list_app = application("What is being followed?")
mark_app = application("Say how an item stands.")
note_app = application("Say something about an item.")
open_app = application("Everything about one item.")
list_app.info.no_args_is_help = False

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="vt_…, or its beginning.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", show_default=False,
                                        help="Who says so. Default: the account that runs this.")]
Kind = Annotated[Literal["incident", "task", "risk", "idea", "release"], typer.Option("--kind", help="What it is.")]
Severity = Annotated[Literal["low", "medium", "high", "critical"], typer.Option("--sev", help="How bad it is.")]
Owner = Annotated[str | None, typer.Option("--owner", metavar="NAME", show_default=False, help="Who is to do it.")]
EvidenceOption = Annotated[Path | None, typer.Option(
    "--evidence", metavar="PATH", show_default=False, help="A file that it rests on; its hash is kept, not the file.")]
Verify = Annotated[str | None, typer.Option(
    "--verify", metavar="COMMAND", show_default=False,
    help="A check that ends with 0 when it is done. `vt-fix` runs it without a shell; nothing else ends the item.")]
ReleaseOption = Annotated[str | None, typer.Option(
    "--release", metavar="MODULE@REL", show_default=False,
    help="A candidate below build/modules/: the item names the hash of its manifest, and is of the kind release.")]
State = Annotated[Literal["open", "fixing", "blocked", "approved", "done", "wontfix", "all"] | None, typer.Option(
    "--state", show_default=False, help="Only these. Default: all that have not ended.")]
MarkArgument = Annotated[Literal["done", "blocked", "wontfix", "open", "approved"], typer.Argument(
    metavar="STATE", help="done, blocked, wontfix, open, or for a release approved.")]
TextArgument = Annotated[str, typer.Argument(metavar="TEXT", help="What; - reads it from stdin.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]


@add_app.command(epilog=_CODES)
def add(title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is, in a few words.")],  # noqa: PLR0913
        home: HomeOption = None, *, kind: Kind = "task", severity: Severity = "medium", owner: Owner = None,
        evidence: EvidenceOption = None, verify: Verify = None,
        release: ReleaseOption = None, by: By = None, now: NowOption = None,
        json: JsonFlag = False) -> int:
    """Add an incident, task, risk or idea, and print its id."""
    place, clock = where(home, now)
    if verify is not None:
        words(verify)
    digest = None
    if release is not None:
        module, _, version = release.partition("@")
        kind, digest = "release", Shelf(place, module).manifest(version).digest
    with desk(place, clock, by=by or account()) as one:
        item = one.add(New(title=title, kind=kind, severity=severity, owner=owner, evidence=evidence, verify=verify,
                           subject=release, digest=digest))
    return said("add", item, clock, json, Next("to approve it", f"vt-mark {item.id} approved --reason TEXT")
                if release else Next("to fix it", f"vt-fix {item.id}"))


@list_app.command(epilog=_CODES)
def listed(home: HomeOption = None, *, state: State = None, mine: Annotated[bool, typer.Option(  # noqa: PLR0913
        "--mine", help="Only what I own.")] = False, every: Annotated[bool, typer.Option(
        "--all", help="What has ended too.")] = False, watch: Annotated[bool, typer.Option(
        "--watch", help="Show it again whenever it changes, until Ctrl-C.")] = False, now: NowOption = None,
        json: JsonFlag = False) -> int:
    """What has not ended, the worst and oldest first."""
    place, clock = where(home, now)
    wanted = Wanted(state="all" if every else state, owner=account() if mine else None)
    if not watch:
        return _show(place, clock, wanted, json)
    if json:
        raise UsageError("--json prints one document, --watch many", "Leave out one of them.")
    return follow(place, clock, lambda: _show(place, clock, wanted, as_json=False))


def follow(place: Home, clock: Clock, draw: Callable[[], int], every_s: float = EVERY_S) -> int:
    """Draw once, and again whenever the tracker has another record, for ever."""
    seen = -1
    while True:
        seq = look(place).seq
        if seq != seen:
            if seen >= 0:
                show("")
            draw()
            seen = seq
        clock.sleep(every_s)


def _show(place: Home, clock: Clock, wanted: Wanted, as_json: bool) -> int:  # noqa: FBT001 - as the flag is called
    found, at = sorted_items(look(place), wanted), clock.now()
    return emit(Report(
        schema="vanta.tracker.list/1", at=at, items={"items": [one.model_dump(mode="json") for one in found]},
        lines=[row(one, at) for one in found] or ["nothing is to be followed here"]), as_json=as_json)


@mark_app.command(epilog=_CODES)
def mark(name: IdArgument, state: MarkArgument, reason: Reason, home: HomeOption = None, *,  # noqa: PLR0913
         by: By = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Give an item another state, with the reason. What has a check of its own is done by `vt-fix` alone."""
    place, clock = where(home, now)
    with desk(place, clock, by=by or account()) as one:
        item = one.mark(find(name, one.tracker.items, prefix="vt_"), state, reason)
    return said("mark", item, clock, json)


@note_app.command(epilog=_CODES)
def note(name: IdArgument, text: TextArgument, home: HomeOption = None, *, by: By = None,  # noqa: PLR0913 - options
         now: NowOption = None, json: JsonFlag = False) -> int:
    """Add a word to an item. Nothing that was said is ever taken away."""
    place, clock = where(home, now)
    words_ = given(text)
    with desk(place, clock, by=by or account()) as one:
        item = one.note(find(name, one.tracker.items, prefix="vt_"), words_)
    return said("note", item, clock, json)


@open_app.command("open", epilog=_CODES)
def opened(name: IdArgument, home: HomeOption = None, *, now: NowOption = None, json: JsonFlag = False) -> int:
    """Show all there is about an item: evidence, history, notes."""
    place, clock = where(home, now)
    tracker = look(place)
    item = tracker.item(find(name, tracker.items, prefix="vt_"))
    became = evidence_state(item)
    return emit(Report(
        schema="vanta.tracker.item/1", at=clock.now(),
        items={"item": item.model_dump(mode="json"), "evidence": became or None},
        lines=list(map(indented, told(item, became))),
        next=[Next("its timeline", f"vanta-thread show {item.thread}")] if item.thread else []), as_json=json)


def where(home: Path | None, now: datetime | None) -> tuple[Home, Clock]:
    """The home, and the clock that its programs go by; the host's where its settings cannot be read."""
    place = home_from(home).existing()
    try:
        return place, clock_from(load(place), now)
    except VantaError:
        return place, clock_for(now)


def given(text: str) -> str:
    """A text, or for `-` what stands on stdin. Raises `UsageError` for more than may be kept."""
    if text != "-":
        return text
    raw = sys.stdin.buffer.read(4 * LONGEST_TEXT + 1)
    if len(raw) > 4 * LONGEST_TEXT:
        raise UsageError(f"a text has at most {LONGEST_TEXT:,} characters",
                         "Put the rest into a file and name it with --evidence.")
    return raw.decode("utf-8", "replace")


def said(what: str, item: Item, clock: Clock, as_json: bool, *then: Next) -> int:  # noqa: FBT001 - as the flag is called
    """What a change has come to."""
    return emit(Report(schema=f"vanta.tracker.{what}/1", at=clock.now(), items={"item": item.model_dump(mode="json")},
                       lines=[row(item, clock.now())], next=list(then)), as_json=as_json)


def add_main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(add_app, program="vt-add", arguments=arguments)


def list_main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(list_app, program="vt-list", arguments=arguments)


def mark_main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(mark_app, program="vt-mark", arguments=arguments)


def note_main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(note_app, program="vt-note", arguments=arguments)


def open_main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(open_app, program="vt-open", arguments=arguments)
